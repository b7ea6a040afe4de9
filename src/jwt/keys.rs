//! The keys that a token is held against.

use super::key::HmacKey;
use super::keyset::KeySet;
use crate::time::UnixTime;

/// A shared secret with the times at which it counts.
#[derive(Clone, Debug)]
pub struct Secret {
    /// The `kid` of tokens signed with it; none: any token.
    pub kid: Option<String>,
    /// The secret.
    pub key: HmacKey,
    /// From when on it counts.
    pub not_before: Option<UnixTime>,
    /// When it stops counting.
    pub not_after: Option<UnixTime>,
}

/// The keys that a token is held against.
#[derive(Clone, Copy, Debug)]
pub enum Keys<'k> {
    /// Shared secrets.
    Secrets(&'k [Secret]),
    /// Public keys.
    Public(&'k KeySet),
}

impl Secret {
    /// Whether it counts at all times.
    pub const fn is_always_good(&self) -> bool {
        self.not_before.is_none() && self.not_after.is_none()
    }

    /// Whether it may judge a token with this `kid` now. A token that names no key may be signed with any, and a secret that has no name
    /// judges any token.
    pub(super) fn counts(&self, kid: Option<&str>, now: UnixTime) -> bool {
        let named = match (&self.kid, kid) {
            (Some(own), Some(wanted)) => own == wanted,
            _ => true,
        };
        named && self.not_before.is_none_or(|from| from <= now) && self.not_after.is_none_or(|until| now < until)
    }
}
