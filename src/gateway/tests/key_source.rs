//! Keys from a URL: what is asked for, when, and what comes of it.

use super::*;
use crate::jwks::FetchedKeys;
use crate::testing::{OTHER_RSA, RSA, SECONDS, SECRET, hs, jwk, jwks, rs};

const ID: SourceId = SourceId(0);

fn config() -> Value {
    let provider =
        |name: &str, url: &str| json!({"name": name, "type": "jwt", "jwks_url": url, "issuer": name, "audience": "a"});
    json!({
        "authorizers": [
            provider("p", "https://p.example/jwks"),
            provider("q", "https://q.example/jwks"),
            provider("p-again", "https://P.example/jwks"),
            {"name": "s", "type": "jwt", "algorithm": "HS256", "secret": SECRET, "issuer": "s", "audience": "a"},
        ],
        "paths": [
            {"method": "GET", "path": "/p", "auth": "p", "response": 1},
            {"method": "GET", "path": "/permissive", "auth": {"authorizer": "p", "mode": "permissive"}, "response": 1},
            {"method": "GET", "path": "/list", "auth": ["p", "q", "s"], "response": 1},
            {"method": "GET", "path": "/open", "response": 1},
        ],
    })
}

fn ring(gateway: &Gateway) -> KeyRing {
    KeyRing::new(gateway.sources().len())
}

fn after(ms: u64) -> UnixTime {
    UnixTime::from_millis(NOW.as_millis() + ms)
}

fn payload(iss: &str) -> Value {
    json!({"iss": iss, "aud": "a", "exp": SECONDS + 999_999})
}

fn token(kid: &str) -> String {
    rs(&RSA, &json!({"alg": "RS256", "kid": kid}), &payload("p"))
}

fn keys(kids: &[&str], at: UnixTime) -> FetchedKeys {
    let keys: Vec<Value> = kids.iter().map(|kid| jwk(&RSA, &json!({ "kid": kid }))).collect();
    FetchedKeys::fetched(jwks(&keys).as_bytes(), None, at).unwrap()
}

fn ask_at(gateway: &Gateway, ring: &KeyRing, now: UnixTime, path: &str, token: &str) -> Ended {
    let url = format!("https://gw.example{path}");
    let headers = headers(&[("authorization", &format!("Bearer {token}"))]);
    run(gateway, ring, now, &request("GET", &url, &headers))
}

#[test]
fn keys_are_asked_for_once_and_serve_then() {
    let gateway = gateway(&config());
    let mut ring = ring(&gateway);
    for path in ["/p", "/permissive", "/list"] {
        assert_eq!(ask_at(&gateway, &ring, NOW, path, &token("k")).words(), "needs Any of 0", "{path}");
    }
    ring.store_fetched(ID, keys(&["k"], NOW));
    for path in ["/p", "/permissive", "/list"] {
        let ended = ask_at(&gateway, &ring, NOW, path, &token("k"));
        assert_eq!((ended.words().as_str(), ended.refresh), ("answered 1", None), "{path}");
        assert_eq!(ended.authorizer.as_deref(), Some("p"), "{path}");
    }
}

#[test]
fn an_unknown_kid_asks_for_newer_keys_once_in_thirty_seconds() {
    let gateway = gateway(&config());
    let mut ring = ring(&gateway);
    ring.store(ID, keys(&["old"], NOW));
    for path in ["/p", "/permissive", "/list"] {
        assert_eq!(ask_at(&gateway, &ring, NOW, path, &token("new")).words(), "needs Newer of 0", "{path}");
    }
    ring.store_fetched(ID, keys(&["old"], NOW));
    let refused = ask_at(&gateway, &ring, NOW, "/p", &token("new"));
    assert_eq!(refused.words(), "401 unknown_key", "the source has it not either");
    assert_eq!(ask_at(&gateway, &ring, after(29_999), "/p", &token("new")).words(), "401 unknown_key");
    let ignored = ask_at(&gateway, &ring, NOW, "/permissive", &token("new"));
    assert_eq!((ignored.words().as_str(), ignored.ignored), ("answered 1", Some("unknown_key")));
    assert_eq!(ask_at(&gateway, &ring, NOW, "/p", &token("old")).words(), "answered 1", "known keys go on");
    assert_eq!(ask_at(&gateway, &ring, after(30_000), "/p", &token("new")).words(), "needs Newer of 0");
    ring.store_fetched(ID, keys(&["new"], after(30_000)));
    assert_eq!(ask_at(&gateway, &ring, after(30_000), "/p", &token("new")).words(), "answered 1");
    assert_eq!(ask_at(&gateway, &ring, after(30_000), "/p", &token("old")).words(), "401 unknown_key", "it left");
}

