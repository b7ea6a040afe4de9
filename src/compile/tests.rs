//! What compiling makes of a good configuration; what it says of bad ones is in `tests/config.rs`.

use serde_json::{Value, json};

use super::*;
use crate::authn::{Authorizer, KeySource};
use crate::config::wire::Mode;
use crate::cors::Origin;
use crate::credential::Place;
use crate::gateway::RouteAction;
use crate::jwt::alg::Algorithm;

fn with_env(config: &Value, bound: &[(&str, &str)]) -> Compiled {
    let lookup = |name: &str| bound.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    compile(&config.to_string(), Env::Known(&lookup))
}

/// A configuration whose one authorizer has these members beside what it needs; `null` takes one away.
fn with_authorizer(members: &Value) -> Value {
    let mut authorizer = json!({"type": "jwt", "algorithm": "HS256", "secret": "x".repeat(64), "audience": "a"});
    for (name, value) in members.as_object().unwrap() {
        match value {
            Value::Null => drop(authorizer.as_object_mut().unwrap().remove(name)),
            _ => authorizer[name] = value.clone(),
        }
    }
    json!({"authorizer": authorizer, "paths": [{"method": "GET", "path": "/a", "auth": true, "response": 1}]})
}

fn remote(members: &Value) -> Value {
    let mut all = json!({"algorithm": null, "secret": null, "jwks_url": "https://i.example/jwks", "issuer": "i"});
    all.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    with_authorizer(&all)
}

/// The one authorizer of a configuration without problems, with its key sources.
fn authorizer(config: &Value) -> (Authorizer, Vec<jwks::Source>) {
    let compiled = with_env(config, &[]);
    assert_eq!(compiled.problems, []);
    let gateway = compiled.gateway.unwrap();
    (gateway.authorizers[0].clone().unwrap(), gateway.sources)
}

fn messages(compiled: &Compiled) -> Vec<&str> {
    compiled.problems.iter().map(|problem| problem.message.as_str()).collect()
}

#[test]
fn what_is_not_written_is_as_documented() {
    let (shared, sources) = authorizer(&with_authorizer(&json!({})));
    assert_eq!(shared.mode, Mode::Strict);
    assert_eq!(shared.places, [Place::Header { name: "authorization".into(), scheme: "Bearer".into() }]);
    assert_eq!(shared.policy.algorithms, Some(vec![Algorithm::Hs256]));
    assert!((shared.policy.rules.skew - 30.0).abs() < f64::EPSILON);
    assert!(shared.policy.rules.require_exp && !shared.policy.rules.all_audiences && shared.forward_token);
    assert_eq!((shared.policy.rules.max_age, shared.policy.rules.max_lifetime), (None, None));
    assert_eq!(sources, []);
    let (public, sources) = authorizer(&remote(&json!({})));
    assert_eq!(public.policy.algorithms, None, "taken from each key");
    assert!(matches!(public.keys, KeySource::Remote(jwks::SourceId(0))));
    let url = "https://i.example/jwks".to_owned();
    assert_eq!(sources, [jwks::Source { url, issuer: None, ttl_ms: None, timeout_ms: 5_000, stale_ms: 86_400_000 }]);
}

