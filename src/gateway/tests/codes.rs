//! What a client is told of its token, and what a secret is.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::*;
use crate::testing::{SECONDS, SECRET, hs, signing_input};

fn header() -> Value {
    json!({"alg": "HS256", "typ": "at+jwt"})
}

/// What every rule of the gateway below accepts, but for these.
fn claims(members: &Value) -> Value {
    let mut claims = json!({
        "iss": "https://i.example", "aud": "api", "sub": "u", "plan": "gold",
        "iat": SECONDS, "exp": SECONDS + 600,
    });
    for (name, value) in members.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            _ => claims[name] = value.clone(),
        }
    }
    claims
}

fn ask_with(gateway: &Gateway, token: &str) -> Ended {
    ask(gateway, "GET", "/a", &[("authorization", &format!("Bearer {token}"))])
}

fn with_authorizer(members: &Value) -> Gateway {
    let mut authorizer = json!({"type": "jwt", "algorithm": "HS256", "audience": "api"});
    authorizer.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    gateway(&json!({"authorizer": authorizer, "paths": [{"method": "GET", "path": "/a", "auth": true, "response": 1}]}))
}

#[test]
fn each_fault_of_a_token_is_told_by_its_own_code() {
    let gateway = with_authorizer(&json!({
        "secret": SECRET, "issuer": "https://i.example", "token_types": ["at+jwt"], "required_claims": ["sub"],
        "claims": {"plan": "gold"}, "max_age_seconds": 3600, "max_lifetime_seconds": 7200,
    }));
    let good = hs(SECRET, &header(), &claims(&json!({})));
    assert_eq!(ask_with(&gateway, &good).words(), "answered 1");
    let (input, _) = good.rsplit_once('.').unwrap();
    for (name, token, code, claim) in [
        ("an opaque token", "ya29.a0AfB_byC".to_owned(), "malformed_token", ""),
        ("a part missing", input.to_owned(), "malformed_token", ""),
        ("a part more", format!("{good}.x"), "malformed_token", ""),
        (
            "alg none",
            format!("{}.", signing_input(&json!({"alg": "none"}), &claims(&json!({})))),
            "unsupported_algorithm",
            "",
        ),
        ("another alg", hs(SECRET, &json!({"alg": "HS512"}), &claims(&json!({}))), "algorithm_not_allowed", ""),
        (
            "another type",
            hs(SECRET, &json!({"alg": "HS256", "typ": "JWT"}), &claims(&json!({}))),
            "invalid_claim",
            "typ",
        ),
        ("past", hs(SECRET, &header(), &claims(&json!({"exp": SECONDS - 31}))), "token_expired", ""),
        ("no end", hs(SECRET, &header(), &claims(&json!({"exp": null}))), "missing_claim", "exp"),
        ("an end as text", hs(SECRET, &header(), &claims(&json!({"exp": "never"}))), "invalid_claim", "exp"),
        ("no signature", format!("{input}."), "invalid_signature", ""),
        ("another secret", hs("another", &header(), &claims(&json!({}))), "invalid_signature", ""),
        ("nbf ahead", hs(SECRET, &header(), &claims(&json!({"nbf": SECONDS + 31}))), "token_not_yet_valid", ""),
        ("nbf as text", hs(SECRET, &header(), &claims(&json!({"nbf": "0"}))), "invalid_claim", "nbf"),
        ("iat ahead", hs(SECRET, &header(), &claims(&json!({"iat": SECONDS + 31}))), "token_not_yet_valid", ""),
        ("too old", hs(SECRET, &header(), &claims(&json!({"iat": SECONDS - 3631}))), "token_too_old", ""),
        ("good for too long", hs(SECRET, &header(), &claims(&json!({"exp": SECONDS + 7201}))), "lifetime_too_long", ""),
        ("no issuer", hs(SECRET, &header(), &claims(&json!({"iss": null}))), "missing_claim", "iss"),
        (
            "another issuer",
            hs(SECRET, &header(), &claims(&json!({"iss": "https://i.example/"}))),
            "invalid_issuer",
            "iss",
        ),
        ("issuers", hs(SECRET, &header(), &claims(&json!({"iss": ["https://i.example"]}))), "invalid_claim", "iss"),
        ("no audience", hs(SECRET, &header(), &claims(&json!({"aud": null}))), "missing_claim", "aud"),
        ("another audience", hs(SECRET, &header(), &claims(&json!({"aud": "other"}))), "invalid_audience", "aud"),
        ("an empty audience", hs(SECRET, &header(), &claims(&json!({"aud": ""}))), "invalid_audience", "aud"),
        ("no audiences", hs(SECRET, &header(), &claims(&json!({"aud": []}))), "invalid_audience", "aud"),
        ("an audience that is no text", hs(SECRET, &header(), &claims(&json!({"aud": 1}))), "invalid_claim", "aud"),
        ("no subject", hs(SECRET, &header(), &claims(&json!({"sub": null}))), "missing_claim", "sub"),
        ("another plan", hs(SECRET, &header(), &claims(&json!({"plan": "tin"}))), "invalid_claim", "plan"),
    ] {
        let ended = ask_with(&gateway, &token);
        assert_eq!(ended.words(), format!("401 {code}"), "{name}");
        let body: Value = serde_json::from_str(&ended.reply().body).unwrap();
        assert_eq!(body["details"]["claim"].as_str().unwrap_or_default(), claim, "{name}");
    }
}

/// In one place the text of a secret, in the other its bytes: then no token fits, and nobody sees why.
#[test]
fn a_secret_is_the_same_bytes_in_every_encoding_and_in_secret_as_in_secrets() {
    let bytes: Vec<u8> = (0xA0..=0xFF).collect();
    let hex = bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let claims = claims(&json!({}));
    let signed = |secret: &[u8]| {
        let code = crate::testing::hmac(secret, &header(), &claims);
        format!("{}.{}", signing_input(&header(), &claims), URL_SAFE_NO_PAD.encode(code))
    };
    let of_bytes = signed(&bytes);
    for (encoding, written) in
        [("base64", STANDARD.encode(&bytes)), ("base64url", URL_SAFE_NO_PAD.encode(&bytes)), ("hex", hex)]
    {
        let of_text = signed(written.as_bytes());
        for (name, place) in [
            ("secret", json!({"secret": written})),
            ("secrets", json!({"secrets": [{"kid": "old", "secret": "00".repeat(64)}, {"secret": written}]})),
        ] {
            let with_encoding = |encoding: &str| {
                let mut members = place.clone();
                members["secret_encoding"] = encoding.into();
                with_authorizer(&members)
            };
            let decoded = with_encoding(encoding);
            assert_eq!(ask_with(&decoded, &of_bytes).words(), "answered 1", "{name} in {encoding}");
            assert_eq!(ask_with(&decoded, &of_text).words(), "401 invalid_signature", "{name} in {encoding}: its text");
            let text = with_encoding("utf8");
            assert_eq!(ask_with(&text, &of_bytes).words(), "401 invalid_signature", "{name} as text: its bytes");
            assert_eq!(ask_with(&text, &of_text).words(), "answered 1", "{name} as text");
        }
    }
}
