//! Consumers and their credentials, as KV and the configuration hold them.
//!
//! The stored forms have a version, and are documented in docs/consumers.md. What does not parse refuses that one credential.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::config::wire::Encoding;
use crate::digest;
use crate::forward::breaks_header;
use crate::jwt::alg::{Algorithm, Family};
use crate::jwt::json;
use crate::jwt::key::{HmacKey, PublicKey};
use crate::jwt::keys::{Keys, Secret};
use crate::jwt::keyset::KeySet;
use crate::jwt::pem;
use crate::time::{UnixTime, Window};

/// The KV namespace of credentials, unless `binding` names another.
pub const NAMESPACE: &str = "CONSUMERS";

/// The version of what is stored.
const VERSION: u64 = 1;

/// The most rounds of a password's hash, which are the most that `WebCrypto` takes on this platform too. They take a tenth of a second, in
/// which the isolate does nothing else.
const MAX_ROUNDS: u32 = 100_000;

/// Who a credential belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// The id, which never changes.
    pub id: String,
    /// The name.
    pub username: String,
    /// What the credential is called: the `iss` of its tokens, the first digits of its hash, the user name.
    pub credential: String,
}

/// A credential with its consumer and the times at which it counts.
#[derive(Debug)]
pub struct Credential<T> {
    /// Whose it is.
    pub consumer: Consumer,
    /// What proves it.
    pub proof: T,
    /// When it counts.
    pub window: Window,
}

/// What tokens of a consumer are signed with.
#[derive(Debug)]
pub struct SigningKey {
    /// The one algorithm.
    pub algorithm: Algorithm,
    keys: SigningKeys,
}

#[derive(Debug)]
enum SigningKeys {
    Secret(Box<[Secret; 1]>),
    Public(KeySet),
}

/// What a password is held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordHash {
    /// SHA-256, for passwords that a machine has made: at least 128 random bits.
    Sha256([u8; 32]),
    /// PBKDF2 with HMAC-SHA-256 (RFC 8018 section 5.2), for those that a person has made.
    Pbkdf2 {
        /// Rounds.
        rounds: u32,
        /// Salt.
        salt: Vec<u8>,
        /// What comes out.
        hash: [u8; 32],
    },
}

impl<T> Credential<T> {
    /// Reads a stored credential that is called `name`; `proof` reads its own part.
    fn read(
        text: &str,
        name: &str,
        proof: impl FnOnce(&Map<String, Value>) -> Result<T, String>,
    ) -> Result<Self, String> {
        let stored = json::object(text.as_bytes()).map_err(|_| "it is no JSON object".to_owned())?;
        if stored.get("version").and_then(Value::as_u64) != Some(VERSION) {
            return Err(format!("its `version` is not {VERSION}"));
        }
        let consumer = stored.get("consumer").and_then(Value::as_object).ok_or("it has no `consumer`")?;
        let member = |member: &str| {
            let text = consumer.get(member).and_then(Value::as_str).filter(|text| is_header_text(text));
            text.map(str::to_owned).ok_or_else(|| format!("its `consumer` has no `{member}` that can be a header"))
        };
        let consumer = Consumer { id: member("id")?, username: member("username")?, credential: name.to_owned() };
        Ok(Self {
            consumer,
            proof: proof(&stored)?,
            window: Window { not_before: time(&stored, "not_before")?, not_after: time(&stored, "not_after")? },
        })
    }
}

impl Credential<SigningKey> {
    /// The key of tokens that name `name` (`credential:NAME` in KV).
    ///
    /// # Errors
    /// What is wrong with the record, for the log.
    pub fn signing_key(text: &str, name: &str) -> Result<Self, String> {
        Self::read(text, name, |stored| {
            let text = |name: &str| stored.get(name).and_then(Value::as_str);
            let algorithm = text("algorithm").and_then(Algorithm::named).ok_or("it has no known `algorithm`")?;
            let keys = match (algorithm.family(), text("secret"), text("public_key"), stored.get("jwk")) {
                (Family::Hmac, Some(secret), None, None) => {
                    let bytes =
                        stored_secret(secret, text("secret_encoding")).ok_or("its `secret` is not in its encoding")?;
                    let key = HmacKey::new(&bytes).map_err(|why| format!("its `secret`: {why}"))?;
                    SigningKeys::Secret(Box::new([Secret { kid: None, key, window: Window::default() }]))
                }
                (Family::Hmac, ..) => return Err("an HS algorithm needs a `secret` and no public key".into()),
                (_, None, Some(pem), None) => {
                    let key = pem::public_key(pem).map_err(|why| format!("its `public_key`: {why}"))?;
                    SigningKeys::Public(KeySet::single(key))
                }
                (_, None, None, Some(Value::Object(jwk))) => {
                    let key = PublicKey::from_jwk(jwk).map_err(|why| format!("its `jwk`: {why}"))?;
                    SigningKeys::Public(KeySet::single(key))
                }
                _ => return Err("it needs one of `public_key` and `jwk`, and no `secret`".into()),
            };
            Ok(SigningKey { algorithm, keys })
        })
    }
}

impl SigningKey {
    /// The key, for a token.
    pub fn keys(&self) -> Keys<'_> {
        match &self.keys {
            SigningKeys::Secret(secret) => Keys::Secrets(secret.as_slice()),
            SigningKeys::Public(set) => Keys::Public(set),
        }
    }
}

impl Credential<()> {
    /// An API key that is called `name` (`api-key:SHA256` in KV).
    ///
    /// # Errors
    /// What is wrong with the record, for the log.
    pub fn api_key(text: &str, name: &str) -> Result<Self, String> {
        Self::read(text, name, |_| Ok(()))
    }
}