#[test]
fn every_accepted_spelling_means_the_same() {
    let header = Place::Header { name: "x-t".into(), scheme: "Token".into() };
    for (name, members) in [
        (
            "snake case",
            json!({"header_name": "X-T", "token_prefix": "Token", "forward_claims": {"sub": "X-U"},
            "jwks_cache_ttl_ms": 9, "jwks_timeout_ms": 8, "clock_skew_seconds": 7}),
        ),
        (
            "camel case",
            json!({"headerName": "X-T", "tokenPrefix": "Token", "forwardClaims": {"sub": "X-U"},
            "jwksCacheTtlMs": 9, "jwksTimeoutMs": 8, "clockSkewSeconds": 7}),
        ),
        (
            "camel case URL",
            json!({"jwks_url": null, "jwksUrl": "https://i.example/jwks", "headerName": "X-T",
            "tokenPrefix": "Token", "forwardClaims": {"sub": "X-U"}, "jwksCacheTtlMs": 9, "jwksTimeoutMs": 8,
            "clockSkewSeconds": 7}),
        ),
        (
            "URI",
            json!({"jwks_url": null, "jwks_uri": "https://i.example/jwks", "audience": null, "audiences": ["a"],
            "headerName": "X-T", "tokenPrefix": "Token", "forwardClaims": {"sub": "X-U"}, "jwksCacheTtlMs": 9,
            "jwksTimeoutMs": 8, "clockSkewSeconds": 7}),
        ),
    ] {
        let (authorizer, sources) = authorizer(&remote(&members));
        assert_eq!(authorizer.places, std::slice::from_ref(&header), "{name}");
        assert_eq!(authorizer.forward_claims, [("sub".to_owned(), "x-u".to_owned())], "{name}");
        assert!((authorizer.policy.rules.skew - 7.0).abs() < f64::EPSILON, "{name}");
        assert_eq!(authorizer.policy.rules.audiences, ["a"], "{name}");
        let [source] = &sources[..] else { panic!("{name}: {sources:?}") };
        assert_eq!((source.ttl_ms, source.timeout_ms), (Some(9), 8), "{name}");
    }
}

#[test]
fn places_of_tokens_are_compiled_in_their_order() {
    let header = |name: &str, scheme: &str| Place::Header { name: name.into(), scheme: scheme.into() };
    for (members, expected) in [
        (json!({"token_from": [{"header": "Authorization"}]}), vec![header("authorization", "Bearer")]),
        (json!({"token_from": [{"header": "X-Token"}]}), vec![header("x-token", "")]),
        (json!({"token_from": [{"header": "X-Token", "prefix": "JWT"}]}), vec![header("x-token", "JWT")]),
        (json!({"token_from": [{"header": "authorization", "prefix": ""}]}), vec![header("authorization", "")]),
        (
            json!({"token_from": [{"query": "t"}, {"cookie": "c"}]}),
            vec![Place::Query("t".into()), Place::Cookie("c".into())],
        ),
        (json!({"token_prefix": "Bearer "}), vec![header("authorization", "Bearer")]),
        (json!({"token_prefix": ""}), vec![header("authorization", "")]),
        (
            json!({"header_name": "Cf-Access-Jwt-Assertion", "token_prefix": ""}),
            vec![header("cf-access-jwt-assertion", "")],
        ),
    ] {
        assert_eq!(authorizer(&with_authorizer(&members)).0.places, expected, "{members}");
    }
}

#[test]
fn two_authorizers_with_one_url_share_a_key_source_with_the_stricter_of_their_settings() {
    let named = |name: &str, url: &str, timeout: u64| {
        json!({
            "name": name, "type": "jwt", "jwks_url": url, "issuer": name, "audience": "a", "jwks_timeout_ms": timeout
        })
    };
    let config = json!({"paths": [], "authorizers": [
        named("a", "https://i.example/jwks", 3),
        named("b", "https://I.EXAMPLE/jwks", 2),
        named("c", "https://i.example/JWKS", 1),
        named("d", "https://i.example/jwks?d", 1),
        named("e", "https://i.example/jwks", 4),
    ]});
    let gateway = with_env(&config, &[]).gateway.unwrap();
    let numbers: Vec<usize> = gateway
        .authorizers
        .iter()
        .filter_map(|authorizer| match &authorizer.as_ref().unwrap().keys {
            KeySource::Remote(id) => Some(id.0),
            _ => None,
        })
        .collect();
    assert_eq!(numbers, [0, 0, 1, 2, 0]);
    assert_eq!(gateway.sources.iter().map(|source| source.timeout_ms).collect::<Vec<_>>(), [2, 1, 1]);
}

