//! Each way to break a request, and whether its cause is what is told.

mod grants;
mod keys;
mod routes;
mod sent;
mod unusable;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::inquiry::{Inquiry, Setting};
use super::*;
use crate::compile::compile;
use crate::config::reference::Env;
use crate::testing::{NOW, OTHER_RSA, RSA, SECONDS, SECRET, headers, hs, jwk, jwks, request, rs};

/// Base64 of the secret whose bytes tokens are signed with here.
const ENCODED: &str = "YS1zZWNyZXQtb2Ytc2l4dHktZm91ci1ieXRlcy13aGljaC1pcy1lbm91Z2gtZm9yLWFsbC10aGUtaGFzaGVzIQ==";

/// What is told of `inquiry` where this is gateway.json, with these variables and keys.
fn answered(inquiry: &Inquiry, config: &Value, names: &BTreeMap<String, String>, keys: Option<&KeySet>) -> Explanation {
    inquiry.answer(Setting { file: "gateway.json", text: &config.to_string(), names, keys, now: NOW }).unwrap()
}

fn config() -> Value {
    json!({
        "servers": [{"alias": "up", "url": "https://up.example/base"}],
        "cors": {"allow_origins": ["https://app.example"]},
        "authorizer": {"type": "jwt", "secret": "$env.SECRET", "algorithm": "HS256", "issuer": "https://id.example/", "audience": "https://api.example"},
        "authorizers": [
            {"name": "public", "type": "jwt", "jwks_url": "https://id.example/jwks", "issuer": "https://id.example/", "audience": "https://api.example", "token_types": ["at+jwt"]},
        ],
        "paths": [
            {"method": "GET", "path": "/private", "auth": true, "response": {}},
            {"method": "GET", "path": "/public", "auth": "public", "response": {}},
            {"method": "GET", "path": "/open", "response": {}},
            {"method": "GET", "path": "/up/{.+}", "auth": {"mode": "optional"}, "integration": {"type": "http", "server": "up"}},
            {"method": "GET", "path": "/admin", "auth": {"scopes": "admin"}, "response": {}},
            {"method": "GET", "path": "/ruled", "auth": true, "authorization": {"rules": [{"allow": "'admins' in jwt.groups"}]}, "response": {}},
        ],
    })
}

