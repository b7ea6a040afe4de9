//! Claims (RFC 7519 section 4) and the rules for them.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::error::TokenError;
use crate::time::UnixTime;

/// The members of a payload. A clone shares them.
#[derive(Clone, Debug, Default)]
pub struct Claims(Arc<Map<String, Value>>);

/// When claims count: their dates, in seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Times {
    exp: Option<f64>,
    nbf: Option<f64>,
    iat: Option<f64>,
}

/// Which claims an authorizer insists on.
#[derive(Clone, Debug)]
pub struct ClaimRules {
    /// Accepted `iss`, exactly; none: not looked at.
    pub issuers: Vec<String>,
    /// Accepted `aud`; none: not looked at.
    pub audiences: Vec<String>,
    /// Whether all audiences are needed, not one.
    pub all_audiences: bool,
    /// Leeway for `exp`, `nbf` and `iat`, in seconds.
    pub skew: f64,
    /// Whether a token must end.
    pub require_exp: bool,
    /// The most that `exp - iat` may be, in seconds.
    pub max_lifetime: Option<f64>,
    /// The most that `now - iat` may be, in seconds.
    pub max_age: Option<f64>,
    /// Claims that must be there.
    pub required: Vec<String>,
    /// Claims that must have one of some values.
    pub fixed: Vec<(String, Vec<Value>)>,
}

impl Default for ClaimRules {
    fn default() -> Self {
        Self {
            issuers: Vec::new(),
            audiences: Vec::new(),
            all_audiences: false,
            skew: 30.0,
            require_exp: true,
            max_lifetime: None,
            max_age: None,
            required: Vec::new(),
            fixed: Vec::new(),
        }
    }
}

impl Claims {
    /// The members of a payload.
    pub fn new(members: Map<String, Value>) -> Self {
        Self(Arc::new(members))
    }

    /// A claim by its exact name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A claim by its exact name or, where there is none, along the dots of `path` (`realm_access.roles`). `null` is as good as absent.
    pub fn find(&self, path: &str) -> Option<&Value> {
        fn along<'v>(members: &'v Map<String, Value>, path: &str) -> Option<&'v Value> {
            members.get(path).or_else(|| {
                // A name may hold dots itself (`https://example.com/roles.list`), so every split is tried, the shortest first.
                path.match_indices('.').find_map(|(dot, _)| {
                    let (name, rest) = (path.get(..dot)?, path.get(dot + 1..)?);
                    along(members.get(name)?.as_object()?, rest)
                })
            })
        }
        along(&self.0, path).filter(|value| !value.is_null())
    }

    /// All of them.
    pub fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    /// When they count.
    fn times(&self) -> Result<Times, TokenError> {
        Ok(Times { exp: self.date("exp")?, nbf: self.date("nbf")?, iat: self.date("iat")? })
    }

    /// A `NumericDate` (RFC 7519 section 2): a JSON number, finite.
    fn date(&self, name: &str) -> Result<Option<f64>, TokenError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Number(number)) => match number.as_f64() {
                Some(seconds) if seconds.is_finite() => Ok(Some(seconds)),
                _ => Err(TokenError::InvalidClaim(name.into())),
            },
            Some(_) => Err(TokenError::InvalidClaim(name.into())),
        }
    }
}

impl ClaimRules {
    /// Refuses a token that is past, before its signature costs anything.
    pub(super) fn check_expiry(&self, claims: &Claims, now: UnixTime) -> Result<(), TokenError> {
        self.check_end(claims.date("exp")?, now)
    }

    /// `exp` fails at equality (RFC 7519 section 4.1.4: "on or after").
    fn check_end(&self, exp: Option<f64>, now: UnixTime) -> Result<(), TokenError> {
        match exp {
            Some(exp) if now.as_numeric_date() - self.skew >= exp => Err(TokenError::Expired),
            None if self.require_exp => Err(TokenError::MissingClaim("exp".into())),
            Some(_) | None => Ok(()),
        }
    }

    /// All the rest, for claims whose signature is good. Of what they say only the times can be judged otherwise later: [`Self::check_times`].
    pub(super) fn check(&self, claims: &Claims, now: UnixTime) -> Result<Times, TokenError> {
        let times = claims.times()?;
        self.check_times(times, now)?;
        self.check_issuer(claims)?;
        self.check_audience(claims)?;
        for name in &self.required {
            if claims.find(name).is_none() {
                return Err(TokenError::MissingClaim(name.clone()));
            }
        }
        for (name, values) in &self.fixed {
            match claims.find(name) {
                None => return Err(TokenError::MissingClaim(name.clone())),
                Some(value) if !values.contains(value) => return Err(TokenError::InvalidClaim(name.clone())),
                Some(_) => {}
            }
        }
        Ok(times)
    }

    /// Judges claims by the clock.
    pub(super) fn check_times(&self, Times { exp, nbf, iat }: Times, now: UnixTime) -> Result<(), TokenError> {
        self.check_end(exp, now)?;
        let now = now.as_numeric_date();
        if nbf.is_some_and(|nbf| nbf > now + self.skew) {
            return Err(TokenError::NotYetValid);
        }
        if iat.is_some_and(|iat| iat > now + self.skew) {
            return Err(TokenError::NotYetValid);
        }
        let issued = || iat.ok_or_else(|| TokenError::MissingClaim("iat".into()));
        if let Some(max_age) = self.max_age
            && now - issued()? > max_age + self.skew
        {
            return Err(TokenError::TooOld);
        }
        if let Some(max_lifetime) = self.max_lifetime {
            let exp = exp.ok_or_else(|| TokenError::MissingClaim("exp".into()))?;
            if exp - issued()? > max_lifetime {
                return Err(TokenError::LifetimeTooLong);
            }
        }
        Ok(())
    }

    fn check_issuer(&self, claims: &Claims) -> Result<(), TokenError> {
        if self.issuers.is_empty() {
            return Ok(());
        }
        match claims.get("iss") {
            None => Err(TokenError::MissingClaim("iss".into())),
            Some(Value::String(issuer)) if self.issuers.contains(issuer) => Ok(()),
            Some(Value::String(_)) => Err(TokenError::InvalidIssuer),
            Some(_) => Err(TokenError::InvalidClaim("iss".into())),
        }
    }

    /// `aud` is a string or a list of strings (RFC 7519 section 4.1.3).
    fn check_audience(&self, claims: &Claims) -> Result<(), TokenError> {
        if self.audiences.is_empty() {
            return Ok(());
        }
        let odd = || TokenError::InvalidClaim("aud".into());
        let meant_for: Vec<&str> = match claims.get("aud") {
            None => return Err(TokenError::MissingClaim("aud".into())),
            Some(Value::String(audience)) => vec![audience],
            Some(Value::Array(list)) => list.iter().map(Value::as_str).collect::<Option<_>>().ok_or_else(odd)?,
            Some(_) => return Err(odd()),
        };
        let meets = |wanted: &String| meant_for.contains(&wanted.as_str());
        let good = if self.all_audiences { self.audiences.iter().all(meets) } else { self.audiences.iter().any(meets) };
        if good { Ok(()) } else { Err(TokenError::InvalidAudience) }
    }
}

#[cfg(test)]
mod tests;
