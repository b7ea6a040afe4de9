//! RSA signatures (RFC 8017): the encodings here, the public-key operation in [`montgomery`].
//!
//! The crate `rsa` would do it too, at ten times the time in wasm: its arithmetic is made for private keys, where every step takes as long as
//! the next. Nothing here is secret. `rsa` is what this is held against in the tests.

mod montgomery;
mod pair;

use montgomery::Modulus;

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
    modulus: Modulus,
    exponent: u64,
    /// Bits of the modulus.
    bits: usize,
}

impl RsaKey {
    /// From modulus and exponent, big-endian.
    pub fn new(modulus: &[u8], exponent: &[u8]) -> Result<Self, InvalidKey> {
        let exponent = significant(exponent);
        let mut word = [0; 8];
        let place = word.len().checked_sub(exponent.len()).and_then(|start| word.get_mut(start..));
        place.ok_or(InvalidKey::Exponent)?.copy_from_slice(exponent);
        let exponent = u64::from_be_bytes(word);
        if !EXPONENTS.contains(&exponent) || exponent.is_multiple_of(2) {
            return Err(InvalidKey::Exponent);
        }
        let modulus = significant(modulus);
        let (Some(first), Some(last)) = (modulus.first(), modulus.last()) else { return Err(InvalidKey::Size) };
        let above = usize::try_from(first.leading_zeros()).unwrap_or(0);
        let bits = modulus.len().saturating_mul(8) - above;
        if !BITS.contains(&bits) {
            return Err(InvalidKey::Size);
        }
        // An even modulus is no product of two odd primes, and the arithmetic needs an odd one.
        if last.is_multiple_of(2) {
            return Err(InvalidKey::Malformed);
        }
        Ok(Self { modulus: Modulus::new(modulus), exponent, bits })
    }

    /// The modulus, big-endian.
    pub fn modulus(&self) -> Vec<u8> {
        self.modulus.bytes().to_vec()
    }

    /// The exponent, big-endian.
    pub fn exponent(&self) -> Vec<u8> {
        significant(&self.exponent.to_be_bytes()).to_vec()
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

    /// RSAVP1 (RFC 8017 section 5.2.2): the encoding that was signed. None for a signature that is not as long as the modulus, or not less.
    fn recover(&self, signature: &[u8]) -> Option<Vec<u8>> {
        self.modulus.pow(signature, self.exponent)
    }

    /// Bytes of the modulus, and of every signature.
    const fn len(&self) -> usize {
        self.bits.div_ceil(8)
    }
}

/// A number's bytes without leading zeros.
fn significant(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    bytes.get(start..).unwrap_or_default()
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
