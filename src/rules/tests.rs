//! The whole matrix of rules, and what the check finds.

use ::cel::parser::PrattParser;
use serde_json::{Value, json};

use super::*;
use crate::testing::{headers, request};

const TOKEN: &str = r#"{"sub": "user-1", "groups": ["admins", "ops"], "level": 7, "rate": 1.5, "deep": {"role": "x"}, "https://a.b/role": "pro", "none": null}"#;

/// What an expression says of `GET https://gw.example/admin/7?page=2` from somebody with the claims of [`TOKEN`], or from nobody.
fn evaluated(source: &str, token: bool) -> Result<bool, String> {
    let program = Program::compile(source)?;
    crate::testing::with_identity(token.then_some(TOKEN), |identity| {
        let headers = headers(&[("x-env", "prod"), ("cf-connecting-ip", "192.0.2.1")]);
        let head = request("GET", "https://gw.example/admin/7?page=2&bare&none=&a=5&a=&b=&b=5", &headers);
        program.run(Facts { head: &head, path: "/admin/7", identity })
    })
}

#[test]
fn expressions_ask_requests_and_tokens() {
    for (source, expected) in [
        ("jwt.sub == 'user-1'", true),
        ("jwt.groups.contains(\"admins\")", true),
        ("jwt.groups.contains('nobody')", false),
        ("'ops' in jwt.groups", true),
        ("jwt.level > 5 && jwt.level <= 7", true),
        ("jwt.rate < 2.0", true),
        ("jwt.level < 7.5", true),
        ("jwt.deep.role == 'x'", true),
        ("jwt['https://a.b/role'] == 'pro'", true),
        ("has(jwt.sub) && !has(jwt.email)", true),
        ("'sub' in jwt && !('email' in jwt)", true),
        ("jwt.none == null", true),
        ("size(jwt.groups) == 2", true),
        ("jwt.groups.exists(g, g.startsWith('adm'))", true),
        ("jwt.groups.all(g, g.startsWith('adm'))", false),
        ("size(jwt) > 3", true),
        ("jwt.sub.matches('^user-[0-9]+$')", true),
        ("matches(jwt.sub, 'x{3}')", false),
        ("jwt.groups.size() == 2 && 'a'.size() == 1", true),
        ("jwt.sub.contains('ser') && jwt.sub.endsWith('1')", true),
        ("request.method == 'GET' && request.path == '/admin/7'", true),
        ("request.host == 'gw.example' && request.scheme == 'https'", true),
        ("request.headers['x-env'] == 'prod'", true),
        ("has(request.headers.accept)", false),
        ("'x-env' in request.headers", true),
        ("request.query.page == '2'", true),
        ("has(request.query.other)", false),
        ("has(request.query.bare) && 'none' in request.query", true),
        ("request.query.bare == '' && request.query.none == ''", true),
        ("source.ip == '192.0.2.1' && source.address == source.ip", true),
        ("request.id == 'fresh-id'", true),
        ("request.path.startsWith('/admin') ? jwt.level == 7 : true", true),
        ("type(jwt.level) == int", true),
        ("int('7') == jwt.level", true),
    ] {
        assert_eq!(evaluated(source, true), Ok(expected), "{source}");
    }
}

#[test]
fn what_is_missing_or_of_the_wrong_type_is_an_error_that_names_it_and_tells_no_value() {
    for (source, token, expected) in [
        ("jwt.email == 'a'", true, "there is no `email`"),
        ("jwt.sub == 'user-1'", false, "there is no `sub`"),
        ("jwt.groups.contains('x')", false, "there is no `groups`"),
        ("jwt.deep.name == 'x'", true, "there is no `name`"),
        ("jwt.sub > 3", true, "`>` does not take string, int"),
        ("jwt.sub", true, "it is no true or false, but a string"),
        ("jwt.level + 1", true, "it is no true or false, but a int"),
        ("jwt.level / 0 == 1", true, "it divides by zero"),
        ("jwt.groups[9] == 'x'", true, "a list is too short"),
        ("request.headers['x-other'] == 'prod'", true, "there is no `x-other`"),
        ("jwt.sub.matches(jwt.none == null ? '(' : 'x')", true, "`matches` fails"),
        ("consumer.username == 'a'", true, "there is no `username`"),
        ("request.query.a == '5'", true, "the query has `a` twice"),
        ("request.query.b == '5'", true, "the query has `b` twice"),
    ] {
        let error = evaluated(source, token).unwrap_err();
        assert_eq!(error, expected, "{source}");
        assert!(!error.contains("user-1"), "{source}");
    }
}

