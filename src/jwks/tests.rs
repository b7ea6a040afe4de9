//! Keys in an isolate's memory; what KV keeps is in `stored`.

mod stored;

use serde_json::json;

use super::*;
use crate::testing::{RSA, jwk, jwks};

const ID: SourceId = SourceId(0);
const NOW: UnixTime = crate::testing::NOW;

fn source() -> Source {
    Source {
        url: "https://issuer.example/jwks".into(),
        issuer: None,
        ttl_ms: None,
        timeout_ms: 5_000,
        stale_ms: 86_400_000,
    }
}

fn after(ms: u64) -> UnixTime {
    UnixTime::from_millis(NOW.as_millis() + ms)
}

fn document(kid: &str) -> String {
    jwks(&[jwk(&RSA, &json!({ "kid": kid }))])
}

fn keys(cache_control: Option<&str>) -> FetchedKeys {
    FetchedKeys::fetched(document("a").as_bytes(), cache_control, NOW).unwrap()
}

fn keys_at(kid: &str, at: UnixTime) -> FetchedKeys {
    FetchedKeys::fetched(document(kid).as_bytes(), None, at).unwrap()
}

/// What a look says, in a form that compares: the kid of the first key, `refresh`, `may_ask`.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Keys(String, bool, bool),
    Nothing,
    Failing(u64),
}

fn see(ring: &KeyRing, now: UnixTime) -> Seen {
    match ring.look(ID, &source(), now) {
        Look::Keys { set, refresh, may_ask, .. } => {
            Seen::Keys(set.to_jwks()["keys"][0]["kid"].as_str().unwrap().to_owned(), refresh, may_ask)
        }
        Look::Nothing => Seen::Nothing,
        Look::Failing { retry_after_ms } => Seen::Failing(retry_after_ms),
    }
}

fn seen(kid: &str, refresh: bool, may_ask: bool) -> Seen {
    Seen::Keys(kid.to_owned(), refresh, may_ask)
}

#[test]
fn keys_are_fresh_for_their_time_then_stale_for_a_while_then_gone() {
    let configured = Source { ttl_ms: Some(10_000), stale_ms: 5_000, ..source() };
    let never_stale = Source { ttl_ms: Some(10_000), stale_ms: 0, ..source() };
    for (name, source, age_ms, expected) in [
        ("just fetched", &configured, 0, Some(true)),
        ("as long as configured", &configured, 9_999, Some(true)),
        ("a moment later", &configured, 10_000, Some(false)),
        ("the last moment", &configured, 14_999, Some(false)),
        ("gone", &configured, 15_000, None),
        ("without a stale time", &never_stale, 9_999, Some(true)),
        ("without a stale time, gone", &never_stale, 10_000, None),
    ] {
        assert_eq!(source.freshness(&keys(Some("max-age=3600")), after(age_ms)), expected, "{name}");
    }
    let ahead = keys_at("a", after(20_000));
    assert_eq!(configured.freshness(&ahead, NOW), Some(true), "a clock that is behind makes no key stale");
    let forever = Source { ttl_ms: Some(u64::MAX), stale_ms: u64::MAX, ..source() };
    assert_eq!(forever.freshness(&keys(None), UnixTime::from_millis(u64::MAX)), Some(true), "no sum overflows");
}

#[test]
fn the_response_says_how_long_keys_are_fresh_between_a_minute_and_a_day() {
    for (cache_control, fresh_ms) in [
        (None, 300_000),
        (Some("max-age=3600"), 3_600_000),
        (Some("public, max-age=3600, must-revalidate"), 3_600_000),
        (Some("Max-Age=3600"), 3_600_000),
        (Some(" max-age = 3600 "), 3_600_000),
        (Some("max-age=\"3600\""), 3_600_000),
        (Some("max-age=0"), 60_000),
        (Some("max-age=59"), 60_000),
        (Some("max-age=60"), 60_000),
        (Some("max-age=86400"), 86_400_000),
        (Some("max-age=86401"), 86_400_000),
        (Some("max-age=18446744073709551615"), 86_400_000),
        (Some("max-age=3600, no-store"), 300_000),
        (Some("no-cache, max-age=3600"), 300_000),
        (Some("No-Cache"), 300_000),
        (Some("s-maxage=3600"), 300_000),
        (Some("max-age=-1"), 300_000),
        (Some("max-age=soon"), 300_000),
        (Some("max-age"), 300_000),
        (Some(""), 300_000),
    ] {
        let keys = keys(cache_control);
        let freshness = |ms| source().freshness(&keys, after(ms));
        assert_eq!((freshness(fresh_ms - 1), freshness(fresh_ms)), (Some(true), Some(false)), "{cache_control:?}");
    }
}

