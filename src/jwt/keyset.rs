//! A set of public keys (RFC 7517 section 5), and which of them may judge a token.

use serde_json::{Map, Value, json};

use super::alg::Algorithm;
use super::json;
use super::key::{InvalidKey, PublicKey};

/// Most keys a set may have. The largest set of a known provider has under 20; each key costs memory and, without `kid`, time.
pub const MAX_KEYS: usize = 100;

/// Most keys tried for a token that names none.
const MAX_CANDIDATES: usize = 4;

/// The usable keys of a key set, and what was wrong with the others.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<SetKey>,
    skipped: Vec<(Option<String>, InvalidKey)>,
}

#[derive(Clone, Debug)]
struct SetKey {
    kid: Option<String>,
    /// What the key itself says it is for; none: all of its family.
    alg: Option<Algorithm>,
    key: PublicKey,
    /// The public members alone, for storage.
    jwk: Map<String, Value>,
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

impl KeySet {
    /// Reads a JWKS document. One odd key is passed over; the others work.
    pub fn parse(document: &[u8]) -> Result<Self, InvalidKeySet> {
        let document = json::object(document).map_err(|_| InvalidKeySet::NotAKeySet)?;
        let members = document.get("keys").and_then(Value::as_array).ok_or(InvalidKeySet::NotAKeySet)?;
        if members.len() > MAX_KEYS {
            return Err(InvalidKeySet::TooManyKeys);
        }
        let mut set = Self::default();
        for member in members {
            let kid = member.get("kid").and_then(Value::as_str).map(str::to_owned);
            match SetKey::parse(member, kid.clone()) {
                Ok(key) => set.keys.push(key),
                Err(why) => set.skipped.push((kid, why)),
            }
        }
        if set.keys.is_empty() { Err(InvalidKeySet::NoUsableKey) } else { Ok(set) }
    }

    /// The set again, with the public members of its usable keys alone.
    pub fn to_jwks(&self) -> Value {
        json!({ "keys": self.keys.iter().map(|key| &key.jwk).collect::<Vec<_>>() })
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
            .filter(move |key| kid.is_none() || key.kid.as_deref() == kid)
            .filter(move |key| key.key.family() == algorithm.family())
            .filter(move |key| key.alg.is_none_or(|alg| alg == algorithm))
            .map(|key| &key.key)
            .take(MAX_CANDIDATES)
    }
}

impl SetKey {
    fn parse(member: &Value, kid: Option<String>) -> Result<Self, InvalidKey> {
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
                Some(alg) if alg.family() == key.family() => Some(alg),
                _ => return Err(InvalidKey::Unsupported),
            },
            Some(_) => return Err(InvalidKey::Malformed),
        };
        let public = ["kty", "kid", "alg", "n", "e"];
        let jwk = public.iter().filter_map(|name| Some(((*name).to_owned(), jwk.get(*name)?.clone()))).collect();
        Ok(Self { kid, alg, key, jwk })
    }
}
