//! Whole requests against whole configurations. Here: which route a request gets; the other stages are in the modules.

mod auth;
mod codes;
mod cross_origin;
mod environment;
mod forwarded;
mod key_source;
mod memory;
mod refusals;

use serde_json::{Value, json};

use super::*;
use crate::authn::{Context, Need};
use crate::compile::compile;
use crate::config::reference::Env;
use crate::forward::Outbound;
use crate::jwks::{KeyRing, Want};
use crate::memory::{Memo, Memory};
use crate::records::Records;
use crate::testing::{NOW, headers, request};
use crate::time::UnixTime;

/// A gateway of this configuration, in an environment where `name` is bound to `NAME`'s value here and nothing else is.
fn gateway_in(config: &Value, bound: &[(&str, &str)]) -> Gateway {
    let lookup = |name: &str| bound.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    let compiled = compile(&config.to_string(), Env::Known(&lookup));
    compiled.gateway.unwrap_or_else(|| panic!("refused: {:?}", compiled.problems))
}

fn gateway(config: &Value) -> Gateway {
    gateway_in(config, &[])
}

/// How a request ended.
#[derive(Debug)]
enum End {
    Forwarded(Outbound),
    Answered(Reply),
    Refused(Reply),
    Needs(SourceId, Want),
}

/// A request's whole way, with what it was known by.
#[derive(Debug)]
struct Ended {
    end: End,
    authorizer: Option<String>,
    refresh: Option<SourceId>,
    ignored: Option<&'static str>,
    internal: Option<String>,
}

impl Ended {
    fn of(end: End) -> Self {
        Self { end, authorizer: None, refresh: None, ignored: None, internal: None }
    }

    fn refused(refused: &Refused<'_>, head: &Head<'_>) -> Self {
        let internal = refused.reject.internal().map(str::to_owned);
        Self { internal, ..Self::of(End::Refused(refused.reply(head))) }
    }

    /// In a few words: `forwarded`, `answered BODY`, `STATUS CODE`, `needs any`.
    fn words(&self) -> String {
        match &self.end {
            End::Forwarded(_) => "forwarded".to_owned(),
            End::Answered(reply) if reply.body.is_empty() => format!("answered {}", reply.status),
            End::Answered(reply) => format!("answered {}", reply.body),
            End::Refused(reply) => format!("{} {}", reply.status, member(reply, "code")),
            End::Needs(SourceId(number), want) => format!("needs {want:?} of {number}"),
        }
    }

    fn reply(&self) -> &Reply {
        match &self.end {
            End::Answered(reply) | End::Refused(reply) => reply,
            other => panic!("no reply: {other:?}"),
        }
    }

    fn outbound(&self) -> &Outbound {
        match &self.end {
            End::Forwarded(outbound) => outbound,
            other => panic!("not forwarded: {other:?}"),
        }
    }
}

fn member(reply: &Reply, name: &str) -> String {
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    body[name].as_str().unwrap_or_default().to_owned()
}

/// A request's way. Where its token is one to be remembered, the way is gone again from memory, and must end the same.
fn run(gateway: &Gateway, ring: &KeyRing, now: UnixTime, head: &Head<'_>) -> Ended {
    let (first, memo) = run_with(gateway, ring, &Memory::new([0; 16]), now, head);
    if let Some(memo) = memo {
        let mut memory = Memory::new([0; 16]);
        memory.remember(memo);
        let (again, memo) = run_with(gateway, ring, &memory, now, head);
        assert!(memo.is_none(), "it was verified again");
        assert_eq!(format!("{again:?}"), format!("{first:?}"));
    }
    first
}

