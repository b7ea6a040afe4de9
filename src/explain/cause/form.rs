//! Tokens that are none, by what became of them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};

use super::{Cause, cause};
use crate::explain::evidence::Evidence;
use crate::jwt::json;

/// What the parts are called.
const PARTS: [&str; 3] = ["first part, the header,", "second part, the claims,", "third part, the signature,"];

/// What the letters of base64url are, for a fix.
const COPY: &str = "copy it anew, whole and unchanged, from where it was issued";

pub(super) fn malformed_token(evidence: &Evidence<'_>) -> Cause {
    let token = evidence.token.as_deref().unwrap_or_default();
    let parts: Vec<&str> = token.split('.').collect();
    as_text(token).or_else(|| of_parts(evidence, &parts)).unwrap_or_else(|| inside(evidence, &parts))
}

/// What the text shows before it is taken apart.
fn as_text(token: &str) -> Option<Cause> {
    let lower = token.to_ascii_lowercase();
    Some(match lower.as_str() {
        "undefined" | "null" | "none" | "nil" | "nan" | "true" | "false" => cause(
            format!("the token is the word `{token}`: the client had none when it sent the request"),
            "see why its variable is empty: not logged in yet, another name, or an answer that was not awaited",
        ),
        _ if lower.starts_with(['$', '{']) && !lower.starts_with("{\"")
            || lower.starts_with('<') && !lower.contains('.') =>
        {
            cause(
                format!("`{token}` is a placeholder that nothing has filled in"),
                "put the token there; a shell replaces variables in double quotes, not in single ones",
            )
        }
        _ if lower.starts_with('{') => cause(
            "the provider's whole answer is where the token should be",
            "send the text of its `access_token` alone",
        ),
        _ if lower.starts_with(['"', '\'', '“', '”', '„', '‘', '’', '«']) => {
            cause("the token is in quotes", "send it without them")
        }
        _ if lower.starts_with('<') => cause("the token is in angle brackets", "send it without them"),
        // base64 of `eyJ`.
        _ if token.starts_with("ZXlK") => {
            cause("it was put into base64 once more: a token is base64url already", "send it as the provider issued it")
        }
        _ if lower.starts_with("bearer") => cause(
            "`Bearer` stands before the token where the token alone is wanted",
            "leave it away there: only the header `authorization` has it",
        ),
        _ if lower.contains("...") || lower.contains('…') => {
            cause("it was shortened for display: there are dots in its place", COPY)
        }
        _ if lower.contains('%') => cause("it is URL-encoded: it has `%`", "decode it once before it is sent"),
        _ if lower.contains('\\') => cause(
            "it has a backslash: an escape such as `\\n` was sent as two letters",
            "send it without line breaks and escapes",
        ),
        _ if lower.contains(char::is_whitespace) => {
            cause("it has white space in it", "take the line breaks and spaces out of it")
        }
        _ => return None,
    })
}

/// What the number of parts shows.
fn of_parts(evidence: &Evidence<'_>, parts: &[&str]) -> Option<Cause> {
    // What begins so is base64 of `{"`, which a token's header begins with.
    let begins = parts.first().is_some_and(|first| first.starts_with("ey") || evidence.header.is_some());
    let again = parts.iter().skip(1).filter(|part| part.contains("eyJhbGci")).count();
    Some(match parts.len() {
        3 => return None,
        5 if again == 0 => cause(
            "it is encrypted (JWE), which only its addressee can read",
            "have the provider issue signed tokens (JWS): for Auth0, name the API's `audience` in the request",
        ),
        _ if again > 0 => cause("two tokens were joined", "send one of them"),
        1 | 2 if begins => cause(
            format!("it was cut off: it has {} of three parts", parts.len()),
            "copy it whole; a variable or a column that is too short cuts it too",
        ),
        _ if !begins => cause(
            "it is an opaque token, not a JSON Web Token",
            "ask the provider for a JWT access token; Auth0 gives one where the request names an `audience`",
        ),
        count => cause(format!("it has {count} parts, and a token has three"), COPY),
    })
}

/// What each of three parts shows.
fn inside(evidence: &Evidence<'_>, parts: &[&str]) -> Cause {
    if parts.iter().any(|part| part.contains('=')) {
        return cause("it is padded with `=`", "encode it as base64url without padding (RFC 7515 section 2)");
    }
    if parts.iter().any(|part| part.contains(['+', '/'])) {
        return cause("it is base64, not base64url", "write `-` for `+` and `_` for `/` (RFC 7515 section 2)");
    }
    if evidence.header.as_ref().is_some_and(|header| header.contains_key("crit")) {
        return cause("its header has `crit`, and no extension is understood", "have the provider leave `crit` out");
    }
    for (part, name) in parts.iter().zip(PARTS) {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(part) else {
            let odd = part.chars().find(|letter| !letter.is_ascii_alphanumeric() && !matches!(letter, '-' | '_'));
            return match odd {
                // By its number too, since some cannot be seen: U+200B comes with what is copied from pages.
                Some(odd) if !odd.is_ascii() => {
                    cause(format!("its {name} has `{odd}` (U+{:04X}), which base64url has not", u32::from(odd)), COPY)
                }
                Some(odd) => cause(format!("its {name} has `{odd}`, which base64url has not"), COPY),
                None => cause(format!("its {name} was cut off: its letters make no whole bytes"), COPY),
            };
        };
        if name == PARTS[2] {
            break;
        }
        if let Err(error) = json::object(&bytes) {
            return match repeated(&bytes) {
                Some(twice) => cause(
                    format!("its {name} has `{twice}` twice, and readers differ on which counts"),
                    "have the signer write each name once",
                ),
                None => cause(
                    format!("its {name} is no JSON object in base64url ({error})"),
                    "see whether the signer writes JSON, and whether the token was cut off or changed on the way",
                ),
            };
        }
    }
    let header = |name: &str| evidence.header.as_ref().and_then(|header| header.get(name));
    for name in ["alg", "kid", "typ"] {
        if let Some(value) = header(name).filter(|value| !value.is_string()) {
            return cause(
                format!("`{name}` in its header is {value}, and it is a text (RFC 7515 section 4.1)"),
                "have the signer write it in quotes",
            );
        }
    }
    cause("its header has no `alg`", "have the signer name the algorithm (RFC 7515 section 4.1.1)")
}

/// The first member name that an object has twice, if that is what is wrong with it.
fn repeated(bytes: &[u8]) -> Option<String> {
    struct Names(Option<String>);
    impl<'de> Visitor<'de> for &mut Names {
        type Value = ();

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            let mut seen = Vec::new();
            while let Some((name, _)) = map.next_entry::<String, IgnoredAny>()? {
                if seen.contains(&name) && self.0.is_none() {
                    self.0 = Some(name.clone());
                }
                seen.push(name);
            }
            Ok(())
        }
    }
    let mut names = Names(None);
    serde_json::Deserializer::from_slice(bytes).deserialize_map(&mut names).ok()?;
    names.0
}
