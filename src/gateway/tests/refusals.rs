//! What a refusal says: to the client in body and challenge, to the operator in the log, and to nobody by its time.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::auth::{OTHER_SECRET, ask_with, authorizer, claims, header, one_path, with};
use super::*;
use crate::testing::{RSA, SECONDS, SECRET, hs, rs};

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