impl Credential<PasswordHash> {
    /// The password of the user `name` (`password:NAME` in KV).
    ///
    /// # Errors
    /// What is wrong with the record, for the log.
    pub fn password(text: &str, name: &str) -> Result<Self, String> {
        Self::read(text, name, |stored| {
            let hash = stored.get("password_hash").and_then(Value::as_str).ok_or("it has no `password_hash`")?;
            Ok(PasswordHash::parse(hash)?)
        })
    }
}

impl PasswordHash {
    /// `sha256:HEX`, or `pbkdf2-sha256:ROUNDS:SALT:HASH` with salt and hash in base64.
    ///
    /// # Errors
    /// What it has to be, as a phrase.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let parsed = match text.split_once(':') {
            Some(("sha256", rest)) => hex(rest).map(Self::Sha256),
            Some(("pbkdf2-sha256", rest)) => {
                let (rounds, rest) = rest.split_once(':').unwrap_or_default();
                let many =
                    rounds.len() <= 20 && rounds.parse::<u128>().is_ok_and(|rounds| rounds > u128::from(MAX_ROUNDS));
                if many {
                    return Err(
                        "a password's hash has 100000 rounds at most: they take a tenth of a second, and more would be too long for a Worker",
                    );
                }
                Self::pbkdf2(rounds, rest)
            }
            _ => None,
        };
        parsed.ok_or(
            "a password's hash is `sha256:HEX` or `pbkdf2-sha256:ROUNDS:SALT:HASH`, with salt and hash in base64",
        )
    }

    fn pbkdf2(rounds: &str, rest: &str) -> Option<Self> {
        let rounds = rounds.parse().ok().filter(|rounds| (1..=MAX_ROUNDS).contains(rounds))?;
        let (salt, hash) = rest.split_once(':')?;
        let hash = STANDARD.decode(hash).ok()?.try_into().ok()?;
        Some(Self::Pbkdf2 { rounds, salt: STANDARD.decode(salt).ok()?, hash })
    }

    /// How often it hashes.
    pub const fn rounds(&self) -> u32 {
        match self {
            Self::Sha256(_) => 1,
            Self::Pbkdf2 { rounds, .. } => *rounds,
        }
    }

    /// Whether `password` is the one.
    pub fn fits(&self, password: &[u8]) -> bool {
        let (computed, hash): ([u8; 32], _) = match self {
            Self::Sha256(hash) => (Sha256::digest(password).into(), hash),
            Self::Pbkdf2 { rounds, salt, hash } => match pbkdf2(password, salt, *rounds) {
                Some(computed) => (computed, hash),
                None => return false,
            },
        };
        // Both are hashes, so how far they agree tells nothing of the password; no shortcut all the same.
        computed.iter().zip(hash).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
    }
}

/// The first block of PBKDF2 (RFC 8018 section 5.2), which is all that a hash of 32 bytes has.
fn pbkdf2(password: &[u8], salt: &[u8], rounds: u32) -> Option<[u8; 32]> {
    let keyed: Hmac<Sha256> = KeyInit::new_from_slice(password).ok()?;
    let mut block: [u8; 32] =
        keyed.clone().chain_update(salt).chain_update(1_u32.to_be_bytes()).finalize().into_bytes().into();
    let mut sum = block;
    for _ in 1..rounds {
        block = keyed.clone().chain_update(block).finalize().into_bytes().into();
        sum.iter_mut().zip(block).for_each(|(sum, byte)| *sum ^= byte);
    }
    Some(sum)
}

/// The bytes of a stored `secret` with its `secret_encoding`; none where it is not written so.
pub fn stored_secret(secret: &str, encoding: Option<&str>) -> Option<Vec<u8>> {
    let encoding = match encoding {
        None | Some("utf8") => Encoding::Utf8,
        Some("base64") => Encoding::Base64,
        Some("base64url") => Encoding::Base64url,
        Some("hex") => Encoding::Hex,
        Some(_) => return None,
    };
    secret_bytes(secret, encoding)
}

/// The bytes of a secret as it is written; `None` where it is not written so.
pub fn secret_bytes(text: &str, encoding: Encoding) -> Option<Vec<u8>> {
    match encoding {
        Encoding::Utf8 => Some(text.as_bytes().to_vec()),
        Encoding::Base64 => STANDARD.decode(text).ok(),
        Encoding::Base64url => URL_SAFE_NO_PAD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok(),
        Encoding::Hex => {
            let digits: Option<Vec<u8>> =
                text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
            let (pairs, rest) = digits.as_ref()?.as_chunks::<2>();
            rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
        }
    }
}

/// A hash in 64 hexadecimal digits.
pub(crate) fn hex(text: &str) -> Option<[u8; 32]> {
    secret_bytes(text, Encoding::Hex)?.try_into().ok()
}

/// What an API key is found by.
pub fn api_key_hash(key: &str) -> String {
    digest::sha256(key)
}

/// Whether a text can be the value of a header that an upstream gets.
pub(crate) fn is_header_text(text: &str) -> bool {
    !text.is_empty() && !breaks_header(text)
}

/// A time in seconds since 1970.
fn time(stored: &Map<String, Value>, name: &str) -> Result<Option<UnixTime>, String> {
    match stored.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64() {
            Some(seconds) => Ok(Some(UnixTime::from_seconds(seconds))),
            None => Err(format!("its `{name}` is no time in whole seconds")),
        },
    }
}
