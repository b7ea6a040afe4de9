//! Who is asking, as the upstream is told, and the credential that says so.

use serde_json::{Value, json};

use super::*;
use crate::authn::{Context, KeySource, Outcome, authenticate};
use crate::config::wire::Mode;
use crate::credential::Place;
use crate::jwks::KeyRing;
use crate::jwt::alg::Algorithm;
use crate::jwt::claims::ClaimRules;
use crate::jwt::key::HmacKey;
use crate::jwt::keys::Secret;
use crate::jwt::policy::Policy;
use crate::memory::Memory;
use crate::records::Records;
use crate::testing::{NOW, SECRET, hs};
use crate::time::Window;

fn authorizer(places: Vec<Place>) -> Authorizer {
    let key = HmacKey::new(SECRET.as_bytes()).unwrap();
    Authorizer {
        number: 0,
        name: None,
        mode: Mode::Optional,
        places,
        policy: Policy {
            algorithms: Some(vec![Algorithm::Hs256]),
            types: Vec::new(),
            rules: ClaimRules { require_exp: false, ..ClaimRules::default() },
        },
        keys: KeySource::Secrets(vec![Secret { kid: None, key, window: Window::default() }]),
        forward_claims: Vec::new(),
        forward_payload: None,
        forward_token: true,
        revocation: None,
    }
}

fn bearer() -> Place {
    Place::Header { name: "authorization".into(), scheme: "Bearer".into() }
}

fn token(payload: &Value) -> String {
    hs(SECRET, &json!({"alg": "HS256"}), payload)
}

/// What goes out for a request that this authorizer lets pass, as somebody or as nobody.
fn sent(authorizer: &Authorizer, url: &str, list: &[(&str, &str)], reserved: &[String]) -> Outbound {
    let headers = headers(list);
    let head = request("GET", url, &headers);
    let context = Context {
        ring: &KeyRing::default(),
        memory: &Memory::new([0; 16]),
        records: &Records::default(),
        sources: &[],
        now: NOW,
    };
    let Outcome::Passed { identity, .. } = authenticate(&[authorizer], None, 8192, &head, context) else {
        panic!("{list:?} does not pass");
    };
    let target = Target::parse(url).unwrap();
    let path = &RequestPath::parse(target.path).unwrap();
    let (authorizers, identity) = (&[authorizer], identity.as_ref());
    let never_forwarded = &never_forwarded(reserved);
    let sender = Sender { head: &head, path, target, authorizers, identity, never_forwarded };
    let (server, upstream) = upstream("https://up.example", 0);
    upstream.outbound(Address::Server(&server), sender).unwrap()
}

fn with_claims(payload: &Value, authorizer: &Authorizer) -> Outbound {
    let bearer = format!("Bearer {}", token(payload));
    let reserved: Vec<String> = authorizer
        .forward_claims
        .iter()
        .map(|(_, header)| header.clone())
        .chain(authorizer.forward_payload.clone())
        .collect();
    sent(authorizer, "https://gw.example/", &[("authorization", &bearer)], &reserved)
}