#[test]
fn a_secret_shorter_than_its_hash_is_told_and_still_used() {
    for (algorithms, encoding, secret, short) in [
        (json!("HS256"), "utf8", "x".repeat(31), true),
        (json!("HS256"), "utf8", "x".repeat(32), false),
        (json!("HS384"), "utf8", "x".repeat(47), true),
        (json!("HS384"), "utf8", "x".repeat(48), false),
        (json!("HS512"), "utf8", "x".repeat(63), true),
        (json!(["HS256", "HS512"]), "utf8", "x".repeat(63), true),
        (json!(["HS256", "HS512"]), "utf8", "x".repeat(64), false),
        (json!("HS256"), "hex", "ab".repeat(31), true),
        (json!("HS256"), "hex", "ab".repeat(32), false),
        (json!("HS256"), "base64", "QUFB".repeat(10), true),
        (json!("HS256"), "base64", "QUFB".repeat(11), false),
        (json!("HS256"), "utf8", "é".repeat(16), false),
    ] {
        let config = with_authorizer(&json!({
            "algorithm": null, "algorithms": algorithms, "secret": secret, "secret_encoding": encoding
        }));
        let compiled = with_env(&config, &[]);
        assert!(compiled.is_good() && compiled.gateway.unwrap().authorizers[0].is_ok(), "{algorithms} {secret}");
        assert_eq!(compiled.problems.len(), usize::from(short), "{algorithms} {encoding} {secret}");
    }
}

#[test]
fn an_environment_that_is_not_at_hand_hides_what_depends_on_it_and_nothing_else() {
    let config = json!({
        "servers": [{"alias": "s", "url": "$env.URL"}],
        "authorizer": {"type": "jwt", "algorithm": "HS256", "secret": "$secret.S", "audience": "$env.AUD"},
        "paths": [
            {"method": "GET", "path": "/a", "auth": true, "integration": {"type": "http_proxy", "server": "s"}},
            {"method": "GET", "path": "/b", "response": "$env.TEXT", "cors": {"allow_origins": ["$env.ORIGIN"]}},
        ],
    });
    let unknown = compile(&config.to_string(), Env::Unknown);
    assert_eq!(unknown.problems, []);
    let none = with_env(&config, &[]);
    let told = messages(&none).join("\n");
    for name in ["`URL`", "`S`", "`AUD`", "`TEXT`", "`ORIGIN`"] {
        assert!(told.contains(&format!("{name} is not bound")), "{name} in {told}");
    }
    assert!(!none.is_good() && none.gateway.is_some(), "the other routes go on");
    let secret = "x".repeat(32);
    let bound = [
        ("URL", "https://u.example"),
        ("S", secret.as_str()),
        ("AUD", "a"),
        ("TEXT", "t"),
        ("ORIGIN", "https://o.example"),
    ];
    assert_eq!(with_env(&config, &bound).problems, []);
}

#[test]
fn what_is_wrong_in_one_route_closes_it_and_what_is_wrong_elsewhere_refuses_the_whole() {
    let base = with_authorizer(&json!({}));
    let with = |member: &str, value: Value| {
        let mut config = base.clone();
        config["paths"][0][member] = value;
        config
    };
    for (name, config, kept) in [
        ("an authorizer that is not there", with("auth", json!("nobody")), true),
        ("one of two that is not there", with("auth", json!(["nobody", "nobody else"])), true),
        ("no authorizers", with("auth", json!([])), true),
        ("a status that is none", with("response_status", json!(99)), true),
        ("auth of the wrong type", with("auth", json!(1)), false),
        ("auth spelt wrongly", with("auht", json!(true)), false),
        ("auth with an unknown member", with("auth", json!({"modus": "strict"})), false),
        ("auth with an unknown mode", with("auth", json!({"mode": "lenient"})), false),
        ("a pattern that is none", with("path", json!("a")), false),
        ("a method in small letters", with("method", json!("get")), false),
    ] {
        let compiled = with_env(&config, &[]);
        assert!(!compiled.is_good(), "{name}");
        let Some(gateway) = &compiled.gateway else {
            assert!(!kept, "{name}: refused as a whole");
            continue;
        };
        assert!(kept, "{name}: not refused");
        assert!(gateway.routes[0].action.is_err(), "{name}: the route is closed");
    }
}

