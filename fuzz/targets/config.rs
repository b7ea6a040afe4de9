//! Configurations, in each environment: what is refused says where, and no route is opened by a mistake.

#![cfg_attr(fuzzing, no_main)]

use portcullis::compile::{Compiled, Prepared, compile};
use portcullis::config::files;
use portcullis::config::reference::Env;
use portcullis::config::source::Source;
use portcullis::gateway::{Authn, Gateway, Routed};
use portcullis::jwt::json;
use portcullis::memory::Memory;
use portcullis_fuzz::requests::{Request, action, authenticate};
use portcullis_fuzz::tokens::{NOW, SECRET, sign};
use serde_json::Value;

portcullis_fuzz::target!(check);

fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let everything = |name: &str| Some(bound(name));
    let in_build = compile(text, Env::Unknown);
    let in_worker = compile(text, Env::Known(&everything));
    let judged = compile(text, Env::Judged(&everything));
    for compiled in [&in_build, &in_worker, &judged] {
        told(text, compiled);
        assert!(compiled.gateway.is_some() || !compiled.is_good(), "refused without a word");
    }
    // The environment spoils authorizers and routes, and never the whole: what the build let through, starts.
    assert_eq!(in_build.gateway.is_some(), in_worker.gateway.is_some(), "{:?}", in_worker.problems);
    assert_eq!(in_build.gateway.is_some(), judged.gateway.is_some(), "{:?}", judged.problems);
    assert!(in_worker.is_good() || !judged.is_good(), "{:?}", in_worker.problems);

    if in_build.is_good() {
        let prepared = Prepared::new(text).bind(Env::Known(&everything));
        assert_eq!(format!("{prepared:?}"), format!("{in_worker:?}"), "another gateway out of a build");
    }

    let (inlined, _) = files::inline(text, &|_| Ok(KEYS.to_owned()));
    assert_eq!(Source::parse(text).is_ok(), Source::parse(&inlined).is_ok(), "{inlined}");
    if let Some(gateway) = &in_worker.gateway {
        assert!(!in_worker.is_good() || gateway.faults().next().is_none(), "a fault that nobody was told");
        closed(text);
    }
}

const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"xAQSLV9jNP89B1Nm6u-Fn3KjimDb78UObYXIYJy-AJg"}]}"#;

/// Everything is bound, to something that suits its name.
fn bound(name: &str) -> String {
    let value = match name {
        _ if name.contains("URL") => "https://bound.example/base",
        _ if name.contains("HOST") => "bound.example",
        _ if name.contains("JWKS") => KEYS,
        _ if name.contains("KEY") => include_str!("../../tests/keys/p256-public.pem"),
        _ => SECRET,
    };
    value.to_owned()
}

/// Every problem has words and a place, and its pointer is one into this text.
fn told(text: &str, compiled: &Compiled) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let document = json::object(text.as_bytes()).ok().map(Value::Object);
    let lines = text.split('\n').count();
    for problem in &compiled.problems {
        let line = text.split('\n').nth(problem.line.saturating_sub(1)).unwrap_or_default();
        assert!((1..=lines).contains(&problem.line), "{problem}");
        assert!((1..=line.chars().count() + 1).contains(&problem.column), "{problem}");
        assert!(!problem.message.is_empty(), "{problem}");
        assert!(text.contains(SECRET) || !problem.to_string().contains(SECRET), "{problem}");
        if let Some(document) = &document {
            assert!(document.pointer(&problem.pointer).is_some(), "{problem}");
        }
    }
}

/// The same configuration with `auth: true` on every path and no mode anywhere lets nobody pass who has no good token.
fn closed(text: &str) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Ok(mut document) = json::object(text.as_bytes()).map(Value::Object) else { return };
    let mut requests = Vec::new();
    for path in document.get_mut("paths").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(path) = path.as_object_mut() else { continue };
        path.insert("auth".to_owned(), true.into());
        let method = path.get("method").and_then(|method| method.as_str().or_else(|| method.get(0)?.as_str()));
        let pattern = path.get("path").and_then(Value::as_str).unwrap_or_default();
        requests.push((method.unwrap_or("GET").to_owned(), example(pattern)));
    }
    let authorizers = document.get("authorizers").and_then(Value::as_array).map_or(0, Vec::len);
    let places = (0..authorizers).map(|number| format!("/authorizers/{number}")).chain(["/authorizer".to_owned()]);
    for place in places {
        if let Some(authorizer) = document.pointer_mut(&place).and_then(Value::as_object_mut) {
            authorizer.remove("mode");
        }
    }
    let everything = |name: &str| Some(bound(name));
    let Some(gateway) = compile(&document.to_string(), Env::Known(&everything)).gateway else { return };
    for (method, path) in requests.iter().take(16) {
        refuses(&gateway, method, &format!("https://gateway.example{path}"));
    }
}

/// A path that fits a pattern.
fn example(pattern: &str) -> String {
    let segments: Vec<&str> =
        pattern.split('/').map(|segment| if segment.starts_with('{') { "any" } else { segment }).collect();
    segments.join("/")
}

fn refuses(gateway: &Gateway, method: &str, url: &str) {
    const CLAIMS: &[u8] = br#"{"iss":"i","aud":"a","sub":"s","exp":4102444800}"#;
    let unsigned = sign("", br#"{"alg":"none"}"#, CLAIMS);
    let forged = sign("a secret that nobody else has", br#"{"alg":"HS256"}"#, CLAIMS);
    let credentials = [None, Some(unsigned.as_str()), Some(forged.as_str()), Some("x")];
    for credential in credentials {
        let bearer = credential.map(|token| ("authorization".to_owned(), format!("Bearer {token}")));
        let request = Request::new(method, url, bearer.into_iter().collect());
        let head = request.head();
        match gateway.route(&head) {
            Ok(Routed::Matched(matched)) => match authenticate(gateway, matched, &head, &Memory::new([0; 16]), NOW) {
                // A route that is spoiled asks for nobody, and does nothing either.
                Authn::Passed(passed) => {
                    let action = passed.authorize(&head).and_then(|authorized| action(&authorized, &head));
                    assert!(action.is_err(), "{method} {url} passes with {credential:?}");
                }
                Authn::Refused(refused) => {
                    let reply = refused.reply(&head);
                    assert!((400..600).contains(&reply.status), "{}", reply.status);
                }
                Authn::Needs(..) => {}
            },
            Ok(Routed::Answer(_)) => assert_eq!(method, "OPTIONS", "{url}"),
            Err(refused) => assert!((400..600).contains(&refused.reply(&head).status)),
        }
    }
}
