//! Requests through rewrites, mappings, a hook and limits: what a client puts into a gap of a template stays in it.
//!
//! Inputs are those of `request`.

#![cfg_attr(fuzzing, no_main)]
#![expect(clippy::expect_used, reason = "what these find missing is a finding")]

use portcullis::credential::{Found, Place, find};
use portcullis::forward::Outbound;
use portcullis::gateway::{Action, Authn, Authorized, Routed, Then};
use portcullis::memory::Memory;
use portcullis::record::Record;
use portcullis::request::Headers;
use portcullis::route::path::{RequestPath, decode};
use portcullis_fuzz::requests::{Request, action, authenticate};
use portcullis_fuzz::tokens::NOW;
use serde_json::Value;

portcullis_fuzz::target!(check);

const MAX_BODY_BYTES: u64 = 1000;

const CONFIG: &str = r#"{
  "servers": [{ "alias": "up", "url": "https://up.example/base" }],
  "service_bindings": [{ "alias": "hooks", "binding": "HOOKS" }],
  "authorizer": { "type": "jwt", "algorithm": "HS256", "secret": "$env.SECRET", "audience": "a", "forward_token": false },
  "limits": { "max_body_bytes": 1000 },
  "paths": [
    { "method": "ANY", "path": "/made/{id}/{.+}", "auth": true, "pre_process": "hooks",
      "rate_limit": [
        { "binding": "RL", "by": ["ip", "route"] }, { "binding": "RL", "by": ["path", "header:x-part"] },
        { "binding": "RL", "by": "user" }, { "binding": "RL", "by": ["route", "claim:aud"] }
      ],
      "integration": { "type": "http_proxy", "server": "up", "retries": { "attempts": 2 },
        "rewrite": "/made/$request.path.id/$request.header.x-part/$request.query.q/$request.jwt.sub/end/$request.path.rest" },
      "mapping": {
        "headers": { "x-all": "$request.method $request.ip $request.id $request.path.rest", "x-sub": "$request.jwt.sub", "x-gone": null },
        "query": { "q": null, "part": "$request.header.x-part" },
        "response_headers": { "x-part": "$request.header.x-part", "x-query": "$request.query.q" } } }
  ]
}"#;

portcullis_fuzz::the_gateway!(CONFIG);

fn check(data: &[u8]) {
    let request = Request::read(data);
    let head = request.head();
    let Ok(Routed::Matched(matched)) = the().route(&head) else { return };
    let Authn::Passed(passed) = authenticate(the(), matched, &head, &Memory::new([0; 16]), NOW) else { return };
    let passed = passed.authorize(&head).expect("this route has no rules");
    let length = request.headers.get("content-length").map(|length| length.trim().parse::<u64>());
    let is_too_large =
        length.as_ref().is_some_and(|length| length.as_ref().map_or(true, |length| *length > MAX_BODY_BYTES));
    logged(&passed, &request);
    match action(&passed, &head) {
        Ok(Action { hook, then: Then::Forward(outbound, response_headers) }) => {
            assert!(!is_too_large, "{length:?}");
            asked(&hook.expect("the route has a hook"), &passed, &request);
            made(&outbound, &passed, &request);
            for (name, value) in &response_headers {
                assert!(!value.as_ref().is_some_and(|value| value.contains(char::is_control)), "{name}: {value:?}");
            }
        }
        Ok(action) => assert!(matches!(action.then, Then::Forward(..)), "{action:?}"),
        Err(refused) => assert_eq!(refused.reply(&head).status, if is_too_large { 413 } else { 400 }),
    }
}

/// The hook sees the path that was matched, and no token.
fn asked(hook: &Outbound, passed: &Authorized<'_, '_>, request: &Request) {
    assert_eq!(hook.service.as_deref(), Some("HOOKS"));
    let (before, _) = request.url.split_once("://").expect("it was routed");
    let rest = hook.url.strip_prefix(before).and_then(|rest| rest.split_once("://")).expect("the client's own host").1;
    let path = rest.get(rest.find('/').expect("a path")..).unwrap_or_default();
    assert_eq!(path.split('?').next(), Some(passed.path()));
    assert!(hook.edits.remove.iter().any(|name| name == "authorization"), "the hook gets the token");
}

/// Each gap holds what it stands for, within its segment, its header, its parameter.
fn made(outbound: &Outbound, passed: &Authorized<'_, '_>, request: &Request) {
    let part = request.headers.get("x-part").expect("the path needs it");
    let claims = passed.identity().expect("nobody passes unknown").claims();
    let subject = claims.get("sub").and_then(Value::as_str);

    let rest = outbound.url.strip_prefix("https://up.example/base").expect("no other upstream");
    let path = rest.split('?').next().unwrap_or_default();
    assert_eq!(RequestPath::parse(path).as_ref().map(RequestPath::as_str), Ok(path), "the upstream would resolve it");
    let segments: Vec<&str> = path.splitn(8, '/').collect();
    let [_, "made", id, own, _, by, "end", tail @ ..] = segments.as_slice() else {
        return assert!(path.is_empty(), "a gap makes segments: {path}");
    };
    assert_eq!(decode(own), part.as_bytes());
    assert!(subject.is_none_or(|subject| decode(by) == subject.as_bytes()), "{by}");
    // But for the first segment, which may be another spelling of the literal.
    let matched = format!("{id}/{}", tail.concat());
    let asked = passed.path().splitn(3, '/').nth(2).unwrap_or_default();
    assert_eq!(matched.trim_end_matches('/'), asked.trim_end_matches('/'));

    let lines = outbound.edits.set.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let sent = Request::new("GET", &outbound.url, lines.collect());
    let query = |name: &str| find(&[Place::Query(name.to_owned())], &sent.head()).ok();
    assert_eq!((query("q"), query("part")), (Some(Found::Nothing), Some(Found::Token(part))), "{}", outbound.url);

    for name in ["x-all", "x-sub", "x-gone"] {
        assert!(outbound.edits.remove.iter().any(|removed| removed == name), "the client's own {name} goes on");
        let value = sent.headers.get(name);
        assert!(!value.is_some_and(|value| value.contains(char::is_control)), "{name} breaks its line");
    }
    let safe = subject.filter(|subject| !subject.contains(char::is_control));
    assert!(subject.is_none() || sent.headers.get("x-sub").as_deref() == safe, "somebody else");
    let is_safe = matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "TRACE");
    assert!(outbound.retries.is_none() || is_safe || request.method.starts_with(['P', 'R', 'S', 'Q']));
    assert!(outbound.retries.is_none() || !matches!(request.method.as_str(), "POST" | "PUT" | "PATCH" | "DELETE"));
}

/// The log's line is one line of JSON, and has no query in it.
fn logged(passed: &Authorized<'_, '_>, request: &Request) {
    let (head, identity) = (request.head(), passed.identity());
    let record = Record {
        id: head.request_id(),
        method: head.method,
        path: passed.path(),
        route: Some(passed.route()),
        identity,
        ..Record::default()
    };
    let line = record.line(the().log());
    let members: Value = serde_json::from_str(&line).expect("the line is JSON");
    assert!(!line.contains('\n') && members.get("path").is_some_and(|path| path == passed.path()), "{line}");
}
