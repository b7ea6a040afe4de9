//! CORS: preflights, and the headers of answers and refusals.

use super::*;

const APP: &str = "https://app.example";
const EVIL: &str = "https://evil.example";

fn config() -> Value {
    json!({
        "cors": {
            "allow_origins": [APP, "https://*.apps.example"],
            "allow_headers": ["authorization", "x-a"],
            "expose_headers": ["x-b"],
            "allow_credentials": true,
            "max_age": 600,
        },
        "authorizer": {"type": "jwt", "algorithm": "HS256", "secret": "$secret.S", "audience": "a"},
        "authorizers": [
            {"name": "unbound", "type": "jwt", "algorithm": "HS256", "secret": "$secret.UNBOUND", "audience": "a"},
        ],
        "paths": [
            {"method": ["GET", "DELETE"], "path": "/guarded", "auth": true, "response": 1},
            answer(&json!("GET"), "/open", "o"),
            {"method": "GET", "path": "/unbound", "auth": "unbound", "response": 1},
            {"method": "GET", "path": "/own", "auth": true, "response": 1,
             "cors": {"allow_origins": ["*"], "allow_methods": ["GET"]}},
            {"method": ["GET", "PUT"], "path": "/narrow", "response": 1,
             "cors": {"allow_origins": [APP], "allow_methods": ["PUT", "PATCH"]}},
            {"method": "ANY", "path": "/any", "response": 1},
        ],
    })
}

fn gateway() -> Gateway {
    gateway_in(&config(), &[("S", &"s".repeat(32))])
}

fn preflight(gateway: &Gateway, path: &str, origin: &str, method: &str) -> Ended {
    ask(gateway, "OPTIONS", path, &[("origin", origin), ("access-control-request-method", method)])
}

fn allowed_origin(reply: &Reply) -> Option<&str> {
    reply.get("access-control-allow-origin")
}

#[test]
fn a_preflight_is_answered_before_authentication_with_the_methods_that_the_path_has() {
    let gateway = gateway();
    for (path, method, methods) in [
        ("/guarded", "GET", "GET,HEAD,DELETE"),
        ("/guarded", "DELETE", "GET,HEAD,DELETE"),
        ("/guarded", "PATCH", "GET,HEAD,DELETE"),
        ("/open", "GET", "GET,HEAD"),
        ("/unbound", "GET", "GET,HEAD"),
        ("/any", "PATCH", "GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS"),
    ] {
        let ended = preflight(&gateway, path, APP, method);
        assert_eq!(ended.words(), "answered 204", "{method} {path}");
        let reply = ended.reply();
        assert_eq!(allowed_origin(reply), Some(APP));
        assert_eq!(reply.get("access-control-allow-methods"), Some(methods), "{method} {path}");
        assert_eq!(reply.get("access-control-allow-headers"), Some("authorization,x-a"));
        assert_eq!(reply.get("access-control-allow-credentials"), Some("true"));
        assert_eq!(reply.get("access-control-max-age"), Some("600"));
        assert_eq!(reply.get("access-control-expose-headers"), None, "that is for answers");
        assert_eq!(reply.get("vary"), Some("Origin"));
    }
}

#[test]
fn a_preflight_from_elsewhere_allows_nothing() {
    let gateway = gateway();
    for origin in [EVIL, "null", "https://APP.example", "http://app.example", "https://a.b.apps.example"] {
        let ended = preflight(&gateway, "/guarded", origin, "GET");
        let reply = ended.reply();
        assert_eq!(reply.status, 204, "{origin}");
        assert!(reply.headers.iter().all(|(name, _)| !name.starts_with("access-control-")), "{origin}: {reply:?}");
        assert_eq!(reply.get("vary"), Some("Origin"), "{origin}");
    }
    let one_label = preflight(&gateway, "/guarded", "https://b.apps.example", "GET");
    assert_eq!(allowed_origin(one_label.reply()), Some("https://b.apps.example"));
}

#[test]
fn a_preflight_for_a_path_that_is_not_there_is_not_found() {
    let gateway = gateway();
    let ended = preflight(&gateway, "/nowhere", APP, "GET");
    assert_eq!(ended.words(), "404 not_found");
    assert_eq!(allowed_origin(ended.reply()), Some(APP), "a refusal like any other");
    assert_eq!(preflight(&gateway, "/guarded/..", APP, "GET").words(), "400 invalid_path");
}

