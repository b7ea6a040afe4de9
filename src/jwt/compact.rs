//! The compact serialization (RFC 7515 section 7.1), split and decoded, not yet trusted.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::claims::Claims;
use super::error::TokenError;
use super::json;

/// A well-formed token. Nothing in it is verified.
#[derive(Debug)]
pub struct Compact<'t> {
    /// What is signed: header and payload as they came, with the dot between.
    pub(super) signing_input: &'t str,
    /// The header.
    pub(super) header: Header,
    /// The payload, to be read only for what picks the authorizer and for the clock.
    pub(super) payload: Claims,
    /// The signature's bytes.
    pub(super) signature: Vec<u8>,
}

/// The members of a header (RFC 7515 section 4.1) that are used. `jku`, `jwk`, `x5u`, `x5c` and `b64` never are.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) alg: String,
    pub(super) kid: Option<String>,
    pub(super) typ: Option<String>,
}

impl<'t> Compact<'t> {
    /// Splits and decodes `token`, whose size the caller has judged.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] for anything but three base64url parts without padding, the first two being JSON objects with a string
    /// `alg`, and for `crit`, since no extension is understood (RFC 7515 section 4.1.11).
    pub fn parse(token: &'t str) -> Result<Self, TokenError> {
        let (signing_input, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = signing_input.split_once('.').ok_or(TokenError::Malformed)?;
        let header = Header::parse(&decode(header)?)?;
        // A fourth part would leave a dot here, which the alphabet does not have.
        let payload = json::object(&decode(payload)?).map_err(|_| TokenError::Malformed)?;
        Ok(Self { signing_input, header, payload: Claims::new(payload), signature: decode(signature)? })
    }

    /// The issuer that the token names, for picking an authorizer. Not verified.
    pub fn claimed_issuer(&self) -> Option<&str> {
        self.payload.get("iss").and_then(Value::as_str)
    }
}

impl Header {
    fn parse(bytes: &[u8]) -> Result<Self, TokenError> {
        let mut members = json::object(bytes).map_err(|_| TokenError::Malformed)?;
        if members.contains_key("crit") {
            return Err(TokenError::Malformed);
        }
        let mut text = |name: &str| match members.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(TokenError::Malformed),
        };
        Ok(Self { alg: text("alg")?.ok_or(TokenError::Malformed)?, kid: text("kid")?, typ: text("typ")? })
    }
}

/// base64url without padding, whose unused trailing bits are zero (RFC 7515 section 2, RFC 4648 section 3.5).
fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, payload: &str) -> String {
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn only_three_strict_parts_are_a_token() {
        let good = token(r#"{"alg":"HS256"}"#, "{}");
        let (head, sig) = good.rsplit_once('.').unwrap();
        assert!(Compact::parse(&good).is_ok());
        for (name, token) in [
            ("two parts", head.to_owned()),
            ("four parts", format!("{good}.c2ln")),
            ("five parts", format!("{good}.c2ln.c2ln")),
            ("padding", format!("{head}.c2k=")),
            ("trailing bits", format!("{head}.c2l")),
            ("one letter", format!("{head}.c")),
            ("standard alphabet", format!("{head}.c+/n")),
            ("white space", format!("{head}. {sig}")),
            ("line end", format!("{good}\n")),
            ("empty header", ".e30.c2ln".into()),
            ("empty payload", "eyJhbGciOiJIUzI1NiJ9..c2ln".into()),
            ("empty", String::new()),
            ("dots", "..".into()),
            ("not ASCII", format!("{head}.é")),
        ] {
            assert_eq!(Compact::parse(&token).err(), Some(TokenError::Malformed), "{name}");
        }
    }

    #[test]
    fn headers_with_crit_or_odd_members_are_refused() {
        for (name, header) in [
            ("crit", r#"{"alg":"HS256","crit":["exp"]}"#),
            ("crit empty", r#"{"alg":"HS256","crit":[]}"#),
            ("crit null", r#"{"alg":"HS256","crit":null}"#),
            ("no alg", r#"{"typ":"JWT"}"#),
            ("alg a list", r#"{"alg":["HS256"]}"#),
            ("alg null", r#"{"alg":null}"#),
            ("kid a number", r#"{"alg":"HS256","kid":1}"#),
            ("typ an object", r#"{"alg":"HS256","typ":{}}"#),
            ("alg twice", r#"{"alg":"HS256","alg":"none"}"#),
            ("a list", "[]"),
        ] {
            assert_eq!(Compact::parse(&token(header, "{}")).err(), Some(TokenError::Malformed), "{name}");
        }
    }
}
