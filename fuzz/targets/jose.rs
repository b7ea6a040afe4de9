//! JOSE header and claims as JSON, one on each line, signed here: so that what comes behind the signature is reached.
//!
//! What passes is held against the rules, written down a second time, in both directions.

#![cfg_attr(fuzzing, no_main)]
#![expect(clippy::expect_used, reason = "what these find missing is a finding")]

use portcullis::authn::{Authorizer, verify_token};
use portcullis::gateway::Gateway;
use portcullis::jwt::json;
use portcullis_fuzz::requests::gateway;
use portcullis_fuzz::tokens::{NOW, SECRET, sign};
use serde_json::{Map, Value};

portcullis_fuzz::target!(check);

/// Leeway of both authorizers, in seconds.
const SKEW: f64 = 30.0;

const CONFIG: &str = r#"{
  "authorizers": [
    { "name": "plain", "type": "jwt", "algorithm": "HS256", "secret": "$env.SECRET", "require_exp": false },
    { "name": "strict", "type": "jwt", "algorithm": "HS256", "secret": "$env.SECRET", "token_types": ["at+jwt", "JWT"],
      "issuer": ["i", "j"], "audience": ["a", "b"], "max_lifetime_seconds": 3600, "max_age_seconds": 60,
      "required_claims": ["sub"], "claims": { "realm.role": ["admin", 1] } }
  ],
  "paths": []
}"#;

thread_local! {
    static GATEWAY: &'static Gateway = gateway(CONFIG);
}

fn the() -> &'static Gateway {
    GATEWAY.with(|gateway| *gateway)
}

fn authorizer(name: &str) -> &'static Authorizer {
    the().authorizer(Some(name)).and_then(|found| found.as_ref().ok()).expect("it is in the configuration")
}

fn check(data: &[u8]) {
    let newline = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (header, payload) = data.split_at(newline);
    let payload = payload.get(1..).unwrap_or_default();
    object(header);
    object(payload);

    let token = sign(SECRET, header, payload);
    let verify = |name: &str| verify_token(authorizer(name), &token, the().max_token_bytes(), None, NOW);
    let (plain, strict) = (verify("plain"), verify("strict"));
    if let Ok(verified) = &plain {
        assert_eq!(Some(verified.claims().members()), json::object(payload).ok().as_ref());
    }
    let (Ok(header), Ok(claims)) = (json::object(header), json::object(payload)) else {
        assert!(plain.is_err() && strict.is_err(), "what is no JSON passes");
        return;
    };
    if token.len() <= the().max_token_bytes() {
        let usual = is_usual(&header);
        assert_eq!(plain.is_ok(), usual && is_current(&claims), "{plain:?}");
        assert_eq!(
            strict.is_ok(),
            usual && is_typed(&header) && is_current(&claims) && is_meant(&claims),
            "{strict:?}"
        );
    }
}

/// The strict reader takes what a forgiving one does, but for names twice and deep nesting.
fn object(text: &[u8]) {
    let forgiving: Option<Map<String, Value>> = serde_json::from_slice(text).ok();
    if let Ok(strict) = json::object(text) {
        assert_eq!(Some(&strict), forgiving.as_ref());
        let strict = Value::Object(strict);
        assert!(depth(&strict) <= 16);
        assert_eq!(names(&strict), colons(text), "a name is there twice");
    }
    if let Some(members) = forgiving.map(Value::Object).filter(|members| depth(members) <= 16) {
        // Written again, no name is there twice.
        assert!(json::object(members.to_string().as_bytes()).is_ok(), "{members}");
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// How many members there are at all depths.
fn names(value: &Value) -> usize {
    match value {
        Value::Array(list) => list.iter().map(names).sum(),
        Value::Object(members) => members.len() + members.values().map(names).sum::<usize>(),
        _ => 0,
    }
}

/// How many members are written: each has its colon outside of every string.
fn colons(text: &[u8]) -> usize {
    let (mut count, mut quoted, mut escaped) = (0, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b':' if !quoted => count += 1,
            _ => {}
        }
    }
    count
}

/// RFC 7515 section 4.1, as far as it is used.
fn is_usual(header: &Map<String, Value>) -> bool {
    let text = |name: &str| header.get(name).is_none_or(Value::is_string);
    header.get("alg").is_some_and(|alg| alg == "HS256") && !header.contains_key("crit") && text("kid") && text("typ")
}

fn is_typed(header: &Map<String, Value>) -> bool {
    let typ = header.get("typ").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    matches!(typ.as_str(), "at+jwt" | "jwt" | "application/at+jwt" | "application/jwt")
}

/// Times that do not forbid the token now, whoever it is from.
fn is_current(claims: &Map<String, Value>) -> bool {
    let now = NOW.as_numeric_date();
    let holds = |name: &str, rule: &dyn Fn(f64) -> bool| {
        claims.get(name).is_none_or(|value| value.is_number() && value.as_f64().is_some_and(rule))
    };
    holds("exp", &|exp| exp > now - SKEW)
        && holds("nbf", &|nbf| nbf <= now + SKEW)
        && holds("iat", &|iat| iat <= now + SKEW)
}

/// What the authorizer `strict` asks for beyond that.
fn is_meant(claims: &Map<String, Value>) -> bool {
    let date = |name: &str| claims.get(name).and_then(Value::as_f64);
    let (Some(exp), Some(iat)) = (date("exp"), date("iat")) else { return false };
    let audience = match claims.get("aud") {
        Some(Value::String(one)) => one == "a" || one == "b",
        Some(Value::Array(list)) => {
            list.iter().all(Value::is_string) && list.iter().any(|one| one == "a" || one == "b")
        }
        _ => false,
    };
    let role = claims.get("realm.role").or_else(|| claims.get("realm")?.get("role"));
    let issuer = claims.get("iss");
    exp - iat <= 3600.0
        && NOW.as_numeric_date() - iat <= 60.0 + SKEW
        && issuer.is_some_and(|issuer| issuer == "i" || issuer == "j")
        && audience
        && claims.get("sub").is_some_and(|sub| !sub.is_null())
        && role.is_some_and(|role| role == "admin" || role == 1)
}
