//! Who may: modes, and several authorizers on one path.

use super::*;
use crate::testing::{OTHER_RSA, RSA, SECONDS, SECRET, hs, jwk, jwks, rs};

use crate::jwks::FetchedKeys;

pub(super) const OTHER_SECRET: &str = "another-secret-of-sixty-four-bytes-enough-for-all-the-hashes-too";

pub(super) fn header() -> Value {
    json!({"alg": "HS256"})
}

pub(super) fn claims(iss: &str) -> Value {
    json!({"iss": iss, "sub": "u", "aud": "a", "exp": SECONDS + 600})
}

pub(super) fn with(mut payload: Value, name: &str, value: &Value) -> Value {
    payload[name] = value.clone();
    payload
}

pub(super) fn authorizer(name: &str, members: &Value) -> Value {
    let mut authorizer =
        json!({"name": name, "type": "jwt", "algorithm": "HS256", "secret": SECRET, "issuer": name, "audience": "a"});
    for (member, value) in members.as_object().unwrap() {
        match value {
            Value::Null => drop(authorizer.as_object_mut().unwrap().remove(member)),
            _ => authorizer[member] = value.clone(),
        }
    }
    authorizer
}

/// A gateway with one path that takes all of `authorizers`, in their order.
pub(super) fn one_path(authorizers: &[Value]) -> Gateway {
    let names: Vec<&Value> = authorizers.iter().map(|authorizer| &authorizer["name"]).collect();
    gateway(&json!({
        "authorizers": authorizers,
        "paths": [{"method": "GET", "path": "/a", "auth": names, "response": 1}],
    }))
}

pub(super) fn ask_with(gateway: &Gateway, token: &str) -> Ended {
    ask(gateway, "GET", "/a", &[("authorization", &format!("Bearer {token}"))])
}

#[test]
fn each_mode_does_with_each_kind_of_request_what_its_table_says() {
    let fetched = FetchedKeys::fetched(jwks(&[jwk(&RSA, &json!({"kid": "k"}))]).as_bytes(), None, NOW).unwrap();
    let mut with_keys = KeyRing::new(1);
    with_keys.store_fetched(SourceId(0), fetched);
    let mut without_keys = KeyRing::new(1);
    without_keys.failed(SourceId(0), NOW);
    let header = json!({"alg": "RS256", "kid": "k"});
    let payload = claims("https://i.example");
    let bearer = |token: String| format!("Bearer {token}");
    let good = bearer(rs(&RSA, &header, &payload));
    let forged = bearer(rs(&OTHER_RSA, &header, &payload));
    let expired = bearer(rs(&RSA, &header, &with(payload.clone(), "exp", &json!(1))));
    let foreign = bearer(rs(&RSA, &header, &with(payload, "aud", &json!("b"))));
    let nonsense = "Bearer x.y".to_owned();
    let passes = "answered 1";
    // Request; keys; strict; optional; permissive; who; the reason that permissive logs.
    let rows = [
        ("no token", None, &with_keys, ["401 missing_token", passes, passes], None::<&str>, None::<&str>),
        ("no token, no keys", None, &without_keys, ["401 missing_token", passes, passes], None, None),
        ("another scheme", Some("Basic x"), &with_keys, ["401 malformed_authorization", passes, passes], None, None),
        ("nonsense", Some(&nonsense), &with_keys, ["401 malformed_token"; 3], None, Some("malformed_token")),
        ("forged", Some(&forged), &with_keys, ["401 invalid_signature"; 3], None, Some("invalid_signature")),
        ("expired", Some(&expired), &without_keys, ["401 token_expired"; 3], None, Some("token_expired")),
        ("for another", Some(&foreign), &with_keys, ["401 invalid_audience"; 3], None, Some("invalid_audience")),
        ("no keys", Some(&good), &without_keys, ["503 keys_unavailable"; 3], None, Some("keys_unavailable")),
        ("good", Some(&good), &with_keys, [passes; 3], Some(""), None),
    ];
    for (place, mode) in ["strict", "optional", "permissive"].into_iter().enumerate() {
        for on_path in [false, true] {
            let authorizer_mode = if on_path { "strict" } else { mode };
            let auth = if on_path { json!({"mode": mode}) } else { json!(true) };
            let gateway = gateway(&json!({
                "authorizer": {
                    "type": "jwt", "jwks_url": "https://i.example/jwks", "issuer": "https://i.example",
                    "audience": "a", "mode": authorizer_mode,
                },
                "paths": [{"method": "GET", "path": "/a", "auth": auth, "response": 1}],
            }));
            for (name, value, ring, expected, who, reason) in &rows {
                let list: Vec<(&str, &str)> = value.iter().map(|value| ("authorization", *value)).collect();
                let headers = headers(&list);
                let ended = run(&gateway, ring, NOW, &request("GET", "https://gw.example/a", &headers));
                let permissive = mode == "permissive" && reason.is_some();
                let wanted = if permissive { passes } else { expected[place] };
                assert_eq!(ended.words(), wanted, "{mode}, on the path: {on_path}: {name}");
                assert_eq!(ended.authorizer.as_deref(), *who, "{mode}: {name}: who");
                assert_eq!(ended.ignored, reason.filter(|_| permissive), "{mode}: {name}: what is logged");
            }
        }
    }
}

