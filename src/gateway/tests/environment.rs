//! What an environment lacks spoils what needs it, and never opens anything.

use super::*;
use crate::testing::{SECONDS, SECRET, hs};

fn token() -> String {
    hs(SECRET, &json!({"alg": "HS256"}), &json!({"sub": "u", "aud": "a", "exp": SECONDS + 600}))
}

fn authorizer(name: &str, secret: &str, mode: &str) -> Value {
    json!({"name": name, "type": "jwt", "algorithm": "HS256", "secret": secret, "audience": "a", "mode": mode})
}

fn guarded(path: &str, auth: &Value) -> Value {
    json!({"method": "GET", "path": path, "auth": auth, "response": "in"})
}

#[test]
fn a_name_that_is_not_bound_is_a_500_on_the_routes_that_need_it_while_the_others_go_on() {
    let proxy = |server: &str| json!({"type": "http_proxy", "server": server});
    let gateway = gateway_in(
        &json!({
            "servers": [{"alias": "lost", "url": "https://$env.LOST_HOST/"}, {"alias": "known", "url": "$env.URL"}],
            "authorizers": [authorizer("good", "$secret.GOOD", "strict"), authorizer("bad", "$secret.LOST", "strict")],
            "paths": [
                {"method": "GET", "path": "/open", "response": "open"},
                guarded("/good", &json!("good")),
                guarded("/bad", &json!("bad")),
                guarded("/either", &json!(["good", "bad"])),
                {"method": "GET", "path": "/lost", "integration": proxy("lost")},
                {"method": "GET", "path": "/known", "integration": proxy("known")},
                {"method": "GET", "path": "/text", "response": {"a": ["$env.LOST_TEXT"]}},
                {"method": "GET", "path": "/header", "response": 1, "response_headers": {"x": "$env.LOST_HEADER"}},
            ],
        }),
        &[("GOOD", SECRET), ("URL", "https://up.example")],
    );
    let bearer = format!("Bearer {}", token());
    for (path, expected, name) in [
        ("/open", r#"answered "open""#, None),
        ("/good", r#"answered "in""#, None),
        ("/known", "forwarded", None),
        ("/bad", "500 config_error", Some("`LOST`")),
        ("/either", "500 config_error", Some("`LOST`")),
        ("/lost", "500 config_error", Some("`LOST_HOST`")),
        ("/text", "500 config_error", Some("`LOST_TEXT`")),
        ("/header", "500 config_error", Some("`LOST_HEADER`")),
    ] {
        let ended = ask(&gateway, "GET", path, &[("authorization", &bearer)]);
        assert_eq!(ended.words(), expected, "{path}");
        let Some(name) = name else { continue };
        assert!(ended.internal.as_ref().unwrap().contains(name), "{path}: the log names it: {:?}", ended.internal);
        assert!(!format!("{:?}", ended.reply()).contains("LOST"), "{path}: the client does not learn it");
        assert!(gateway.faults().any(|fault| fault.contains(name)), "{path}: it is among the faults");
    }
}

#[test]
fn an_authorizer_without_a_usable_secret_lets_nobody_pass_in_any_mode() {
    let unsigned = hs("", &json!({"alg": "HS256"}), &json!({"aud": "a", "exp": SECONDS + 600}));
    let none = hs("", &json!({"alg": "none"}), &json!({"aud": "a", "exp": SECONDS + 600}));
    for (name, bound) in [("not bound", None), ("empty", Some(("S", "")))] {
        for mode in ["strict", "optional", "permissive"] {
            for path_mode in ["strict", "optional", "permissive"] {
                let config = json!({
                    "authorizers": [authorizer("a", "$secret.S", mode), authorizer("good", SECRET, "permissive")],
                    "paths": [
                        guarded("/one", &json!("a")),
                        guarded("/mode", &json!({"authorizer": "a", "mode": path_mode})),
                        guarded("/list", &json!(["good", "a"])),
                    ],
                });
                let gateway = gateway_in(&config, bound.as_slice());
                let tokens = [None, Some(token()), Some(unsigned.clone()), Some(none.clone()), Some("x".into())];
                for token in &tokens {
                    let bearer = token.as_ref().map(|token| format!("Bearer {token}"));
                    let list: Vec<(&str, &str)> =
                        bearer.iter().map(|value| ("authorization", value.as_str())).collect();
                    for path in ["/one", "/mode", "/list"] {
                        let ended = ask(&gateway, "GET", path, &list);
                        assert_eq!(ended.words(), "500 config_error", "{name}, {mode}, {path_mode}: {path} {token:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_secret_that_does_not_decode_lets_nobody_pass() {
    for (encoding, secret, works) in [
        ("hex", "00ff00ff", true),
        ("hex", "0", false),
        ("hex", "zz", false),
        ("base64", "AP8A/w==", true),
        ("base64", "AP8A/w", false),
        ("base64", "AP8A_w==", false),
        ("base64url", "AP8A_w", true),
        ("base64url", "AP8A/w", false),
    ] {
        let mut authorizer = authorizer("a", "$secret.S", "permissive");
        authorizer["secret_encoding"] = encoding.into();
        let config = json!({"authorizers": [authorizer], "paths": [guarded("/a", &json!("a"))]});
        let gateway = gateway_in(&config, &[("S", secret)]);
        let expected = if works { r#"answered "in""# } else { "500 config_error" };
        assert_eq!(ask(&gateway, "GET", "/a", &[]).words(), expected, "{encoding} {secret}");
    }
}

#[test]
fn a_bound_name_is_used_as_text_and_as_nothing_else() {
    let config = json!({
        "authorizers": [authorizer("a", "$secret.S", "strict")],
        "paths": [guarded("/a", &json!("a")), {"method": "GET", "path": "/text", "response": {"t": "<$env.T>"}}],
    });
    let bearer = format!("Bearer {}", token());
    for (secret, expected) in [
        (SECRET, r#"answered "in""#),
        ("another secret, which did not sign it", "401 invalid_signature"),
        ("$secret.T", "401 invalid_signature"),
    ] {
        let gateway = gateway_in(&config, &[("S", secret), ("T", SECRET)]);
        assert_eq!(ask(&gateway, "GET", "/a", &[("authorization", &bearer)]).words(), expected, "{secret}");
    }
    let gateway = gateway_in(&config, &[("S", SECRET), ("T", "\",\"x\":\"$env.S")]);
    assert_eq!(ask(&gateway, "GET", "/text", &[]).words(), r#"answered {"t":"<\",\"x\":\"$env.S>"}"#);
}

#[test]
fn a_url_that_is_none_spoils_the_routes_that_need_it() {
    let config = json!({
        "servers": [{"alias": "s", "url": "$env.URL"}],
        "authorizers": [{"name": "a", "type": "jwt", "jwks_url": "$env.URL", "issuer": "i", "audience": "a"}],
        "paths": [
            {"method": "GET", "path": "/proxy", "integration": {"type": "http_proxy", "server": "s"}},
            guarded("/keys", &json!({"authorizer": "a", "mode": "permissive"})),
            guarded("/open", &json!(false)),
        ],
    });
    for (url, proxy, keys) in [
        ("https://up.example", "forwarded", r#"answered "in""#),
        ("http://up.example", "forwarded", "500 config_error"),
        ("http://127.0.0.1:9000", "forwarded", r#"answered "in""#),
        ("up.example", "500 config_error", "500 config_error"),
        ("ftp://up.example", "500 config_error", "500 config_error"),
        ("https://user:password@up.example", "500 config_error", "500 config_error"),
        ("", "500 config_error", "500 config_error"),
    ] {
        let gateway = gateway_in(&config, &[("URL", url)]);
        assert_eq!(ask(&gateway, "GET", "/proxy", &[]).words(), proxy, "{url}");
        assert_eq!(ask(&gateway, "GET", "/keys", &[]).words(), keys, "{url}");
        assert_eq!(ask(&gateway, "GET", "/open", &[]).words(), r#"answered "in""#, "{url}");
    }
}

#[test]
fn without_an_environment_whatever_refers_to_one_is_closed() {
    let config = json!({
        "authorizers": [authorizer("a", "$secret.S", "permissive"), authorizer("b", SECRET, "strict")],
        "paths": [guarded("/a", &json!("a")), guarded("/b", &json!("b")), guarded("/open", &json!(false))],
    });
    let compiled = compile(&config.to_string(), Env::Unknown);
    assert!(compiled.is_good(), "{:?}", compiled.problems);
    let gateway = compiled.gateway.unwrap();
    let bearer = format!("Bearer {}", token());
    for (path, expected) in [("/a", "500 config_error"), ("/b", r#"answered "in""#), ("/open", r#"answered "in""#)] {
        assert_eq!(ask(&gateway, "GET", path, &[("authorization", &bearer)]).words(), expected, "{path}");
    }
}
