//! Rules in CEL: an expression, the claims of a token, and a request, as `request` has it, each from a line of its own on.
//!
//! An expression is true, or false, or it fails; and what fails lets nobody pass, whatever the rule.

#![cfg_attr(fuzzing, no_main)]

use portcullis::gateway::{Authn, Routed};
use portcullis::memory::Memory;
use portcullis::rules::{Facts, Kind, Rule, judge};
use portcullis_fuzz::requests::{Request, authenticate};
use portcullis_fuzz::tokens::{NOW, SECRET, sign};

portcullis_fuzz::target!(check);

const CONFIG: &str = r#"{
  "authorizer": { "type": "jwt", "algorithm": "HS256", "secret": "$env.SECRET", "require_exp": false },
  "paths": [{ "method": "ANY", "path": "/{.+}", "auth": true, "response": {} }]
}"#;

portcullis_fuzz::the_gateway!(CONFIG);

fn check(data: &[u8]) {
    let mut lines = data.splitn(3, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (expression, claims, mut request) = (String::from_utf8_lossy(line()), line(), Request::read(line()));
    let rule = |kind| Rule::new(kind, expression.clone().into_owned());
    let allow = rule(Kind::Allow);
    let is_useless = allow.check().is_err();

    request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
    let token = sign(SECRET, br#"{"alg":"HS256"}"#, claims);
    request.headers.push(("authorization".to_owned(), format!("Bearer {token}")));
    let head = request.head();
    let Ok(Routed::Matched(matched)) = the().route(&head) else { return };
    let Authn::Passed(passed) = authenticate(the(), matched, &head, &Memory::new([0; 16]), NOW) else { return };
    let Ok(authorized) = passed.authorize(&head) else { return };

    for identity in [authorized.identity(), None] {
        let facts = Facts { head: &head, path: authorized.path(), identity };
        let holds = |rule: Rule| judge(&[rule], facts).is_ok();
        let allowed = holds(rule(Kind::Allow));
        assert_eq!(allowed, holds(rule(Kind::Require)), "true for one kind of rule: {expression}");
        assert!(!(allowed && holds(rule(Kind::Deny))), "it is true and it is not: {expression}");
        assert!(!(allowed && is_useless), "the check says that nobody passes: {expression}");
    }
}