#[test]
fn what_is_configured_counts_for_more_than_what_the_response_says() {
    for ttl_ms in [1, 1_000, 604_800_000] {
        let source = Source { ttl_ms: Some(ttl_ms), ..source() };
        let keys = keys(Some("max-age=3600"));
        assert_eq!(source.freshness(&keys, after(ttl_ms - 1)), Some(true), "{ttl_ms}");
        assert_eq!(source.freshness(&keys, after(ttl_ms)), Some(false), "{ttl_ms}");
    }
}

#[test]
fn a_document_without_usable_keys_is_not_kept() {
    for (name, body, why) in [
        ("HTML", "<html>".to_owned(), InvalidKeySet::NotAKeySet),
        ("none", jwks(&[]), InvalidKeySet::NoUsableKey),
        ("a private one", jwks(&[jwk(&RSA, &json!({"d": "AQAB"}))]), InvalidKeySet::NoUsableKey),
    ] {
        assert_eq!(FetchedKeys::fetched(body.as_bytes(), None, NOW).err(), Some(why), "{name}");
    }
}

#[test]
fn a_ring_knows_nothing_at_first_and_then_what_was_stored() {
    let mut ring = KeyRing::new(2);
    assert_eq!(see(&ring, NOW), Seen::Nothing);
    ring.store(SourceId(1), keys(None));
    assert_eq!(see(&ring, NOW), Seen::Nothing, "each source has its own keys");
    ring.store(ID, keys(None));
    assert_eq!(see(&ring, NOW), seen("a", false, true), "keys from KV: the source was not asked yet");
    ring.store_fetched(ID, keys_at("b", after(1)));
    assert_eq!(see(&ring, after(1)), seen("b", false, false), "keys from the source: it was asked just now");
}

#[test]
fn older_keys_never_take_the_place_of_newer_ones() {
    let mut ring = KeyRing::new(1);
    ring.store(ID, keys_at("new", after(1_000)));
    ring.store(ID, keys_at("old", after(999)));
    assert_eq!(see(&ring, after(1_000)), seen("new", false, true));
    ring.store(ID, keys_at("same", after(1_000)));
    assert_eq!(see(&ring, after(1_000)), seen("same", false, true));
    ring.store(ID, keys_at("newer", after(1_001)));
    assert_eq!(see(&ring, after(1_001)), seen("newer", false, true));
}

#[test]
fn stale_keys_serve_while_one_request_asks_for_fresh_ones_and_then_no_more() {
    let mut ring = KeyRing::new(1);
    ring.store_fetched(ID, keys(None));
    let stale = 300_000;
    assert_eq!(see(&ring, after(stale - 1)), seen("a", false, true));
    assert_eq!(see(&ring, after(stale)), seen("a", true, true));
    assert!(ring.lease(ID, after(stale), 5_000));
    assert_eq!(see(&ring, after(stale)), seen("a", false, true), "another request is refreshing");
    assert_eq!(see(&ring, after(stale + 5_000)), seen("a", true, true), "it came to nothing");
    assert_eq!(see(&ring, after(stale + 86_400_000 - 1)), seen("a", true, true));
    assert_eq!(see(&ring, after(stale + 86_400_000)), Seen::Nothing);
}

