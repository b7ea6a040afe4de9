//! The header of a JSON Web Signature (RFC 7515 section 4).

use serde_json::Value;

use super::alg::Algorithm;
use super::error::TokenError;
use super::json;

/// The members of a header that are used. `jku`, `jwk`, `x5u`, `x5c` and `b64` never are.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// `alg`; none: it is no algorithm that is known here.
    pub(super) algorithm: Option<Algorithm>,
    pub(super) kid: Option<String>,
    pub(super) typ: Option<String>,
}

impl Header {
    /// Reads a decoded header.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] for anything but one JSON object as [`json::object`] has it, with a string `alg`; for a `kid` or `typ` that is
    /// no string; and for `crit`, since no extension is understood (RFC 7515 section 4.1.11).
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, TokenError> {
        Self::plain(bytes).or_else(|| Self::any(bytes)).ok_or(TokenError::Malformed)
    }

    /// The short way for what nearly all issuers write: `alg`, `kid` and `typ`, once each, without escapes and space. What it does not take is for
    /// [`Self::any`] to judge, which would say the same of what it takes.
    fn plain(bytes: &[u8]) -> Option<Self> {
        if !bytes.iter().all(|byte| matches!(byte, b' '..=b'~') && *byte != b'\\') {
            return None;
        }
        let (mut alg, mut kid, mut typ) = (None, None, None);
        let mut parts = str::from_utf8(bytes).ok()?.split('"');
        let mut before = parts.next()?;
        if before != "{" {
            return None;
        }
        while before != "}" {
            let (name, colon, value) = (parts.next()?, parts.next()?, parts.next()?);
            let member = match name {
                "alg" => &mut alg,
                "kid" => &mut kid,
                "typ" => &mut typ,
                _ => return None,
            };
            if colon != ":" || member.replace(value).is_some() {
                return None;
            }
            before = parts.next().filter(|end| matches!(*end, "," | "}"))?;
        }
        if parts.next().is_some() {
            return None;
        }
        Some(Self { algorithm: Algorithm::named(alg?), kid: kid.map(str::to_owned), typ: typ.map(str::to_owned) })
    }

    fn any(bytes: &[u8]) -> Option<Self> {
        let mut members = json::object(bytes).ok()?;
        if members.contains_key("crit") {
            return None;
        }
        let mut text = |name: &str| match members.remove(name) {
            None => Some(None),
            Some(Value::String(text)) => Some(Some(text)),
            Some(_) => None,
        };
        Some(Self { algorithm: Algorithm::named(&text("alg")??), kid: text("kid")?, typ: text("typ")? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn members_that_are_not_used_may_be_anything_but_ambiguous() {
        let deep = format!(r#"{{"alg":"HS256","a":{}{}}}"#, "[".repeat(16), "]".repeat(16));
        for (name, header, good) in [
            ("plain", r#"{"alg":"HS256","typ":"JWT"}"#, true),
            ("in any order", r#"{"kid":"k","x":1,"typ":"JWT","alg":"HS256"}"#, true),
            ("by escapes", r#"{"\u0061lg":"HS\u0032\u0035\u0036"}"#, true),
            ("space around", " {\"alg\" : \"HS256\"}\n", true),
            ("unknown ones", r#"{"alg":"HS256","jku":"https://e","x5c":["a",{"b":null}],"b64":true,"n":1.5}"#, true),
            ("an unknown one twice", r#"{"alg":"HS256","a":1,"a":1}"#, false),
            ("alg twice", r#"{"alg":"HS256","alg":"HS256"}"#, false),
            ("alg twice by escape", r#"{"alg":"HS256","\u0061lg":"HS256"}"#, false),
            ("kid twice", r#"{"alg":"HS256","kid":"a","kid":"a"}"#, false),
            ("typ twice", r#"{"alg":"HS256","typ":"a","typ":"a"}"#, false),
            ("twice inside", r#"{"alg":"HS256","jwk":{"a":1,"a":1}}"#, false),
            ("nested too deep", &deep, false),
            ("something behind", r#"{"alg":"HS256"}{}"#, false),
            ("a string behind", r#"{"alg":"HS256"}"a""#, false),
            ("cut short", r#"{"alg":"HS256""#, false),
            ("a comma at the end", r#"{"alg":"HS256",}"#, false),
            ("a colon too many", r#"{"alg"::"HS256"}"#, false),
            ("no alg", r#"{"typ":"JWT"}"#, false),
        ] {
            assert_eq!(Header::parse(header.as_bytes()).is_ok(), good, "{name}");
        }
    }

    #[test]
    fn what_most_issuers_write_goes_the_short_way() {
        for header in [
            r#"{"alg":"HS256","typ":"JWT"}"#,
            r#"{"typ":"JWT","alg":"RS256","kid":"key 1"}"#,
            r#"{"alg":"ES256","typ":"at+jwt","kid":""}"#,
            r#"{"alg":"none"}"#,
        ] {
            assert!(Header::plain(header.as_bytes()).is_some(), "{header}");
        }
    }

    proptest! {
        #[test]
        fn the_short_way_says_what_the_long_one_does(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    "{", "{", "}", "}", "\"", "\"", "\"alg\":\"HS256\"", "\"kid\":\"k\"", "\"typ\":\"\"", "\"alg\":\"none\"", ",", ",", ":",
                    "\"crit\":[]", "\"a\":1", "\\", "\\u0061", " ", "é", "\u{7f}", "\n", "{\"alg\":\"RS256\"", "\"alg\"", "}\"", "\":\"",
                ]),
                0..7,
            ),
        ) {
            let text = parts.concat();
            if let Some(header) = Header::plain(text.as_bytes()) {
                prop_assert_eq!(Some(header), Header::any(text.as_bytes()), "{}", text);
            }
        }

        #[test]
        fn one_byte_of_a_header_changed_means_the_same_to_both_ways(at in 0..64_usize, byte: u8) {
            let mut bytes = br#"{"alg":"RS256","kid":"2026-01","typ":"JWT"}"#.to_vec();
            let length = bytes.len();
            bytes[at % length] = byte;
            if let Some(header) = Header::plain(&bytes) {
                prop_assert_eq!(Some(header), Header::any(&bytes), "{:?}", String::from_utf8_lossy(&bytes));
            }
        }
    }
}
