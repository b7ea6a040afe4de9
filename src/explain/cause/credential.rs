//! Requests without a route, and credentials that are not found or not read.

use super::{Cause, cause};
use crate::credential::Place;
use crate::explain::evidence::Evidence;
use crate::explain::{Question, path_of};

pub(super) fn not_found(question: Question<'_>) -> Cause {
    let path = path_of(question.head);
    let other_case = path.to_ascii_lowercase();
    let url = question.head.url.replace(path, &other_case);
    let head = crate::request::Head { url: &url, ..*question.head };
    if other_case != path && question.gateway.route(&head).is_ok() {
        return cause(
            format!("no pattern fits {path}; one fits {other_case}"),
            "paths are compared letter for letter: use the case of the configuration",
        );
    }
    cause(
        format!("no pattern fits {path}"),
        "see `portcullis routes`; `{name}` takes one segment, `{.+}` at the end takes the rest",
    )
}

pub(super) fn missing(question: Question<'_>, evidence: &Evidence<'_>) -> Cause {
    let looked: Vec<&Place> = evidence.authorizers.iter().flat_map(|authorizer| &authorizer.places).collect();
    let is_token = |text: &str| text.trim().starts_with("eyJ") && text.split('.').count() >= 3;
    for (name, value) in question.headers {
        let lower = name.to_ascii_lowercase();
        let word = value.split_whitespace().last().unwrap_or(value);
        if lower == "cookie" {
            if let Some((cookie, _)) =
                value.split(';').filter_map(|pair| pair.split_once('=')).find(|(_, value)| is_token(value))
            {
                let cookie = cookie.trim();
                return cause(
                    format!("a token is in the cookie `{cookie}`, but it is looked for in {}", evidence.places()),
                    format!("send it there, or add {{ \"cookie\": \"{cookie}\" }} to `token_from`"),
                );
            }
        } else if is_token(word)
            && !looked.iter().any(|place| matches!(place, Place::Header { name, .. } if *name == lower))
        {
            return cause(
                format!("a token is in the header `{lower}`, but it is looked for in {}", evidence.places()),
                format!("send it there, or add {{ \"header\": \"{lower}\" }} to `token_from`"),
            );
        }
    }
    let query = question.head.url.split_once('?').map_or("", |(_, query)| query);
    if let Some((name, _)) = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(_, value)| is_token(value))
    {
        return cause(
            format!("a token is in the query parameter `{name}`, but it is looked for in {}", evidence.places()),
            format!("send it there, or add {{ \"query\": \"{name}\" }} to `token_from`"),
        );
    }
    cause(
        format!("there is no credential in {}", evidence.places()),
        "send one: `Authorization: Bearer TOKEN` unless the authorizer says otherwise",
    )
}

pub(super) fn malformed_authorization(question: Question<'_>) -> Cause {
    let value = question.head.headers.get("authorization").unwrap_or_default();
    let words: Vec<&str> = value.split_whitespace().collect();
    match words.as_slice() {
        [token] if token.contains('.') => {
            cause("`Bearer` is missing before the token", "send `Authorization: Bearer TOKEN`")
        }
        [scheme] => cause(
            format!("there is `{scheme}` and no token behind it"),
            "see whether the variable that holds the token is empty",
        ),
        [_, token, ..] if token.starts_with(['"', '\'']) => cause("the token is in quotes", "send it without them"),
        [scheme, _] => cause(
            format!("the scheme is `{scheme}`, and a token comes behind `Bearer`"),
            "send `Authorization: Bearer TOKEN`",
        ),
        [_, "Bearer" | "bearer", ..] => {
            cause("`Bearer` is there twice", "the client adds it already: give it the token alone")
        }
        _ => {
            cause("more than one word follows the scheme", "send the token alone behind `Bearer`, without line breaks")
        }
    }
}

pub(super) fn malformed_token(evidence: &Evidence<'_>) -> Cause {
    let token = evidence.token.as_deref().unwrap_or_default();
    let parts: Vec<&str> = token.split('.').collect();
    match parts.len() {
        1 => cause(
            "it is an opaque token, not a JSON Web Token: it has no dots",
            "ask the provider for a JWT access token; Auth0 gives one where the request names an `audience`",
        ),
        5 => cause(
            "it is encrypted (JWE), which only its addressee can read",
            "have the provider issue signed tokens (JWS)",
        ),
        3 if token.contains('=') => {
            cause("it is padded with `=`", "encode it as base64url without padding (RFC 7515 section 2)")
        }
        3 if token.contains(['+', '/']) => {
            cause("it is base64, not base64url", "write `-` for `+` and `_` for `/` (RFC 7515 section 2)")
        }
        3 if evidence.header.is_none() => {
            cause("its first part is no JSON object in base64url", "see whether it was cut off or changed on the way")
        }
        3 if evidence.header.as_ref().is_some_and(|header| header.contains_key("crit")) => {
            cause("its header has `crit`, and no extension is understood", "have the provider leave `crit` out")
        }
        3 if evidence.claims.is_none() => {
            cause("its second part is no JSON object in base64url", "see whether it was cut off or changed on the way")
        }
        3 => cause(
            "a part has stray bits, or a name is there twice",
            "compare it with what the provider issued, letter for letter",
        ),
        count => cause(
            format!("it has {count} parts, and a token has three"),
            "see whether it was cut off, or joined with another",
        ),
    }
}
