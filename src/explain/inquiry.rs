//! A question as people ask it: a request in their words, a configuration as text, names with their values.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::decoded::part;
use super::{Explanation, Question, Variant, explain};
use crate::compile::{compile, compile_file};
use crate::config::problem::Problem;
use crate::config::reference::Env;
use crate::gateway::Gateway;
use crate::jwt::keyset::KeySet;
use crate::request::{Head, RequestId};
use crate::time::UnixTime;

/// A request, written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inquiry {
    /// Its method.
    pub method: String,
    /// Its path, with the query if there is one.
    pub path: String,
    /// Its headers.
    pub headers: Vec<(String, String)>,
}

/// What it is asked of.
#[derive(Clone, Copy)]
pub struct Setting<'s> {
    /// What the configuration's file is called.
    pub file: &'s str,
    /// The configuration, with the files that it names in their places.
    pub text: &'s str,
    /// Variables and secrets.
    pub names: &'s BTreeMap<String, String>,
    /// What key URLs serve.
    pub keys: Option<&'s KeySet>,
    /// The time.
    pub now: UnixTime,
}

/// Why nothing can be said of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswerable {
    /// The configuration is refused as a whole.
    Configuration(Vec<Problem>),
    /// The path is none.
    Path,
    /// The method is none.
    Method,
}

impl fmt::Display for Unanswerable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Configuration(_) => "the configuration cannot be used",
            Self::Path => "a path begins with `/`, without scheme and host, and has no white space: a space is `%20`",
            Self::Method => "a method is one word",
        })
    }
}

impl Inquiry {
    /// Something in it that reads like a token, wherever it is: for a look into it also where nobody looks for one.
    pub fn token(&self) -> Option<&str> {
        let query = self.path.split_once('?').map_or("", |(_, query)| query);
        let values = self.headers.iter().map(|(_, value)| value.as_str()).chain([query]);
        let ends = |letter: char| letter.is_whitespace() || matches!(letter, '=' | ';' | ',' | '&' | '"');
        let mut words = values.flat_map(|value| value.split(ends));
        words.find(|word| word.contains('.') && part(word, 0).is_some())
    }

    /// Adds a token as clients send it. It may come with the `Bearer` that it is sent behind, and broken into lines as terminals do.
    pub fn bear(&mut self, token: &str) {
        let token: String = token.lines().map(str::trim).collect();
        self.headers.push(("authorization".to_owned(), format!("Bearer {}", bare(&token))));
    }

    /// What becomes of it.
    pub fn answer(&self, setting: Setting<'_>) -> Result<Explanation, Unanswerable> {
        // Anything else would become part of the URL's host.
        if !self.path.starts_with('/')
            || self.path.contains(|letter: char| letter.is_whitespace() || letter.is_control())
        {
            return Err(Unanswerable::Path);
        }
        if self.method.is_empty() || self.method.contains(char::is_whitespace) {
            return Err(Unanswerable::Method);
        }
        let Setting { file, text, names, keys, now } = setting;
        let compiled = compile_file(file, text, Env::Known(&|name| names.get(name).cloned()));
        let Some(gateway) = &compiled.gateway else { return Err(Unanswerable::Configuration(compiled.problems)) };
        let url = format!("https://gateway.example{}", without_dots(&self.path));
        let id = RequestId::new(|| "offline".to_owned());
        let head = Head { method: &self.method, url: &url, headers: &self.headers, id: &id };
        let variant = |variant: Variant| varied(text, names, variant);
        Ok(explain(Question { gateway, head: &head, headers: &self.headers, now, fetched: keys, variant: &variant }))
    }
}

/// A path without its segments `.` and `..` (RFC 3986 section 5.2.4), as the runtime gives it to a Worker. Those in disguise (`%2e`) it leaves, and
/// the gateway refuses them.
fn without_dots(target: &str) -> String {
    let end = target.find(['?', '#']).unwrap_or(target.len());
    let (path, rest) = target.split_at(end);
    let mut kept = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            _ => {
                kept.push(segment);
                continue;
            }
        }
        if segments.peek().is_none() {
            kept.push("");
        }
    }
    format!("/{}{rest}", kept.join("/"))
}

/// A token without the `Bearer` that it is sent behind, and without white space around it: people copy the header's whole value.
pub fn bare(token: &str) -> &str {
    let token = token.trim();
    match token.split_once(char::is_whitespace) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => rest.trim_start(),
        _ => token,
    }
}

/// A header as it is written, `Name: value`.
pub fn header(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    let name = name.trim();
    let is_name = !name.is_empty() && !name.contains(|letter: char| letter.is_whitespace() || letter.is_control());
    is_name.then(|| (name.to_owned(), value.trim().to_owned()))
}

/// The configuration with its secrets read in another way.
fn varied(text: &str, names: &BTreeMap<String, String>, variant: Variant) -> Option<Gateway> {
    let mut config: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    if let Variant::Encoding(encoding) = variant {
        let default = config.get_mut("authorizer").into_iter().collect::<Vec<_>>();
        for authorizer in default {
            put_encoding(authorizer, encoding);
        }
        for authorizer in config.get_mut("authorizers").and_then(Value::as_array_mut).into_iter().flatten() {
            put_encoding(authorizer, encoding);
        }
    }
    let lookup = |name: &str| names.get(name).map(|value| variant.of(value));
    compile(&config.to_string(), Env::Known(&lookup)).gateway
}

