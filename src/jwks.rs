//! Key sets from URLs: what an isolate remembers of them, when that may be used, and when the source may be asked.
//!
//! All of it is data and decisions. The Worker does the fetching, and tells the ring what came of it.

use serde_json::{Value, json};

use crate::digest;
use crate::jwt::json;
use crate::jwt::keyset::{InvalidKeySet, KeySet};
use crate::time::UnixTime;

/// A key set's bytes may not be more: the largest of a known provider has 60 KiB.
pub const MAX_DOCUMENT_BYTES: usize = 512 * 1024;

/// The least time between two fetches that an unknown `kid` causes.
const UNKNOWN_KEY_COOLDOWN_MS: u64 = 30_000;

/// How long a source that failed is left alone: doubled with each failure, from the first to the last.
const BACKOFF_MS: std::ops::RangeInclusive<u64> = 2_000..=60_000;

/// The bounds within which a response's own `Cache-Control: max-age` is believed.
const MAX_AGE_MS: std::ops::RangeInclusive<u64> = 60_000..=86_400_000;

/// How long keys are fresh where neither configuration nor response say.
const DEFAULT_TTL_MS: u64 = 300_000;

/// The longest name that KV takes.
const MAX_STORAGE_KEY_BYTES: usize = 512;

/// How often the cron trigger of wrangler.toml comes round.
const CRON_PERIOD_MS: u64 = 300_000;

/// The version of what is stored in KV.
const STORED_VERSION: u64 = 1;

/// A key set source, by its number within the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceId(pub usize);

/// A URL to fetch keys from, with its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Absolute http or https URL: of the keys or, with an `issuer`, of its discovery document.
    pub url: String,
    /// The issuer whose discovery document says where the keys are.
    pub issuer: Option<String>,
    /// How long keys are fresh, in milliseconds; none: as the response says.
    pub ttl_ms: Option<u64>,
    /// How long a fetch may take.
    pub timeout_ms: u64,
    /// How long keys may serve after they ceased to be fresh.
    pub stale_ms: u64,
}

/// A key set with the time it was fetched.
#[derive(Clone, Debug)]
pub struct FetchedKeys {
    /// The keys.
    pub set: KeySet,
    /// When their source gave them out.
    pub fetched_at: UnixTime,
    /// How long their source says they are good, in milliseconds.
    pub max_age_ms: Option<u64>,
}

/// Why keys are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// There are none: from KV or, failing that, from the source.
    Any,
    /// Those there are lack a key: from the source.
    Newer,
}

/// What the ring can say of a source.
#[derive(Debug)]
pub enum Look<'k> {
    /// Keys that may be used.
    Keys {
        /// The keys.
        set: &'k KeySet,
        /// Which of the sets that this source had so far.
        generation: u64,
        /// They are no longer fresh, and the source may be asked: after the response.
        refresh: bool,
        /// The source may be asked for a key that is not among them: before the response.
        may_ask: bool,
    },
    /// Nothing yet.
    Nothing,
    /// Nothing, and the source has just failed.
    Failing {
        /// Milliseconds after which asking again makes sense.
        retry_after_ms: u64,
    },
}

/// What one isolate remembers of all sources.
#[derive(Debug, Default)]
pub struct KeyRing {
    slots: Vec<Slot>,
}

#[derive(Debug, Default)]
struct Slot {
    keys: Option<FetchedKeys>,
    /// Counts the sets that were stored.
    generation: u64,
    /// When the source was last asked, successfully or not.
    asked_at: Option<UnixTime>,
    /// Failures since the last success.
    failures: u32,
    /// Until when a request that is fetching keeps others from doing the same.
    lease_until: Option<UnixTime>,
}

impl Source {
    fn ttl_ms(&self, keys: &FetchedKeys) -> u64 {
        let told = || keys.max_age_ms.map(|age| age.clamp(*MAX_AGE_MS.start(), *MAX_AGE_MS.end()));
        self.ttl_ms.or_else(told).unwrap_or(DEFAULT_TTL_MS)
    }

    /// The name under which KV keeps the keys: the URL, so that people find it, or its digest where the URL is longer than a KV key may be, or
    /// has a query, in which a key of the provider's may be.
    pub fn storage_key(&self) -> String {
        let key = format!("jwks:{}", self.url);
        if key.len() <= MAX_STORAGE_KEY_BYTES && !self.url.contains('?') {
            return key;
        }
        format!("jwks-sha256:{}", digest::sha256(&self.url))
    }

    /// How long KV is to keep keys, in milliseconds: as long as they may serve.
    pub fn kept_ms(&self) -> u64 {
        self.ttl_ms.unwrap_or(*MAX_AGE_MS.end()).saturating_add(self.stale_ms)
    }

    /// Whether `keys` would cease to be fresh before the cron trigger comes round again.
    pub fn is_due(&self, keys: &FetchedKeys, now: UnixTime) -> bool {
        now.since(keys.fetched_at).saturating_add(CRON_PERIOD_MS) >= self.ttl_ms(keys)
    }

    /// Whether `keys` may be used at all, and if so, whether they are fresh.
    pub fn freshness(&self, keys: &FetchedKeys, now: UnixTime) -> Option<bool> {
        let age = now.since(keys.fetched_at);
        let ttl = self.ttl_ms(keys);
        (age < ttl.saturating_add(self.stale_ms)).then_some(age < ttl)
    }
}

impl KeyRing {
    /// An empty ring for a gateway with so many sources.
    pub fn new(sources: usize) -> Self {
        Self { slots: std::iter::repeat_with(Slot::default).take(sources).collect() }
    }

