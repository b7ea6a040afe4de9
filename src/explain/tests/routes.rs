//! Requests without a route, and what browsers make of answers.

use std::collections::BTreeMap;

use serde_json::json;

use super::answered;
use crate::explain::Explanation;
use crate::explain::inquiry::Inquiry;
use crate::testing::headers;

fn told(method: &str, path: &str, list: &[(&str, &str)]) -> Explanation {
    let config = json!({
        "cors": {"allow_origins": ["https://app.example"], "allow_headers": ["authorization"]},
        "paths": [
            {"method": "GET", "path": "/me", "response": {}},
            {"method": "POST", "path": "/orders/{id}", "response": {}},
            {"method": "GET", "path": "/v1/users", "response": {}},
            {"method": "GET", "path": "/Mixed", "response": {}},
        ],
    });
    let inquiry = Inquiry { method: method.into(), path: path.into(), headers: headers(list) };
    answered(&inquiry, &config, &BTreeMap::new(), None)
}

#[test]
fn a_path_or_method_without_a_route_is_told_with_what_is_near() {
    for (name, method, path, cause) in [
        ("another case", "GET", "/Me", "no pattern fits /Me; /me does but for its case"),
        ("small letters", "GET", "/mixed", "no pattern fits /mixed; /Mixed does but for its case"),
        ("without its prefix", "GET", "/users", "no pattern fits /users; /v1/users ends so"),
        ("with a prefix too many", "GET", "/api/me", "no pattern fits /api/me; /me does without what comes before it"),
        ("too deep", "GET", "/me/profile", "no pattern fits /me/profile; /me takes itself alone"),
        ("too short", "POST", "/orders", "no pattern fits /orders; /orders/{id} has more segments"),
        ("misspelt", "GET", "/v1/user", "no pattern fits /v1/user; /v1/users is near"),
        ("nothing near", "GET", "/zebra", "no pattern fits /zebra"),
        ("another method", "GET", "/orders/1", "the path is there, but not with GET: it takes POST"),
        ("a method in small letters", "get", "/me", "the method is `get` in small letters"),
        ("an encoded slash", "GET", "/a%2Fb", "the path /a%2Fb could be read as different paths: there is `%2f` in it"),
        ("dots", "GET", "/a/%2e%2e/b", "the path /a/%2e%2e/b could be read as different paths: there is `..` in it"),
        (
            "a stray sign",
            "GET",
            "/100%",
            "the path /100% could be read as different paths: there is a `%` in it that begins no",
        ),
    ] {
        let told = told(method, path, &[]);
        let first = told.cause.as_deref().unwrap_or_default();
        assert!(first.starts_with(cause), "{name}: {first}");
    }
}

#[test]
fn a_preflight_that_a_browser_takes_for_a_no_is_a_no() {
    let ask = |origin: &'static str, method: &'static str, header: &'static str| {
        vec![("origin", origin), ("access-control-request-method", method), ("access-control-request-headers", header)]
    };
    for (name, list, cause) in [
        ("all may", ask("https://app.example", "GET", "authorization"), None),
        ("sent whatever the list says", ask("https://app.example", "POST", ""), None),
        (
            "another origin",
            ask("https://evil.example", "GET", ""),
            Some("https://evil.example is not among `allow_origins`"),
        ),
        (
            "another method",
            ask("https://app.example", "DELETE", ""),
            Some("https://app.example may, but not with DELETE: the path has GET, HEAD for it"),
        ),
        (
            "another header",
            ask("https://app.example", "GET", "authorization, x-a"),
            Some("https://app.example may, but not with the header x-a"),
        ),
    ] {
        let told = told("OPTIONS", "/me", &list);
        let expected = cause.map(|cause| format!("a preflight, answered before authentication: {cause}"));
        assert_eq!(told.cause, expected, "{name}");
        assert_eq!(told.steps.iter().all(|step| step.ok), cause.is_none(), "{name}");
    }
}

#[test]
fn an_answer_that_a_browser_keeps_from_the_page_is_told() {
    for (name, list, kept) in [
        ("no browser", vec![], false),
        ("its origin", vec![("origin", "https://app.example")], false),
        ("another", vec![("origin", "https://evil.example")], true),
        ("the gateway's own", vec![("origin", "https://gw.example"), ("host", "gw.example")], false),
    ] {
        let told = told("GET", "/me", &list);
        assert_eq!(told.status, Some(200), "{name}");
        assert_eq!(told.cause.is_some(), kept, "{name}: {told:?}");
    }
}