fn claims(more: &Value) -> Value {
    let mut claims =
        json!({"iss": "https://id.example/", "aud": "https://api.example", "sub": "user-1", "exp": SECONDS + 300});
    for (name, value) in more.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

/// What is told of `GET target` where the secret is bound to `secret`.
fn told_with(secret: &str, target: &str, list: &[(&str, &str)]) -> Explanation {
    let text = config().to_string();
    let gateway = compile(&text, Env::Known(&|name| (name == "SECRET").then(|| secret.to_owned()))).gateway.unwrap();
    let variant = |variant: Variant| {
        let mut config = config();
        if let Variant::Encoding(encoding) = variant {
            config["authorizer"]["secret_encoding"] = encoding.into();
        }
        compile(&config.to_string(), Env::Known(&|name| (name == "SECRET").then(|| variant.of(secret)))).gateway
    };
    let set = KeySet::parse(jwks(&[jwk(&RSA, &json!({"kid": "a", "alg": "RS256"}))]).as_bytes()).unwrap();
    let (url, headers) = (format!("https://gw.example{target}"), headers(list));
    let head = request("GET", &url, &headers);
    explain(Question {
        gateway: &gateway,
        head: &head,
        headers: &headers,
        now: NOW,
        fetched: Some(&set),
        variant: &variant,
    })
}

fn told(target: &str, list: &[(&str, &str)]) -> Explanation {
    told_with(SECRET, target, list)
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn hs256(more: &Value) -> String {
    hs(SECRET, &json!({"alg": "HS256"}), &claims(more))
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_way_to_break_a_token_is_named_first() {
    let good = hs256(&json!({}));
    let (head, signature) = good.rsplit_once('.').unwrap();
    let kid = |kid: &str| json!({"alg": "RS256", "kid": kid, "typ": "at+jwt"});
    for (name, target, token, code, cause) in [
        ("opaque", "/private", "opaque-token".to_owned(), "malformed_token", "it is an opaque token"),
        ("encrypted", "/private", "a.b.c.d.e".to_owned(), "malformed_token", "it is encrypted (JWE)"),
        ("cut off", "/private", head.to_owned(), "malformed_token", "it was cut off: it has 2 of three parts"),
        ("padded", "/private", format!("{good}="), "malformed_token", "it is padded"),
        (
            "none",
            "/private",
            hs(SECRET, &json!({"alg": "none"}), &claims(&json!({}))),
            "unsupported_algorithm",
            "`alg` is none",
        ),
        (
            "provider's token at a secret",
            "/private",
            rs(&RSA, &kid("a"), &claims(&json!({}))),
            "algorithm_not_allowed",
            "the token is signed with RS256, a provider's key pair",
        ),
        (
            "secret's token at a provider",
            "/public",
            hs(SECRET, &json!({"alg": "HS256", "typ": "at+jwt"}), &claims(&json!({}))),
            "algorithm_not_allowed",
            "the token is signed with HS256, a shared secret",
        ),
        (
            "an ID token by its type",
            "/public",
            rs(&RSA, &json!({"alg": "RS256", "kid": "a", "typ": "JWT"}), &claims(&json!({}))),
            "invalid_claim",
            "the header's `typ` is JWT",
        ),
        (
            "expired",
            "/private",
            hs256(&json!({"exp": SECONDS - 40})),
            "token_expired",
            "it expired 40 s ago; 30 s of skew are allowed",
        ),
        (
            "expired long ago",
            "/private",
            hs256(&json!({"exp": SECONDS - 400_000})),
            "token_expired",
            "it expired 5 days ago",
        ),
        ("without an end", "/private", hs256(&json!({"exp": null})), "missing_claim", "`exp` is not in the token"),
        (
            "an end in words",
            "/private",
            hs256(&json!({"exp": "soon"})),
            "invalid_claim",
            "`exp` is \"soon\", and a time is a number",
        ),
        (
            "another kid",
            "/public",
            rs(&RSA, &kid("b"), &claims(&json!({}))),
            "unknown_key",
            "the token names `kid` b with RS256, and the set has a (RSA RS256)",
        ),
        (
            "another key",
            "/public",
            rs(&OTHER_RSA, &kid("a"), &claims(&json!({}))),
            "invalid_signature",
            "another key signed the token",
        ),
        (
            "another secret",
            "/private",
            hs("another-secret-of-at-least-32-bytes", &json!({"alg": "HS256"}), &claims(&json!({}))),
            "invalid_signature",
            "another key signed the token",
        ),
        (
            "half a signature",
            "/private",
            format!("{head}.{}", &signature[..20]),
            "invalid_signature",
            "the signature has 15 bytes",
        ),
        (
            "not yet",
            "/private",
            hs256(&json!({"nbf": SECONDS + 90})),
            "token_not_yet_valid",
            "`nbf` is 90 s ahead; 30 s of skew",
        ),
        (
            "issued ahead",
            "/private",
            hs256(&json!({"iat": SECONDS + 7200})),
            "token_not_yet_valid",
            "`iat` is 2 h ahead",
        ),
        (
            "a slash in the issuer",
            "/private",
            hs256(&json!({"iss": "https://id.example"})),
            "invalid_issuer",
            "a slash: the configured issuer ends with one, the token's does not",
        ),
        (
            "another issuer",
            "/private",
            hs256(&json!({"iss": "https://other.example"})),
            "invalid_issuer",
            "the token is from https://other.example",
        ),
        (
            "another scheme",
            "/private",
            hs256(&json!({"iss": "http://id.example/"})),
            "invalid_issuer",
            "the issuers differ in scheme",
        ),
        (
            "an ID token",
            "/private",
            hs256(&json!({"aud": "client-1", "azp": "client-1"})),
            "invalid_audience",
            "it is an ID token",
        ),
        (
            "an ID token by its nonce",
            "/private",
            hs256(&json!({"aud": "client-1", "nonce": "n"})),
            "invalid_audience",
            "it is an ID token",
        ),
        (
            "another audience",
            "/private",
            hs256(&json!({"aud": ["x", "y"]})),
            "invalid_audience",
            "the token is for [\"x\",\"y\"], and https://api.example is wanted",
        ),
        (
            "a slash in the audience",
            "/private",
            hs256(&json!({"aud": "https://api.example/"})),
            "invalid_audience",
            "a slash",
        ),
        ("no scope", "/admin", hs256(&json!({})), "insufficient_scope", "the token grants no scope"),
        (
            "another scope",
            "/admin",
            hs256(&json!({"scope": "user"})),
            "insufficient_scope",
            "the token grants \"user\"",
        ),
        (
            "a rule that is not true",
            "/ruled",
            hs256(&json!({"groups": ["users"]})),
            "access_denied",
            "none is true of rule 1 (allow 'admins' in jwt.groups)",
        ),
        (
            "a rule that fails",
            "/ruled",
            hs256(&json!({})),
            "access_denied",
            "rule 1 (allow 'admins' in jwt.groups) fails: there is no `groups`",
        ),
    ] {
        let told = told(target, &[("authorization", &bearer(&token))]);
        assert_eq!(told.code, Some(code), "{name}: {told:?}");
        let first = told.cause.as_deref().unwrap_or_default();
        assert!(first.starts_with(cause), "{name}: {first}");
        assert!(told.fix.is_some_and(|fix| fix.len() > 10), "{name} has a fix");
        assert!(told.steps.last().is_some_and(|step| !step.ok), "{name}");
    }
}

#[test]
fn a_secret_in_another_spelling_is_found_out() {
    let good = bearer(&hs256(&json!({})));
    for (name, secret, cause) in [
        ("base64", ENCODED.to_owned(), "the signature fits if the secret is read as base64"),
        (
            "hex",
            SECRET.bytes().fold(String::new(), |text, byte| format!("{text}{byte:02x}")),
            "the signature fits if the secret is read as hex",
        ),
        ("a line break", format!("{SECRET}\n"), "the signature fits if white space around the secret is taken off"),
    ] {
        let told = told_with(&secret, "/private", &[("authorization", &good)]);
        assert_eq!(told.cause.as_deref(), Some(cause), "{name}");
    }
}

#[test]
fn a_credential_in_the_wrong_place_is_found() {
    let good = hs256(&json!({}));
    let (cookie, query) = (format!("a=1; session={good}"), format!("/private?access_token={good}"));
    for (name, target, list, code, cause) in [
        ("nothing", "/private", vec![], "missing_token", "there is no credential in the header `authorization`"),
        (
            "another header",
            "/private",
            vec![("x-token", good.as_str())],
            "missing_token",
            "a token is in the header `x-token`",
        ),
        (
            "a cookie",
            "/private",
            vec![("cookie", cookie.as_str())],
            "missing_token",
            "a token is in the cookie `session`",
        ),
        ("the query", query.as_str(), vec![], "missing_token", "a token is in the query parameter `access_token`"),
        (
            "no Bearer",
            "/private",
            vec![("authorization", good.as_str())],
            "malformed_authorization",
            "`Bearer` is missing",
        ),
        (
            "Bearer alone",
            "/private",
            vec![("authorization", "Bearer")],
            "malformed_authorization",
            "there is `Bearer` and no token",
        ),
        (
            "another scheme",
            "/private",
            vec![("authorization", "Token abc")],
            "malformed_authorization",
            "the scheme is `Token`",
        ),
        (
            "Bearer twice",
            "/private",
            vec![("authorization", "Bearer Bearer abc")],
            "malformed_authorization",
            "`Bearer` is there twice",
        ),
        ("no route", "/nowhere", vec![], "not_found", "no pattern fits /nowhere"),
        ("another case", "/Private", vec![], "not_found", "no pattern fits /Private; /private does but for its case"),
        ("an odd path", "/a%2fb", vec![], "invalid_path", "the path /a%2fb could be read"),
    ] {
        let told = told(target, &list);
        assert_eq!(told.code, Some(code), "{name}: {told:?}");
        assert!(told.cause.as_deref().unwrap_or_default().starts_with(cause), "{name}: {:?}", told.cause);
    }
}

#[test]
fn what_passes_is_told_to_its_end() {
    let good = bearer(&hs256(&json!({})));
    for (name, target, list, step, text) in [
        (
            "an open route",
            "/open",
            vec![("authorization", "Bearer x")],
            "credential",
            "none is looked for: this route is open",
        ),
        (
            "a good token",
            "/private",
            vec![("authorization", good.as_str())],
            "credential",
            "a token in the header `authorization` behind `Bearer ` (subject user-1)",
        ),
        (
            "nobody, where that is optional",
            "/up/x",
            vec![],
            "credential",
            "none in the header `authorization` behind `Bearer `: the mode lets",
        ),
        ("an upstream", "/up/x?y=1", vec![], "answer", "sent on to https://up.example/base/x?y=1"),
    ] {
        let told = told(target, &list);
        assert_eq!(told.code, None, "{name}: {told:?}");
        let step = told.steps.iter().find(|known| known.step == step).unwrap();
        assert!(step.ok && step.text.starts_with(text), "{name}: {}", step.text);
    }
}

#[test]
fn a_step_that_was_not_reached_is_not_said_to_be_passed() {
    let expired = told("/private", &[("authorization", &bearer(&hs256(&json!({"exp": null}))))]);
    assert!(expired.steps.iter().all(|step| step.step != "signature" && step.step != "key"), "{expired:?}");
}
