//! What an outline says of every form a route has.

use serde_json::{Value, json};

use super::*;
use crate::authn::Context;
use crate::gateway::{Authn, Routed};
use crate::jwks::KeyRing;
use crate::memory::Memory;
use crate::records::Records;
use crate::testing::{NOW, request};

/// A configuration of one path, with servers, services and authorizers of every mode.
fn whole(path: &Value) -> String {
    let jwt = |name: &str, mode: &str| json!({"name": name, "type": "auth0", "domain": "a.eu.auth0.com", "audience": "a", "mode": mode});
    let mut whole = json!({
        "servers": [{"alias": "up", "url": "https://$env.HOST/v1"}],
        "service_bindings": [{"alias": "app", "binding": "APP"}],
        "authorizer": jwt("own", "strict"),
        "authorizers": [
            jwt("maybe", "optional"), jwt("lax", "permissive"), {"name": "key", "type": "api_key", "mode": "optional"}
        ],
        "paths": [path.clone()],
    });
    for (name, value) in [("method", json!("GET")), ("path", json!("/a")), ("response", json!({}))] {
        let path = whole["paths"][0].as_object_mut().unwrap();
        if name != "response" || !path.contains_key("integration") {
            path.entry(name).or_insert(value);
        }
    }
    whole.to_string()
}

fn of(path: &Value) -> Route {
    outline(&whole(path)).unwrap_or_else(|problems| panic!("{path}: {problems:?}")).routes.remove(0)
}

/// Whether the gateway itself lets a request without a token pass.
fn passes(path: &Value) -> bool {
    let gateway = compile(&whole(path), Env::Known(&|_| Some("up.example.com".to_owned()))).gateway.unwrap();
    let headers = Vec::new();
    let head = request("GET", "https://gw.example/a", &headers);
    let (ring, memory, records) = (KeyRing::default(), Memory::new([0; 16]), Records::default());
    let context = Context { ring: &ring, memory: &memory, records: &records, sources: gateway.sources(), now: NOW };
    let Ok(Routed::Matched(matched)) = gateway.route(&head) else { panic!("{path}: no route") };
    let counted = matched.limits(&head).judge(&[]).unwrap();
    match matched.authenticate(&head, context, counted) {
        Authn::Passed(authenticated) => authenticated.authorize(&head).is_ok(),
        Authn::Refused(_) => false,
        Authn::Needs(..) => panic!("{path}: nothing is needed where there is no token"),
    }
}

#[test]
fn a_route_needs_a_token_unless_a_request_without_one_may_pass() {
    for (name, auth, needs, mode) in [
        ("none", json!({}), false, None),
        ("null", json!({"auth": null}), false, None),
        ("false", json!({"auth": false}), false, None),
        ("true", json!({"auth": true}), true, Some("strict")),
        ("by name", json!({"auth": "own"}), true, Some("strict")),
        ("optional authorizer", json!({"auth": "maybe"}), false, Some("optional")),
        ("permissive authorizer", json!({"auth": "lax"}), false, Some("permissive")),
        ("optional API key", json!({"auth": "key"}), false, Some("optional")),
        ("of several the strictest", json!({"auth": ["lax", "maybe"]}), false, Some("optional")),
        ("one of several is strict", json!({"auth": ["lax", "own"]}), true, Some("strict")),
        ("the path's own mode", json!({"auth": {"mode": "permissive"}}), false, Some("permissive")),
        (
            "stricter than its authorizer",
            json!({"auth": {"authorizer": "lax", "mode": "strict"}}),
            true,
            Some("strict"),
        ),
        ("nobody has a scope", json!({"auth": {"mode": "optional", "scopes": "s"}}), true, Some("optional")),
        ("nobody has a role", json!({"auth": {"mode": "optional", "roles": "r"}}), true, Some("optional")),
        (
            "a rule may let nobody pass",
            json!({"auth": {"mode": "optional"}, "authorization": {"rules": [{"allow": "true"}]}}),
            false,
            Some("optional"),
        ),
    ] {
        let route = of(&auth);
        assert_eq!((route.needs_token, route.mode), (needs, mode), "{name}");
        assert_eq!(route.authorizers.is_empty(), mode.is_none(), "{name}");
        assert_eq!(passes(&auth), !needs, "{name}: the gateway is of another opinion");
    }
}

