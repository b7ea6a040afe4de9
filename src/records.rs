//! Small records in KV (credentials, revocations): what an isolate remembers of them, and for how long it may.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use crate::digest::short;
use crate::reject::Reject;
use crate::time::UnixTime;

/// Most records that are remembered.
const MAX_RECORDS: usize = 4000;

/// Most bytes that they take, by estimate.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// What a record costs beside its text.
const RECORD_BYTES: usize = 200;

/// The longest that a record is remembered as absent, in milliseconds: whoever was just added should not wait.
const MAX_ABSENT_MS: u64 = 10_000;

/// How long KV is left alone after it has failed, in milliseconds.
const FAILURE_PAUSE_MS: u64 = 2_000;

/// Where a record is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordKey {
    /// The name under which the KV namespace is bound.
    pub binding: String,
    /// The key within it.
    pub key: String,
}

/// The longest key that KV takes.
const MAX_KEY_BYTES: usize = 512;

impl RecordKey {
    /// `key` in the namespace `binding`; one that is too long for KV is known by its digest.
    pub fn new(binding: &str, key: String) -> Self {
        Self { binding: binding.to_owned(), key: short(key, MAX_KEY_BYTES) }
    }

    /// The refusal where no such namespace is bound.
    pub(crate) fn unbound(&self) -> Reject {
        Reject::config(format!("no KV namespace is bound as `{}`", self.binding))
    }

    /// The refusal where KV does not answer; `what` is kept there.
    pub(crate) fn unreadable(&self, what: &str) -> Reject {
        Reject::keys_unavailable(FAILURE_PAUSE_MS / 2, format!("{what} in {} cannot be read", self.binding))
    }
}

/// What is known of a record.
#[derive(Debug, PartialEq, Eq)]
pub enum Looked<'r> {
    /// Its text, and which of all texts it is: another number, another text.
    Text(&'r str, u64),
    /// There is none.
    Absent,
    /// It has to be read first.
    Unknown,
    /// KV has just failed.
    Failing,
    /// There is no such namespace: a fault of the configuration.
    Unbound,
}

/// What one isolate remembers.
#[derive(Debug, Default)]
pub struct Records {
    known: BTreeMap<RecordKey, Known>,
    /// Keys, the oldest first.
    order: VecDeque<RecordKey>,
    bytes: usize,
    generation: u64,
}

#[derive(Debug)]
struct Known {
    found: Found,
    read_at: UnixTime,
    /// What it takes, by estimate.
    bytes: usize,
}

#[derive(Debug)]
enum Found {
    Text(Rc<str>, u64),
    Absent,
    Failed,
    Unbound,
}