#[test]
fn the_check_finds_what_does_not_exist_and_what_can_never_be() {
    let deep = format!("{}true{}", "!(".repeat(150), ")".repeat(150));
    let row = format!("jwt.a == {}1", "1 + ".repeat(150));
    let long = format!("jwt.a == '{}'", "a".repeat(5000));
    for (kind, source, expected) in [
        (Kind::Allow, "jwt.sub ==", "it is no expression"),
        (Kind::Allow, "user.name == 'a'", "there is no variable `user`"),
        (Kind::Allow, "requset.path == '/'", "there is no variable `requset`: did you mean `request`?"),
        (Kind::Allow, "request.pathh == '/'", "`request` has no `pathh`: did you mean `path`?"),
        (Kind::Allow, "request.path.id == '7'", "`request.path` is a text, which has no `id`"),
        (Kind::Deny, "has(consumer.username.first)", "`consumer.username` is a text, which has no `first`"),
        (Kind::Allow, "source.port == 1", "`source` has no `port`"),
        (Kind::Allow, "request.headers['X-Env'] == 'a'", "headers are in lower case here: `x-env`"),
        (Kind::Allow, "size(request.headers) > 1", "`request.headers` cannot be used as a whole"),
        (Kind::Allow, "request == null", "`request` cannot be used as a whole"),
        (Kind::Allow, "jwt.groups.conatins('a')", "there is no function `conatins`: did you mean `contains`?"),
        (Kind::Allow, "startsWith(jwt.sub, 'a')", "`startsWith` is written `x.startsWith(y)`"),
        (Kind::Allow, "jwt.sub.startsWith()", "`startsWith` is written `x.startsWith(y)`"),
        (Kind::Allow, "jwt.level.string() == '7'", "`string` is written `string(x)`"),
        (Kind::Allow, "size() == 1", "`size` is written `size(x)` or `x.size()`"),
        (Kind::Allow, "matches(jwt.sub)", "`matches` is written `x.matches(y)` or `matches(x, y)`"),
        (Kind::Allow, "jwt.sub.matches('^(a')", "`matches` cannot use this pattern: "),
        (Kind::Allow, "matches(jwt.sub, '(?=a)')", "`matches` cannot use this pattern: "),
        (Kind::Deny, "jwt.groups.exists(g, g.matches('a{9999}{99}'))", "`matches` cannot use this pattern: "),
        (Kind::Allow, "timestamp('2026-01-01T00:00:00Z') == null", "there is no function `timestamp`"),
        (Kind::Allow, "1 == 2", "it can never be true: nobody would pass by it"),
        (Kind::Require, "false", "it can never be true: nobody would pass by it"),
        (Kind::Deny, "false", "it can never be true: it denies nothing"),
        (Kind::Deny, "true", "it is always true: nobody would pass"),
        (Kind::Allow, "1 / 0 == 1", "it always fails: it divides by zero"),
        (Kind::Allow, "'text'", "it always fails: it is no true or false, but a string"),
        (Kind::Allow, "Point{x: 1} == null", "there is no type `Point` to be made"),
        (Kind::Allow, &deep, "it is no expression: expression recursion limit exceeded"),
        (Kind::Allow, &row, "it is nested more than 100 deep"),
        (Kind::Allow, &long, "it is longer than 4096 bytes"),
    ] {
        let told = Rule::new(kind, source.to_owned()).check().unwrap_err();
        assert!(told.starts_with(expected), "{source}: {told}");
    }
    for (kind, source) in [(Kind::Allow, "true"), (Kind::Require, "1 < 2"), (Kind::Deny, "jwt.sub == 'x'")] {
        assert_eq!(Rule::new(kind, source.to_owned()).check(), Ok(()), "{source}");
    }
}

