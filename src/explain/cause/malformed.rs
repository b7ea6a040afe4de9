//! Headers that have no credential in the form in which one is sent.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::placement::example;
use super::{Cause, cause};
use crate::authn::KeySource;
use crate::credential::{Found, Place, find};
use crate::explain::Question;
use crate::explain::evidence::Evidence;
use crate::reject::Code;

pub(super) fn malformed_authorization(question: Question<'_>, evidence: &Evidence<'_>) -> Cause {
    let authorization = question.head.headers.get("authorization").unwrap_or_default();
    let takes_passwords = |evidence: &Evidence<'_>| {
        evidence.authorizers.iter().any(|authorizer| matches!(authorizer.keys, KeySource::Passwords(_)))
    };
    if let Some((scheme, pair)) = authorization.trim().split_once(' ')
        && scheme.eq_ignore_ascii_case("basic")
        && takes_passwords(evidence)
    {
        return basic(pair.trim());
    }
    let is_odd = |place: &&Place| match find(std::slice::from_ref(*place), question.head) {
        Err(reject) => reject.code() == Code::MalformedAuthorization,
        Ok(found) => found == Found::OtherScheme,
    };
    let places = evidence.authorizers.iter().flat_map(|authorizer| &authorizer.places);
    let (name, scheme) = match places.clone().find(is_odd) {
        Some(Place::Header { name, scheme }) => (name.as_str(), scheme.as_str()),
        _ => ("authorization", "Bearer"),
    };
    let value = question.head.headers.get(name).unwrap_or_default();
    let send = format!("send {}", example(evidence));
    if scheme.is_empty() { alone(name, value.trim(), send) } else { behind(scheme, value.trim(), send) }
}

fn basic(pair: &str) -> Cause {
    let send = "send base64 of NAME:PASSWORD, as `curl -u NAME` does";
    match STANDARD.decode(pair).map(String::from_utf8) {
        Err(_) => cause("what follows `Basic` is not base64", send),
        Ok(Err(_)) => cause("what follows `Basic` is base64 of no text in UTF-8", send),
        Ok(Ok(_)) => cause("what follows `Basic` has no `:` between name and password", send),
    }
}

/// A header that takes the credential alone has more than that.
fn alone(name: &str, value: &str, send: String) -> Cause {
    match value.split_whitespace().collect::<Vec<_>>().as_slice() {
        [scheme, _] => cause(
            format!("`{scheme}` comes before it, and the header `{name}` takes the credential alone"),
            format!("{send}, or write \"token_prefix\": \"{scheme}\""),
        ),
        _ => cause(format!("there is white space in the header `{name}`"), send),
    }
}

/// A header that takes a credential behind `scheme` has something else.
fn behind(scheme: &str, value: &str, send: String) -> Cause {
    if value.starts_with(['"', '\'']) {
        return cause("the header's whole value is in quotes", format!("{send}, without quotes"));
    }
    let words: Vec<&str> = value.split_whitespace().collect();
    let is_scheme = |word: &str| word.eq_ignore_ascii_case(scheme);
    match words.as_slice() {
        [word] if is_scheme(word) => cause(
            format!("there is `{word}` and no token behind it"),
            "see whether the variable that holds the token is empty",
        ),
        [word] => match word.split_at_checked(scheme.len()) {
            Some((first, rest)) if is_scheme(first) => match rest {
                _ if rest.starts_with(['%', '+']) => {
                    cause("it is URL-encoded: `%20` is no space in a header", format!("{send}, decoded"))
                }
                _ if rest.starts_with([':', '=']) => cause(
                    format!("`{first}{}` is no scheme: a space follows `{scheme}`", &rest.get(..1).unwrap_or("")),
                    send,
                ),
                _ => cause(format!("the space between `{first}` and the token is missing"), send),
            },
            _ if word.contains('.') => cause(format!("`{scheme}` is missing before the token"), send),
            _ => cause(format!("there is one word, and a token comes behind `{scheme}`"), send),
        },
        [first, second, ..] if is_scheme(first) => match second {
            second if is_scheme(second) => {
                cause(format!("`{second}` is there twice"), "the client adds it already: give it the token alone")
            }
            second if second.starts_with("[object") => cause(
                "`[object Object]` is where the token should be: the client made a text of an object",
                "give it the object's text, such as its `access_token`",
            ),
            second if second.starts_with('{') => cause(
                "the provider's whole answer is where the token should be",
                "send the text of its `access_token` alone",
            ),
            second if second.starts_with(['"', '\'']) => {
                cause("the token is in quotes, with white space between", "send it without both")
            }
            _ if words.len() == 2 => {
                cause(format!("what stands between `{first}` and the token looks like a space and is none"), send)
            }
            _ => cause(
                format!("{} words follow `{first}`, and a token is one", words.len().saturating_sub(1)),
                "take the line breaks and spaces out of it: a copy from a terminal has some",
            ),
        },
        [first, ..] if first.trim_end_matches(':').eq_ignore_ascii_case(scheme) => {
            cause(format!("a colon follows `{scheme}`"), send)
        }
        [first, ..] => cause(format!("the scheme is `{first}`, and a token comes behind `{scheme}`"), send),
        [] => cause("the header is empty", send),
    }
}
