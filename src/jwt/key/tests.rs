//! Keys of every kind, held against other implementations and against what must be refused.

mod ec;
mod ed;
mod openssl;
mod rsa_blocks;
mod rsa_crate;
mod rsa_edges;

use ::rsa::RsaPrivateKey;
use ::rsa::pkcs1::DecodeRsaPrivateKey;
use ::rsa::traits::{PrivateKeyParts, PublicKeyParts};
use dashu_int::UBig;
use dashu_int::monty::MontgomeryRepr;

use super::rsa::{digest_info, mgf1};
use super::*;

/// What most tests sign.
const MESSAGE: &[u8] = b"a message";

const RS: [Algorithm; 3] = [Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512];
const PS: [Algorithm; 3] = [Algorithm::Ps256, Algorithm::Ps384, Algorithm::Ps512];

/// RSA keys, by the bits of their modulus: those of most issuers, and those whose first byte is not full.
const RSA_KEYS: [(usize, &str); 6] = [
    (2048, include_str!("../../../tests/keys/rsa.pem")),
    (2049, include_str!("../../../tests/keys/rsa-2049.pem")),
    (2050, include_str!("../../../tests/keys/rsa-2050.pem")),
    (2055, include_str!("../../../tests/keys/rsa-2055.pem")),
    (3072, include_str!("../../../tests/keys/rsa-3072.pem")),
    (4096, include_str!("../../../tests/keys/rsa-4096.pem")),
];

/// An RSA key that signs whatever block it is given.
struct Signer {
    private: RsaPrivateKey,
    public: PublicKey,
    bits: usize,
}

impl Signer {
    fn new(bits: usize) -> Self {
        let (_, pem) = RSA_KEYS.iter().find(|(its, _)| *its == bits).unwrap();
        let private = RsaPrivateKey::from_pkcs1_pem(pem).unwrap();
        let public = RsaKey::new(&private.n_bytes(), &private.e_bytes()).map(PublicKey::Rsa).unwrap();
        assert_eq!(usize::try_from(private.n().bits_vartime()), Ok(bits));
        Self { private, public, bits }
    }

    fn all() -> impl Iterator<Item = Self> {
        RSA_KEYS.iter().map(|(bits, _)| Self::new(*bits))
    }

    fn len(&self) -> usize {
        self.bits.div_ceil(8)
    }

    fn modulus(&self) -> UBig {
        UBig::from_be_bytes(&self.private.n_bytes())
    }

    /// The signature from which `block` is recovered (RFC 8017 section 5.2.1, and nothing but that).
    fn raw(&self, block: &[u8]) -> Vec<u8> {
        let block = UBig::from_be_bytes(block);
        assert!(block < self.modulus(), "no block of this key");
        let exponent = UBig::from_be_bytes(&self.private.d().to_be_bytes_trimmed_vartime());
        self.number(&MontgomeryRepr::new(self.modulus()).reduce(block).pow(&exponent).residue())
    }

    /// `number` as long as the modulus, or longer if it is.
    fn number(&self, number: &UBig) -> Vec<u8> {
        let bytes = number.to_be_bytes();
        [&vec![0; self.len().saturating_sub(bytes.len())][..], &bytes].concat()
    }

    /// EMSA-PKCS1-v1_5 (RFC 8017 section 9.2).
    fn pkcs1_block(&self, hash: Hash, message: &[u8]) -> Vec<u8> {
        let end = [&[0][..], digest_info(hash), &hash.digest(message)].concat();
        [&[0, 1][..], &vec![0xFF; self.len() - 2 - end.len()], &end].concat()
    }

    /// EMSA-PSS (RFC 8017 section 9.1.1), as long as the modulus.
    fn pss_block(&self, hash: Hash, message: &[u8], salt: &[u8]) -> Vec<u8> {
        let bits = self.bits - 1;
        let length = bits.div_ceil(8);
        let h = hash.digest(&[&[0; 8], &hash.digest(message)[..], salt].concat());
        let data_length = length - h.len() - 1;
        let mut data = [&vec![0; data_length - salt.len() - 1][..], &[1], salt].concat();
        data.iter_mut().zip(mgf1(hash, &h, data_length)).for_each(|(byte, mask)| *byte ^= mask);
        data[0] &= 0xFF >> (8 * length - bits);
        let above = vec![0; self.len() - length];
        [&above[..], &data, &h, &[0xBC]].concat()
    }

    /// A good signature of `algorithm`.
    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        self.raw(&self.block(algorithm, message))
    }

    /// What a good signature of `algorithm` is of.
    fn block(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        let hash = algorithm.hash();
        match algorithm.family() {
            Family::RsaPkcs1 => self.pkcs1_block(hash, message),
            _ => self.pss_block(hash, message, &vec![0x5A; hash.bytes()]),
        }
    }
}
