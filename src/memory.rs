//! Tokens that were verified before: what an isolate remembers, so that the next request with the same token costs its digest and no
//! signature check.
//!
//! Keyed by a digest, never by the token. Only good results are kept. A hit says that the signature is good and that the claims are what
//! the rules want, which cannot change: whether it is too early or too late is judged again each time, and an entry ends when the keys that
//! it was verified with are no longer those at hand.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;

use siphasher::sip128::{Hasher128, SipHasher24};

use crate::authn::Who;
use crate::jwks::SourceId;

/// Most tokens that are remembered. An isolate serves a few thousand users between restarts at most.
const MAX_ENTRIES: usize = 2000;

/// Most bytes that they take, by estimate: an isolate has 128 MB for everything.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// What an entry costs beside its claims: digest, order, map.
const ENTRY_BYTES: usize = 256;

/// The digest of a token and of the authorizers that it was held against: SipHash-2-4 of 128 bits under a key that nobody else knows. Without
/// it nobody can look for two tokens with one digest, and whoever just tries has a chance of one in 2^128 for each token that is remembered.
/// It costs a tenth of SHA-256, which would be most of what is done for a token that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenDigest(u128);

impl Hash for TokenDigest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [low @ .., _, _, _, _, _, _, _, _] = self.0.to_le_bytes();
        state.write_u64(u64::from_le_bytes(low));
    }
}

/// The place of a digest in a table: it is as random as can be already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        // Never called: a digest is written as one number.
        self.0 ^= bytes.iter().fold(0, |sum, byte| (sum << 8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

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
    /// Who is asking.
    pub(crate) who: Arc<Who>,
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
pub struct Memory {
    key: [u8; 16],
    entries: HashMap<TokenDigest, Entry, BuildHasherDefault<AsItIs>>,
    /// Digests with the bytes that they take, the oldest first.
    order: VecDeque<(TokenDigest, usize)>,
    bytes: usize,
}

/// Without the key, which nobody is to see.
impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("entries", &self.entries.len())
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl Memo {
    /// To remember `entry`, which takes so many bytes beside its place, by estimate.
    pub(crate) const fn new(digest: TokenDigest, bytes: usize, entry: Entry) -> Self {
        Self { digest, entry, bytes: ENTRY_BYTES + bytes }
    }
}

impl Memory {
    /// Remembers nothing yet. `key` has to be random, and never to leave the isolate: see [`TokenDigest`].
    pub const fn new(key: [u8; 16]) -> Self {
        Self { key, entries: HashMap::with_hasher(BuildHasherDefault::new()), order: VecDeque::new(), bytes: 0 }
    }

    /// The digest of `token`, held against the authorizers with these numbers in this order.
    pub(crate) fn digest(&self, authorizers: impl Iterator<Item = usize>, token: &str) -> TokenDigest {
        let mut hash = SipHasher24::new_with_key(&self.key);
        hash.write(token.as_bytes());
        // No token has such a byte, so token and numbers cannot run into each other.
        hash.write_u8(0xFF);
        for number in authorizers {
            hash.write_u64(u64::try_from(number).unwrap_or(u64::MAX));
        }
        TokenDigest(hash.finish128().as_u128())
    }

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

    const KEY: [u8; 16] = [7; 16];

    fn memo(token: &str, bytes: usize) -> Memo {
        let entry = Entry { authorizer: 0, keys: KeysUsed::Configured, who: Arc::new(Who::default()) };
        Memo::new(Memory::new(KEY).digest([0].into_iter(), token), bytes, entry)
    }

    #[test]
    fn the_digest_tells_tokens_and_authorizers_apart() {
        let digest = |numbers: &[usize], token: &str| Memory::new(KEY).digest(numbers.iter().copied(), token);
        assert_eq!(digest(&[1, 2], "t"), digest(&[1, 2], "t"));
        for other in [digest(&[2, 1], "t"), digest(&[1], "t"), digest(&[1, 2], "u"), digest(&[], "t")] {
            assert_ne!(digest(&[1, 2], "t"), other);
        }
        assert_ne!(digest(&[1, 2], "t"), Memory::new([8; 16]).digest([1, 2].into_iter(), "t"), "another isolate");
    }

    #[test]
    fn the_oldest_are_forgotten_by_count_and_by_bytes() {
        let mut memory = Memory::new(KEY);
        for number in 0..MAX_ENTRIES + 10 {
            memory.remember(memo(&number.to_string(), 1));
        }
        assert_eq!(memory.len(), MAX_ENTRIES);
        assert!(memory.get(&memo("9", 1).digest).is_none() && memory.get(&memo("10", 1).digest).is_some());
        memory.remember(memo("large", MAX_BYTES - ENTRY_BYTES));
        assert_eq!(memory.len(), 1, "one that takes all the room leaves it for itself alone");
        memory.remember(memo("larger", MAX_BYTES));
        assert!(memory.is_empty());
        assert_eq!(memory.bytes, 0);
    }

    #[test]
    fn the_key_is_not_printed() {
        let mut memory = Memory::new([211; 16]);
        memory.remember(memo("t", 1));
        let printed = format!("{memory:?}");
        assert!(printed.contains("entries: 1") && !printed.contains("211"), "{printed}");
    }

    #[test]
    fn remembering_again_counts_once() {
        let mut memory = Memory::new(KEY);
        for _ in 0..10 {
            memory.remember(memo("same", 100));
        }
        assert_eq!((memory.len(), memory.order.len(), memory.bytes), (1, 1, ENTRY_BYTES + 100));
    }
}