impl Records {
    /// What is known of `key` at `now`, where a text may be `ttl_ms` old.
    pub fn look(&self, key: &RecordKey, ttl_ms: u64, now: UnixTime) -> Looked<'_> {
        let Some(known) = self.known.get(key) else { return Looked::Unknown };
        let age = now.since(known.read_at);
        match &known.found {
            Found::Text(text, generation) if age < ttl_ms => Looked::Text(text, *generation),
            Found::Absent if age < ttl_ms.min(MAX_ABSENT_MS) => Looked::Absent,
            Found::Failed if age < FAILURE_PAUSE_MS => Looked::Failing,
            // Bindings do not change while an isolate lives.
            Found::Unbound => Looked::Unbound,
            _ => Looked::Unknown,
        }
    }

    /// What KV said of `key`. A text that is still the same keeps its number.
    pub fn store(&mut self, key: RecordKey, text: Option<&str>, now: UnixTime) {
        let found = match (text, self.known.get(&key).map(|known| &known.found)) {
            (None, _) => Found::Absent,
            (Some(text), Some(Found::Text(known, generation))) if **known == *text => {
                Found::Text(Rc::clone(known), *generation)
            }
            (Some(text), _) => {
                self.generation += 1;
                Found::Text(text.into(), self.generation)
            }
        };
        self.put(key, found, text.map_or(0, str::len), now);
    }

    /// KV did not answer. What was known before is not used any longer than it may be.
    pub fn failed(&mut self, key: RecordKey, now: UnixTime) {
        self.put(key, Found::Failed, 0, now);
    }

    /// Nothing is bound under the name of `key`'s namespace.
    pub fn unbound(&mut self, key: RecordKey, now: UnixTime) {
        self.put(key, Found::Unbound, 0, now);
    }

    fn put(&mut self, key: RecordKey, found: Found, bytes: usize, now: UnixTime) {
        let bytes = RECORD_BYTES + key.key.len() + bytes;
        self.bytes += bytes;
        match self.known.insert(key.clone(), Known { found, read_at: now, bytes }) {
            Some(before) => self.bytes = self.bytes.saturating_sub(before.bytes),
            None => self.order.push_back(key),
        }
        while self.known.len() > MAX_RECORDS || self.bytes > MAX_BYTES {
            let Some(oldest) = self.order.pop_front() else { break };
            let bytes = self.known.remove(&oldest).map_or(0, |known| known.bytes);
            self.bytes = self.bytes.saturating_sub(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::NOW;

    fn key(name: &str) -> RecordKey {
        RecordKey { binding: "KV".into(), key: name.into() }
    }

    fn later(ms: u64) -> UnixTime {
        UnixTime::from_millis(NOW.as_millis() + ms)
    }

    #[test]
    fn a_record_is_known_for_its_time_its_absence_for_ten_seconds_a_failure_for_two() {
        let mut records = Records::default();
        assert_eq!(records.look(&key("a"), 60_000, NOW), Looked::Unknown);
        records.store(key("a"), Some("text"), NOW);
        records.store(key("b"), None, NOW);
        records.failed(key("c"), NOW);
        for (name, ttl, after, expected) in [
            ("a", 60_000, 59_999, Looked::Text("text", 1)),
            ("a", 60_000, 60_000, Looked::Unknown),
            ("a", 5_000, 5_000, Looked::Unknown),
            ("b", 60_000, 9_999, Looked::Absent),
            ("b", 60_000, 10_000, Looked::Unknown),
            ("b", 1_000, 1_000, Looked::Unknown),
            ("c", 60_000, 1_999, Looked::Failing),
            ("c", 60_000, 2_000, Looked::Unknown),
        ] {
            assert_eq!(records.look(&key(name), ttl, later(after)), expected, "{name} of {ttl} after {after}");
        }
    }

    #[test]
    fn a_text_keeps_its_number_until_it_is_another() {
        let mut records = Records::default();
        records.store(key("a"), Some("one"), NOW);
        records.store(key("a"), Some("one"), later(1));
        assert_eq!(records.look(&key("a"), 10, later(5)), Looked::Text("one", 1));
        records.store(key("a"), Some("two"), later(2));
        records.store(key("a"), Some("one"), later(3));
        assert_eq!(records.look(&key("a"), 10, later(5)), Looked::Text("one", 3));
    }

    #[test]
    fn a_failure_ends_what_was_known_before() {
        let mut records = Records::default();
        records.store(key("a"), Some("one"), NOW);
        records.failed(key("a"), later(1));
        assert_eq!(records.look(&key("a"), 60_000, later(2)), Looked::Failing);
    }

    #[test]
    fn a_text_that_grows_is_counted_as_it_is() {
        let mut records = Records::default();
        for name in ["a", "b", "c"] {
            records.store(key(name), None, NOW);
            records.store(key(name), Some(&"x".repeat(MAX_BYTES / 2)), NOW);
        }
        assert_eq!(records.look(&key("a"), 60_000, NOW), Looked::Unknown);
        assert!(matches!(records.look(&key("c"), 60_000, NOW), Looked::Text(..)));
        assert!(records.bytes <= MAX_BYTES);
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let mut records = Records::default();
        for number in 0..=MAX_RECORDS {
            records.store(key(&number.to_string()), Some("x"), NOW);
        }
        assert_eq!(records.look(&key("0"), 60_000, NOW), Looked::Unknown);
        assert!(matches!(records.look(&key("1"), 60_000, NOW), Looked::Text(..)));
    }
}