#[test]
fn a_source_is_asked_for_an_unknown_key_once_in_thirty_seconds() {
    let mut ring = KeyRing::new(1);
    ring.store_fetched(ID, keys(None));
    for (ms, may_ask) in [(0, false), (29_999, false), (30_000, true)] {
        assert_eq!(see(&ring, after(ms)), seen("a", false, may_ask), "{ms}");
    }
    ring.store_fetched(ID, keys_at("b", after(30_000)));
    for (ms, may_ask) in [(30_000, false), (59_999, false), (60_000, true)] {
        assert_eq!(see(&ring, after(ms)), seen("b", false, may_ask), "{ms}, asked again");
    }
    ring.failed(ID, after(60_000));
    for (ms, may_ask) in [(60_000, false), (89_999, false), (90_000, true)] {
        assert_eq!(see(&ring, after(ms)), seen("b", false, may_ask), "{ms}, failed");
    }
}

#[test]
fn a_lease_keeps_others_out_until_its_end_and_can_be_given_back() {
    let mut ring = KeyRing::new(1);
    assert!(!ring.is_leased(ID, NOW));
    assert!(ring.lease(ID, NOW, 5_000));
    for (ms, leased) in [(0, true), (4_999, true), (5_000, false)] {
        assert_eq!(ring.is_leased(ID, after(ms)), leased, "{ms}");
    }
    assert!(!ring.lease(ID, after(4_999), 5_000));
    assert!(ring.lease(ID, after(5_000), 5_000), "the one before took too long");
    ring.release(ID);
    assert!(!ring.is_leased(ID, after(5_000)));
    assert!(ring.lease(ID, after(5_000), u64::MAX), "no sum overflows");
    ring.store_fetched(ID, keys_at("a", after(6_000)));
    assert!(!ring.is_leased(ID, after(6_000)), "keys end the lease");
    assert!(ring.lease(ID, after(6_000), 5_000));
    ring.failed(ID, after(6_001));
    assert!(!ring.is_leased(ID, after(6_001)), "a failure ends the lease");
    assert!(ring.lease(ID, after(6_001), 5_000));
    ring.store(ID, keys_at("b", after(6_002)));
    assert!(ring.is_leased(ID, after(6_002)), "keys from KV leave it to the one that is asking");
}

#[test]
fn a_source_that_fails_is_left_alone_for_a_time_that_doubles_up_to_a_minute() {
    let mut ring = KeyRing::new(1);
    for (failures, rest_ms) in
        [(1, 2_000), (2, 4_000), (3, 8_000), (4, 16_000), (5, 32_000), (6, 60_000), (7, 60_000), (8, 60_000)]
    {
        ring.failed(ID, NOW);
        assert_eq!(see(&ring, NOW), Seen::Failing(rest_ms), "{failures}");
        assert_eq!(see(&ring, after(rest_ms - 1)), Seen::Failing(1), "{failures}, almost over");
        assert_eq!(see(&ring, after(rest_ms)), Seen::Nothing, "{failures}, over");
    }
    for _ in 0..100 {
        ring.failed(ID, NOW);
    }
    assert_eq!(see(&ring, NOW), Seen::Failing(60_000), "it does not overflow");
    ring.store_fetched(ID, keys_at("a", after(60_000)));
    assert_eq!(see(&ring, after(60_000)), seen("a", false, false));
    let gone = after(60_000 + 300_000 + 86_400_000);
    ring.failed(ID, gone);
    assert_eq!(see(&ring, gone), Seen::Failing(2_000), "a success starts the count again");
}

#[test]
fn a_source_that_fails_is_not_asked_while_old_keys_serve() {
    let mut ring = KeyRing::new(1);
    ring.store_fetched(ID, keys(None));
    let stale = after(300_000);
    for _ in 0..6 {
        ring.failed(ID, stale);
    }
    for (ms, refresh, may_ask) in
        [(0, false, false), (30_000, false, false), (59_999, false, false), (60_000, true, true)]
    {
        assert_eq!(see(&ring, after(300_000 + ms)), seen("a", refresh, may_ask), "{ms} ms after the last failure");
    }
}

#[test]
fn a_source_that_the_ring_does_not_have_harms_nothing() {
    let mut ring = KeyRing::new(0);
    ring.store(ID, keys(None));
    ring.store_fetched(ID, keys(None));
    ring.failed(ID, NOW);
    ring.release(ID);
    assert_eq!(see(&ring, NOW), Seen::Nothing);
    assert!(!ring.is_leased(ID, NOW));
}