#[test]
fn a_token_that_is_too_large_is_refused_unread() {
    let authorizer = authorizer("a", &json!({}));
    let limited = |limits: Value| {
        gateway(&json!({
            "limits": limits,
            "authorizers": [authorizer],
            "paths": [{"method": "GET", "path": "/a", "auth": "a", "response": 1}],
        }))
    };
    let token = hs(SECRET, &header(), &claims("a"));
    for (limits, token, expected) in [
        (json!({}), token.clone(), "answered 1"),
        (json!({}), "x".repeat(8192), "401 malformed_token"),
        (json!({}), "x".repeat(8193), "401 token_too_large"),
        (json!({"max_token_bytes": token.len()}), token.clone(), "answered 1"),
        (json!({"max_token_bytes": token.len() - 1}), token, "401 token_too_large"),
    ] {
        assert_eq!(ask_with(&limited(limits), &token).words(), expected);
    }
}

#[test]
fn two_different_tokens_are_ambiguous_and_two_equal_ones_are_one() {
    let gateway = one_path(&[authorizer("a", &json!({"token_from": [{"header": "authorization"}, {"query": "t"}]}))]);
    let token = hs(SECRET, &header(), &claims("a"));
    let bearer = format!("Bearer {token}");
    for (path, expected) in [(format!("/a?t={token}"), "answered 1"), (format!("/a?t={token}x"), "401 ambiguous_token")]
    {
        assert_eq!(ask(&gateway, "GET", &path, &[("authorization", &bearer)]).words(), expected);
    }
}

#[test]
fn the_issuer_of_a_token_picks_the_authorizer() {
    let a = authorizer("a", &json!({}));
    let b = authorizer("b", &json!({"secret": OTHER_SECRET, "algorithm": "HS512", "clock_skew_seconds": 600}));
    let hs512 = json!({"alg": "HS512"});
    let past = |iss: &str| with(claims(iss), "exp", &json!(SECONDS - 60));
    for (name, token, expected, who) in [
        ("of a", hs(SECRET, &header(), &claims("a")), "answered 1", Some("a")),
        ("of b", hs(OTHER_SECRET, &hs512, &claims("b")), "answered 1", Some("b")),
        ("of a, with the key of b", hs(OTHER_SECRET, &header(), &claims("a")), "401 invalid_signature", None),
        ("of b, with the key of a", hs(SECRET, &hs512, &claims("b")), "401 invalid_signature", None),
        ("of a, all else of b", hs(OTHER_SECRET, &hs512, &claims("a")), "401 algorithm_not_allowed", None),
        ("of b, all else of a", hs(SECRET, &header(), &claims("b")), "401 algorithm_not_allowed", None),
        ("of a, past for a alone", hs(SECRET, &header(), &past("a")), "401 token_expired", None),
        ("of b, past for a alone", hs(OTHER_SECRET, &hs512, &past("b")), "answered 1", Some("b")),
        ("of nobody", hs(SECRET, &header(), &claims("c")), "401 invalid_issuer", None),
        (
            "of nobody, past for all",
            hs(SECRET, &header(), &with(claims("c"), "exp", &json!(1))),
            "401 token_expired",
            None,
        ),
        ("of a list", hs(SECRET, &header(), &with(claims("a"), "iss", &json!(["a"]))), "401 invalid_issuer", None),
    ] {
        for order in [[a.clone(), b.clone()], [b.clone(), a.clone()]] {
            let ended = ask_with(&one_path(&order), &token);
            assert_eq!(ended.words(), expected, "{name}");
            assert_eq!(ended.authorizer.as_deref(), who, "{name}");
        }
    }
}

