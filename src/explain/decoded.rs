//! What is in a token, for reading. Nothing is verified.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::{Map, Value};

use super::moment::in_words;
use crate::time::UnixTime;

/// Claims that are times (RFC 7519 section 4.1, OpenID Connect Core sections 2 and 5.1).
const TIMES: [&str; 5] = ["exp", "nbf", "iat", "auth_time", "updated_at"];

/// The readable parts of a token.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Decoded {
    /// The first part.
    pub header: Vec<Member>,
    /// The second part.
    pub claims: Vec<Member>,
}

/// A member of one of them.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its value as JSON.
    pub value: String,
    /// What it means, where that is a time.
    pub words: Option<String>,
}

/// The parts of `token` that can be read; none where it has none.
pub fn decoded(token: &str, now: UnixTime) -> Option<Decoded> {
    let (header, claims) = (part(token, 0), part(token, 1));
    if header.is_none() && claims.is_none() {
        return None;
    }
    let members = |part: Option<Map<String, Value>>| {
        part.into_iter().flatten().map(|(name, value)| {
            let time = value.as_f64().filter(|_| TIMES.contains(&name.as_str()));
            let words = time.map(|seconds| in_words(seconds, now.as_numeric_date()));
            Member { name, value: format!("{value:#}"), words }
        })
    };
    Some(Decoded { header: members(header).collect(), claims: members(claims).collect() })
}

/// A part of a token, also where it is in a base64 that no gateway takes: it is to be read by people.
pub(super) fn part(token: &str, number: usize) -> Option<Map<String, Value>> {
    let part = token.split('.').nth(number)?;
    let bytes = URL_SAFE_NO_PAD.decode(part).or_else(|_| STANDARD_NO_PAD.decode(part.trim_end_matches('='))).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, SECONDS, SECRET, hs};
    use serde_json::json;

    #[test]
    fn members_are_shown_and_times_are_told_in_words() {
        let claims = json!({"sub": "<b>", "exp": SECONDS - 40, "iat": "yesterday", "n": {"exp": 1}});
        let token = hs(SECRET, &json!({"alg": "HS256"}), &claims);
        let told = decoded(&token, NOW).unwrap();
        let rows: Vec<_> = told.claims.iter().map(|m| (m.name.as_str(), m.value.as_str(), m.words.is_some())).collect();
        let exp = (SECONDS - 40).to_string();
        assert_eq!(
            rows,
            [
                ("exp", exp.as_str(), true),
                ("iat", "\"yesterday\"", false),
                ("n", "{\n  \"exp\": 1\n}", false),
                ("sub", "\"<b>\"", false)
            ]
        );
        assert!(told.claims[0].words.as_deref().unwrap().ends_with(" UTC — 40 s ago"));
        assert_eq!(told.header[0].value, "\"HS256\"");
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        for (name, token, header, claims) in [
            ("opaque", "abc", None, None),
            ("empty", "", None, None),
            ("the header alone", "e30.x.y", Some(0), Some(0)),
            ("claims with padding", "x.eyJhIjoxfQ==.z", Some(0), Some(1)),
            ("a list", "W10.W10.z", None, None),
        ] {
            let told = decoded(token, NOW);
            assert_eq!(told.as_ref().map(|told| told.header.len()), header, "{name}");
            assert_eq!(told.as_ref().map(|told| told.claims.len()), claims, "{name}");
        }
    }
}
