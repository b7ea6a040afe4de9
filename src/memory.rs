//! Tokens that were verified before: what an isolate remembers, so that the next request with the same token costs its digest and no
//! signature check.
//!
//! Keyed by a digest, never by the token. Only good results are kept. A hit is good for nothing but the signature: time and claims are
//! judged again each time, and an entry ends when the keys that it was verified with are no longer those at hand.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::consumer::Consumer;
use crate::jwks::SourceId;
use crate::jwt::policy::Verified;

/// Most tokens that are remembered. An isolate serves a few thousand users between restarts at most.
const MAX_ENTRIES: usize = 2000;

/// Most bytes that they take, by estimate: an isolate has 128 MB for everything.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// What an entry costs beside its claims: digest, order, map.
const ENTRY_BYTES: usize = 256;

/// The digest of a token and of the authorizers that it was held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenDigest([u8; 32]);

/// A verified token, to be remembered.
#[derive(Clone, Debug)]
pub struct Memo {
    digest: TokenDigest,
    entry: Entry,
    bytes: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The authorizer that accepted it.
    pub(crate) authorizer: usize,
    /// The keys that it was verified with.
    pub(crate) keys: KeysUsed,
    /// What it says.
    pub(crate) verified: Arc<Verified>,
    /// Whose credential it was.
    pub(crate) consumer: Option<Arc<Consumer>>,
}

/// The keys that a token was verified with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeysUsed {
    /// Those of the configuration, which never change.
    Configured,
    /// Those of a source, and which of the sets that it had.
    Fetched(SourceId, u64),
    /// Those of a record in KV, and which of its texts.
    Record(u64),
}

/// What one isolate remembers.
#[derive(Debug, Default)]
pub struct Memory {
    entries: BTreeMap<TokenDigest, Entry>,
    /// Digests with the bytes that they take, the oldest first.
    order: VecDeque<(TokenDigest, usize)>,
    bytes: usize,
}

impl TokenDigest {
    /// Of `token`, held against the authorizers with these numbers in this order.
    pub(crate) fn new(authorizers: impl Iterator<Item = usize>, token: &str) -> Self {
        let mut hash = Sha256::new();
        for number in authorizers {
            hash.update(u64::try_from(number).unwrap_or(u64::MAX).to_be_bytes());
        }
        // No token has such a byte, so numbers and token cannot run into each other.
        hash.update([0xFF]);
        hash.update(token);
        Self(hash.finalize().into())
    }
}

impl Memo {
    pub(crate) const fn new(digest: TokenDigest, token_bytes: usize, entry: Entry) -> Self {
        // Claims in memory take about twice the token's own length.
        Self { digest, entry, bytes: ENTRY_BYTES + 2 * token_bytes }
    }
}

impl Memory {
    pub(crate) fn get(&self, digest: &TokenDigest) -> Option<&Entry> {
        self.entries.get(digest)
    }

    /// Remembers; the oldest are forgotten where there is no room.
    pub fn remember(&mut self, memo: Memo) {
        if self.entries.insert(memo.digest, memo.entry).is_none() {
            self.order.push_back((memo.digest, memo.bytes));
            self.bytes += memo.bytes;
        }
        while self.entries.len() > MAX_ENTRIES || self.bytes > MAX_BYTES {
            let Some((oldest, bytes)) = self.order.pop_front() else { break };
            self.entries.remove(&oldest);
            self.bytes = self.bytes.saturating_sub(bytes);
        }
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memo(token: &str, bytes: usize) -> Memo {
        let entry = Entry {
            authorizer: 0,
            keys: KeysUsed::Configured,
            verified: Arc::new(Verified::default()),
            consumer: None,
        };
        Memo::new(TokenDigest::new([0].into_iter(), token), bytes, entry)
    }

    #[test]
    fn the_digest_tells_tokens_and_authorizers_apart() {
        let digest = |numbers: &[usize], token: &str| TokenDigest::new(numbers.iter().copied(), token);
        assert_eq!(digest(&[1, 2], "t"), digest(&[1, 2], "t"));
        for other in [digest(&[2, 1], "t"), digest(&[1], "t"), digest(&[1, 2], "u"), digest(&[], "t")] {
            assert_ne!(digest(&[1, 2], "t"), other);
        }
    }

    #[test]
    fn the_oldest_are_forgotten_by_count_and_by_bytes() {
        let mut memory = Memory::default();
        for number in 0..MAX_ENTRIES + 10 {
            memory.remember(memo(&number.to_string(), 1));
        }
        assert_eq!(memory.len(), MAX_ENTRIES);
        assert!(memory.get(&memo("9", 1).digest).is_none() && memory.get(&memo("10", 1).digest).is_some());
        memory.remember(memo("large", MAX_BYTES / 2 - ENTRY_BYTES));
        assert_eq!(memory.len(), 1, "one that takes half the room twice over leaves room for itself alone");
        memory.remember(memo("larger", MAX_BYTES));
        assert!(memory.is_empty());
        assert_eq!(memory.bytes, 0);
    }

    #[test]
    fn remembering_again_counts_once() {
        let mut memory = Memory::default();
        for _ in 0..10 {
            memory.remember(memo("same", 100));
        }
        assert_eq!((memory.len(), memory.order.len(), memory.bytes), (1, 1, ENTRY_BYTES + 200));
    }
}