#[test]
fn an_upstream_is_told_as_it_is_written() {
    let proxy = json!({"integration": {"type": "http_proxy", "server": "up"}});
    let service = json!({"integration": {"type": "service_binding", "binding": "app"}});
    for (name, path, told) in [
        ("server", proxy, json!({"type": "server", "alias": "up", "url": "https://$env.HOST/v1"})),
        ("service", service, json!({"type": "service_binding", "alias": "app", "binding": "APP"})),
        ("answer", json!({}), json!({"type": "response", "status": 200})),
        ("answer with a status", json!({"response_status": 204}), json!({"type": "response", "status": 204})),
    ] {
        assert_eq!(json!(of(&path).upstream), told, "{name}");
    }
}

#[test]
fn demands_are_told_in_short() {
    for (name, path, told) in [
        ("nothing", json!({"auth": true}), vec![]),
        ("all scopes", json!({"auth": {"scopes": ["a", "b"]}}), vec!["scope a,b"]),
        ("one scope", json!({"auth": {"scopes": ["a", "b"], "scopes_match": "any"}}), vec!["scope one of a,b"]),
        ("a role", json!({"auth": {"roles": "r"}}), vec!["role r"]),
        ("roles", json!({"auth": {"roles": ["r", "s"]}}), vec!["role one of r,s"]),
        ("a rule", json!({"auth": true, "authorization": {"rules": [{"deny": "jwt.sub == 'x'"}]}}), vec!["1 rule"]),
        (
            "limits and a hook",
            json!({"rate_limit": [{"binding": "L", "by": ["ip", "route"]}, {"binding": "L", "by": "path"}], "pre_process": "app"}),
            vec!["limit by ip+route", "limit by path", "asks APP"],
        ),
    ] {
        assert_eq!(of(&path).demands(), told, "{name}");
    }
}

#[test]
fn a_configuration_with_problems_has_no_outline() {
    for (name, text) in [
        ("not JSON", "{"),
        ("no paths", "{}"),
        ("auth misspelled", r#"{"paths": [{"method": "GET", "path": "/a", "auht": true, "response": 1}]}"#),
        ("no such authorizer", r#"{"paths": [{"method": "GET", "path": "/a", "auth": "x", "response": 1}]}"#),
    ] {
        assert!(!outline(text).unwrap_err().is_empty(), "{name}");
    }
    assert!(outline("\u{feff}{\"paths\": []}").unwrap().routes.is_empty(), "a byte order mark is passed over");
}

/// A picture of `number` routes.
fn picture(number: usize) -> String {
    let path = |number: usize| json!({"method": "GET", "path": format!("/<{number}>&\"'"), "response": number});
    let paths: Vec<Value> = (0..number).map(path).collect();
    outline(&json!({"paths": paths}).to_string()).unwrap().svg()
}

#[test]
fn a_picture_is_well_formed_whatever_stands_in_it() {
    for number in [0, 1, 2, 100] {
        let svg = picture(number);
        assert_eq!(svg.matches("class=\"route open\"").count(), number);
        let words =
            svg.split("<text class=\"word\"").skip(1).filter(|text| text.split('>').nth(1) == Some("open</text"));
        assert_eq!(words.count(), number, "a word, not a colour alone");
        assert!(svg.contains("role=\"img\"") && svg.contains("<title id=\"title\">"));
        assert!(!svg.contains("<script") && !svg.contains("/<0>"), "{number}");
        let text = svg.replace("&lt;", "").replace("&gt;", "").replace("&amp;", "").replace("&quot;", "");
        assert!(!text.replace("&#39;", "").contains('&'), "{number}");
        let closed = svg.matches("</").count() + svg.matches("/>").count();
        assert_eq!(svg.matches('<').count() - svg.matches("</").count(), closed, "{number}");
    }
}

#[test]
fn a_long_name_is_cut_and_leaves_room_for_the_word() {
    let route = json!({"method": "GET", "path": format!("/{}", "long".repeat(40)), "response": 1});
    let svg = outline(&json!({"paths": [route]}).to_string()).unwrap().svg();
    let label = svg.split("<text class=\"label\"").nth(1).unwrap().split(['>', '<']).nth(1).unwrap();
    assert!(label.ends_with('…') && label.chars().count() == 46, "{label}");
    assert!(svg.contains(&"long".repeat(40)), "the whole is told where it is pointed at");
}
