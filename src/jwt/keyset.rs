//! A set of public keys (RFC 7517 section 5), and which of them may judge a token.

use std::fmt;

use serde_json::{Map, Value, json};

use super::alg::Algorithm;
use super::json;
use super::key::{InvalidKey, PublicKey};
use super::pem;

/// Most keys a set may have. The largest set of a known provider has under 20; each key costs memory and, without `kid`, time.
pub const MAX_KEYS: usize = 100;

/// Most keys tried for a token that names none.
const MAX_CANDIDATES: usize = 4;

/// The usable keys of a key set, and what was wrong with the others.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<SetKey>,
    /// Whether it is one key of the configuration, which judges tokens with any `kid`.
    unnamed: bool,
    skipped: Vec<(Option<String>, InvalidKey)>,
}

#[derive(Clone, Debug)]
struct SetKey {
    kid: Option<String>,
    /// What the key itself says it is for; none: all of its family.
    alg: Option<Algorithm>,
    key: PublicKey,
}

/// Why a document is not a key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidKeySet {
    /// Not a JSON object with a list `keys`.
    NotAKeySet,
    /// More than [`MAX_KEYS`] keys.
    TooManyKeys,
    /// No key of it can be used.
    NoUsableKey,
}

impl fmt::Display for InvalidKeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAKeySet => f.write_str("it is neither a key set nor a map of certificates"),
            Self::TooManyKeys => write!(f, "it has more than {MAX_KEYS} keys"),
            Self::NoUsableKey => f.write_str("it has no key that can be used"),
        }
    }
}

impl KeySet {
    /// Reads a JWKS document. One odd key is passed over; the others work.
    pub fn parse(document: &[u8]) -> Result<Self, InvalidKeySet> {
        let document = json::object(document).map_err(|_| InvalidKeySet::NotAKeySet)?;
        match document.get("keys").and_then(Value::as_array) {
            Some(members) => Self::gather(members.len(), members.iter().map(SetKey::parse)),
            None if is_certificate_map(&document) => {
                let read = |(kid, pem): (&String, &Value)| SetKey::from_pem(kid, pem.as_str().unwrap_or_default());
                Self::gather(document.len(), document.iter().map(read))
            }
            None => Err(InvalidKeySet::NotAKeySet),
        }
    }

    /// Why `document`, which [`Self::parse`] refuses, is no set: each key that was skipped with its reason, or what it is instead.
    #[cfg(feature = "explain")]
    pub fn why_refused(document: &[u8]) -> Option<String> {
        let document = json::object(document).ok()?;
        if let Some(url) = document.get("jwks_uri").and_then(Value::as_str) {
            return Some(format!("it is a discovery document: its keys are what {url} serves"));
        }
        if document.contains_key("kty") {
            return Some("it is one key alone: a set is {\"keys\": [it]}".to_owned());
        }
        let skipped = document.get("keys")?.as_array()?.iter().filter_map(|member| SetKey::parse(member).err());
        let told: Vec<String> = skipped
            .map(|(kid, why)| format!("{}: {why}", kid.map_or_else(|| "a key".to_owned(), |kid| format!("`{kid}`"))))
            .collect();
        (!told.is_empty()).then(|| told.join("; "))
    }

    /// A set of one key without a name, which judges any token.
    pub fn single(key: PublicKey) -> Self {
        Self { keys: vec![SetKey { kid: None, alg: None, key }], unnamed: true, skipped: Vec::new() }
    }

    fn gather(
        count: usize,
        keys: impl Iterator<Item = Result<SetKey, (Option<String>, InvalidKey)>>,
    ) -> Result<Self, InvalidKeySet> {
        if count > MAX_KEYS {
            return Err(InvalidKeySet::TooManyKeys);
        }
        let mut set = Self::default();
        for key in keys {
            match key {
                Ok(key) => set.keys.push(key),
                Err(skipped) => set.skipped.push(skipped),
            }
        }
        if set.keys.is_empty() { Err(InvalidKeySet::NoUsableKey) } else { Ok(set) }
    }

    /// The set again, with the public members of its usable keys alone.
    pub fn to_jwks(&self) -> Value {
        json!({ "keys": self.keys.iter().map(SetKey::to_jwk).collect::<Vec<_>>() })
    }

    /// The members that are not used, by key id, and why.
    pub fn skipped(&self) -> &[(Option<String>, InvalidKey)] {
        &self.skipped
    }

    /// The keys that may judge a token with this `kid` and `algorithm`: the one it names or, if it names none, all that fit.
    pub(super) fn candidates<'s>(
        &'s self,
        kid: Option<&'s str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &'s PublicKey> {
        self.keys
            .iter()
            .filter(move |key| kid.is_none() || key.kid.as_deref() == kid || self.unnamed)
            .filter(move |key| key.key.fits(algorithm))
            .filter(move |key| key.alg.is_none_or(|alg| alg == algorithm))
            .map(|key| &key.key)
            .take(MAX_CANDIDATES)
    }
}

impl SetKey {
    fn parse(member: &Value) -> Result<Self, (Option<String>, InvalidKey)> {
        let kid = member.get("kid").and_then(Value::as_str).map(str::to_owned);
        Self::from_jwk(member, kid.clone()).map_err(|why| (kid, why))
    }

    fn from_jwk(member: &Value, kid: Option<String>) -> Result<Self, InvalidKey> {
        let jwk = member.as_object().ok_or(InvalidKey::Malformed)?;
        if jwk.get("kid").is_some_and(|kid| !kid.is_string()) {
            return Err(InvalidKey::Malformed);
        }
        let signs = jwk.get("use").is_none_or(|purpose| purpose == "sig");
        let verifies =
            jwk.get("key_ops").is_none_or(|ops| ops.as_array().is_some_and(|ops| ops.iter().any(|op| op == "verify")));
        if !signs || !verifies {
            return Err(InvalidKey::Purpose);
        }
        let key = PublicKey::from_jwk(jwk)?;
        let alg = match jwk.get("alg") {
            None => None,
            Some(Value::String(name)) => match Algorithm::named(name) {
                Some(alg) if key.fits(alg) => Some(alg),
                _ => return Err(InvalidKey::Unsupported),
            },
            Some(_) => return Err(InvalidKey::Malformed),
        };
        Ok(Self { kid, alg, key })
    }

    fn from_pem(kid: &str, pem: &str) -> Result<Self, (Option<String>, InvalidKey)> {
        let kid = Some(kid.to_owned());
        match pem::public_key(pem) {
            Ok(key) => Ok(Self { kid, alg: None, key }),
            Err(why) => Err((kid, why)),
        }
    }

    fn to_jwk(&self) -> Map<String, Value> {
        let mut jwk = self.key.to_jwk();
        let told = [("kid", self.kid.as_deref()), ("alg", self.alg.map(Algorithm::name))];
        jwk.extend(told.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))));
        jwk
    }
}

/// Whether a document is a map of key id to X.509 certificate, as Google's securetoken endpoint serves it.
fn is_certificate_map(document: &Map<String, Value>) -> bool {
    !document.is_empty()
        && document.values().all(|value| value.as_str().is_some_and(|pem| pem.trim_start().starts_with("-----BEGIN ")))
}
