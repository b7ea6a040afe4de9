//! The keys that a token is held against.

use super::key::HmacKey;
use super::keyset::KeySet;
use crate::time::{UnixTime, Window};

/// A shared secret with the times at which it counts.
#[derive(Clone, Debug)]
pub struct Secret {
    /// The `kid` of tokens signed with it; none: any token.
    pub kid: Option<String>,
    /// The secret.
    pub key: HmacKey,
    /// When it counts.
    pub window: Window,
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
    /// Whether it may judge a token with this `kid` now. A token that names no key may be signed with any, and a secret that has no name
    /// judges any token.
    pub(super) fn counts(&self, kid: Option<&str>, now: UnixTime) -> bool {
        let named = match (&self.kid, kid) {
            (Some(own), Some(wanted)) => own == wanted,
            _ => true,
        };
        named && self.window.holds(now)
    }
}