#[test]
fn options_without_both_headers_is_a_method_like_any_other() {
    let gateway = gateway();
    for (name, list) in [
        ("neither", &[][..]),
        ("no method", &[("origin", APP)]),
        ("no origin", &[("access-control-request-method", "GET")]),
    ] {
        assert_eq!(ask(&gateway, "OPTIONS", "/guarded", list).words(), "405 method_not_allowed", "{name}");
        assert_eq!(ask(&gateway, "OPTIONS", "/any", list).words(), "answered 1", "{name}");
    }
    let both = [("origin", APP), ("access-control-request-method", "GET")];
    assert_eq!(ask(&gateway, "GET", "/guarded", &both).words(), "401 missing_token", "nor is GET a preflight");
}

#[test]
fn without_rules_a_preflight_is_a_method_like_any_other() {
    let gateway =
        super::gateway(&json!({"paths": [answer(&json!("GET"), "/a", "a"), answer(&json!("ANY"), "/b", "b")]}));
    assert_eq!(preflight(&gateway, "/a", APP, "GET").words(), "405 method_not_allowed");
    assert_eq!(preflight(&gateway, "/b", APP, "GET").words(), r#"answered "b""#);
}

#[test]
fn the_rules_of_a_path_take_the_place_of_those_for_all() {
    let gateway = gateway();
    let own = preflight(&gateway, "/own", EVIL, "GET");
    assert_eq!(allowed_origin(own.reply()), Some("*"));
    assert_eq!(own.reply().get("access-control-allow-methods"), Some("GET"));
    assert_eq!(own.reply().get("access-control-allow-credentials"), None);
    assert_eq!(own.reply().get("vary"), None, "the answer is the same for all");
    let refused = ask(&gateway, "GET", "/own", &[("origin", EVIL)]);
    assert_eq!(refused.words(), "401 missing_token");
    assert_eq!(allowed_origin(refused.reply()), Some("*"));
    let narrow = preflight(&gateway, "/narrow", APP, "PUT");
    assert_eq!(narrow.reply().get("access-control-allow-methods"), Some("PUT"), "no method that the path lacks");
}

#[test]
fn refusals_of_every_kind_carry_cross_origin_headers() {
    let gateway = gateway();
    for (method, path, expected) in [
        ("GET", "/guarded", "401 missing_token"),
        ("GET", "/nowhere", "404 not_found"),
        ("PUT", "/guarded", "405 method_not_allowed"),
        ("GET", "/a/../b", "400 invalid_path"),
        ("GET", "/unbound", "500 config_error"),
    ] {
        for (origin, allowed) in [(APP, Some(APP)), (EVIL, None)] {
            let ended = ask(&gateway, method, path, &[("origin", origin)]);
            assert_eq!(ended.words(), expected, "{method} {path}");
            let reply = ended.reply();
            assert_eq!(allowed_origin(reply), allowed, "{method} {path} from {origin}");
            assert_eq!(reply.get("vary"), Some("Origin"), "{method} {path} from {origin}");
            assert_eq!(reply.get("access-control-expose-headers"), allowed.map(|_| "x-b"));
        }
        let without = ask(&gateway, method, path, &[]);
        assert_eq!(allowed_origin(without.reply()), None, "{method} {path} without an origin");
        assert_eq!(without.reply().get("vary"), Some("Origin"), "{method} {path} without an origin");
    }
    let headers = headers(&[("origin", APP)]);
    let head = request("GET", "x", &headers);
    let outright = gateway.refuse_outright(&head, Reject::new(Code::InternalError));
    assert_eq!(allowed_origin(&outright.reply(&head)), Some(APP));
}

#[test]
fn answers_carry_cross_origin_headers() {
    let gateway = gateway();
    for (origin, allowed) in [(APP, Some(APP)), (EVIL, None)] {
        let ended = ask(&gateway, "GET", "/open", &[("origin", origin)]);
        assert_eq!(ended.words(), r#"answered "o""#);
        assert_eq!(allowed_origin(ended.reply()), allowed);
        assert_eq!(ended.reply().get("access-control-expose-headers"), allowed.map(|_| "x-b"));
        assert_eq!(ended.reply().get("vary"), Some("Origin"));
    }
}

#[test]
fn rules_that_lack_a_binding_spoil_their_own_path_alone() {
    let config = json!({"paths": [
        {"method": "GET", "path": "/spoilt", "response": 1, "cors": {"allow_origins": ["$env.ORIGIN"]}},
        answer(&json!("GET"), "/fine", "f"),
    ]});
    let gateway = super::gateway(&config);
    assert_eq!(ask(&gateway, "GET", "/spoilt", &[("origin", APP)]).words(), "500 config_error");
    assert_eq!(preflight(&gateway, "/spoilt", APP, "GET").words(), "500 config_error");
    assert_eq!(ask(&gateway, "GET", "/fine", &[("origin", APP)]).words(), r#"answered "f""#);
    let bound = gateway_in(&config, &[("ORIGIN", APP)]);
    assert_eq!(allowed_origin(preflight(&bound, "/spoilt", APP, "GET").reply()), Some(APP));
}