fn put_encoding(authorizer: &mut Value, encoding: &str) {
    if let Some(members) = authorizer.as_object_mut()
        && ["secret", "secrets", "jwt_secret"].iter().any(|name| members.contains_key(*name))
    {
        members.insert("secret_encoding".to_owned(), encoding.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, SECONDS, SECRET, hs};

    #[test]
    fn plain_dot_segments_are_gone_before_a_worker_sees_them() {
        for (path, seen) in [
            ("/a", "/a"),
            ("/", "/"),
            ("/a/../b", "/b"),
            ("/a/./b/", "/a/b/"),
            ("/a/..", "/"),
            ("/a/b/.", "/a/b/"),
            ("/../../a", "/a"),
            ("/a//../b", "/a/b"),
            ("/a/.../b", "/a/.../b"),
            ("/a/%2e%2e/b", "/a/%2e%2e/b"),
            ("/a/..;/b", "/a/..;/b"),
            ("/a?b=/../c", "/a?b=/../c"),
            ("/a/..?b", "/?b"),
        ] {
            assert_eq!(without_dots(path), seen, "{path}");
        }
    }
    use serde_json::json;

    fn told(inquiry: &Inquiry, secret: &str) -> Result<Explanation, Unanswerable> {
        let config = json!({
            "authorizer": {"type": "jwt", "secret": "$secret.KEY", "algorithm": "HS256", "issuer": "me", "audience": "api"},
            "paths": [{"method": "GET", "path": "/private", "auth": true, "response": {}}],
        });
        let names = BTreeMap::from([("KEY".to_owned(), secret.to_owned())]);
        inquiry.answer(Setting { file: "gateway.json", text: &config.to_string(), names: &names, keys: None, now: NOW })
    }

    fn get(path: &str) -> Inquiry {
        Inquiry { method: "GET".to_owned(), path: path.to_owned(), headers: Vec::new() }
    }

    fn token() -> String {
        hs(SECRET, &json!({"alg": "HS256"}), &json!({"iss": "me", "aud": "api", "exp": SECONDS + 60}))
    }

    #[test]
    fn a_token_counts_with_or_without_its_scheme_and_broken_into_lines() {
        let token = token();
        let (start, end) = token.split_at(40);
        for written in [
            token.clone(),
            format!("Bearer {token}"),
            format!("  bearer   {token}\n"),
            format!("BEARER {start}\n  {end}"),
        ] {
            let mut inquiry = get("/private");
            inquiry.bear(&written);
            assert_eq!(told(&inquiry, SECRET).unwrap().status, Some(200), "{written}");
        }
        for (written, code) in
            [("", "malformed_authorization"), ("é", "malformed_token"), ("Bearer", "malformed_token")]
        {
            let mut inquiry = get("/private");
            inquiry.bear(written);
            assert_eq!(told(&inquiry, SECRET).unwrap().code, Some(code), "{written:?}");
        }
    }

    #[test]
    fn a_token_is_found_wherever_it_is() {
        let token = token();
        for (name, path, header, value) in [
            ("its place", "/", "authorization", format!("Bearer {token}")),
            ("without its scheme", "/", "authorization", token.clone()),
            ("another header", "/", "x-token", token.clone()),
            ("a cookie", "/", "cookie", format!("a=1.2; session={token}; b=2")),
            ("the query", &format!("/?a=1&token={token}&b"), "host", "h.example".to_owned()),
        ] {
            let inquiry = Inquiry { headers: vec![(header.to_owned(), value)], ..get(path) };
            assert_eq!(inquiry.token(), Some(token.as_str()), "{name}");
        }
        let none = Inquiry { headers: vec![("host".to_owned(), "a.b.c".to_owned())], ..get("/v1.2.3?x=1.2") };
        assert_eq!(none.token(), None);
    }

    #[test]
    fn a_secret_that_is_read_in_the_wrong_way_is_found() {
        let mut inquiry = get("/private");
        inquiry.bear(&token());
        let fix = told(&inquiry, &format!("{SECRET}\n")).unwrap().fix.unwrap();
        assert_eq!(fix, "set the secret again without the line break at its end");
    }

    #[test]
    fn what_is_no_request_or_has_no_gateway_has_no_answer() {
        for (name, inquiry, expected) in [
            ("a path without its slash", get("private"), Unanswerable::Path),
            ("a host", get(".evil.example/"), Unanswerable::Path),
            ("no path", get(""), Unanswerable::Path),
            ("a space", get("/a b"), Unanswerable::Path),
            ("a line break", get("/a\r\nHost: b"), Unanswerable::Path),
            ("no method", Inquiry { method: String::new(), ..get("/") }, Unanswerable::Method),
            ("two words", Inquiry { method: "GET POST".to_owned(), ..get("/") }, Unanswerable::Method),
        ] {
            assert_eq!(told(&inquiry, SECRET), Err(expected), "{name}");
        }
        let setting = Setting { file: "gateway.json", text: "{", names: &BTreeMap::new(), keys: None, now: NOW };
        assert!(matches!(get("/").answer(setting), Err(Unanswerable::Configuration(problems)) if problems.len() == 1));
    }

    #[test]
    fn a_header_has_a_name_and_a_colon() {
        let some = |name: &str, value: &str| Some((name.to_owned(), value.to_owned()));
        for (line, expected) in [
            ("Accept: text/html", some("Accept", "text/html")),
            ("X: a:b", some("X", "a:b")),
            ("X:", some("X", "")),
            ("no colon", None),
            (": value", None),
            ("two words: value", None),
        ] {
            assert_eq!(header(line), expected, "{line}");
        }
    }
}