#[test]
fn claims_become_headers_as_text() {
    let forwarding = |claim: &str| Authorizer {
        forward_claims: vec![(claim.to_owned(), "x-claim".to_owned())],
        ..authorizer(vec![bearer()])
    };
    for (name, payload, expected) in [
        ("string", json!({"c": "Ada"}), Some("Ada")),
        ("empty string", json!({"c": ""}), Some("")),
        ("string with quotes and commas", json!({"c": "a, \"b\""}), Some("a, \"b\"")),
        ("beyond ASCII", json!({"c": "Zoë"}), Some("Zoë")),
        ("integer", json!({"c": 42}), Some("42")),
        ("negative", json!({"c": -1}), Some("-1")),
        ("large integer", json!({"c": u64::MAX}), Some("18446744073709551615")),
        ("fraction", json!({"c": 1.5}), Some("1.5")),
        ("true", json!({"c": true}), Some("true")),
        ("false", json!({"c": false}), Some("false")),
        ("array of strings", json!({"c": ["a", "b"]}), Some("a,b")),
        ("array of scalars", json!({"c": ["a", 1, true]}), Some("a,1,true")),
        ("array of one", json!({"c": ["a"]}), Some("a")),
        ("empty array", json!({"c": []}), Some("")),
        ("array with an array", json!({"c": ["a", ["b"]]}), Some(r#"["a",["b"]]"#)),
        ("array with an object", json!({"c": [{"a": 1}]}), Some(r#"[{"a":1}]"#)),
        ("array with null", json!({"c": ["a", null]}), Some(r#"["a",null]"#)),
        ("object", json!({"c": {"a": [1, "x"]}}), Some(r#"{"a":[1,"x"]}"#)),
        ("null", json!({"c": null}), None),
        ("absent", json!({"d": 1}), None),
    ] {
        let outbound = with_claims(&payload, &forwarding("c"));
        assert_eq!(value(&outbound, "x-claim"), Vec::from_iter(expected), "{name}");
        assert!(removes(&outbound, "x-claim"), "{name}: the client's own copy goes in any case");
        assert_eq!(outbound.edits.left_out, Vec::<String>::new(), "{name}");
    }
    let payload = json!({"realm_access": {"roles": ["r", "s"]}, "a.b": "literal", "a": {"b": "dotted"}});
    assert_eq!(value(&with_claims(&payload, &forwarding("realm_access.roles")), "x-claim"), ["r,s"]);
    assert_eq!(value(&with_claims(&payload, &forwarding("a.b")), "x-claim"), ["literal"]);
}

#[test]
fn a_claim_that_would_not_arrive_as_it_is_is_left_out_and_told() {
    let authorizer = Authorizer {
        forward_claims: vec![("c".into(), "x-claim".into()), ("sub".into(), "x-user".into())],
        ..authorizer(vec![bearer()])
    };
    for (name, claim) in [
        ("line end", json!("a\r\nx-admin: true")),
        ("newline", json!("a\nb")),
        ("NUL", json!("a\0")),
        ("tab", json!("a\tb")),
        ("delete", json!("a\u{7f}")),
        ("C1", json!("a\u{85}b")),
        ("in an array", json!(["a", "b\n"])),
        // White space at the ends is none of a header's value: the upstream would read `admin`.
        ("a space in front", json!(" admin")),
        ("spaces behind", json!("admin  ")),
        ("a space at the end of an array", json!(["a", "admin "])),
    ] {
        let outbound = with_claims(&json!({"c": claim, "sub": "u"}), &authorizer);
        assert_eq!(value(&outbound, "x-claim"), Vec::<&str>::new(), "{name}");
        assert_eq!(outbound.edits.left_out, ["x-claim"], "{name}");
        assert!(removes(&outbound, "x-claim"), "{name}");
        assert_eq!(value(&outbound, "x-user"), ["u"], "{name}: the others stay");
    }
    let outbound = with_claims(&json!({"c": {"a": "b\n"}}), &authorizer);
    assert_eq!(value(&outbound, "x-claim"), [r#"{"a":"b\n"}"#], "escaped in JSON it harms nobody");
}

#[test]
fn identity_headers_are_removed_always_and_set_only_where_the_claim_is_there() {
    let authorizer = Authorizer {
        forward_claims: vec![("sub".into(), "x-user".into()), ("email".into(), "x-email".into())],
        forward_payload: Some("x-payload".into()),
        ..authorizer(vec![bearer()])
    };
    let reserved: Vec<String> = ["x-user", "x-email", "x-payload", "x-elsewhere"].map(str::to_owned).to_vec();
    let good = format!("Bearer {}", token(&json!({"sub": "u"})));
    let forged = [("x-user", "admin"), ("x-email", "root@x.example"), ("x-payload", "e30"), ("x-elsewhere", "1")];
    let named = [&forged[..], &[("authorization", good.as_str()), ("connection", "x-user, x-payload")]].concat();
    let with_token = [&forged[..], &[("authorization", good.as_str())]].concat();
    for (name, list, user, payload) in [
        ("nobody", &forged[..], vec![], 0),
        ("somebody", &with_token[..], vec!["u"], 1),
        ("somebody, with the headers named in Connection", &named[..], vec!["u"], 1),
    ] {
        let outbound = sent(&authorizer, "https://gw.example/", list, &reserved);
        for header in &reserved {
            assert!(removes(&outbound, header), "{name}: {header}");
        }
        assert_eq!(value(&outbound, "x-user"), user, "{name}");
        assert_eq!(value(&outbound, "x-email"), Vec::<&str>::new(), "{name}: no such claim");
        assert_eq!(value(&outbound, "x-elsewhere"), Vec::<&str>::new(), "{name}: another authorizer's header");
        assert_eq!(value(&outbound, "x-payload").len(), payload, "{name}");
    }
}

#[test]
fn the_whole_payload_goes_on_in_base64url_where_asked_for() {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let payload = json!({"sub": "Zoë??>>", "roles": ["a"], "n": 1});
    let authorizer = Authorizer { forward_payload: Some("x-payload".into()), ..authorizer(vec![bearer()]) };
    let outbound = with_claims(&payload, &authorizer);
    let [sent] = value(&outbound, "x-payload")[..] else { panic!("not one payload in {outbound:?}") };
    let bytes = URL_SAFE_NO_PAD.decode(sent).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), payload);
}

#[test]
fn the_credential_goes_on_unless_that_is_turned_off() {
    let token = token(&json!({"sub": "u"}));
    let bearer_value = format!("Bearer {token}");
    let cookie_value = format!("theme=dark; session={token}; lang=en");
    let url = format!("https://gw.example/a?x=1&token={token}&y=%20");
    let places = [bearer(), Place::Cookie("session".into()), Place::Query("token".into())];
    for forward_token in [true, false] {
        let authorizer = Authorizer { forward_token, ..authorizer(places.to_vec()) };
        let list = [("authorization", bearer_value.as_str()), ("cookie", &cookie_value)];
        let outbound = sent(&authorizer, &url, &list, &[]);
        assert_eq!(removes(&outbound, "authorization"), !forward_token);
        assert_eq!(removes(&outbound, "cookie"), !forward_token);
        if forward_token {
            assert_eq!(outbound.url, url.replace("gw.example", "up.example"));
            assert_eq!(value(&outbound, "cookie"), Vec::<&str>::new());
        } else {
            assert_eq!(outbound.url, "https://up.example/a?x=1&y=%20");
            assert_eq!(value(&outbound, "cookie"), ["theme=dark; lang=en"]);
            assert!(!format!("{outbound:?}").contains(&token), "it is nowhere: {outbound:?}");
        }
    }
}

#[test]
fn the_credential_is_taken_off_in_every_place_and_leaves_the_rest_alone() {
    let token = token(&json!({"sub": "u"}));
    let pair = format!("session={token}");
    let joined = format!("theme=dark, session={token}");
    let several = format!("session={token}; other={token}");
    let odd = format!("other=,\tx; session={token}");
    let tab = format!("session={token}; theme=a\tb");
    let cookie = || Place::Cookie("session".into());
    let other = || Place::Cookie("other".into());
    let query = || Place::Query("token".into());
    let with_query = format!("https://gw.example/a?token={token}");
    let without = "https://gw.example/a";
    let url = "https://up.example/a";
    for (name, places, target, cookies, sent_url, sent_cookies) in [
        ("the only cookie", vec![cookie()], without, Some(pair.as_str()), url, vec![]),
        ("a cookie behind a comma", vec![cookie()], without, Some(&joined), url, vec!["theme=dark"]),
        ("two places among the cookies", vec![cookie(), other()], without, Some(&several), url, vec![]),
        ("the first of two places among the cookies", vec![cookie(), other()], without, Some(&pair), url, vec![]),
        ("the second of two places among the cookies", vec![other(), cookie()], without, Some(&pair), url, vec![]),
        ("two places, with others", vec![other(), cookie()], without, Some(&joined), url, vec!["theme=dark"]),
        ("a place of what is no cookie, and another", vec![cookie(), other()], without, Some(&odd), url, vec![]),
        ("a control character elsewhere", vec![cookie()], without, Some(&tab), url, vec!["theme=a\tb"]),
        ("the only parameter", vec![query()], &with_query, None, url, vec![]),
        ("no query at all", vec![query(), cookie()], without, Some(&pair), url, vec![]),
        ("an empty query", vec![query()], "https://gw.example/a?", None, "https://up.example/a?", vec![]),
        ("another parameter", vec![query()], "https://gw.example/a?b=%2e", None, "https://up.example/a?b=%2e", vec![]),
    ] {
        let authorizer = Authorizer { forward_token: false, ..authorizer(places) };
        let list: Vec<(&str, &str)> = cookies.map(|line| ("cookie", line)).into_iter().collect();
        let outbound = sent(&authorizer, target, &list, &[]);
        assert_eq!(outbound.url, sent_url, "{name}");
        assert_eq!(value(&outbound, "cookie"), sent_cookies, "{name}");
        assert_eq!(removes(&outbound, "cookie"), cookies.is_some(), "{name}");
        assert!(!removes(&outbound, "authorization"), "{name}: not a place of this authorizer");
    }
}

#[test]
fn a_credential_that_was_not_believed_is_taken_off_too() {
    let authorizer = Authorizer { forward_token: false, mode: Mode::Permissive, ..authorizer(vec![bearer()]) };
    let outbound = sent(&authorizer, "https://gw.example/", &[("authorization", "Bearer nonsense")], &[]);
    assert!(removes(&outbound, "authorization"));
}
