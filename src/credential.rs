//! Where a token is on a request, and what to make of several.

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
pub enum Found {
    /// No credential for this authorizer.
    Nothing,
    /// A header that is set, but with the credential of another scheme: no token, and worth telling apart where one is needed.
    OtherScheme,
    /// Exactly one.
    Token(String),
}

/// Looks at all `places`. Equal copies count once.
///
/// # Errors
/// `ambiguous_token` for two different tokens, `malformed_authorization` for a scheme without a token or with more than one word.
pub fn find(places: &[Place], head: &Head<'_>) -> Result<Found, Reject> {
    let mut found = Found::Nothing;
    for place in places {
        for candidate in look(place, head)? {
            found = match (found, candidate) {
                (Found::Token(one), Found::Token(other)) if one != other => {
                    return Err(Reject::new(Code::AmbiguousToken));
                }
                (Found::Token(one), _) | (_, Found::Token(one)) => Found::Token(one),
                (Found::OtherScheme, _) | (_, Found::OtherScheme) => Found::OtherScheme,
                (Found::Nothing, Found::Nothing) => Found::Nothing,
            };
        }
    }
    Ok(found)
}

fn look(place: &Place, head: &Head<'_>) -> Result<Vec<Found>, Reject> {
    match place {
        Place::Header { name, scheme } => {
            let Some(value) = head.headers.get(name) else { return Ok(Vec::new()) };
            // Several lines of one header arrive joined with commas, which no token and no scheme contains.
            let mut found = Vec::new();
            for part in value.split(',').map(str::trim) {
                // `Digest username="…", realm="…"`: what follows a comma belongs to the other scheme still.
                let goes_on = found.last() == Some(&Found::OtherScheme) && !part.contains(' ') && part.contains('=');
                if !goes_on {
                    found.push(in_header(part, scheme)?);
                }
            }
            Ok(found)
        }
        Place::Cookie(name) => Ok(cookies(head.headers, name).map(Found::Token).collect()),
        Place::Query(name) => Ok(parameters(head.url, name).map(Found::Token).collect()),
    }
}

fn in_header(value: &str, scheme: &str) -> Result<Found, Reject> {
    let malformed = || Err(Reject::new(Code::MalformedAuthorization));
    let mut words = value.split_ascii_whitespace();
    let (first, second, third) = (words.next(), words.next(), words.next());
    match (first, second, third) {
        (None, ..) => Ok(Found::Nothing),
        (Some(token), None, _) if scheme.is_empty() => Ok(Found::Token(token.to_owned())),
        (Some(word), Some(token), None) if !scheme.is_empty() && word.eq_ignore_ascii_case(scheme) => {
            Ok(Found::Token(token.to_owned()))
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
        .filter(move |(known, value)| known == name.as_bytes() && !value.is_empty())
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