    /// What is known of source `id` at `now`.
    pub fn look(&self, id: SourceId, source: &Source, now: UnixTime) -> Look<'_> {
        let Some(slot) = self.slots.get(id.0) else { return Look::Nothing };
        let backoff = slot.backoff_ms(now);
        if let Some(keys) = &slot.keys
            && let Some(fresh) = source.freshness(keys, now)
        {
            let resting = slot.asked_at.is_some_and(|asked| now.since(asked) < UNKNOWN_KEY_COOLDOWN_MS);
            let may_ask = !resting && backoff == 0;
            return Look::Keys {
                set: &keys.set,
                generation: slot.generation,
                refresh: !fresh && backoff == 0 && !slot.is_leased(now),
                may_ask,
            };
        }
        if backoff > 0 { Look::Failing { retry_after_ms: backoff } } else { Look::Nothing }
    }

    /// Takes the right to ask source `id`, for `for_ms` at most. `false`: another request of this isolate has it.
    pub fn lease(&mut self, id: SourceId, now: UnixTime, for_ms: u64) -> bool {
        let Some(slot) = self.slots.get_mut(id.0) else { return true };
        if slot.is_leased(now) {
            return false;
        }
        slot.lease_until = Some(UnixTime::from_millis(now.as_millis().saturating_add(for_ms)));
        true
    }

    /// Whether another request is asking source `id`.
    pub fn is_leased(&self, id: SourceId, now: UnixTime) -> bool {
        self.slots.get(id.0).is_some_and(|slot| slot.is_leased(now))
    }

    /// Gives the right to ask back without a result.
    pub fn release(&mut self, id: SourceId) {
        if let Some(slot) = self.slots.get_mut(id.0) {
            slot.lease_until = None;
        }
    }

    /// Keys that came from KV. Older ones than those at hand are passed over.
    pub fn store(&mut self, id: SourceId, keys: FetchedKeys) {
        let Some(slot) = self.slots.get_mut(id.0) else { return };
        if slot.keys.as_ref().is_none_or(|known| known.fetched_at <= keys.fetched_at) {
            slot.keys = Some(keys);
            slot.generation += 1;
        }
    }

    /// Keys that came from the source itself.
    pub fn store_fetched(&mut self, id: SourceId, keys: FetchedKeys) {
        let now = keys.fetched_at;
        self.store(id, keys);
        let Some(slot) = self.slots.get_mut(id.0) else { return };
        slot.asked_at = Some(now);
        slot.failures = 0;
        slot.lease_until = None;
    }

    /// The source did not give usable keys.
    pub fn failed(&mut self, id: SourceId, now: UnixTime) {
        let Some(slot) = self.slots.get_mut(id.0) else { return };
        slot.asked_at = Some(now);
        slot.failures = slot.failures.saturating_add(1);
        slot.lease_until = None;
    }
}

impl Slot {
    fn is_leased(&self, now: UnixTime) -> bool {
        self.lease_until.is_some_and(|until| now < until)
    }

    /// Milliseconds for which the source is left alone after its last failures.
    fn backoff_ms(&self, now: UnixTime) -> u64 {
        let (Some(asked), 1..) = (self.asked_at, self.failures) else { return 0 };
        let doubled = BACKOFF_MS.start().saturating_mul(1 << (self.failures - 1).min(10));
        doubled.min(*BACKOFF_MS.end()).saturating_sub(now.since(asked))
    }
}

impl FetchedKeys {
    /// What came from a source: `body` with the response's `Cache-Control`.
    pub fn fetched(body: &[u8], cache_control: Option<&str>, now: UnixTime) -> Result<Self, InvalidKeySet> {
        let max_age_ms = cache_control.and_then(max_age_seconds).map(|seconds| seconds.saturating_mul(1000));
        Ok(Self { set: KeySet::parse(body)?, fetched_at: now, max_age_ms })
    }

    /// What is kept in KV: the usable keys and the time, inside the value since KV tells none.
    pub fn to_stored(&self) -> String {
        let stored = json!({
            "version": STORED_VERSION,
            "fetched_at": self.fetched_at.as_millis(),
            "max_age_ms": self.max_age_ms,
            "jwks": self.set.to_jwks(),
        });
        stored.to_string()
    }

    /// What was kept in KV; `None` for anything that does not parse or claims to come from the future.
    pub fn from_stored(text: &str, now: UnixTime) -> Option<Self> {
        let stored = json::object(text.as_bytes()).ok()?;
        if stored.get("version")?.as_u64()? != STORED_VERSION {
            return None;
        }
        let fetched_at = UnixTime::from_millis(stored.get("fetched_at")?.as_u64()?);
        if fetched_at > UnixTime::from_millis(now.as_millis().saturating_add(UNKNOWN_KEY_COOLDOWN_MS)) {
            return None;
        }
        let set = KeySet::parse(stored.get("jwks")?.to_string().as_bytes()).ok()?;
        Some(Self { set, fetched_at, max_age_ms: stored.get("max_age_ms").and_then(Value::as_u64) })
    }
}

/// `max-age` of a `Cache-Control` header (RFC 9111 section 5.2.2.1); none with `no-store` or `no-cache`.
fn max_age_seconds(header: &str) -> Option<u64> {
    let mut age = None;
    for directive in header.split(',') {
        let (name, value) = directive.trim().split_once('=').unwrap_or((directive.trim(), ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => return None,
            "max-age" => age = value.trim().trim_matches('"').parse().ok(),
            _ => {}
        }
    }
    age
}

#[cfg(test)]
mod tests;
