//! Ed25519 (RFC 8032), the one curve of RFC 8037 that is for signatures here.

use ed25519_dalek::{Signature, VerifyingKey};

use super::InvalidKey;

/// An Ed25519 public key.
#[derive(Clone, Debug)]
pub struct EdKey(VerifyingKey);

impl EdKey {
    /// From its 32 bytes. A point of small order is refused: signatures under it hold for any message.
    pub fn new(bytes: &[u8]) -> Result<Self, InvalidKey> {
        let bytes = bytes.try_into().map_err(|_| InvalidKey::Malformed)?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| InvalidKey::Point)?;
        if key.is_weak() { Err(InvalidKey::Point) } else { Ok(Self(key)) }
    }

    /// Its 32 bytes.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Whether `signature` is over `message`, by the strict rules: S below the order, no point of small order.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }
}
