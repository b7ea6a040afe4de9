//! Requests that the gateway itself fails: nothing is said to be open, or passed, that is not.

use std::collections::BTreeMap;

use serde_json::json;

use super::answered;
use crate::explain::Explanation;
use crate::explain::inquiry::Inquiry;
use crate::testing::{SECRET, headers, hs};

fn told(method: &str, path: &str, list: &[(&str, &str)]) -> Explanation {
    let tokens = |name: &str, secret: &str, mode: &str| json!({"name": name, "type": "jwt", "secret": secret, "algorithm": "HS256", "audience": "a", "mode": mode});
    let config = json!({
        "limits": {"max_body_bytes": 10},
        "authorizer": tokens("own", "$env.UNBOUND", "strict"),
        "authorizers": [
            tokens("good", "$env.GOOD", "strict"),
            tokens("lenient", "$env.GOOD", "permissive"),
            {"name": "people", "type": "basic", "users": []},
        ],
        "paths": [
            {"method": "GET", "path": "/private", "auth": true, "response": {}},
            {"method": "GET", "path": "/either", "auth": ["good", "own"], "response": {}},
            {"method": "GET", "path": "/nobody", "auth": "nobody", "response": {}},
            {"method": "GET", "path": "/broken", "response": {}, "mapping": {"response_headers": {"x-a": "$env.UNBOUND"}}},
            {"method": "GET", "path": "/origins", "auth": "good", "cors": {"allow_origins": ["$env.UNBOUND"]}, "response": {}},
            {"method": "POST", "path": "/open", "response": {}},
            {"method": "POST", "path": "/good", "auth": "good", "response": {}},
            {"method": "POST", "path": "/lenient", "auth": "lenient", "response": {}},
            {"method": "POST", "path": "/people", "auth": {"authorizer": "people", "mode": "optional"}, "response": {}},
        ],
    });
    let names = BTreeMap::from([("GOOD".to_owned(), SECRET.to_owned())]);
    let inquiry = Inquiry { method: method.into(), path: path.into(), headers: headers(list) };
    answered(&inquiry, &config, &names, None)
}

fn good() -> String {
    format!(
        "Bearer {}",
        hs(SECRET, &json!({"alg": "HS256"}), &json!({"aud": "a", "sub": "me", "exp": 4_000_000_000_u64}))
    )
}

/// The steps that are said to be passed, each with its text.
fn passed(told: &Explanation) -> Vec<String> {
    let steps = told.steps.iter().filter(|step| step.ok);
    steps.map(|step| format!("{}: {}", step.step, step.text)).collect()
}

#[test]
fn a_route_that_cannot_be_used_is_not_called_open_and_nothing_behind_it_is_passed() {
    let good = good();
    let unknown = "it cannot be used, so who may is not known";
    for (name, path, auth) in [
        ("a secret that is not bound", "/private", "authorizer own"),
        ("of several, one", "/either", "authorizer good, own"),
        ("an authorizer that is not there", "/nobody", unknown),
        ("a header that cannot be made", "/broken", unknown),
    ] {
        for list in [vec![], vec![("authorization", good.as_str())]] {
            let told = told("GET", path, &list);
            assert_eq!(told.code, Some("config_error"), "{name}: {told:?}");
            assert_eq!(passed(&told), [format!("route: GET {path} is {path} ({auth})")], "{name}");
        }
    }
}

#[test]
fn a_preflight_whose_rules_cannot_be_used_passes_nothing() {
    let told =
        told("OPTIONS", "/origins", &[("origin", "https://a.example"), ("access-control-request-method", "GET")]);
    assert_eq!(told.code, Some("config_error"), "{told:?}");
    assert_eq!(passed(&told), Vec::<String>::new());
}

#[test]
fn a_body_that_is_too_large_is_told_behind_the_credential_that_was_there() {
    let good = good();
    for (name, path, authorization, credential) in [
        ("an open route", "/open", "", "none is looked for: this route is open, and a token on it is not checked"),
        ("a token", "/good", good.as_str(), "a token in the header `authorization` behind `Bearer ` (subject me)"),
        ("a token that was passed over", "/lenient", "Bearer x", "passed over, since the mode is permissive"),
        ("nobody", "/people", "", "none in the header `authorization` behind `Basic `: the mode lets"),
    ] {
        let mut list = vec![("content-length", "50")];
        if !authorization.is_empty() {
            list.push(("authorization", authorization));
        }
        let told = told("POST", path, &list);
        assert_eq!(told.code, Some("payload_too_large"), "{name}: {told:?}");
        let all = passed(&told);
        assert!(all[1].starts_with(&format!("credential: {credential}")), "{name}: {all:?}");
        assert_eq!(all.iter().any(|step| step == "signature: good"), name == "a token", "{name}: {all:?}");
        assert_eq!(told.steps.last().map(|step| (step.step, step.ok)), Some(("answer", false)), "{name}");
    }
}
