//! What clients send instead of a credential in its place, and whether that is what is told.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::answered;
use crate::consumer::api_key_hash;
use crate::explain::Explanation;
use crate::explain::inquiry::Inquiry;
use crate::testing::{SECONDS, SECRET, headers, hs};

const KEY: &str = "k_live_0123456789abcdef0123456789abcdef";

/// What is told of `GET target` where `authorizer` guards /me.
fn told(authorizer: &Value, target: &str, list: &[(&str, &str)]) -> Explanation {
    let config =
        json!({"authorizer": authorizer, "paths": [{"method": "GET", "path": "/me", "auth": true, "response": {}}]});
    let inquiry = Inquiry { method: "GET".into(), path: target.into(), headers: headers(list) };
    let names = BTreeMap::new();
    answered(&inquiry, &config, &names, None)
}

fn jwt(more: &Value) -> Value {
    let mut authorizer = json!({"type": "jwt", "secret": SECRET, "algorithm": "HS256", "issuer": "https://id.example/", "audience": "api"});
    for (name, value) in more.as_object().unwrap() {
        authorizer[name] = value.clone();
    }
    authorizer
}

fn good() -> String {
    let claims = json!({"iss": "https://id.example/", "aud": "api", "sub": "u", "exp": SECONDS + 300});
    hs(SECRET, &json!({"alg": "HS256"}), &claims)
}

fn first(told: &Explanation) -> (&str, &str) {
    (told.cause.as_deref().unwrap_or_default(), told.fix.as_deref().unwrap_or_default())
}

#[test]
fn a_credential_in_another_place_is_found_with_a_fix_that_keeps_the_usual_place() {
    let good = good();
    let (cookie, query) = (format!("a=b; sesion={good}"), format!("/me?token={good}"));
    for (name, more, target, list, cause, fix) in [
        ("nothing", json!({}), "/me", vec![], "there is no credential in", "send one: `Authorization: Bearer TOKEN`"),
        (
            "nothing in a cookie",
            json!({"token_from": [{"cookie": "session"}]}),
            "/me",
            vec![],
            "there is no credential in the cookie",
            "send one: `Cookie: session=TOKEN`",
        ),
        (
            "a misspelt name",
            json!({}),
            "/me",
            vec![("Authorisation", "Bearer x")],
            "the header `authorisation` is sent, and `authorization` is looked at",
            "send `Authorization: Bearer TOKEN`",
        ),
        (
            "behind a proxy",
            json!({}),
            "/me",
            vec![("Proxy-Authorization", "Bearer eyJ.a.b")],
            "a token is in the header `proxy-authorization`",
            r#"send `Authorization: Bearer TOKEN`, or write "token_from": [{"header":"authorization"},{"header":"proxy-authorization","prefix":"Bearer"}]"#,
        ),
        (
            "another cookie",
            json!({"token_from": [{"cookie": "session"}]}),
            "/me",
            vec![("cookie", cookie.as_str())],
            "a token is in the cookie `sesion`",
            "send `Cookie: session=TOKEN`, or write",
        ),
        (
            "the query",
            json!({}),
            query.as_str(),
            vec![],
            "a token is in the query parameter `token`",
            "send `Authorization: Bearer TOKEN`, or write",
        ),
        (
            "its own header",
            json!({"header_name": "x-jwt", "token_prefix": ""}),
            "/me",
            vec![("authorization", "Bearer eyJ.a.b")],
            "a token is in the header `authorization`",
            r#"send `x-jwt: TOKEN`, or write "token_from": [{"header":"x-jwt"},{"header":"authorization"}]"#,
        ),
    ] {
        let told = told(&jwt(&more), target, &list);
        let (seen, advice) = first(&told);
        assert!(seen.starts_with(cause), "{name}: {seen}");
        assert!(advice.starts_with(fix), "{name}: {advice}");
    }
    let open = told(&jwt(&json!({"mode": "optional"})), "/me", &[("x-token", &good)]);
    let step = open.steps.iter().find(|step| step.step == "credential").unwrap();
    assert!(
        step.text.ends_with(
            "a token is in the header `x-token`, but it is looked for in the header `authorization` behind `Bearer `"
        ),
        "{}",
        step.text
    );
}

