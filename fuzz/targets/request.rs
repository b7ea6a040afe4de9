//! Requests: a method, a URL, and headers, each on a line of its own, as far as the upstream or the refusal.
//!
//! Nobody is known without a token that was really signed, and what goes on asserts nothing else.

#![cfg_attr(fuzzing, no_main)]
#![expect(clippy::expect_used, reason = "what these find missing is a finding")]

use portcullis::authn::{Authorizer, Identity};
use portcullis::credential::{Found, find};
use portcullis::forward::Outbound;
use portcullis::gateway::{Authn, Authorized, Matched, Refused, Routed, Then};
use portcullis::memory::Memory;
use portcullis::reply::Reply;
use portcullis::request::{Head, Headers};
use portcullis::route::path::{RequestPath, decode};
use portcullis::time::UnixTime;
use portcullis::url::Target;
use portcullis_fuzz::requests::{Lines, Request, action, authenticate, literal};
use portcullis_fuzz::tokens::{NOW, candidates, signed_claims};
use serde_json::Value;

portcullis_fuzz::target!(check);

/// The first segment of a path says what its route asks for.
const CONFIG: &str = r#"{
  "servers": [{ "alias": "up", "url": "https://up.example/base" }],
  "cors": { "allow_origins": ["https://app.example", "https://*.apps.example"], "allow_credentials": true },
  "authorizer": { "type": "jwt", "algorithm": "HS256", "secret": "$env.SECRET", "issuer": "i", "audience": "a",
    "forward_claims": { "sub": "x-user" }, "forward_payload_header": "x-claims" },
  "authorizers": [
    { "name": "places", "type": "jwt", "algorithm": "HS256", "secret": "$env.SECRET", "audience": "a",
      "token_from": [{ "header": "authorization" }, { "header": "x-token" }, { "cookie": "session" }, { "cookie": "other" }, { "query": "token" }],
      "forward_token": false, "forward_claims": { "sub": "x-user" } }
  ],
  "paths": [
    { "method": "GET", "path": "/answer", "auth": true, "response": { "known": true } },
    { "method": ["GET", "POST"], "path": "/strict/{.+}", "auth": true, "integration": { "type": "http_proxy", "server": "up" } },
    { "method": "ANY", "path": "/places/{.+}", "auth": "places", "integration": { "type": "http_proxy", "server": "up" } },
    { "method": "ANY", "path": "/both/{id}", "auth": { "authorizer": ["places", "places"] },
      "integration": { "type": "http_proxy", "server": "up" } },
    { "method": "ANY", "path": "/optional/{.+}", "auth": { "authorizer": "places", "mode": "optional" },
      "integration": { "type": "http_proxy", "server": "up" } },
    { "method": "ANY", "path": "/permissive/{.+}", "auth": { "authorizer": "places", "mode": "permissive" },
      "integration": { "type": "http_proxy", "server": "up" } },
    { "method": "ANY", "path": "/open/{.+}", "integration": { "type": "http_proxy", "server": "up" } }
  ]
}"#;

portcullis_fuzz::the_gateway!(CONFIG);

fn check(data: &[u8]) {
    let request = Request::read(data);
    let head = request.head();
    match the().route(&head) {
        Ok(Routed::Matched(matched)) => authenticated(matched, &request),
        Ok(Routed::Answer(reply)) => {
            assert_eq!((head.method, reply.status), ("OPTIONS", 204));
            shared_with_known_origins(&reply, &head);
        }
        Err(refused) => refusal(&refused, &head),
    }
}

fn authenticated(matched: Matched<'_, '_>, request: &Request) {
    let head = &request.head();
    let mut passed = match authenticate(the(), matched, head, &Memory::new([0; 16]), NOW) {
        Authn::Passed(passed) => passed,
        Authn::Refused(refused) => return refusal(&refused, head),
        Authn::Needs(..) => return assert!(!the().sources().is_empty(), "there is nobody to ask"),
    };
    let route = first_segment(head.url);
    let memo = passed.memo.take();
    let passed = passed.authorize(head).expect("these routes have no rules");
    match passed.identity() {
        Some(identity) => {
            assert!(was_signed(identity, request), "nobody signed {:?}", identity.claims());
            assert_ne!(route, "open");
        }
        None => assert!(matches!(route.as_str(), "open" | "optional" | "permissive"), "{route} is strict"),
    }
    match action(&passed, head).map(|action| action.then) {
        Ok(Then::Forward(outbound, _)) => forwarded(&passed, &outbound, &request.headers, &route),
        Ok(Then::Answer(reply)) => shared_with_known_origins(&reply, head),
        Err(refused) => refusal(&refused, head),
    }

    let Some(memo) = memo else { return };
    let mut memory = Memory::new([0; 16]);
    memory.remember(memo);
    // The claims by which it passes another time, if it does.
    let again = |now| {
        let Ok(Routed::Matched(matched)) = the().route(head) else { return None };
        let Authn::Passed(passed) = authenticate(the(), matched, head, &memory, now) else { return None };
        passed.authorize(head).ok()?.identity().map(|identity| identity.claims().members().clone())
    };
    assert_eq!(again(NOW).as_ref(), Some(passed.identity().expect("it was remembered").claims().members()));
    assert_eq!(again(UnixTime::from_seconds(4_000_000_000)), None, "a memory that outlives its token");
}