#[test]
fn a_source_that_fails_on_an_unknown_kid_leaves_the_known_keys_in_use() {
    let gateway = gateway(&config());
    let mut ring = ring(&gateway);
    ring.store(ID, keys(&["old"], NOW));
    ring.failed(ID, NOW);
    assert_eq!(ask_at(&gateway, &ring, NOW, "/p", &token("new")).words(), "401 unknown_key");
    assert_eq!(ask_at(&gateway, &ring, NOW, "/p", &token("old")).words(), "answered 1");
}

#[test]
fn a_bad_signature_asks_for_nothing() {
    let gateway = gateway(&config());
    let mut ring = ring(&gateway);
    ring.store(ID, keys(&["k"], NOW));
    let forged = rs(&OTHER_RSA, &json!({"alg": "RS256", "kid": "k"}), &payload("p"));
    assert_eq!(ask_at(&gateway, &ring, NOW, "/p", &forged).words(), "401 invalid_signature");
}

#[test]
fn what_can_be_refused_without_keys_asks_for_none() {
    let gateway = gateway(&config());
    let ring = ring(&gateway);
    let header = json!({"alg": "RS256", "kid": "k"});
    let mut past = payload("p");
    past["exp"] = json!(1);
    for (name, token, expected) in [
        ("malformed", "x.y.z".to_owned(), "401 malformed_token"),
        ("none", hs("", &json!({"alg": "none"}), &payload("p")), "401 unsupported_algorithm"),
        ("a shared secret", hs(SECRET, &json!({"alg": "HS256"}), &payload("p")), "401 algorithm_not_allowed"),
        ("past", rs(&RSA, &header, &past), "401 token_expired"),
    ] {
        assert_eq!(ask_at(&gateway, &ring, NOW, "/p", &token).words(), expected, "{name}");
        assert_eq!(ask_at(&gateway, &ring, NOW, "/list", &token).words(), expected, "{name}, with several");
    }
    let headers = headers(&[]);
    for (path, expected) in [("/p", "401 missing_token"), ("/permissive", "answered 1"), ("/open", "answered 1")] {
        let url = format!("https://gw.example{path}");
        assert_eq!(run(&gateway, &ring, NOW, &request("GET", &url, &headers)).words(), expected, "no token: {path}");
    }
}

#[test]
fn only_the_source_of_the_issuer_is_asked() {
    let gateway = gateway(&config());
    let mut ring = ring(&gateway);
    let header = json!({"alg": "RS256", "kid": "k"});
    let of_q = rs(&RSA, &header, &payload("q"));
    assert_eq!(ask_at(&gateway, &ring, NOW, "/list", &of_q).words(), "needs Any of 1");
    let of_s = hs(SECRET, &json!({"alg": "HS256"}), &payload("s"));
    assert_eq!(ask_at(&gateway, &ring, NOW, "/list", &of_s).words(), "answered 1", "a shared secret needs no fetch");
    let of_nobody = rs(&RSA, &header, &payload("nobody"));
    assert_eq!(ask_at(&gateway, &ring, NOW, "/list", &of_nobody).words(), "401 invalid_issuer");
    ring.store_fetched(ID, keys(&["k"], NOW));
    assert_eq!(ask_at(&gateway, &ring, NOW, "/list", &of_q).words(), "needs Any of 1", "the kid alone picks nothing");
    assert_eq!(ask_at(&gateway, &ring, NOW, "/p", &of_q).words(), "401 invalid_issuer");
}

