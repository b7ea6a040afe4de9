//! Tokens that were verified before.

use super::*;
use crate::forward::Edits;
use crate::jwks::FetchedKeys;
use crate::testing::{RSA, SECONDS, SECRET, hs, jwk, jwks, rs};

fn config() -> Value {
    let shared = |name: &str, more: Value| {
        let mut authorizer = json!({"name": name, "type": "jwt", "algorithm": "HS256", "secret": SECRET, "issuer": "i", "audience": "a"});
        for (field, value) in more.as_object().unwrap() {
            authorizer[field] = value.clone();
        }
        authorizer
    };
    json!({
        "authorizers": [
            shared("plain", json!({})),
            shared("gold", json!({"claims": {"tier": "gold"}})),
            shared("rotating", json!({"secret": null, "secrets": [{"secret": SECRET, "not_after": SECONDS + 60}]})),
            {"name": "keys", "type": "jwt", "jwks_url": "https://i.example/jwks", "issuer": "i", "audience": "a"},
        ],
        "paths": [
            {"method": "GET", "path": "/plain", "auth": "plain", "response": 1},
            {"method": "GET", "path": "/gold", "auth": "gold", "response": 1},
            {"method": "GET", "path": "/either", "auth": ["gold", "plain"], "response": 1},
            {"method": "GET", "path": "/rotating", "auth": "rotating", "response": 1},
            {"method": "GET", "path": "/keys", "auth": "keys", "response": 1},
        ],
    })
}

fn without_nulls(mut config: Value) -> Value {
    for authorizer in config["authorizers"].as_array_mut().unwrap() {
        authorizer.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    }
    config
}

/// A gateway, its keys, and what it has verified so far.
struct Isolate {
    gateway: Gateway,
    ring: KeyRing,
    memory: Memory,
}

impl Isolate {
    fn new() -> Self {
        let gateway = gateway(&without_nulls(config()));
        let ring = KeyRing::new(gateway.sources().len());
        Self { gateway, ring, memory: Memory::new([0; 16]) }
    }

    /// The outcome, and whether the signature was checked for it.
    fn ask(&mut self, path: &str, token: &str, now: UnixTime) -> (String, bool) {
        let url = format!("https://gw.example{path}");
        let headers = headers(&[("authorization", &format!("Bearer {token}"))]);
        let head = request("GET", &url, &headers);
        let (ended, memo) = run_with(&self.gateway, &self.ring, &self.memory, now, &head);
        let checked = memo.is_some();
        if let Some(memo) = memo {
            self.memory.remember(memo);
        }
        (ended.words(), checked)
    }

    fn fetch(&mut self, kid: &str, at: UnixTime) {
        let set = jwks(&[jwk(&RSA, &json!({ "kid": kid }))]);
        self.ring.store_fetched(SourceId(0), FetchedKeys::fetched(set.as_bytes(), None, at).unwrap());
    }
}

fn token() -> String {
    hs(SECRET, &json!({"alg": "HS256"}), &json!({"iss": "i", "aud": "a", "exp": SECONDS + 100}))
}

fn after(seconds: u64) -> UnixTime {
    UnixTime::from_seconds(SECONDS + seconds)
}

#[test]
fn what_the_upstream_is_told_of_a_remembered_token_is_each_authorizers_own() {
    let shared = json!({"type": "jwt", "algorithm": "HS256", "secret": SECRET, "issuer": "i", "audience": "a"});
    let authorizer = |name: &str, told: Value| {
        let mut authorizer = shared.clone();
        authorizer["name"] = name.into();
        authorizer["forward_claims"] = told;
        authorizer
    };
    let up = json!({"type": "http_proxy", "server": "up"});
    let path = |path: &str, auth: Value| json!({"method": "GET", "path": path, "auth": auth, "integration": up});
    let gateway = gateway(&json!({
        "servers": [{"alias": "up", "url": "https://up.example"}],
        "authorizers": [authorizer("one", json!({"sub": "x-one"})), authorizer("two", json!({"tier": "x-two"}))],
        "paths": [path("/one", json!("one")), path("/two", json!("two")), path("/either", json!(["two", "one"])), path("/none", json!(false))],
    }));
    let ring = KeyRing::new(0);
    let mut memory = Memory::new([0; 16]);
    let claims = json!({"iss": "i", "aud": "a", "exp": SECONDS + 100, "sub": "user-1", "tier": "gold\nx-one: forged"});
    let token = hs(SECRET, &json!({"alg": "HS256"}), &claims);
    let list = headers(&[("authorization", &format!("Bearer {token}"))]);
    for turn in ["verified", "remembered"] {
        for (path, told, left_out) in [
            ("/one", vec![("x-one", "user-1")], vec![]),
            ("/two", vec![], vec!["x-two"]),
            ("/either", vec![], vec!["x-two"]),
            ("/none", vec![], vec![]),
        ] {
            let url = format!("https://gw.example{path}");
            let (ended, memo) = run_with(&gateway, &ring, &memory, after(0), &request("GET", &url, &list));
            assert_eq!(memo.is_some(), turn == "verified" && path != "/none", "{path}, {turn}");
            if let Some(memo) = memo {
                memory.remember(memo);
            }
            let Edits { set, left_out: left, .. } = &ended.outbound().edits;
            let of_claims: Vec<_> = set.iter().filter(|(name, _)| ["x-one", "x-two"].contains(name)).collect();
            assert_eq!((of_claims, left.iter().map(String::as_str).collect()), (told, left_out), "{path}, {turn}");
        }
    }
}

