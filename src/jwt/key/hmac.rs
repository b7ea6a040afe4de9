//! Shared secrets.

use std::fmt;

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

/// Why a text is no shared secret: everybody knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidSecret {
    /// It has no bytes.
    Empty,
    /// It is a public key or a certificate in PEM.
    Public,
}

impl fmt::Display for InvalidSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the secret is empty: anybody could sign",
            Self::Public => {
                "this is a public key, not a secret: whoever has it could sign; `public_key` is for it, with an RS, PS, ES or EdDSA algorithm"
            }
        })
    }
}

impl HmacKey {
    /// From the secret's bytes.
    ///
    /// # Errors
    /// What everybody knows is no secret. With a public key as one, whoever has it signs tokens: the oldest attack on JSON Web Tokens (RFC 8725
    /// section 2.1), done to oneself.
    pub fn new(secret: &[u8]) -> Result<Self, InvalidSecret> {
        if is_public(secret) {
            return Err(InvalidSecret::Public);
        }
        if secret.is_empty() {
            return Err(InvalidSecret::Empty);
        }
        // HMAC takes keys of any other length (RFC 2104 section 2).
        let never = |_| InvalidSecret::Empty;
        Ok(Self {
            sha256: KeyInit::new_from_slice(secret).map_err(never)?,
            sha384: KeyInit::new_from_slice(secret).map_err(never)?,
            sha512: KeyInit::new_from_slice(secret).map_err(never)?,
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
impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacKey(…)")
    }
}

/// Whether these bytes are a PEM (RFC 7468) of something public.
fn is_public(secret: &[u8]) -> bool {
    const LABELS: [&[u8]; 4] =
        [b"PUBLIC KEY-----", b"RSA PUBLIC KEY-----", b"CERTIFICATE-----", b"X509 CERTIFICATE-----"];
    let label = secret.trim_ascii_start().strip_prefix(b"-----BEGIN ");
    label.is_some_and(|label| LABELS.iter().any(|known| label.starts_with(known)))
}
