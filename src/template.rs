//! Templates of mappings and rewrites: literals, and what a request has to put between them.

use std::borrow::Cow;

use serde_json::Value;

use crate::credential::form_values;
use crate::jwt::claims::Claims;
use crate::request::{CLIENT_ADDRESS, Head};
use crate::route::path::{RequestPath, decode, is_unreserved, push_encoded};

/// A text with gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

/// One piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text as it is; references to variables and secrets are in it already.
    Literal(String),
    /// A header of the client's request, in lower case.
    Header(String),
    /// The first value of a query parameter.
    Query(String),
    /// The segment of the path with this number: what a parameter stands for.
    Segment(usize),
    /// The path from this segment on: what `{.+}` stands for.
    Rest(usize),
    /// The method.
    Method,
    /// The client's address.
    Ip,
    /// The request's id.
    Id,
    /// A claim, by its name or along dots.
    Claim(String),
}

/// What a request has to put into gaps.
#[derive(Clone, Copy)]
pub struct Values<'v> {
    /// Its head.
    pub head: &'v Head<'v>,
    /// The path that was matched.
    pub path: &'v RequestPath<'v>,
    /// What its token says, if it has a good one.
    pub claims: Option<&'v Claims>,
}

impl Template {
    /// A template of these pieces.
    pub fn new(pieces: Vec<Piece>) -> Self {
        Self(pieces)
    }

    /// Its pieces.
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// The text. `None` where a gap has nothing to fill it, and where nothing is left: what it was meant for is to be removed then.
    pub fn text(&self, values: Values<'_>) -> Option<String> {
        let mut text = String::new();
        for piece in &self.0 {
            text.push_str(&piece.value(values)?);
        }
        (!text.is_empty()).then_some(text)
    }

    /// The text as a path in its one spelling: what a parameter took stands as it was matched, and everything else is percent-encoded, a
    /// slash too.
    ///
    /// # Errors
    /// The piece that nothing fills, or that makes dot segments or encoded slashes, which no upstream is to resolve.
    pub fn path(&self, values: Values<'_>) -> Result<String, &'static str> {
        // Most take the greater part of the URL.
        let mut raw = String::with_capacity(values.head.url.len());
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => raw.push_str(literal),
                Piece::Segment(number) => raw.push_str(segment(values.path, *number).ok_or("a path parameter")?),
                Piece::Rest(number) => raw.push_str(rest(values.path, *number)),
                other => {
                    let value = other.value(values).ok_or_else(|| other.words())?;
                    push_escaped(&mut raw, &value);
                }
            }
        }
        match RequestPath::parse(&raw).map(RequestPath::respelled) {
            Ok(respelled) => Ok(respelled.unwrap_or(raw)),
            Err(_) => Err("a value that is no part of a path"),
        }
    }
}

impl Piece {
    /// What fills it; nothing where that is empty.
    fn value<'v>(&'v self, values: Values<'v>) -> Option<Cow<'v, str>> {
        let Values { head, path, claims } = values;
        let decoded = |text: &str| String::from_utf8(decode(text)).ok().map(Cow::Owned);
        let value = match self {
            // The one piece that may be empty, and the rest of a path: `/files/{.+}` takes `/files` too.
            Self::Literal(literal) => return Some(Cow::Borrowed(literal)),
            Self::Rest(number) => return decoded(rest(path, *number)),
            Self::Header(name) => head.headers.get(name),
            Self::Query(name) => form_values(head.url, name).find(|value| !value.is_empty()).map(Cow::Owned),
            Self::Segment(number) => segment(path, *number).and_then(decoded),
            Self::Method => Some(Cow::Borrowed(head.method)),
            Self::Ip => head.headers.get(CLIENT_ADDRESS),
            Self::Id => Some(Cow::Borrowed(head.request_id())),
            Self::Claim(name) => claims?.find(name).map(claim_text),
        };
        value.filter(|value| !value.is_empty())
    }

    /// What is missing where nothing fills it, for the log.
    const fn words(&self) -> &'static str {
        match self {
            Self::Literal(_) => "a text",
            Self::Header(_) => "a header",
            Self::Query(_) => "a query parameter",
            Self::Segment(_) | Self::Rest(_) => "a path parameter",
            Self::Method => "the method",
            Self::Ip => "the client's address",
            Self::Id => "the request's id",
            Self::Claim(_) => "a claim",
        }
    }
}

/// The segment of `path` with this number.
fn segment<'p>(path: &'p RequestPath<'_>, number: usize) -> Option<&'p str> {
    path.as_str().split('/').nth(number + 1).filter(|segment| !segment.is_empty())
}

/// All of `path` from the segment with this number on.
fn rest<'p>(path: &'p RequestPath<'_>, number: usize) -> &'p str {
    path.as_str().splitn(number + 2, '/').nth(number + 1).unwrap_or("")
}

/// A claim as a text: strings as they are, numbers and booleans in words, lists of such joined by commas, objects as JSON.
pub fn claim_text(value: &Value) -> Cow<'_, str> {
    let scalar = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    };
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Array(list) => match list.iter().map(scalar).collect::<Option<Vec<_>>>() {
            Some(texts) => Cow::Owned(texts.join(",")),
            None => Cow::Owned(value.to_string()),
        },
        _ => Cow::Owned(value.to_string()),
    }
}

/// Adds `text` with all but unreserved characters percent-encoded (RFC 3986 section 2.1).
pub fn push_escaped(to: &mut String, text: &str) {
    for byte in text.bytes() {
        if is_unreserved(byte) { to.push(char::from(byte)) } else { push_encoded(to, byte) }
    }
}

#[cfg(test)]
mod tests;