#[test]
fn a_token_seen_before_is_not_verified_again() {
    let mut isolate = Isolate::new();
    assert_eq!(isolate.ask("/plain", &token(), NOW), ("answered 1".into(), true));
    assert_eq!(isolate.ask("/plain", &token(), NOW), ("answered 1".into(), false));
}

#[test]
fn a_remembered_token_ends_when_it_expires() {
    let mut isolate = Isolate::new();
    isolate.ask("/plain", &token(), NOW);
    assert_eq!(isolate.ask("/plain", &token(), after(129)), ("answered 1".into(), false));
    assert_eq!(isolate.ask("/plain", &token(), after(130)), ("401 token_expired".into(), false));
}

#[test]
fn a_remembered_token_is_judged_by_the_clock_whichever_way_it_goes() {
    let config = json!({
        "authorizer": {
            "type": "jwt", "secret": SECRET, "algorithm": "HS256", "clock_skew_seconds": 10, "max_age_seconds": 60, "require_exp": false,
        },
        "paths": [{"method": "GET", "path": "/x", "auth": true, "response": 1}],
    });
    let at = |seconds: i64| UnixTime::from_seconds(SECONDS.checked_add_signed(seconds).unwrap());
    for (name, claims, seconds, expected) in [
        ("as it was", json!({"iat": SECONDS}), 0, "answered 1"),
        ("too old", json!({"iat": SECONDS}), 71, "401 token_too_old"),
        ("just not too old", json!({"iat": SECONDS}), 70, "answered 1"),
        (
            "the clock went back before nbf",
            json!({"iat": SECONDS - 20, "nbf": SECONDS}),
            -11,
            "401 token_not_yet_valid",
        ),
        ("the clock went back before iat", json!({"iat": SECONDS}), -11, "401 token_not_yet_valid"),
        ("past", json!({"iat": SECONDS, "exp": SECONDS + 5}), 15, "401 token_expired"),
        ("just not past", json!({"iat": SECONDS, "exp": SECONDS + 5}), 14, "answered 1"),
    ] {
        let mut isolate = Isolate { gateway: gateway(&config), ring: KeyRing::new(0), memory: Memory::new([0; 16]) };
        let token = hs(SECRET, &json!({"alg": "HS256"}), &claims);
        assert_eq!(isolate.ask("/x", &token, NOW), ("answered 1".into(), true), "{name}, the first time");
        assert_eq!(isolate.ask("/x", &token, at(seconds)), (expected.into(), false), "{name}");
    }
}

#[test]
fn what_one_authorizer_accepted_is_nothing_to_another() {
    let mut isolate = Isolate::new();
    isolate.ask("/plain", &token(), NOW);
    assert_eq!(isolate.ask("/gold", &token(), NOW), ("401 missing_claim".into(), false));
    assert_eq!(isolate.ask("/either", &token(), NOW), ("answered 1".into(), true));
    assert_eq!(isolate.ask("/either", &token(), NOW), ("answered 1".into(), false));
}

#[test]
fn bad_tokens_are_never_remembered() {
    let mut isolate = Isolate::new();
    let forged = format!("{}AAAA", token());
    for _ in 0..2 {
        isolate.ask("/plain", &forged, NOW);
        isolate.ask("/gold", &token(), NOW);
    }
    assert!(isolate.memory.is_empty());
}

#[test]
fn tokens_under_a_secret_that_ends_are_verified_each_time() {
    let mut isolate = Isolate::new();
    for _ in 0..2 {
        assert_eq!(isolate.ask("/rotating", &token(), NOW), ("answered 1".into(), false));
    }
    assert!(isolate.memory.is_empty());
    assert_eq!(isolate.ask("/rotating", &token(), after(60)), ("401 unknown_key".into(), false));
}

#[test]
fn a_remembered_token_ends_with_its_key() {
    let mut isolate = Isolate::new();
    isolate.fetch("k", NOW);
    let token =
        rs(&RSA, &json!({"alg": "RS256", "kid": "k"}), &json!({"iss": "i", "aud": "a", "exp": SECONDS + 999_999}));
    assert_eq!(isolate.ask("/keys", &token, NOW), ("answered 1".into(), true));
    assert_eq!(isolate.ask("/keys", &token, NOW), ("answered 1".into(), false));
    isolate.fetch("k", after(10));
    assert_eq!(isolate.ask("/keys", &token, after(10)), ("answered 1".into(), true), "another set: verified again");
    isolate.fetch("other", after(20));
    assert_eq!(isolate.ask("/keys", &token, after(20)), ("401 unknown_key".into(), false));
    let long_after = after(2 * 86_400);
    assert_eq!(isolate.ask("/keys", &token, long_after).0, "needs Any of 0", "no keys: no memory");
}