fn run_with(
    gateway: &Gateway,
    ring: &KeyRing,
    memory: &Memory,
    now: UnixTime,
    head: &Head<'_>,
) -> (Ended, Option<Memo>) {
    let matched = match gateway.route(head) {
        Ok(Routed::Matched(matched)) => matched,
        Ok(Routed::Answer(reply)) => return (Ended::of(End::Answered(reply)), None),
        Err(refused) => return (Ended::refused(&refused, head), None),
    };
    let counted = matched.limits(head).none().unwrap();
    let passed = match matched.authenticate(
        head,
        Context { ring, memory, records: &Records::default(), sources: gateway.sources(), now },
        counted,
    ) {
        Authn::Passed(passed) => passed,
        Authn::Needs(_, Need::Keys(id, want)) => return (Ended::of(End::Needs(id, want)), None),
        Authn::Needs(_, need) => panic!("{need:?} is needed"),
        Authn::Refused(refused) => return (Ended::refused(&refused, head), None),
    };
    let (memo, refresh) = (passed.memo.clone(), passed.refresh);
    let passed = match passed.authorize(head) {
        Ok(passed) => passed,
        Err(refused) => return (Ended::refused(&refused, head), memo),
    };
    let counted = passed.limits(head).none().unwrap();
    let end = match passed.action(head, counted) {
        Ok(Action { then: Then::Forward(outbound, _), .. }) => End::Forwarded(outbound),
        Ok(Action { then: Then::Answer(reply), .. }) => End::Answered(reply),
        Err(refused) => return (Ended::refused(&refused, head), memo),
    };
    let authorizer = passed.identity().map(|identity| identity.authorizer.name.clone().unwrap_or_default());
    let ignored = passed.ignored().map(|reject| reject.code().code());
    (Ended { authorizer, refresh, ignored, ..Ended::of(end) }, memo)
}

/// A request to a gateway that needs no fetched keys.
fn ask(gateway: &Gateway, method: &str, path: &str, list: &[(&str, &str)]) -> Ended {
    let (url, headers) = (format!("https://gw.example{path}"), headers(list));
    run(gateway, &KeyRing::default(), NOW, &request(method, &url, &headers))
}

fn answer(method: &Value, path: &str, body: &str) -> Value {
    json!({"method": method, "path": path, "response": body})
}