#[test]
fn each_kind_of_rule_with_each_answer() {
    const TRUE: &str = "jwt.level == 7";
    const FALSE: &str = "jwt.level == 8";
    const ERROR: &str = "jwt.absent == 1";
    for (name, rules, passes) in [
        ("no rule", vec![], true),
        ("allow true", vec![(Kind::Allow, TRUE)], true),
        ("allow false", vec![(Kind::Allow, FALSE)], false),
        ("allow error", vec![(Kind::Allow, ERROR)], false),
        ("deny true", vec![(Kind::Deny, TRUE)], false),
        ("deny false", vec![(Kind::Deny, FALSE)], true),
        ("deny error", vec![(Kind::Deny, ERROR)], false),
        ("require true", vec![(Kind::Require, TRUE)], true),
        ("require false", vec![(Kind::Require, FALSE)], false),
        ("require error", vec![(Kind::Require, ERROR)], false),
        ("one allow of two", vec![(Kind::Allow, FALSE), (Kind::Allow, TRUE)], true),
        ("no allow of two", vec![(Kind::Allow, FALSE), (Kind::Allow, FALSE)], false),
        ("an allow that fails beside one that is true", vec![(Kind::Allow, TRUE), (Kind::Allow, ERROR)], false),
        ("deny before allow", vec![(Kind::Allow, TRUE), (Kind::Deny, TRUE)], false),
        ("require beside allow", vec![(Kind::Allow, TRUE), (Kind::Require, FALSE)], false),
        ("allow and require and deny", vec![(Kind::Allow, TRUE), (Kind::Require, TRUE), (Kind::Deny, FALSE)], true),
        ("deny and require without allow", vec![(Kind::Require, TRUE), (Kind::Deny, FALSE)], true),
    ] {
        let rules: Vec<Rule> = rules.into_iter().map(|(kind, source)| Rule::new(kind, source.to_owned())).collect();
        let judged = crate::testing::with_identity(Some(TOKEN), |identity| {
            let headers = headers(&[]);
            let head = request("GET", "https://gw.example/", &headers);
            judge(&rules, Facts { head: &head, path: "/", identity })
        });
        assert_eq!(judged.is_ok(), passes, "{name}");
        if let Err(reject) = judged {
            assert_eq!(reject.code(), Code::AccessDenied, "{name}");
            assert!(reject.internal().unwrap().contains("jwt."), "{name}: the log says which rule");
        }
    }
}

/// The light parser against the one that the crate's own tests lean on.
#[test]
fn both_parsers_of_the_crate_understand_the_same() {
    let claims: Value = serde_json::from_str(TOKEN).unwrap();
    let mut whole = 0;
    for source in [
        "jwt.sub == 'user-1' && jwt.level > 3 || false",
        "!(jwt.level == 7) || jwt.level != 8 ? 'a' == 'a' : 'b' == 'c'",
        "jwt.groups.exists(g, g == 'ops') && jwt.groups.all(g, size(g) > 2)",
        "jwt.groups.filter(g, g.startsWith('a')) == ['admins']",
        "jwt.groups.map(g, size(g)) == [6, 3]",
        "jwt.groups.exists_one(g, g == 'ops')",
        "-1 + 2 * 3 - 4 % 3 == 4",
        "1u + 2u == 3u && 0x1F == 31 && 1.5e1 == 15.0",
        "\"\\u0041\\n\" == 'A\\n' && r'\\n' != '\\n' && b'a' == b'a'",
        "'''a'b''' == \"a'b\"",
        "{'a': 1}['a'] == 1 && [1, 2][1] == 2",
        "has(jwt.deep.role) && 'sub' in jwt",
        "(1 < 2) == (2 >= 1) && true != false",
        "jwt.level == 7 // a comment",
    ] {
        let light = PrattParser::new().parse(source).unwrap();
        let heavy = ::cel::parser::Parser::new().parse(source).unwrap();
        let mut context = ::cel::Context::default();
        context.add_variable("jwt", json!(claims)).unwrap();
        let (light, heavy) = (context.resolve(&light), context.resolve(&heavy));
        assert_eq!(light, heavy, "{source}");
        whole += usize::from(matches!(light, Ok(::cel::Value::Bool(true))));
    }
    assert!(whole >= 12, "only {whole} are true");
    for source in ["a ==", "a b", "(a", "a.", "'a", "a ? b", "[1,", "a..b", "1 = 1", "&& a", "a &&& b"] {
        assert!(PrattParser::new().parse(source).is_err(), "{source}");
        assert!(::cel::parser::Parser::new().parse(source).is_err(), "{source}");
    }
}
