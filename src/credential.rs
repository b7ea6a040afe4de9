//! Where a token is on a request, and what to make of several.

use std::borrow::Cow;

use crate::reject::{Code, Reject};
use crate::request::{Head, Headers};
use crate::route::path::decode;
use crate::url::Target;

/// A place where a token may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A header, with the scheme that comes before the token (`Bearer`, compared without case) or none.
    Header {
        /// In lower case.
        name: String,
        /// Empty: the header holds the token alone.
        scheme: String,
    },
    /// A cookie.
    Cookie(String),
    /// A query parameter.
    Query(String),
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<T> {
    /// No credential for this authorizer.
    Nothing,
    /// A header that is set, but with the credential of another scheme: no token, and worth telling apart where one is needed.
    OtherScheme,
    /// Exactly one.
    Token(T),
}

impl<T: PartialEq> Found<T> {
    /// The same with another form of the token.
    fn map<U>(self, form: impl FnOnce(T) -> U) -> Found<U> {
        match self {
            Self::Nothing => Found::Nothing,
            Self::OtherScheme => Found::OtherScheme,
            Self::Token(token) => Found::Token(form(token)),
        }
    }

    /// What comes of both.
    fn with(self, other: Self) -> Result<Self, Reject> {
        match (self, other) {
            (Self::Token(one), Self::Token(other)) if one != other => Err(Reject::new(Code::AmbiguousToken)),
            (Self::Token(one), _) | (_, Self::Token(one)) => Ok(Self::Token(one)),
            (Self::OtherScheme, _) | (_, Self::OtherScheme) => Ok(Self::OtherScheme),
            (Self::Nothing, Self::Nothing) => Ok(Self::Nothing),
        }
    }
}

/// Looks at all `places`. Equal copies count once.
///
/// # Errors
/// `ambiguous_token` for two different tokens, `malformed_authorization` for a scheme without a token or with more than one word.
pub fn find<'h>(places: &[Place], head: &Head<'h>) -> Result<Found<Cow<'h, str>>, Reject> {
    places.iter().try_fold(Found::Nothing, |found, place| look(place, head, found))
}

/// What is found at `place`, with what was `found` before.
fn look<'h>(place: &Place, head: &Head<'h>, found: Found<Cow<'h, str>>) -> Result<Found<Cow<'h, str>>, Reject> {
    let one_more = |found: Found<Cow<'h, str>>, token: String| found.with(Found::Token(token.into()));
    match place {
        Place::Header { name, scheme } => match head.headers.get(name) {
            Some(Cow::Borrowed(lines)) => in_lines(lines, scheme, found, Cow::Borrowed),
            Some(Cow::Owned(lines)) => in_lines(&lines, scheme, found, |token| Cow::Owned(token.to_owned())),
            None => Ok(found),
        },
        Place::Cookie(name) => cookies(head.headers, name).try_fold(found, one_more),
        // A parameter without a value is no token.
        Place::Query(name) => parameters(head.url, name).filter(|value| !value.is_empty()).try_fold(found, one_more),
    }
}

/// What is found in the lines of one header, with what was `found` before.
fn in_lines<'l, 'h>(
    lines: &'l str,
    scheme: &str,
    found: Found<Cow<'h, str>>,
    keep: impl Fn(&'l str) -> Cow<'h, str>,
) -> Result<Found<Cow<'h, str>>, Reject> {
    match plain(lines, scheme) {
        Some(token) => found.with(Found::Token(keep(token))),
        None => in_parts(lines, scheme, found, keep),
    }
}

/// The token of a header as nearly every request has it, one scheme and one token and nothing else: found without asking of each letter
/// whether it is one. Whatever is not that plain, [`in_parts`] judges, which finds the same.
fn plain<'l>(line: &'l str, scheme: &str) -> Option<&'l str> {
    let (word, rest) = line.split_at_checked(scheme.len())?;
    let token = rest.strip_prefix(' ')?;
    let known = word.eq_ignore_ascii_case(scheme) && is_one_word(scheme) && is_one_word(token);
    known.then_some(token)
}

/// Whether all of `text`, and there is some, is of ASCII above the comma, where there is neither white space nor what separates lines. Eight
/// bytes at a time: none has to be less, and none to have its highest bit, or the difference has such a bit.
fn is_one_word(text: &str) -> bool {
    const LEAST: u64 = u64::from_ne_bytes([b',' + 1; 8]);
    const HIGHEST_BITS: u64 = u64::from_ne_bytes([0x80; 8]);
    let (eights, rest) = text.as_bytes().as_chunks();
    let good = |eight: &[u8; 8]| {
        let bytes = u64::from_ne_bytes(*eight);
        (bytes.wrapping_sub(LEAST) | bytes) & HIGHEST_BITS == 0
    };
    !text.is_empty() && eights.iter().all(good) && rest.iter().all(|byte| (b',' + 1..0x80).contains(byte))
}

