//! Tokens that are taken back before their end: by their `jti`, by their `sub`, or all that were issued before some time.
//!
//! Each is a record in KV, so that a list of any length costs a request one read of three keys, which the isolate remembers for a while.
//! docs/consumers.md has the stored form.

use serde_json::Value;

use crate::jwt::claims::Claims;
use crate::jwt::json;
use crate::records::{Looked, RecordKey, Records};
use crate::reject::{Code, Reject};
use crate::time::UnixTime;

/// The KV namespace of revocations, unless `revocation.binding` names another.
pub const NAMESPACE: &str = "REVOCATIONS";

/// The version of what is stored.
const VERSION: u64 = 1;

/// Where an authorizer's revocations are, and what to do where they cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The KV namespace.
    pub binding: String,
    /// Whether tokens pass while KV is away.
    pub fail_open: bool,
    /// How long a record is remembered, in milliseconds.
    pub ttl_ms: u64,
}

/// What a record takes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What<'w> {
    /// All tokens of an authorizer.
    All,
    /// The token with this `jti`.
    Token(&'w str),
    /// The tokens of this `sub`.
    Subject(&'w str),
}

impl What<'_> {
    /// Where its record is, for the authorizer that keys call `label`.
    pub fn key(self, binding: &str, label: &str) -> RecordKey {
        let key = match self {
            Self::All => format!("revoked:{label}:all"),
            Self::Token(jti) => format!("revoked:{label}:jti:{jti}"),
            Self::Subject(sub) => format!("revoked:{label}:sub:{sub}"),
        };
        RecordKey::new(binding, key)
    }
}

/// Whether a record is one of revocations, by its name.
#[cfg(feature = "explain")]
pub(crate) fn is_revocation(key: &RecordKey) -> bool {
    key.key.starts_with("revoked:")
}

/// What is known of a token.
#[derive(Debug, PartialEq, Eq)]
pub enum Revoked {
    /// It is good still.
    No,
    /// These records have to be read first.
    Needs(Vec<RecordKey>),
}

impl Revocation {
    /// Whether a token with these claims, of the authorizer that keys call `label`, was taken back.
    ///
    /// # Errors
    /// `token_revoked`, or `keys_unavailable` where KV is away and that is to refuse.
    pub fn judge(&self, label: &str, claims: &Claims, records: &Records, now: UnixTime) -> Result<Revoked, Reject> {
        let mut needed = Vec::new();
        for (by, key) in self.keys(label, claims) {
            match records.look(&key, self.ttl_ms, now) {
                Looked::Absent => {}
                Looked::Unknown => needed.push(key),
                Looked::Unbound => return Err(key.unbound()),
                Looked::Failing if self.fail_open => {}
                Looked::Failing => return Err(key.unreadable("revocations")),
                Looked::Text(text, _) => {
                    if takes_back(text, claims).map_err(|why| {
                        // Without what the key ends in, which may be somebody's name.
                        let why = format!("a revocation of {label} in {} cannot be used: {why}", self.binding);
                        Reject::new(Code::TokenRevoked).because(why)
                    })? {
                        return Err(Reject::new(Code::TokenRevoked).because(format!("a revocation of {label} by {by}")));
                    }
                }
            }
        }
        Ok(if needed.is_empty() { Revoked::No } else { Revoked::Needs(needed) })
    }

    /// The records that say something of a token, each with what of it they go by.
    fn keys(&self, label: &str, claims: &Claims) -> Vec<(&'static str, RecordKey)> {
        // Some providers number their users, though RFC 7519 section 4.1.2 wants a text.
        let text = |name: &str| match claims.get(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let (token, subject) = (text("jti"), text("sub"));
        let all = [
            ("its time", Some(What::All)),
            ("its `jti`", token.as_deref().map(What::Token)),
            ("its `sub`", subject.as_deref().map(What::Subject)),
        ];
        all.into_iter().filter_map(|(by, what)| Some((by, what?.key(&self.binding, label)))).collect()
    }
}

/// Whether a record takes back a token with these claims: with `before`, those issued earlier and those that do not say when.
fn takes_back(text: &str, claims: &Claims) -> Result<bool, &'static str> {
    let stored = json::object(text.as_bytes()).map_err(|_| "it is no JSON object")?;
    if stored.get("version").and_then(Value::as_u64) != Some(VERSION) {
        return Err("its version is another");
    }
    match stored.get("before") {
        None | Some(Value::Null) => Ok(true),
        Some(before) => {
            let before = before.as_f64().ok_or("its `before` is no number")?;
            Ok(claims.get("iat").and_then(Value::as_f64).is_none_or(|issued| issued < before))
        }
    }
}
