//! Texts in, JSON out.

use super::*;
use crate::testing::{RSA, SECONDS, SECRET, hs, jwk, jwks};

fn config() -> Value {
    json!({
        "servers": [{"alias": "up", "url": "$env.UP"}],
        "authorizer": {"type": "jwt", "secret": "$secret.KEY", "algorithm": "HS256", "issuer": "me", "audience": "api"},
        "paths": [
            {"method": "GET", "path": "/health", "response": {}},
            {"method": ["PUT", "POST"], "path": "/orders/{id}/{.+}", "auth": {"scopes": ["write"]}, "integration": {"type": "http", "server": "up"}},
        ],
    })
}

fn keys() -> String {
    jwks(&[jwk(&RSA, &json!({"kid": "a", "alg": "RS256"}))])
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn setup(config: &str, env: &str) -> Value {
    read(&configuration(&json!({ "config": config, "env": env }).to_string()))
}

/// What is answered to a request for the open route, with other fields.
fn asked(more: &Value) -> Value {
    let mut fields = json!({"config": config().to_string(), "env": format!("KEY={SECRET}\nUP=https://up.example"), "method": "GET", "path": "/health", "now": SECONDS});
    for (name, value) in more.as_object().unwrap() {
        fields[name] = value.clone();
    }
    read(&answer(&fields.to_string()))
}

#[test]
fn a_configuration_has_routes_and_a_picture_or_problems() {
    let told = setup(&config().to_string(), "");
    assert_eq!(told["problems"], json!([]));
    assert_eq!(
        told["routes"],
        json!([
            {"methods": "GET", "path": "/health", "who": "open", "mode": null, "open": true, "demands": [], "upstream": "response 200", "try": {"method": "GET", "path": "/health"}},
            {"methods": "PUT,POST", "path": "/orders/{id}/{.+}", "who": "default", "mode": "strict", "open": false, "demands": ["scope write"], "upstream": "up $env.UP", "try": {"method": "PUT", "path": "/orders/1/anything"}},
        ])
    );
    assert!(told["svg"].as_str().unwrap().starts_with("<svg "));
    let broken = setup("{\"paths\": [}", "");
    assert_eq!((&broken["svg"], &broken["routes"]), (&Value::Null, &json!([])));
    assert_eq!(broken["problems"][0]["line"], 1);
    assert_eq!(broken["problems"][0]["severity"], "error");
}

#[test]
fn names_are_judged_once_there_are_some() {
    let told = setup(&config().to_string(), "KEY=short");
    let problems = told["problems"].as_array().unwrap();
    assert!(problems.iter().any(|problem| problem["message"].as_str().unwrap().contains("UP")), "{problems:?}");
}

#[test]
fn a_request_has_its_explanation_and_its_token_decoded() {
    let token = hs(
        SECRET,
        &json!({"alg": "HS256"}),
        &json!({"iss": "me", "aud": "api", "scope": "write", "exp": SECONDS - 40}),
    );
    let told = asked(&json!({"method": "PUT", "path": " /orders/7/x ", "token": format!("Bearer {token}")}));
    assert_eq!(told["explanation"]["code"], "token_expired");
    assert!(told["decoded"]["claims"][1]["words"].as_str().unwrap().ends_with("40 s ago"), "{told}");
    let told = asked(
        &json!({"method": "PUT", "path": "/orders/7/x", "headers": format!("\nAuthorization: Bearer {token}\n"), "now": SECONDS - 90}),
    );
    assert_eq!(told["explanation"]["cause"], Value::Null, "{told}");
    assert_eq!(asked(&json!({}))["explanation"]["status"], 200);
}

#[test]
fn a_field_that_cannot_be_read_is_named() {
    for (name, fields, field) in [
        ("a header", json!({"headers": "A: b\nnothing"}), "headers"),
        ("a key set", json!({"jwks": "[]"}), "jwks"),
        ("a path", json!({"path": "health"}), "path"),
        ("a method", json!({"method": ""}), "method"),
        ("a configuration", json!({"config": "{"}), "config"),
        ("a time", json!({"now": "today"}), "page"),
    ] {
        let told = asked(&fields);
        assert_eq!(told["field"], field, "{name}: {told}");
        assert!(!told["error"].as_str().unwrap().is_empty(), "{name}");
    }
    assert_eq!(asked(&json!({"jwks": keys()}))["explanation"]["status"], 200);
}

#[test]
fn files_are_given_by_their_names() {
    let mut config = config();
    config["authorizer"] = json!({"type": "jwt", "jwks": {"file": "keys.json"}, "issuer": "me", "audience": "api"});
    let config = config.to_string();
    let found = |path: &str| if path == "keys.json" { Ok(keys()) } else { Err("another".to_owned()) };
    assert_eq!(json!(files_of(&config, &found)), json!({"keys.json": {"text": keys()}}));
    let private = json!(files_of(&config, &|_| Ok("root:x:0:0".to_owned())));
    assert!(private["keys.json"]["error"].is_string() && !private.to_string().contains("root"), "{private}");
    assert_eq!(json!(files_of(&config, &|_| Err("gone".to_owned()))), json!({"keys.json": {"error": "gone"}}));
    for (name, files, expected) in [
        ("a good one", json!({"keys.json": {"text": keys()}}), None),
        ("one that is gone", json!({"keys.json": {"error": "gone"}}), Some("gone")),
        ("one that was not given", json!({}), Some("was not given")),
    ] {
        let told = read(&configuration(&json!({"config": config, "files": files}).to_string()));
        let messages: String =
            told["problems"].as_array().unwrap().iter().filter_map(|problem| problem["message"].as_str()).collect();
        assert_eq!(expected.is_none(), messages.is_empty(), "{name}: {messages}");
        assert!(messages.contains(expected.unwrap_or_default()), "{name}: {messages}");
    }
}

#[test]
fn a_curl_line_becomes_the_fields() {
    let told = read(&curl("curl -H 'authorization: Bearer a.b.c' -H 'X: 1' -b s=2 -X PUT https://h/a?b=c"));
    let expected =
        json!({"method": "PUT", "path": "/a?b=c", "token": "a.b.c", "headers": "Cookie: s=2\nX: 1", "notes": []});
    assert_eq!(told, expected);
    // What is wrong with a header must not be lost on the way to the token's field.
    for header in ["Authorization: a.b.c", "Authorization: Bearer Bearer a.b.c", "Authorization: bearer a.b.c"] {
        let told = read(&curl(&format!("curl h/ -H '{header}'")));
        assert_eq!((&told["token"], &told["headers"]), (&json!(""), &json!(header)));
    }
    assert_eq!(read(&curl("wget h/"))["field"], "curl");
}