fn first_segment(url: &str) -> String {
    let path = RequestPath::parse(Target::parse(url).expect("it was routed").path).expect("it was routed");
    literal(path.as_str().split('/').nth(1).unwrap_or_default())
}

/// Whether somewhere on the request there is a token with exactly these claims and a signature.
fn was_signed(identity: &Identity<'_>, request: &Request) -> bool {
    let query = decode(Target::parse(&request.url).map_or("", |target| target.query));
    let query = String::from_utf8_lossy(&query);
    let mut tokens = request.headers.iter().flat_map(|(_, value)| candidates(value)).chain(candidates(&query));
    tokens.any(|token| signed_claims(token).as_ref() == Some(identity.claims().members()))
}

/// What the upstream gets: who is asking from nobody but the gateway, and no token that was to stay here.
fn forwarded(passed: &Authorized<'_, '_>, outbound: &Outbound, headers: &Lines, route: &str) {
    let is_removed = |name: &str| outbound.edits.removed().any(|removed| name.eq_ignore_ascii_case(removed));
    let mut sent: Lines = headers.iter().filter(|(name, _)| !is_removed(name)).cloned().collect();
    sent.retain(|(name, _)| !outbound.edits.set.iter().any(|(set, _)| name.eq_ignore_ascii_case(set)));
    sent.extend(outbound.edits.set.iter().map(|(name, value)| (name.to_owned(), value.to_owned())));

    let claims = passed.identity().map(|identity| identity.claims().members());
    let subject = claims.and_then(|claims| claims.get("sub")).and_then(Value::as_str);
    let subject = subject.filter(|subject| !subject.contains(char::is_control)).map(str::to_owned);
    if claims.is_none_or(|claims| claims.get("sub").is_none_or(Value::is_string)) {
        assert_eq!(sent.get("x-user"), subject.map(Into::into));
    }
    assert!(sent.get("x-claims").is_none() || (route == "strict" && claims.is_some()));
    for name in ["host", "connection", "transfer-encoding", "te", "trailer", "keep-alive"] {
        assert_eq!(sent.get(name), None, "{name} goes on");
    }
    let url = outbound.url.strip_prefix("https://up.example/base").expect("no other upstream");
    assert!(url.is_empty() || url.starts_with(['/', '?']), "{url}");

    if !matches!(route, "strict" | "open") {
        let sent = Request::new("GET", &outbound.url, sent);
        assert_eq!(find(&places().places, &sent.head()).ok(), Some(Found::Nothing), "the upstream gets the token");
    }
}

fn places() -> &'static Authorizer {
    the().authorizer(Some("places")).and_then(|found| found.as_ref().ok()).expect("it is in the configuration")
}

/// The headers of refusals. A value with a line end in it would make another.
const NAMES: [&str; 10] = [
    "x-request-id",
    "content-type",
    "cache-control",
    "www-authenticate",
    "allow",
    "retry-after",
    "vary",
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-expose-headers",
];

fn refusal(refused: &Refused<'_>, head: &Head<'_>) {
    let reply = refused.reply(head);
    assert!((400..500).contains(&reply.status), "{} for {:?}", reply.status, refused.reject);
    let body: Value = serde_json::from_str(&reply.body).expect("a refusal is JSON");
    assert_eq!(body.get("statusCode"), Some(&reply.status.into()));
    assert_eq!(reply.status == 401, reply.get("www-authenticate").is_some());
    assert!(reply.headers.as_str().bytes().all(|byte| matches!(byte, b'\n' | b' '..=b'~')), "{reply:?}");
    assert_eq!(reply.headers.iter().count(), reply.headers.as_str().lines().count(), "{reply:?}");
    assert!(reply.headers.iter().all(|(name, _)| NAMES.contains(&name)), "{reply:?}");
    shared_with_known_origins(&reply, head);
}

fn shared_with_known_origins(reply: &Reply, head: &Head<'_>) {
    let Some(allowed) = reply.get("access-control-allow-origin") else { return };
    assert_eq!(Some(allowed), head.headers.get("origin").as_deref(), "{allowed} did not ask");
    let label = allowed.strip_prefix("https://").and_then(|host| host.strip_suffix(".apps.example"));
    let is_app = label.is_some_and(|label| !label.is_empty() && !label.contains(['.', '/', ':', '@', '#', '?']));
    assert!(allowed == "https://app.example" || is_app, "{allowed} is not allowed");
}
