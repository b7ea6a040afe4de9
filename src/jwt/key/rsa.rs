//! RSA signatures (RFC 8017): the public-key operation by `dashu-int`, the encodings here.
//!
//! The crate `rsa` would do it too, at eight times the time in wasm: its arithmetic is made for private keys, where every step takes as
//! long as the next. Nothing here is secret. `rsa` is what this is held against in the tests.

use dashu_int::UBig;
use dashu_int::monty::MontgomeryRepr;

use super::InvalidKey;
use crate::jwt::alg::Hash;

/// RSA keys shorter than this can be factored (RFC 7518 section 3.3 sets the same floor); longer ones cost more time per token than a
/// gateway should let a key set decide.
const BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The least public exponent: smaller ones make forgeries against careless padding checks possible. The greatest keeps the time of one
/// check within bounds (33 bits, as BoringSSL and ring have it).
const EXPONENTS: std::ops::RangeInclusive<u64> = 65_537..=0x1_FFFF_FFFF;

/// An RSA public key.
#[derive(Clone, Debug)]
pub struct RsaKey {
    modulus: UBig,
    ring: MontgomeryRepr,
    exponent: UBig,
    /// Bits of the modulus.
    bits: usize,
}

impl RsaKey {
    /// From modulus and exponent, big-endian.
    pub fn new(modulus: &[u8], exponent: &[u8]) -> Result<Self, InvalidKey> {
        let exponent = UBig::from_be_bytes(exponent);
        let small = u64::try_from(&exponent).map_err(|_| InvalidKey::Exponent)?;
        if !EXPONENTS.contains(&small) || small % 2 == 0 {
            return Err(InvalidKey::Exponent);
        }
        let modulus = UBig::from_be_bytes(modulus);
        let bits = dashu_int::ops::BitTest::bit_len(&modulus);
        if !BITS.contains(&bits) {
            return Err(InvalidKey::Size);
        }
        // An even modulus is no product of two odd primes, and the arithmetic below needs an odd one.
        if !dashu_int::ops::BitTest::bit(&modulus, 0) {
            return Err(InvalidKey::Malformed);
        }
        let ring = MontgomeryRepr::new(modulus.clone());
        Ok(Self { modulus, ring, exponent, bits })
    }

    /// The modulus, big-endian.
    pub fn modulus(&self) -> Vec<u8> {
        self.modulus.to_be_bytes().into()
    }

    /// The exponent, big-endian.
    pub fn exponent(&self) -> Vec<u8> {
        self.exponent.to_be_bytes().into()
    }

    /// RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2.2): the encoding that must come out is built, and the whole of it compared, so that nothing
    /// can hide behind the padding.
    pub fn verify_pkcs1(&self, hash: Hash, digest: &[u8], signature: &[u8]) -> bool {
        let Some(encoded) = self.recover(signature) else { return false };
        let info = digest_info(hash);
        let Some(padding) = self.len().checked_sub(info.len() + digest.len() + 3).filter(|padding| *padding >= 8)
        else {
            return false;
        };
        let mut expected = vec![0x00, 0x01];
        expected.resize(2 + padding, 0xFF);
        expected.push(0x00);
        expected.extend_from_slice(info);
        expected.extend_from_slice(digest);
        encoded == expected
    }

    /// RSASSA-PSS (RFC 8017 section 8.1.2) with a salt as long as the hash and MGF1 of the same hash (RFC 7518 section 3.5).
    pub fn verify_pss(&self, hash: Hash, digest: &[u8], signature: &[u8]) -> bool {
        self.recover(signature).is_some_and(|encoded| self.pss_holds(hash, digest, &encoded).unwrap_or(false))
    }

    /// EMSA-PSS-VERIFY (RFC 8017 section 9.1.2). `None` where the encoding has no room for its parts.
    fn pss_holds(&self, hash: Hash, digest: &[u8], encoded: &[u8]) -> Option<bool> {
        let length = hash.bytes();
        // The encoding has one bit less than the modulus, and so one byte less where that bit began a byte.
        let bits = self.bits - 1;
        let (above, encoded) = encoded.split_at_checked(self.len() - bits.div_ceil(8))?;
        let (masked, rest) = encoded.split_at_checked(encoded.len().checked_sub(length + 1)?)?;
        let (h, trailer) = rest.split_at_checked(length)?;
        let unused = masked.len() * 8 + (length + 1) * 8 - bits;
        let top = 0xFF_u8.checked_shr(u32::try_from(unused).ok()?)?;
        if above.iter().any(|byte| *byte != 0) || trailer != [0xBC] || masked.first()? & !top != 0 {
            return Some(false);
        }
        let mut block: Vec<u8> = masked.iter().zip(mgf1(hash, h, masked.len())).map(|(a, b)| a ^ b).collect();
        *block.first_mut()? &= top;
        let (padding, salt) = block.split_at_checked(block.len().checked_sub(length)?)?;
        let (one, zeros) = padding.split_last()?;
        if *one != 1 || zeros.iter().any(|byte| *byte != 0) {
            return Some(false);
        }
        let message = [&[0; 8], digest, salt].concat();
        Some(hash.digest(&message) == h)
    }

    /// RSAVP1 (RFC 8017 section 5.2.2) with the length checks around it: the encoding that was signed, as long as the modulus.
    fn recover(&self, signature: &[u8]) -> Option<Vec<u8>> {
        let signature = (signature.len() == self.len()).then(|| UBig::from_be_bytes(signature))?;
        if signature >= self.modulus {
            return None;
        }
        let message = self.ring.reduce(signature).pow(&self.exponent).residue().to_be_bytes();
        let mut encoded = vec![0; self.len().checked_sub(message.len())?];
        encoded.extend_from_slice(&message);
        Some(encoded)
    }

    /// Bytes of the modulus, and of every signature.
    const fn len(&self) -> usize {
        self.bits.div_ceil(8)
    }
}

/// `DigestInfo` up to the digest (RFC 8017 section 9.2, note 1).
pub(super) const fn digest_info(hash: Hash) -> &'static [u8] {
    match hash {
        Hash::Sha256 => b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20",
        Hash::Sha384 => b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30",
        Hash::Sha512 => b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40",
    }
}

/// MGF1 (RFC 8017 appendix B.2.1).
pub(super) fn mgf1(hash: Hash, seed: &[u8], length: usize) -> Vec<u8> {
    let mut mask = Vec::with_capacity(length + hash.bytes());
    let mut counter: u32 = 0;
    while mask.len() < length {
        mask.extend(hash.digest(&[seed, &counter.to_be_bytes()].concat()));
        counter += 1;
    }
    mask.truncate(length);
    mask
}
