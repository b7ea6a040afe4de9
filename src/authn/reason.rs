//! What the log tells of a token that is refused, beside the code: what of it was judged, and by how much it is off.
//!
//! For the operator alone. Names, dates and who it is from and for, shortened, since nobody has vouched for them; never another claim's
//! value, a signature or a whole token.

use std::fmt::Write;

use serde_json::Value;

use super::Authorizer;
use crate::jwt::claims::Claims;
use crate::jwt::compact::Compact;
use crate::jwt::error::TokenError;
use crate::time::UnixTime;

/// Characters of a text out of a token that are told.
const MAX_CHARS: usize = 80;

/// What `authorizer` found, where there is more to say than the code and the claim do.
pub(super) fn of(error: &TokenError, token: &Compact<'_>, authorizer: &Authorizer, now: UnixTime) -> Option<String> {
    let rules = &authorizer.policy.rules;
    let claims = token.unverified();
    let (algorithm, kid, typ) = token.header();
    let past = |name: &str| seconds(claims, name).map(|then| whole(now.as_numeric_date() - then));
    let skew = whole(rules.skew);
    Some(match error {
        TokenError::Expired => format!("`exp` was {} s ago, and the skew is {skew} s", past("exp")?),
        TokenError::NotYetValid => {
            let ahead = |name| past(name).filter(|past| *past < -skew);
            let (name, past) = ["nbf", "iat"].into_iter().find_map(|name| Some((name, ahead(name)?)))?;
            format!("`{name}` is {} s ahead, and the skew is {skew} s", past.saturating_neg())
        }
        TokenError::TooOld => format!("`iat` was {} s ago, and {} s are allowed", past("iat")?, whole(rules.max_age?)),
        TokenError::LifetimeTooLong => {
            let lifetime = whole(seconds(claims, "exp")? - seconds(claims, "iat")?);
            format!("it lives for {lifetime} s, and {} s are allowed", whole(rules.max_lifetime?))
        }
        TokenError::AlgorithmNotAllowed => format!("`alg` is {}", algorithm?.name()),
        TokenError::UnknownKey | TokenError::InvalidSignature => {
            let kid = kid.map_or_else(|| "there is no `kid`".to_owned(), |kid| format!("`kid` is {}", quoted(kid)));
            format!("`alg` is {}, {kid}", algorithm?.name())
        }
        TokenError::WrongType => {
            typ.map_or_else(|| "there is no `typ`".to_owned(), |typ| format!("`typ` is {}", quoted(typ)))
        }
        TokenError::InvalidIssuer => format!("`iss` is {}", quoted(token.claimed_issuer()?)),
        TokenError::InvalidAudience => format!("`aud` is {}", listed(claims.get("aud")?)),
        TokenError::Malformed
        | TokenError::UnsupportedAlgorithm
        | TokenError::MissingClaim(_)
        | TokenError::InvalidClaim(_) => return None,
    })
}

fn seconds(claims: &Claims, name: &str) -> Option<f64> {
    claims.get(name).and_then(Value::as_f64)
}

/// A number of seconds as people read it.
#[expect(clippy::cast_possible_truncation, clippy::as_conversions, reason = "it saturates")]
const fn whole(seconds: f64) -> i64 {
    seconds as i64
}

/// A text out of a token.
fn quoted(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("\"{}…\"", text.get(..end).unwrap_or_default()),
        None => format!("\"{text}\""),
    }
}

/// A text, or the first few of a list.
fn listed(value: &Value) -> String {
    const MAX_TEXTS: usize = 3;
    let texts: Vec<&str> = match value {
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let mut told = texts.iter().take(MAX_TEXTS).map(|text| quoted(text)).collect::<Vec<_>>().join(", ");
    if texts.len() > MAX_TEXTS {
        let _ = write!(told, " and {} more", texts.len() - MAX_TEXTS);
    }
    told
}
