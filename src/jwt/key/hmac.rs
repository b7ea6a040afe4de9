//! Shared secrets.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};

use crate::jwt::alg::Hash;

/// A shared secret, ready for each of its hashes.
#[derive(Clone)]
pub struct HmacKey {
    sha256: Hmac<Sha256>,
    sha384: Hmac<Sha384>,
    sha512: Hmac<Sha512>,
}

impl HmacKey {
    /// From the secret's bytes. `None` for an empty secret, under which anybody could sign.
    pub fn new(secret: &[u8]) -> Option<Self> {
        if secret.is_empty() {
            return None;
        }
        Some(Self {
            sha256: KeyInit::new_from_slice(secret).ok()?,
            sha384: KeyInit::new_from_slice(secret).ok()?,
            sha512: KeyInit::new_from_slice(secret).ok()?,
        })
    }

    /// Whether `signature` is the whole code of `message`, found out in constant time.
    pub fn verify(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        fn check<M: Mac + Clone>(keyed: &M, message: &[u8], signature: &[u8]) -> bool {
            keyed.clone().chain_update(message).verify_slice(signature).is_ok()
        }
        match hash {
            Hash::Sha256 => check(&self.sha256, message, signature),
            Hash::Sha384 => check(&self.sha384, message, signature),
            Hash::Sha512 => check(&self.sha512, message, signature),
        }
    }
}

/// Never prints the secret.
impl std::fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HmacKey(…)")
    }
}