#[test]
fn an_authorizer_that_cannot_be_read_refuses_the_whole_and_is_told_once() {
    let paths = json!([{"method": "GET", "path": "/a", "auth": true, "response": 1},
        {"method": "GET", "path": "/b", "auth": ["named"], "response": 1}]);
    let named =
        json!({"name": "named", "type": "jwt", "algorithm": "HS256", "secret": "x".repeat(32), "audience": "a"});
    let mut twice = named.clone();
    twice["audiences"] = json!("b");
    for (name, default, other) in [
        ("the default one", json!({"type": "saml"}), named.clone()),
        ("a named one", named.clone(), json!({"name": "named", "type": "saml"})),
        ("one with a field in two spellings", named, twice),
    ] {
        let config = json!({"authorizer": default, "authorizers": [other], "paths": paths});
        let compiled = with_env(&config, &[]);
        assert!(compiled.gateway.is_none(), "{name}: no route may stand open");
        assert_eq!(compiled.problems.len(), 1, "{name}: {:?}", compiled.problems);
    }
}

#[test]
fn problems_come_in_the_order_of_the_file() {
    let text = r#"{
  "paths": [
    {"method": "GET", "path": "/a"},
    {"path": "b", "response": 1}
  ],
  "serverz": []
}"#;
    let compiled = compile(text, Env::Unknown);
    let places: Vec<(usize, usize, &str)> =
        compiled.problems.iter().map(|problem| (problem.line, problem.column, problem.pointer.as_str())).collect();
    assert_eq!(places, [(3, 5, "/paths/0"), (4, 5, "/paths/1"), (4, 14, "/paths/1/path"), (6, 3, "/serverz")]);
}

#[test]
fn a_fixed_answer_keeps_its_order_and_its_numbers() {
    let text = r#"{"paths": [{"method": "GET", "path": "/", "response_status": 203, "response_headers": {"X-A": "$$1"},
        "response": {"b": 1.50, "a": [ true, null, "é\n$$" ], "c": {}}}]}"#;
    let gateway = compile(text, Env::Unknown).gateway.unwrap();
    let Ok(RouteAction::Answer(reply)) = &gateway.routes[0].action else { panic!("{:?}", gateway.routes) };
    assert_eq!(reply.body, r#"{"b":1.50,"a":[true,null,"é\n$"],"c":{}}"#);
    assert_eq!(
        (reply.status, reply.get("content-type"), reply.get("x-a")),
        (203, Some("application/json"), Some("$1"))
    );
}

#[test]
fn remarks_are_allowed_in_every_table_and_a_byte_order_mark_before_all() {
    let text = "\u{feff}{\"$schema\": \"s\", \"title\": 1, \"description\": [], \"paths\": [{\"title\": \"t\", \
        \"description\": \"d\", \"method\": \"GET\", \"path\": \"/\", \"response\": 1}]}";
    assert_eq!(compile(text, Env::Unknown).problems, []);
}

#[test]
fn a_star_with_credentials_is_a_problem_also_where_a_variable_holds_the_star() {
    let config = |origin: &str| json!({"cors": {"allow_origins": [origin], "allow_credentials": true}, "paths": []});
    for (origin, bound, good) in [
        ("*", "", false),
        ("$env.O", "*", false),
        ("$env.O", "https://o.example", true),
        ("https://*.o.example", "", true),
    ] {
        let compiled = with_env(&config(origin), &[("O", bound)]);
        assert_eq!(compiled.is_good(), good, "{origin} {bound}: {:?}", compiled.problems);
    }
    let one = with_env(&config("https://o.example"), &[]).gateway.unwrap();
    assert_eq!(one.cors.unwrap().unwrap().origins, [Origin::Exact("https://o.example".into())]);
}