/// Several lines of one header arrive joined with commas, which no token and no scheme contains.
fn in_parts<'l, 'h>(
    lines: &'l str,
    scheme: &str,
    mut found: Found<Cow<'h, str>>,
    keep: impl Fn(&'l str) -> Cow<'h, str>,
) -> Result<Found<Cow<'h, str>>, Reject> {
    let mut after_other = false;
    for part in lines.split(',').map(str::trim) {
        // `Digest username="…", realm="…"`: what follows a comma belongs to the other scheme still.
        if after_other && !part.contains(' ') && part.contains('=') {
            continue;
        }
        let candidate = in_header(part, scheme)?;
        after_other = candidate == Found::OtherScheme;
        found = found.with(candidate.map(&keep))?;
    }
    Ok(found)
}

fn in_header<'l>(value: &'l str, scheme: &str) -> Result<Found<&'l str>, Reject> {
    let malformed = || Err(Reject::new(Code::MalformedAuthorization));
    let mut words = value.split_ascii_whitespace();
    let (first, second, third) = (words.next(), words.next(), words.next());
    match (first, second, third) {
        (None, ..) => Ok(Found::Nothing),
        (Some(token), None, _) if scheme.is_empty() => Ok(Found::Token(token)),
        (Some(word), Some(token), None) if !scheme.is_empty() && word.eq_ignore_ascii_case(scheme) => {
            Ok(Found::Token(token))
        }
        (Some(word), ..) if !scheme.is_empty() && word.eq_ignore_ascii_case(scheme) => malformed(),
        // `Authorization: eyJ…` without its scheme is a mistake; `Authorization: Basic …` is somebody else's credential.
        (Some(_), None, _) => malformed(),
        _ if scheme.is_empty() => malformed(),
        _ => Ok(Found::OtherScheme),
    }
}

/// All values of one cookie (RFC 6265 section 4.2.1). Browsers send several of one name for different paths.
fn cookies<'n>(headers: &dyn Headers, name: &'n str) -> impl Iterator<Item = String> + use<'n> {
    let line = headers.get("cookie").unwrap_or_default();
    let pairs: Vec<(String, String)> = line
        .split([';', ','])
        .filter_map(|pair| pair.trim().split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().trim_matches('"').to_owned()))
        .collect();
    pairs.into_iter().filter(move |(known, value)| known == name && !value.is_empty()).map(|(_, value)| value)
}

/// All values of one query parameter.
pub(crate) fn parameters<'n>(url: &str, name: &'n str) -> impl Iterator<Item = String> + use<'n> {
    let query = Target::parse(url).map_or("", |target| target.query);
    let pairs: Vec<(Vec<u8>, Vec<u8>)> = query
        .strip_prefix('?')
        .unwrap_or_default()
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect();
    pairs
        .into_iter()
        .filter(move |(known, _)| known == name.as_bytes())
        .map(|(_, value)| String::from_utf8_lossy(&value).into_owned())
}

/// All values of one query parameter as forms write them, where `+` is a space.
pub(crate) fn form_values<'n>(url: &str, name: &'n str) -> impl Iterator<Item = String> + use<'n> {
    let spaced = match url.split_once('?') {
        Some((path, query)) => format!("{path}?{}", query.replace('+', "%20")),
        None => url.to_owned(),
    };
    parameters(&spaced, name)
}

/// The query, which starts with `?` unless it is empty, without the parameter `name`, everything else byte for byte.
pub fn without_parameter(query: &str, name: &str) -> String {
    let Some(query) = query.strip_prefix('?') else { return query.to_owned() };
    let kept: Vec<&str> =
        query.split('&').filter(|pair| decode(pair.split('=').next().unwrap_or(pair)) != name.as_bytes()).collect();
    if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) }
}

/// A `Cookie` line without the cookie `name`; `None` where nothing is left. What [`find`] finds behind a comma, where two lines were
/// joined, is taken off there too.
pub fn without_cookie(line: &str, name: &str) -> Option<String> {
    let kept: Vec<String> = line.split(';').filter_map(|pairs| without_pair(pairs, name)).collect();
    (!kept.is_empty()).then(|| kept.join("; "))
}

fn without_pair(pairs: &str, name: &str) -> Option<String> {
    let mut taken = false;
    let mut kept = Vec::new();
    for (index, part) in pairs.split(',').enumerate() {
        // A comma may also stand in a value, and what follows it goes with its pair then.
        if index == 0 || part.contains('=') {
            taken = part.split('=').next().map(str::trim) == Some(name);
        }
        if !taken {
            kept.push(part);
        }
    }
    let kept = kept.join(",").trim().to_owned();
    (!kept.is_empty()).then_some(kept)
}

#[cfg(test)]
mod tests;