#[test]
fn a_header_in_another_form_is_told_by_what_is_odd_in_it() {
    let good = good();
    let with = |before: &str, behind: &str| format!("{before}{good}{behind}");
    for (name, more, value, cause) in [
        ("no scheme", json!({}), with("", ""), "`Bearer` is missing before the token"),
        ("no space", json!({}), with("Bearer", ""), "the space between `Bearer` and the token is missing"),
        ("an equals sign", json!({}), with("Bearer=", ""), "`Bearer=` is no scheme"),
        ("a colon", json!({}), with("Bearer: ", ""), "a colon follows `Bearer`"),
        ("an encoded space", json!({}), with("Bearer%20", ""), "it is URL-encoded"),
        ("quotes around it all", json!({}), with("\"Bearer ", "\""), "the header's whole value is in quotes"),
        ("an object", json!({}), "Bearer [object Object]".into(), "`[object Object]` is where the token should be"),
        (
            "an answer",
            json!({}),
            r#"Bearer {"access_token":"a.b.c","token_type":"Bearer"}"#.into(),
            "the provider's whole answer",
        ),
        ("a space in it", json!({}), "Bearer eyJ.a .b".into(), "2 words follow `Bearer`, and a token is one"),
        ("a space that is none", json!({}), with("Bearer\u{a0}", ""), "what stands between `Bearer` and the token"),
        (
            "another prefix",
            json!({"token_prefix": "Token"}),
            with("Bearer ", ""),
            "the scheme is `Bearer`, and a token comes behind `Token`",
        ),
        ("no prefix", json!({"token_prefix": "Token"}), good.clone(), "`Token` is missing before the token"),
        (
            "a prefix too many",
            json!({"token_prefix": ""}),
            with("Bearer ", ""),
            "`Bearer` comes before it, and the header `authorization` takes the credential alone",
        ),
    ] {
        let told = told(&jwt(&more), "/me", &[("authorization", &value)]);
        assert_eq!(told.code, Some("malformed_authorization"), "{name}");
        assert!(first(&told).0.starts_with(cause), "{name}: {}", first(&told).0);
    }
}