#[test]
fn an_authorizer_that_takes_any_issuer_comes_behind_the_one_that_is_named() {
    let named = authorizer("a", &json!({}));
    let any = authorizer("any", &json!({"issuer": null, "secret": OTHER_SECRET}));
    let both = authorizer("twin", &json!({"issuer": null}));
    for (name, authorizers, token, expected, who) in [
        ("another issuer", [&any, &named], hs(OTHER_SECRET, &header(), &claims("c")), "answered 1", Some("any")),
        ("the named one", [&any, &named], hs(SECRET, &header(), &claims("a")), "answered 1", Some("a")),
        ("the named one, both could", [&both, &named], hs(SECRET, &header(), &claims("a")), "answered 1", Some("a")),
        ("another key", [&any, &named], hs("x", &header(), &claims("a")), "401 invalid_signature", None),
        (
            "the key of the named one alone",
            [&any, &named],
            hs(SECRET, &header(), &claims("c")),
            "401 invalid_signature",
            None,
        ),
    ] {
        let ended = ask_with(&one_path(&authorizers.map(Clone::clone)), &token);
        assert_eq!(ended.words(), expected, "{name}");
        assert_eq!(ended.authorizer.as_deref(), who, "{name}");
    }
}

#[test]
fn where_issuers_do_not_tell_them_apart_the_error_that_came_furthest_is_told() {
    let first = authorizer("first", &json!({"issuer": null}));
    let second =
        authorizer("second", &json!({"issuer": null, "secret": OTHER_SECRET, "algorithm": "HS512", "audience": "b"}));
    let hs512 = json!({"alg": "HS512"});
    let for_b = with(claims("x"), "aud", &json!("b"));
    for (name, token, expected, who) in [
        ("good for the first", hs(SECRET, &header(), &claims("x")), "answered 1", Some("first")),
        ("good for the second", hs(OTHER_SECRET, &hs512, &for_b), "answered 1", Some("second")),
        (
            "signed for the second, but meant for another",
            hs(OTHER_SECRET, &hs512, &claims("x")),
            "401 invalid_audience",
            None,
        ),
        ("signed for the first, but meant for another", hs(SECRET, &header(), &for_b), "401 invalid_audience", None),
        ("an algorithm of the second", hs("x", &hs512, &claims("x")), "401 invalid_signature", None),
        (
            "an algorithm of neither",
            hs(SECRET, &json!({"alg": "HS384"}), &claims("x")),
            "401 algorithm_not_allowed",
            None,
        ),
        ("no algorithm", hs(SECRET, &json!({"alg": "none"}), &claims("x")), "401 unsupported_algorithm", None),
    ] {
        for order in [[first.clone(), second.clone()], [second.clone(), first.clone()]] {
            let ended = ask_with(&one_path(&order), &token);
            assert_eq!(ended.words(), expected, "{name}");
            assert_eq!(ended.authorizer.as_deref(), who, "{name}");
        }
    }
}

#[test]
fn of_several_modes_the_strictest_counts() {
    for (one, other, without, with_bad) in [
        ("strict", "permissive", "401 missing_token", "401 malformed_token"),
        ("optional", "strict", "401 missing_token", "401 malformed_token"),
        ("permissive", "optional", "answered 1", "401 malformed_token"),
        ("permissive", "permissive", "answered 1", "answered 1"),
    ] {
        let gateway = one_path(&[authorizer("a", &json!({"mode": one})), authorizer("b", &json!({"mode": other}))]);
        assert_eq!(ask(&gateway, "GET", "/a", &[]).words(), without, "{one} and {other}");
        assert_eq!(ask_with(&gateway, "x.y.z").words(), with_bad, "{one} and {other}");
    }
}
