//! What an authorizer accepts, and the steps of accepting it.

use super::alg::{Algorithm, Family};
use super::claims::{ClaimRules, Claims, Times};
use super::compact::Compact;
use super::error::TokenError;
use super::keys::Keys;
use crate::time::UnixTime;

/// What an authorizer accepts.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// What may sign; none: whatever fits the keys, and keys are public ones.
    pub algorithms: Option<Vec<Algorithm>>,
    /// Accepted `typ` headers, without `application/` and in lower case (RFC 7515 section 4.1.9); none: any but those of other tokens.
    pub types: Vec<String>,
    /// What the claims must say.
    pub rules: ClaimRules,
}

/// Types of tokens that an issuer signs for something else than access, often with the same key, audience and subject (RFC 8725 section 3.11). A
/// policy takes them where it names them.
const OTHERS: [&str; 7] = [
    "client-authentication+jwt",
    "dpop+jwt",
    "kb+jwt",
    "logout+jwt",
    "oauth-authz-req+jwt",
    "secevent+jwt",
    "token-introspection+jwt",
];

/// A token whose header, type and end are in order. Its signature is not checked.
#[derive(Debug)]
pub struct Admitted<'p, 't, 'c> {
    policy: &'p Policy,
    token: &'c Compact<'t>,
    algorithm: Algorithm,
}

/// The claims of a token that passed every check of its policy.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(Default))]
pub struct Verified {
    claims: Claims,
    times: Times,
}

impl Verified {
    /// What a credential that is no token says: nothing.
    pub(crate) fn without_claims() -> Self {
        Self { claims: Claims::default(), times: Times::default() }
    }

    /// The claims.
    pub const fn claims(&self) -> &Claims {
        &self.claims
    }
}

impl Policy {
    /// Judges all that needs no key: algorithm, type, `exp`. So a token that is past costs no signature check and no fetch.
    pub fn admit<'p, 't, 'c>(
        &'p self,
        token: &'c Compact<'t>,
        now: UnixTime,
    ) -> Result<Admitted<'p, 't, 'c>, TokenError> {
        let algorithm = token.jws.algorithm()?;
        let allowed = match &self.algorithms {
            Some(algorithms) => algorithms.contains(&algorithm),
            // A public key is never a shared secret: HS256 "signed" with the text of an RSA key ends here.
            None => algorithm.family() != Family::Hmac,
        };
        if !allowed {
            return Err(TokenError::AlgorithmNotAllowed);
        }
        if self.types.is_empty() {
            let is_other = |typ: &&str| typ.len() > 4 && OTHERS.contains(&normal_type(typ).as_str());
            if token.jws.header.typ.as_deref().as_ref().is_some_and(is_other) {
                return Err(TokenError::WrongType);
            }
        } else {
            let typ = token.jws.header.typ.as_deref().map(normal_type).ok_or(TokenError::WrongType)?;
            if !self.types.contains(&typ) {
                return Err(TokenError::WrongType);
            }
        }
        self.rules.check_expiry(&token.payload, now)?;
        Ok(Admitted { policy: self, token, algorithm })
    }

    /// Judges claims again that this policy accepted before, by the clock as it is now: neither they nor the rest of its rules can have changed.
    pub(crate) fn judge_again(&self, verified: &Verified, now: UnixTime) -> Result<(), TokenError> {
        self.rules.check_times(verified.times, now)
    }
}

impl Admitted<'_, '_, '_> {
    /// The algorithm that its header names.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Judges the signature, then the claims.
    ///
    /// # Errors
    /// [`TokenError::UnknownKey`] where no key fits, which newer keys may change; anything else is final.
    pub fn verify(&self, keys: Keys<'_>, now: UnixTime) -> Result<Verified, TokenError> {
        self.token.jws.verify_signature(self.algorithm, keys, now)?;
        let times = self.policy.rules.check(&self.token.payload, now)?;
        Ok(Verified { claims: self.token.payload.clone(), times })
    }
}

/// `typ` as it is compared: without case and without `application/` (RFC 7515 section 4.1.9).
pub fn normal_type(typ: &str) -> String {
    let lower = typ.to_ascii_lowercase();
    lower.strip_prefix("application/").map_or(lower.clone(), str::to_owned)
}

#[cfg(test)]
mod tests;
