//! Paths: a line that a client sent for one, then a pattern of a configuration.
//!
//! There is one spelling, it stands for what came in, and what was matched and authorised is what goes on: as the runtime reads it, too.

#![cfg_attr(fuzzing, no_main)]
#![expect(clippy::expect_used, reason = "what these find missing is a finding")]

use portcullis::gateway::{Authn, Routed, Then};
use portcullis::memory::Memory;
use portcullis::route::path::{RequestPath, decode};
use portcullis::route::pattern::Pattern;
use portcullis::route::router::Router;
use portcullis::url::Target;
use portcullis_fuzz::requests::{Request, action, authenticate, literal};
use portcullis_fuzz::tokens::NOW;

portcullis_fuzz::target!(check);

/// One host for each way of making the upstream's path.
const CONFIG: &str = r#"{
  "servers": [
    { "alias": "whole", "url": "https://whole.example" },
    { "alias": "below", "url": "https://below.example/base" }
  ],
  "authorizer": { "type": "jwt", "algorithm": "HS256", "audience": "a", "secret": "$env.SECRET" },
  "paths": [
    { "method": "GET", "path": "/{.+}", "integration": { "type": "http_proxy", "server": "whole" } },
    { "method": "GET", "path": "/open/{.+}", "integration": { "type": "http_proxy", "server": "below" } },
    { "method": "GET", "path": "/private/{.+}", "auth": true, "integration": { "type": "http_proxy", "server": "whole" } }
  ]
}"#;

portcullis_fuzz::the_gateway!(CONFIG);

fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (raw, pattern) = text.split_once('\n').unwrap_or((&text, ""));
    if let Ok(path) = RequestPath::parse(raw) {
        one_spelling(raw, path.as_str());
    }
    if raw.starts_with('/') {
        forwarded(&format!("https://gateway.example{raw}"));
    }
    matchable(pattern);
}

fn one_spelling(raw: &str, path: &str) {
    assert_eq!(RequestPath::parse(path).as_ref().map(RequestPath::as_str), Ok(path), "normal paths stay as they are");
    assert!(path.starts_with('/') && !path.contains("//"), "{path}");
    assert!(path.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\#?\"<>`{}|^[]".contains(&byte)), "{path}");
    for after in path.split('%').skip(1) {
        let digits = after.get(..2).expect("a `%` has two digits behind it");
        let byte = u8::from_str_radix(digits, 16).expect("they are hexadecimal");
        assert_eq!(digits, format!("{byte:02X}"), "{path}");
        assert!(!byte.is_ascii_alphanumeric() && !b"/\\\0-._~".contains(&byte), "{path}");
    }
    let decoded = String::from_utf8(decode(path)).expect("paths are UTF-8");
    for segment in decoded.split('/') {
        let name = segment.split(';').next();
        assert!(name != Some(".") && name != Some(".."), "{path}");
    }
    assert_eq!(decoded.as_bytes(), folded(decode(raw)), "another path than came in");
}

/// A path with its runs of slashes made one.
fn folded(mut path: Vec<u8>) -> Vec<u8> {
    path.dedup_by(|next, last| *next == b'/' && *last == b'/');
    path
}

/// What an upstream gets is what was matched, and nothing below `/private` without a token.
fn forwarded(url: &str) {
    let request = Request::new("GET", url, Vec::new());
    let head = request.head();
    let Ok(Routed::Matched(matched)) = the().route(&head) else { return };
    let Authn::Passed(passed) = authenticate(the(), matched, &head, &Memory::new([0; 16]), NOW) else { return };
    let action = passed.authorize(&head).and_then(|authorized| action(&authorized, &head));
    let Ok(Then::Forward(outbound, _)) = action.map(|action| action.then) else { return };

    let target = Target::parse(url).expect("it was routed");
    let path = RequestPath::parse(target.path).expect("it was routed");
    let path = path.as_str();
    let first = path.split('/').nth(1).unwrap_or_default();
    let expected = match path.strip_prefix('/').and_then(|path| path.strip_prefix(first)) {
        Some(rest) if literal(first) == "open" => format!("https://below.example/base{rest}"),
        _ => format!("https://whole.example{path}"),
    };
    assert_eq!(outbound.url, format!("{expected}{}", target.query));

    let read = url::Url::parse(&outbound.url).expect("the runtime can read it");
    let sent = outbound.url.strip_prefix(&read.origin().ascii_serialization()).expect("it has this origin");
    let sent = sent.split('?').next().unwrap_or(sent);
    assert_eq!(read.path(), sent, "the runtime changes the path");
    assert_ne!(sent.split('/').nth(1).map(literal).as_deref(), Some("private"), "without a token");
}

/// A pattern that is accepted has a path that it takes.
fn matchable(text: &str) {
    let Ok(pattern) = Pattern::parse(text) else { return };
    let mut router = Router::default();
    router.entry(&pattern, || ()).expect("every pattern has its place");
    let segment = |segment: &str| match segment.strip_prefix('{') {
        Some(".+}") => "rest/of/it".to_owned(),
        Some(_) => "segment".to_owned(),
        None => segment.to_owned(),
    };
    let example: Vec<String> = text.split('/').map(segment).collect();
    let example = example.join("/");
    let path = RequestPath::parse(&example).expect("a request can have it");
    router.find(path.as_str()).expect("its own path fits it");
}