#[test]
fn a_path_without_a_pattern_is_not_found() {
    let gateway = gateway(&json!({"paths": [answer(&json!("GET"), "/a/{id}", "a")]}));
    for path in ["/", "/a", "/a/b/c", "/A/b", "/b/b"] {
        assert_eq!(ask(&gateway, "GET", path, &[]).words(), "404 not_found", "{path}");
    }
    for path in ["/a/b", "/a/b/", "/a//b", "/%61/b", "/a/b?c=d"] {
        assert_eq!(ask(&gateway, "GET", path, &[]).words(), r#"answered "a""#, "{path}");
    }
}

#[test]
fn a_method_that_the_path_lacks_is_answered_with_those_it_has() {
    for (methods, asked, allow) in [
        (json!("GET"), "POST", "GET, HEAD"),
        (json!(["GET", "HEAD"]), "POST", "GET, HEAD"),
        (json!(["POST", "GET", "DELETE"]), "PUT", "POST, GET, HEAD, DELETE"),
        (json!("POST"), "GET", "POST"),
        (json!("POST"), "HEAD", "POST"),
        (json!("HEAD"), "GET", "HEAD"),
        (json!("GET"), "OPTIONS", "GET, HEAD"),
        (json!("GET"), "get", "GET, HEAD"),
        (json!("PROPFIND"), "GET", "PROPFIND"),
    ] {
        let gateway = gateway(&json!({"paths": [answer(&methods, "/a", "a")]}));
        let ended = ask(&gateway, asked, "/a", &[]);
        assert_eq!(ended.words(), "405 method_not_allowed", "{asked} of {methods}");
        assert_eq!(ended.reply().get("allow"), Some(allow), "{asked} of {methods}");
    }
}

#[test]
fn methods_of_one_path_may_stand_in_several_entries() {
    let gateway = gateway(&json!({"paths": [
        answer(&json!("GET"), "/a/{id}", "read"),
        answer(&json!(["PUT", "DELETE"]), "/a/{name}", "write"),
        answer(&json!("ANY"), "/b", "any"),
        answer(&json!("GET"), "/b", "get"),
    ]}));
    for (method, path, expected) in [
        ("GET", "/a/1", r#"answered "read""#),
        ("PUT", "/a/1", r#"answered "write""#),
        ("DELETE", "/a/1", r#"answered "write""#),
        ("POST", "/a/1", "405 method_not_allowed"),
        ("GET", "/b", r#"answered "get""#),
        ("POST", "/b", r#"answered "any""#),
        ("PROPFIND", "/b", r#"answered "any""#),
        ("OPTIONS", "/b", r#"answered "any""#),
    ] {
        assert_eq!(ask(&gateway, method, path, &[]).words(), expected, "{method} {path}");
    }
    let allow = ask(&gateway, "POST", "/a/1", &[]);
    assert_eq!(allow.reply().get("allow"), Some("GET, HEAD, PUT, DELETE"));
}

#[test]
fn head_comes_with_get_unless_it_has_a_route_of_its_own() {
    let gateway = gateway(&json!({"paths": [
        answer(&json!("GET"), "/get", "get"),
        answer(&json!("GET"), "/both", "get"),
        answer(&json!("HEAD"), "/both", "head"),
        answer(&json!("ANY"), "/any", "any"),
        answer(&json!("ANY"), "/mixed", "any"),
        answer(&json!("GET"), "/mixed", "get"),
    ]}));
    for (path, expected) in [("/get", "get"), ("/both", "head"), ("/any", "any"), ("/mixed", "get")] {
        assert_eq!(ask(&gateway, "HEAD", path, &[]).words(), format!("answered \"{expected}\""), "{path}");
    }
}

#[test]
fn a_protected_path_is_never_reached_through_a_wider_open_pattern() {
    let gateway = gateway(&json!({
        "authorizer": {"type": "jwt", "algorithm": "HS256", "secret": "x".repeat(32), "audience": "a"},
        "paths": [
            answer(&json!("ANY"), "/{.+}", "open"),
            {"method": "GET", "path": "/admin/{.+}", "auth": true, "response": "guarded"},
            {"method": ["GET", "POST"], "path": "/admin/users", "auth": true, "response": "guarded"},
            {"method": "DELETE", "path": "/{kind}/{id}", "auth": true, "response": "guarded"},
        ],
    }));
    for (method, path, expected) in [
        ("GET", "/other", r#"answered "open""#),
        ("POST", "/a/b/c", r#"answered "open""#),
        ("GET", "/admin", "401 missing_token"),
        ("GET", "/admin/x/y", "401 missing_token"),
        ("HEAD", "/admin/x", "401 missing_token"),
        ("POST", "/admin/x", "405 method_not_allowed"),
        ("DELETE", "/admin/users", "405 method_not_allowed"),
        ("OPTIONS", "/admin/users", "405 method_not_allowed"),
        ("GET", "/a/b", "405 method_not_allowed"),
        ("DELETE", "/a/b", "401 missing_token"),
        ("GET", "//admin", "401 missing_token"),
        ("GET", "/%61dmin/", "401 missing_token"),
        ("GET", "/admin%2Fx", "400 invalid_path"),
        ("GET", "/x/../admin", "400 invalid_path"),
        ("GET", "/x/..;/admin", "400 invalid_path"),
    ] {
        assert_eq!(ask(&gateway, method, path, &[]).words(), expected, "{method} {path}");
    }
}

#[test]
fn paths_that_could_be_read_in_two_ways_are_refused_before_they_are_matched() {
    let gateway = gateway(&json!({"paths": [answer(&json!("ANY"), "/{.+}", "all")]}));
    for path in ["/..", "/a/./b", "/%2e%2e/a", "/a%2fb", "/a%5Cb", "/a\\b", "/a%00", "/%zz", "/%ff", "/a#b", "/.;a/b"] {
        let ended = ask(&gateway, "GET", path, &[]);
        assert_eq!(ended.words(), "400 invalid_path", "{path}");
        assert_eq!(ended.reply().get("cache-control"), Some("no-store"), "{path}");
    }
    assert_eq!(ask(&gateway, "GET", "/a?b=/../%2f\\", &[]).words(), r#"answered "all""#, "queries are free");
}

#[test]
fn a_path_may_be_as_long_as_the_limit_and_no_longer() {
    let paths = json!([answer(&json!("GET"), "/{.+}", "all")]);
    for (limits, longest) in [(json!({}), 8192), (json!({"max_path_bytes": 20}), 20)] {
        let gateway = gateway(&json!({"limits": limits, "paths": paths}));
        let path = |length: usize| format!("/{}", "a".repeat(length - 1));
        assert_eq!(ask(&gateway, "GET", &path(longest), &[]).words(), r#"answered "all""#);
        let with_query = format!("{}?{}", path(longest), "q".repeat(100));
        assert_eq!(ask(&gateway, "GET", &with_query, &[]).words(), r#"answered "all""#);
        assert_eq!(ask(&gateway, "GET", &path(longest + 1), &[]).words(), "400 path_too_long");
    }
}

#[test]
fn a_target_that_is_no_url_is_an_invalid_request() {
    let gateway = gateway(&json!({"paths": [answer(&json!("ANY"), "/{.+}", "all")]}));
    for url in ["", "/a", "gw.example/a", "*"] {
        let headers = headers(&[]);
        let ended = run(&gateway, &KeyRing::default(), NOW, &request("GET", url, &headers));
        assert_eq!(ended.words(), "400 invalid_request", "{url:?}");
    }
}

#[test]
fn what_was_matched_is_what_is_forwarded() {
    let proxy = |path: &str| json!({"method": "GET", "path": path, "integration": {"type": "http_proxy", "server": "s", "timeout_ms": 7}});
    let gateway = gateway(&json!({
        "servers": [{"alias": "s", "url": "https://up.example/v1/"}],
        "paths": [proxy("/exact"), proxy("/p/{id}"), proxy("/api/users/{.+}"), proxy("/t/{id}/x/{.+}")],
    }));
    for (path, expected) in [
        ("/exact", "/exact"),
        ("/%65xact/", "/exact/"),
        ("/p/1?a=%2e", "/p/1?a=%2e"),
        ("/p//%7e1", "/p/~1"),
        ("/api/users/7/orders?x", "/7/orders?x"),
        ("/api//users/", "/"),
        ("/api/users", ""),
        ("/t/7/x/y", "/7/x/y"),
    ] {
        let ended = ask(&gateway, "GET", path, &[]);
        assert_eq!(ended.outbound().url, format!("https://up.example/v1{expected}"), "{path}");
        assert_eq!(ended.outbound().timeout_ms, 7);
    }
}

#[test]
fn identity_headers_of_any_authorizer_are_removed_on_every_route() {
    let proxy = json!({"type": "http_proxy", "server": "s"});
    let gateway = gateway(&json!({
        "servers": [{"alias": "s", "url": "https://up.example"}],
        "authorizers": [{
            "name": "a", "type": "jwt", "algorithm": "HS256", "secret": "x".repeat(32), "audience": "a",
            "mode": "optional", "forward_claims": {"sub": "X-User-Id"}, "forward_payload_header": "X-Payload",
        }],
        "paths": [
            {"method": "GET", "path": "/open", "integration": proxy},
            {"method": "GET", "path": "/known", "auth": "a", "integration": proxy},
        ],
    }));
    for path in ["/open", "/known"] {
        let ended = ask(&gateway, "GET", path, &[("x-user-id", "admin"), ("x-payload", "e30")]);
        for header in ["x-user-id", "x-payload"] {
            assert!(ended.outbound().edits.removed().any(|name| name == header), "{path}: {header}");
            assert!(ended.outbound().edits.set.get(header).is_none(), "{path}: {header}");
        }
    }
}
