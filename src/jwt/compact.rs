//! A token in the compact serialization: a signature over claims, split and decoded, not yet trusted.

use serde_json::Value;

use super::alg::Algorithm;
use super::claims::Claims;
use super::error::TokenError;
use super::json;
use super::jws::Jws;

/// A well-formed token. Nothing in it is verified.
#[derive(Debug)]
pub struct Compact<'t> {
    /// Header and signature, and what is signed.
    pub(super) jws: Jws<'t>,
    /// The payload, to be read only for what picks the authorizer and for the clock.
    pub(super) payload: Claims,
}

impl<'t> Compact<'t> {
    /// Splits and decodes `token`, whose size the caller has judged.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] where [`Jws::parse`] says so, and for a payload that is no JSON object.
    pub fn parse(token: &'t str) -> Result<Self, TokenError> {
        let mut jws = Jws::parse(token)?;
        let payload = json::object(&std::mem::take(&mut jws.payload)).map_err(|_| TokenError::Malformed)?;
        Ok(Self { jws, payload: Claims::new(payload) })
    }

    /// The issuer that the token names, for picking an authorizer. Not verified.
    pub fn claimed_issuer(&self) -> Option<&str> {
        self.payload.get("iss").and_then(Value::as_str)
    }

    /// All that it claims. Not verified: for words about it alone.
    pub(crate) const fn unverified(&self) -> &Claims {
        &self.payload
    }

    /// The algorithm that its header names, where that is a known one, its `kid` and its `typ`. Not verified.
    pub(crate) fn header(&self) -> (Option<Algorithm>, Option<&str>, Option<&str>) {
        let header = &self.jws.header;
        (header.algorithm, header.kid.as_deref(), header.typ.as_deref())
    }

    /// Whether the token has this claim at all. Not verified.
    pub fn has_claim(&self, claim: &str) -> bool {
        self.payload.get(claim).is_some()
    }

    /// What the token names its credential by: a claim, or else `kid` of its header. Not verified.
    pub fn names_credential(&self, claim: &str) -> Option<&str> {
        let named = self.payload.get(claim).and_then(Value::as_str);
        let name = named.or_else(|| if claim == "kid" { self.jws.header.kid.as_deref() } else { None });
        name.filter(|name| !name.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    #[test]
    fn a_signature_over_anything_but_a_json_object_is_no_token() {
        for (name, payload) in [
            ("empty", ""),
            ("text", "foo"),
            ("a string", r#""foo""#),
            ("a list", "[]"),
            ("a number", "7"),
            ("null", "null"),
            ("cut short", r#"{"sub":"u""#),
            ("something behind", "{}{}"),
            ("a claim twice", r#"{"sub":"u","sub":"v"}"#),
        ] {
            let token = format!("eyJhbGciOiJIUzI1NiJ9.{}.c2ln", URL_SAFE_NO_PAD.encode(payload));
            assert!(Jws::parse(&token).is_ok(), "{name}");
            assert_eq!(Compact::parse(&token).err(), Some(TokenError::Malformed), "{name}");
        }
        assert!(Compact::parse("eyJhbGciOiJIUzI1NiJ9.e30.c2ln").is_ok());
    }

    #[test]
    fn what_is_no_signature_is_no_token() {
        for token in ["", "..", "e30.e30.c2ln", "eyJhbGciOiJIUzI1NiJ9.e30", "eyJhbGciOiJIUzI1NiJ9.e30.c2ln.c2ln"] {
            assert_eq!(Compact::parse(token).err(), Some(TokenError::Malformed), "{token:?}");
        }
    }
}
