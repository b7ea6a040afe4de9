//! What KV keeps.

use serde_json::Value;

use super::*;
use crate::testing::{OTHER_RSA, SECONDS};

#[test]
fn what_is_stored_comes_back_as_it_was() {
    let body = jwks(&[
        jwk(&RSA, &json!({"kid": "a", "alg": "RS256", "use": "sig", "x5c": ["x"]})),
        jwk(&OTHER_RSA, &json!({"kid": "b"})),
        jwk(&RSA, &json!({"kid": "private", "d": "AQAB"})),
    ]);
    for cache_control in [None, Some("max-age=3600")] {
        let before = FetchedKeys::fetched(body.as_bytes(), cache_control, NOW).unwrap();
        let text = before.to_stored();
        assert!(!text.contains("private") && !text.contains("\"d\""), "private parts are not stored: {text}");
        let again = FetchedKeys::from_stored(&text, after(1_000)).unwrap();
        assert_eq!(again.fetched_at, NOW);
        assert_eq!(again.max_age_ms, before.max_age_ms);
        assert_eq!(again.set.to_jwks(), before.set.to_jwks());
        assert_eq!(again.set.to_jwks()["keys"].as_array().map(Vec::len), Some(2));
        assert_eq!(again.to_stored(), text);
    }
}

#[test]
fn a_stored_value_that_cannot_be_right_is_a_miss() {
    let good: Value = serde_json::from_str(&keys(None).to_stored()).unwrap();
    let with = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        changed.to_string()
    };
    let text = good.to_string();
    let at = |ms: u64| with("fetched_at", json!(SECONDS * 1000 + ms));
    for (name, text, hit) in [
        ("as it was stored", text.clone(), true),
        ("a little ahead, as clocks are", at(30_000), true),
        ("from the future", at(30_001), false),
        ("far in the future", with("fetched_at", json!(u64::MAX)), false),
        ("empty", String::new(), false),
        ("cut off", text[..text.len() - 1].to_owned(), false),
        ("not JSON", "keys".to_owned(), false),
        ("a key set alone", document("a"), false),
        ("another version", with("version", json!(2)), false),
        ("a version in a string", with("version", json!("1")), false),
        ("no time", with("fetched_at", json!(null)), false),
        ("a negative time", with("fetched_at", json!(-1)), false),
        ("a time in a string", with("fetched_at", json!("1")), false),
        ("no key set", with("jwks", json!(null)), false),
        ("an empty key set", with("jwks", json!({"keys": []})), false),
        ("a key set in a string", with("jwks", json!(document("a"))), false),
    ] {
        assert_eq!(FetchedKeys::from_stored(&text, NOW).is_some(), hit, "{name}");
    }
}

#[test]
fn a_stored_key_is_named_by_its_url_or_where_that_is_too_long_by_its_digest() {
    let named = |url: &str| Source { url: url.into(), ..source() }.storage_key();
    assert_eq!(named("https://issuer.example/jwks"), "jwks:https://issuer.example/jwks");
    let url = |length: usize| format!("https://i.example/{}", "x".repeat(length - 18));
    assert_eq!(named(&url(507)), format!("jwks:{}", url(507)), "512 bytes are not too long");
    let long = named(&url(508));
    assert!(long.starts_with("jwks-sha256:") && long.len() == 12 + 64, "{long}");
    // A provider's key would be read by everybody who lists the namespace.
    let keyed = named("https://issuer.example/jwks?apikey=secret");
    assert!(keyed.starts_with("jwks-sha256:") && keyed.len() == 12 + 64, "{keyed}");
    assert_ne!(named(&format!("{}a", url(508))), named(&format!("{}b", url(508))));
    assert_eq!(named(&url(508)), long);
}

#[test]
fn keys_are_kept_as_long_as_they_may_serve() {
    let kept = |ttl_ms, stale_ms| Source { ttl_ms, stale_ms, ..source() }.kept_ms();
    assert_eq!(kept(Some(1_000), 5_000), 6_000);
    assert_eq!(kept(None, 5_000), 86_405_000, "a response may say a day");
    assert_eq!(kept(Some(u64::MAX), u64::MAX), u64::MAX);
}
