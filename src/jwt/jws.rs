//! A JSON Web Signature in the compact serialization (RFC 7515 section 7.1): split and decoded, whatever its payload, and its signature
//! judged.
//!
//! A token is one whose payload is an object of claims: [`super::compact::Compact`].

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::alg::{Algorithm, Family};
use super::error::TokenError;
use super::header::Header;
use super::keys::Keys;
use crate::time::UnixTime;

/// A well-formed signature with what it is over. Nothing in it is verified.
#[derive(Debug)]
pub struct Jws<'t> {
    /// What is signed: header and payload as they came, with the dot between.
    signing_input: &'t str,
    /// The header.
    pub(super) header: Header,
    /// The payload's bytes.
    pub(super) payload: Vec<u8>,
    /// The signature's bytes.
    signature: Vec<u8>,
}

impl<'t> Jws<'t> {
    /// Splits and decodes `token`, whose size the caller has judged.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] for anything but three base64url parts without padding, and for a header that [`Header::parse`] refuses.
    pub fn parse(token: &'t str) -> Result<Self, TokenError> {
        let (signing_input, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = signing_input.split_once('.').ok_or(TokenError::Malformed)?;
        let header = Header::parse(&decode(header)?)?;
        // A fourth part would leave a dot here, which the alphabet does not have.
        Ok(Self { signing_input, header, payload: decode(payload)?, signature: decode(signature)? })
    }

    /// The algorithm that it names. Whether that one is allowed is for the caller to say.
    pub fn algorithm(&self) -> Result<Algorithm, TokenError> {
        self.header.algorithm.ok_or(TokenError::UnsupportedAlgorithm)
    }

    /// Judges the signature, which has to be of `allowed`, with the keys that fit it. The time is for secrets that count for a while.
    ///
    /// # Errors
    /// [`TokenError::UnknownKey`] where no key fits, [`TokenError::InvalidSignature`] where none of those that do made the signature.
    pub fn verify_signature(&self, allowed: Algorithm, keys: Keys<'_>, now: UnixTime) -> Result<(), TokenError> {
        let algorithm = self.algorithm()?;
        if algorithm != allowed {
            return Err(TokenError::AlgorithmNotAllowed);
        }
        let kid = self.header.kid.as_deref();
        let message = self.signing_input.as_bytes();
        let mut tried = false;
        match keys {
            Keys::Secrets(secrets) => {
                // No other family has anything to do with a shared secret, whatever the policy allows.
                let fits = algorithm.family() == Family::Hmac;
                for secret in secrets.iter().filter(|secret| fits && secret.counts(kid, now)) {
                    tried = true;
                    if secret.key.verify(algorithm.hash(), message, &self.signature) {
                        return Ok(());
                    }
                }
            }
            Keys::Public(set) => {
                for key in set.candidates(kid, algorithm) {
                    tried = true;
                    if key.verify(algorithm, message, &self.signature) {
                        return Ok(());
                    }
                }
            }
        }
        Err(if tried { TokenError::InvalidSignature } else { TokenError::UnknownKey })
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
    fn only_three_strict_parts_are_a_signature() {
        let good = token(r#"{"alg":"HS256"}"#, "{}");
        let (head, sig) = good.rsplit_once('.').unwrap();
        assert!(Jws::parse(&good).is_ok());
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
            ("empty", String::new()),
            ("dots", "..".into()),
            ("not ASCII", format!("{head}.é")),
        ] {
            assert_eq!(Jws::parse(&token).err(), Some(TokenError::Malformed), "{name}");
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
            assert_eq!(Jws::parse(&token(header, "{}")).err(), Some(TokenError::Malformed), "{name}");
        }
    }
}