#[test]
fn what_is_no_token_is_told_by_what_became_of_it() {
    let good = good();
    let parts: Vec<&str> = good.split('.').collect();
    let raw = |header: &str, claims: &str| {
        let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.c2ln", encode(header), encode(claims))
    };
    let cut = |letters: usize| good.get(..good.len() - letters).unwrap().to_owned();
    let nested = format!(r#"{{"a":{}1{}}}"#, "[".repeat(20), "]".repeat(20));
    for (name, token, cause) in [
        ("undefined", "undefined".to_owned(), "the token is the word `undefined`"),
        ("null", "null".to_owned(), "the token is the word `null`"),
        ("a variable", "$TOKEN".to_owned(), "`$TOKEN` is a placeholder"),
        ("a template", "{{token}}".to_owned(), "`{{token}}` is a placeholder"),
        ("quotes", format!("\"{good}\""), "the token is in quotes"),
        ("base64 of base64", STANDARD.encode(&good), "it was put into base64 once more"),
        ("quotes of a word processor", format!("“{good}”"), "the token is in quotes"),
        (
            "a space of no width",
            good.replacen('.', "\u{200b}.", 1),
            "its first part, the header, has `\u{200b}` (U+200B)",
        ),
        ("angle brackets", format!("<{good}>"), "the token is in angle brackets"),
        ("an encoded dot", good.replace('.', "%2E"), "it is URL-encoded"),
        ("an escape", format!("{good}\\n"), "it has a backslash"),
        ("an ellipsis", format!("{}...{}", parts[0], parts[2]), "it was shortened for display"),
        ("opaque with a dot", "ya29.a0AfH6SMBx".to_owned(), "it is an opaque token"),
        ("the header alone", parts[0].to_owned(), "it was cut off: it has 1 of three parts"),
        ("two of them", format!("{good}{good}"), "two tokens were joined"),
        ("a part too many", format!("{good}.c2ln"), "it has 4 parts"),
        ("a signature cut off", cut(10), "its third part, the signature, was cut off"),
        ("an odd letter", format!("{}.{}!.{}", parts[0], parts[1], parts[2]), "its second part, the claims, has `!`"),
        (
            "a claim twice",
            raw(r#"{"alg":"HS256"}"#, r#"{"sub":"a","sub":"b"}"#),
            "its second part, the claims, has `sub` twice",
        ),
        ("alg twice", raw(r#"{"alg":"HS256","alg":"none"}"#, "{}"), "its first part, the header, has `alg` twice"),
        ("no alg", raw("{}", "{}"), "its header has no `alg`"),
        ("a kid of a number", raw(r#"{"alg":"HS256","kid":7}"#, "{}"), "`kid` in its header is 7, and it is a text"),
        (
            "a dictionary of Python",
            raw(r#"{"alg":"HS256"}"#, "{'sub': 'a'}"),
            "its second part, the claims, is no JSON object in base64url (key must be a string",
        ),
        (
            "nested too deep",
            raw(r#"{"alg":"HS256"}"#, &nested),
            "its second part, the claims, is no JSON object in base64url (nested too deep",
        ),
    ] {
        let told = told(&jwt(&json!({})), "/me", &[("authorization", &format!("Bearer {token}"))]);
        assert_eq!(told.code, Some("malformed_token"), "{name}");
        assert!(first(&told).0.starts_with(cause), "{name}: {}", first(&told).0);
    }
}

#[test]
fn an_api_key_that_is_not_let_in_is_told_by_what_it_is() {
    let hash = api_key_hash(KEY);
    let keys = |more: &Value| {
        let mut key = json!({"sha256": hash, "consumer": "job"});
        for (name, value) in more.as_object().unwrap() {
            key[name] = value.clone();
        }
        json!({"type": "api_key", "keys": [key]})
    };
    let (bearer, quoted, query) = (format!("Bearer {KEY}"), format!("\"{KEY}\""), format!("/me?api_key={KEY}"));
    for (name, more, target, list, cause) in [
        (
            "another header",
            json!({}),
            "/me",
            vec![("authorization", bearer.as_str())],
            "the key is in the header `authorization`, but it is looked for in the header `x-api-key`",
        ),
        (
            "a misspelt header",
            json!({}),
            "/me",
            vec![("x-apikey", KEY)],
            "the header `x-apikey` is sent, and `x-api-key` is looked at",
        ),
        ("the query", json!({}), query.as_str(), vec![], "the key is in the query parameter `api_key`"),
        (
            "a scheme",
            json!({}),
            "/me",
            vec![("x-api-key", bearer.as_str())],
            "`Bearer` comes before it, and the header `x-api-key` takes the credential alone",
        ),
        ("quotes", json!({}), "/me", vec![("x-api-key", quoted.as_str())], "the key is in quotes"),
        ("its hash", json!({}), "/me", vec![("x-api-key", hash.as_str())], "the key that is sent is the hash of one"),
        (
            "another key",
            json!({}),
            "/me",
            vec![("x-api-key", "other")],
            "no known key is the one that is sent, whose SHA-256 is d9298a10",
        ),
        (
            "an ended key",
            json!({"not_after": SECONDS - 100}),
            "/me",
            vec![("x-api-key", KEY)],
            "the key of job ended 100 s ago (`not_after`)",
        ),
        (
            "an early key",
            json!({"not_before": SECONDS + 100}),
            "/me",
            vec![("x-api-key", KEY)],
            "the key of job counts in 100 s (`not_before`)",
        ),
    ] {
        let told = told(&keys(&more), target, &list);
        assert!(first(&told).0.starts_with(cause), "{name}: {}", first(&told).0);
    }
    let passed = told(&keys(&json!({})), "/me", &[("x-api-key", KEY)]);
    let names: Vec<&str> = passed.steps.iter().map(|step| step.step).collect();
    assert_eq!(names, ["route", "credential", "answer"], "a key is no token");
    assert_eq!(passed.steps[1].text, "an API key in the header `x-api-key` (consumer job)");
}

#[test]
fn a_name_or_password_that_is_not_let_in_is_told_apart() {
    let people = json!({"type": "basic", "users": [{"username": "ann", "password_hash": format!("sha256:{}", api_key_hash("pw-pw"))}]});
    let pair = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    for (name, value, cause) in [
        ("another password", pair("ann:x"), "another password than that of `ann`"),
        ("a line break", pair("ann:pw-pw\n"), "the password of `ann` is sent with white space around it"),
        ("nobody", pair("zoe:pw-pw"), "no user is called `zoe` (there is ann)"),
        ("another case", pair("Ann:pw-pw"), "no user is called `Ann`; there is `ann`, letter for letter"),
        ("no base64", "Basic ann:pw-pw".to_owned(), "what follows `Basic` is not base64"),
        ("no colon", pair("ann"), "what follows `Basic` has no `:`"),
        (
            "a token",
            "Bearer eyJ.a.b".to_owned(),
            "the scheme is `Bearer`, and this path takes a name and a password behind `Basic`",
        ),
    ] {
        let told = told(&people, "/me", &[("authorization", &value)]);
        assert!(first(&told).0.starts_with(cause), "{name}: {}", first(&told).0);
    }
}
