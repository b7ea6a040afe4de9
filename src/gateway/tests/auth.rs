//! Who may: modes, and several authorizers on one path.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::testing::{OTHER_RSA, RSA, SECONDS, SECRET, hs, jwk, jwks, rs};

use crate::jwks::FetchedKeys;

const OTHER_SECRET: &str = "another-secret-of-sixty-four-bytes-enough-for-all-the-hashes-too";

fn header() -> Value {
    json!({"alg": "HS256"})
}

fn claims(iss: &str) -> Value {
    json!({"iss": iss, "sub": "u", "aud": "a", "exp": SECONDS + 600})
}

fn with(mut payload: Value, name: &str, value: &Value) -> Value {
    payload[name] = value.clone();
    payload
}

fn authorizer(name: &str, members: &Value) -> Value {
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
fn one_path(authorizers: &[Value]) -> Gateway {
    let names: Vec<&Value> = authorizers.iter().map(|authorizer| &authorizer["name"]).collect();
    gateway(&json!({
        "authorizers": authorizers,
        "paths": [{"method": "GET", "path": "/a", "auth": names, "response": 1}],
    }))
}

fn ask_with(gateway: &Gateway, token: &str) -> Ended {
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

#[test]
fn a_refusal_says_which_claim_it_is_about_and_never_what_it_should_be() {
    let gateway = one_path(&[authorizer("a", &json!({"required_claims": ["tier"], "claims": {"plan": "gold-plan"}}))]);
    for (name, payload, code, claim) in [
        ("a claim lacks", claims("a"), "missing_claim", "tier"),
        (
            "a claim is another",
            with(with(claims("a"), "tier", &json!(1)), "plan", &json!("x")),
            "invalid_claim",
            "plan",
        ),
        ("exp is text", with(claims("a"), "exp", &json!("soon")), "invalid_claim", "exp"),
    ] {
        let ended = ask_with(&gateway, &hs(SECRET, &header(), &payload));
        assert_eq!(ended.words(), format!("401 {code}"), "{name}");
        let body: Value = serde_json::from_str(&ended.reply().body).unwrap();
        assert_eq!(body["details"]["claim"], claim, "{name}");
        assert!(!ended.reply().body.contains("gold-plan"), "{name}");
        assert!(ended.reply().get("www-authenticate").unwrap().contains("error=\"invalid_token\""), "{name}");
    }
}

#[test]
fn whom_scopes_or_roles_lack_for_want_of_a_token_is_asked_for_one() {
    let mut without_keys = KeyRing::new(1);
    without_keys.failed(SourceId(0), NOW);
    let remote = json!({"algorithm": null, "secret": null, "jwks_url": "https://i.example/keys"});
    let expired = hs(SECRET, &header(), &with(claims("a"), "exp", &json!(1)));
    let unread = rs(&RSA, &json!({"alg": "RS256", "kid": "k"}), &claims("a"));
    let poor = hs(SECRET, &header(), &claims("a"));
    let token = "Bearer realm=\"portcullis\"";
    let invalid = "Bearer realm=\"portcullis\", error=\"invalid_token\", error_description=\"Token expired\"";
    let scarce = "Bearer realm=\"portcullis\", error=\"insufficient_scope\", scope=\"s\"";
    let (scopes, roles) = (json!({"authorizer": "a", "scopes": "s"}), json!({"authorizer": "a", "roles": "r"}));
    // Name; mode; members of the authorizer; what is asked for; token; answer; challenge.
    for (name, mode, members, auth, sent, expected, challenge) in [
        ("nobody, scopes", "optional", json!({}), &scopes, None, "401 missing_token", Some(token)),
        ("nobody, roles", "optional", json!({}), &roles, None, "401 missing_token", Some(token)),
        ("nobody where bad tokens pass", "permissive", json!({}), &scopes, None, "401 missing_token", Some(token)),
        ("a bad token", "permissive", json!({}), &scopes, Some(&expired), "401 token_expired", Some(invalid)),
        ("a bad token, roles", "permissive", json!({}), &roles, Some(&expired), "401 token_expired", Some(invalid)),
        ("keys that are not there", "permissive", remote, &scopes, Some(&unread), "503 keys_unavailable", None),
        ("too few scopes", "permissive", json!({}), &scopes, Some(&poor), "403 insufficient_scope", Some(scarce)),
        ("too few roles", "optional", json!({}), &roles, Some(&poor), "403 access_denied", None),
    ] {
        let gateway = gateway(&json!({
            "authorizers": [authorizer("a", &members)],
            "paths": [{"method": "GET", "path": "/a", "auth": with(auth.clone(), "mode", &json!(mode)), "response": 1}],
        }));
        let bearer = sent.map(|token| ("authorization", format!("Bearer {token}")));
        let list: Vec<(&str, &str)> = bearer.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let ended = run(&gateway, &without_keys, NOW, &request("GET", "https://gw.example/a", &headers(&list)));
        assert_eq!(ended.words(), expected, "{name}");
        assert_eq!(ended.reply().get("www-authenticate"), challenge, "{name}");
    }
}

#[test]
fn a_401_asks_for_what_its_path_takes_and_for_nothing_else() {
    let kinds = json!([
        {"name": "tokens", "type": "jwt", "algorithm": "HS256", "secret": SECRET, "issuer": "a", "audience": "a"},
        {"name": "keys", "type": "api_key", "keys": [{"sha256": "0".repeat(64), "consumer": "c"}]},
        {"name": "people", "type": "basic", "users": [{"username": "u", "password_hash": format!("sha256:{}", "0".repeat(64))}]},
    ]);
    let (bearer, key) = ("Bearer realm=\"portcullis\"", "ApiKey realm=\"portcullis\"");
    let basic = "Basic realm=\"portcullis\", charset=\"UTF-8\"";
    for (auth, challenges, message) in [
        (vec!["tokens"], vec![bearer], "Missing bearer token"),
        (vec!["keys"], vec![key], "Missing API key"),
        (vec!["people"], vec![basic], "Missing password"),
        (vec!["people", "keys"], vec![key, basic], "Missing credential"),
        (vec!["keys", "tokens"], vec![bearer, key], "Missing bearer token"),
    ] {
        let gateway = gateway(&json!({
            "authorizers": kinds,
            "paths": [{"method": "GET", "path": "/a", "auth": auth, "response": 1}],
        }));
        let ended = ask(&gateway, "GET", "/a", &[]);
        assert_eq!(ended.words(), "401 missing_token", "{auth:?}");
        assert_eq!(ended.reply().get("www-authenticate"), Some(challenges.join(", ").as_str()), "{auth:?}");
        let body: Value = serde_json::from_str(&ended.reply().body).unwrap();
        assert_eq!(body["message"], message, "{auth:?}");
    }
}

#[test]
fn the_log_tells_what_of_a_refused_token_was_judged_and_by_how_much_it_is_off() {
    let strict = json!({"max_age_seconds": 600, "max_lifetime_seconds": 3600, "token_types": ["JWT"]});
    let typed = json!({"alg": "HS256", "typ": "JWT", "kid": "k\n1"});
    let (at, iss) = (
        |name: &str, off: i64| {
            with(with(claims("a"), "iat", &json!(SECONDS)), name, &json!(SECONDS.saturating_add_signed(off)))
        },
        "x".repeat(100),
    );
    let many = json!(["one", "two", "three", "four"]);
    for (name, header, payload, expected, reason) in [
        ("past", &typed, at("exp", -90), "token_expired", "`exp` was 90 s ago, and the skew is 30 s"),
        ("long past", &typed, at("exp", i64::MIN), "token_expired", "`exp` was 1700000000 s ago, and the skew is 30 s"),
        ("never begun", &typed, at("nbf", 3600), "token_not_yet_valid", "`nbf` is 3600 s ahead, and the skew is 30 s"),
        (
            "of tomorrow",
            &typed,
            at("iat", 86_400),
            "token_not_yet_valid",
            "`iat` is 86400 s ahead, and the skew is 30 s",
        ),
        ("old", &typed, at("iat", -700), "token_too_old", "`iat` was 700 s ago, and 600 s are allowed"),
        ("long-lived", &typed, at("exp", 7200), "lifetime_too_long", "it lives for 7200 s, and 3600 s are allowed"),
        (
            "for others",
            &typed,
            with(at("exp", 60), "aud", &many),
            "invalid_audience",
            "`aud` is \"one\", \"two\", \"three\" and 1 more",
        ),
        (
            "from others",
            &typed,
            with(at("exp", 60), "iss", &json!(iss)),
            "invalid_issuer",
            &format!("`iss` is \"{}…\"", "x".repeat(80)),
        ),
        (
            "of another type",
            &json!({"alg": "HS256", "typ": "at+jwt"}),
            at("exp", 60),
            "invalid_claim",
            "`typ` is \"at+jwt\"",
        ),
        ("of no type", &json!({"alg": "HS256"}), at("exp", 60), "invalid_claim", "there is no `typ`"),
        (
            "by another algorithm",
            &json!({"alg": "HS512", "typ": "JWT"}),
            at("exp", 60),
            "algorithm_not_allowed",
            "`alg` is HS512",
        ),
    ] {
        let gateway = one_path(&[authorizer("a", &strict)]);
        let ended = ask_with(&gateway, &hs(SECRET, header, &payload));
        assert_eq!(ended.words(), format!("401 {expected}"), "{name}");
        assert_eq!(ended.internal.as_deref(), Some(reason), "{name}");
        assert!(!ended.reply().body.contains(reason), "{name}: the client reads it");
    }
    let forged = hs(OTHER_SECRET, &typed, &at("exp", 60));
    let ended = ask_with(&one_path(&[authorizer("a", &strict)]), &forged);
    assert_eq!(ended.internal.as_deref(), Some("`alg` is HS256, `kid` is \"k\n1\""), "a bad signature");
    let two = one_path(&[authorizer("a", &strict), authorizer("b", &json!({}))]);
    assert_eq!(
        ask_with(&two, &forged).internal.as_deref(),
        Some("authorizer a: `alg` is HS256, `kid` is \"k\n1\""),
        "which of two"
    );
    let scoped = gateway(&json!({
        "authorizers": [authorizer("a", &json!({}))],
        "paths": [{"method": "GET", "path": "/a", "auth": {"authorizer": "a", "scopes": ["one", "two", "three"]}, "response": 1}],
    }));
    let ended = ask_with(&scoped, &hs(SECRET, &typed, &with(claims("a"), "scope", &json!("two"))));
    assert_eq!(ended.internal.as_deref(), Some("the scopes one, three are not granted"));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "time is what is looked at")]
fn a_name_that_nobody_has_takes_as_long_as_one_that_somebody_has() {
    let slow = format!("pbkdf2-sha256:50000:c2FsdA==:{}=", "A".repeat(43));
    let gateway = gateway(&json!({
        "authorizer": {"type": "basic", "users": [
            {"username": "ann", "password_hash": slow},
            {"username": "bob", "password_hash": slow, "not_after": 1},
            {"username": "machine", "password_hash": format!("sha256:{}", "0".repeat(64))},
        ]},
        "paths": [{"method": "GET", "path": "/a", "auth": true, "response": 1}],
    }));
    let taken = |name: &str| {
        let basic = format!("Basic {}", STANDARD.encode(format!("{name}:password")));
        let start = std::time::Instant::now();
        let ended = ask(&gateway, "GET", "/a", &[("authorization", &basic)]);
        assert_eq!(ended.words(), "401 unknown_credential", "{name}");
        start.elapsed()
    };
    let (known, past, unknown) = (taken("ann"), taken("bob"), taken("carl"));
    // Without a hash it is a thousandth.
    assert!(past * 10 > known, "one whose time is over: {past:?} of {known:?}");
    assert!(unknown * 10 > known, "one that is not there: {unknown:?} of {known:?}");
}