#[test]
fn keys_that_cannot_be_had_are_a_503_with_retry_after_and_never_a_401() {
    let gateway = gateway(&config());
    let mut ring = ring(&gateway);
    ring.failed(ID, NOW);
    for (ms, retry_after) in [(0, "2"), (1, "2"), (1_000, "1"), (1_999, "1")] {
        for path in ["/p", "/list"] {
            let ended = ask_at(&gateway, &ring, after(ms), path, &token("k"));
            assert_eq!(ended.words(), "503 keys_unavailable", "{path} at {ms}");
            assert_eq!(ended.reply().get("retry-after"), Some(retry_after), "{path} at {ms}");
            assert!(ended.internal.as_ref().unwrap().contains("https://p.example/jwks"), "the log says which");
            assert!(!ended.reply().body.contains("p.example"), "the client does not learn it");
        }
    }
    let passed = ask_at(&gateway, &ring, NOW, "/permissive", &token("k"));
    assert_eq!((passed.words().as_str(), passed.ignored), ("answered 1", Some("keys_unavailable")));
    assert_eq!(ask_at(&gateway, &ring, after(2_000), "/p", &token("k")).words(), "needs Any of 0", "it is asked again");
    ring.failed(ID, after(2_000));
    let ended = ask_at(&gateway, &ring, after(2_000), "/p", &token("k"));
    assert_eq!(ended.reply().get("retry-after"), Some("4"), "and left alone for longer");
}

#[test]
fn stale_keys_serve_at_once_and_are_refreshed_behind_the_answer() {
    let gateway = gateway(&config());
    let mut ring = ring(&gateway);
    ring.store_fetched(ID, keys(&["k"], NOW));
    for (ms, expected, refresh) in [
        (299_999, "answered 1", None),
        (300_000, "answered 1", Some(ID)),
        (86_699_999, "answered 1", Some(ID)),
        (86_700_000, "needs Any of 0", None),
    ] {
        let ended = ask_at(&gateway, &ring, after(ms), "/p", &token("k"));
        assert_eq!((ended.words().as_str(), ended.refresh), (expected, refresh), "after {ms} ms");
    }
    assert!(ring.lease(ID, after(300_000), 5_000));
    let ended = ask_at(&gateway, &ring, after(300_000), "/p", &token("k"));
    assert_eq!((ended.words().as_str(), ended.refresh), ("answered 1", None), "one refresh is enough");
}

#[test]
fn two_authorizers_with_one_url_share_one_source() {
    let gateway = gateway(&config());
    let urls: Vec<&str> = gateway.sources().iter().map(|source| source.url.as_str()).collect();
    assert_eq!(urls, ["https://p.example/jwks", "https://q.example/jwks"]);
    assert_eq!(gateway.source(SourceId(1)).map(|source| source.url.as_str()), Some("https://q.example/jwks"));
    assert_eq!(gateway.source(SourceId(2)), None);
}

#[test]
fn a_kid_that_two_issuers_share_means_the_key_of_the_tokens_own_issuer() {
    let gateway = gateway(&config());
    let mut ring = ring(&gateway);
    ring.store_fetched(ID, keys(&["shared"], NOW));
    let other = jwks(&[jwk(&OTHER_RSA, &json!({"kid": "shared"}))]);
    ring.store_fetched(SourceId(1), FetchedKeys::fetched(other.as_bytes(), None, NOW).unwrap());
    let header = json!({"alg": "RS256", "kid": "shared"});
    for (name, token, expected, who) in [
        ("of p, by p's key", rs(&RSA, &header, &payload("p")), "answered 1", Some("p")),
        ("of q, by q's key", rs(&OTHER_RSA, &header, &payload("q")), "answered 1", Some("q")),
        ("of p, by q's key", rs(&OTHER_RSA, &header, &payload("p")), "401 invalid_signature", None),
        ("of q, by p's key", rs(&RSA, &header, &payload("q")), "401 invalid_signature", None),
        ("of nobody, by p's key", rs(&RSA, &header, &payload("nobody")), "401 invalid_issuer", None),
    ] {
        let ended = ask_at(&gateway, &ring, NOW, "/list", &token);
        assert_eq!((ended.words().as_str(), ended.authorizer.as_deref()), (expected, who), "{name}");
    }
}
