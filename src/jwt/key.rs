//! Keys, and the signatures they judge.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::{BoxedUint, RsaPublicKey};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::alg::{Algorithm, Family, Hash};

/// RSA keys shorter than this can be factored (RFC 7518 section 3.3 sets the same floor); longer ones cost more time per token than a
/// gateway should let a key set decide.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The least public exponent: smaller ones make forgeries against careless padding checks possible.
const RSA_MIN_EXPONENT: u64 = 65537;

/// Members of a JWK that are nobody's business but the signer's (RFC 7518 sections 6.2.2 and 6.3.2).
const PRIVATE_MEMBERS: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];

/// A shared secret, ready for each of its hashes.
#[derive(Clone)]
pub struct HmacKey {
    sha256: Hmac<Sha256>,
    sha384: Hmac<Sha384>,
    sha512: Hmac<Sha512>,
}

/// A public key.
#[derive(Clone, Debug)]
pub enum PublicKey {
    /// RSA.
    Rsa(RsaPublicKey),
}

/// Why a member of a key set is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidKey {
    /// A needed member is absent or not what it should be.
    Malformed,
    /// A shared secret in a set of public keys.
    Symmetric,
    /// Private parts in a set of public keys.
    Private,
    /// Another kind of key than the gateway can use.
    Unsupported,
    /// An RSA modulus under 2048 or over 8192 bits.
    Size,
    /// An RSA exponent that is even or under 65537.
    Exponent,
    /// `use` or `key_ops` say it is not for signatures.
    Purpose,
}

impl HmacKey {
    /// From the secret's bytes. `None` for an empty secret, under which anybody could sign.
    pub fn new(secret: &[u8]) -> Option<Self> {
        if secret.is_empty() {
            return None;
        }
        Some(Self {
            sha256: KeyInit::new_from_slice(secret).ok()?,
            sha384: KeyInit::new_from_slice(secret).ok()?,
            sha512: KeyInit::new_from_slice(secret).ok()?,
        })
    }

    /// Whether `signature` is the whole code of `message`, found out in constant time.
    pub fn verify(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        fn check<M: Mac + Clone>(keyed: &M, message: &[u8], signature: &[u8]) -> bool {
            keyed.clone().chain_update(message).verify_slice(signature).is_ok()
        }
        match hash {
            Hash::Sha256 => check(&self.sha256, message, signature),
            Hash::Sha384 => check(&self.sha384, message, signature),
            Hash::Sha512 => check(&self.sha512, message, signature),
        }
    }
}

/// Never prints the secret.
impl std::fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HmacKey(…)")
    }
}

impl PublicKey {
    /// From a JSON Web Key (RFC 7517 section 4, RFC 7518 section 6.3.1).
    pub fn from_jwk(jwk: &Map<String, Value>) -> Result<Self, InvalidKey> {
        match jwk.get("kty").and_then(Value::as_str).ok_or(InvalidKey::Malformed)? {
            "oct" => Err(InvalidKey::Symmetric),
            _ if PRIVATE_MEMBERS.iter().any(|name| jwk.contains_key(*name)) => Err(InvalidKey::Private),
            "RSA" => Self::rsa(&bytes(jwk, "n")?, &bytes(jwk, "e")?),
            _ => Err(InvalidKey::Unsupported),
        }
    }

    /// From an RSA modulus and exponent, big-endian.
    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, InvalidKey> {
        let exponent = BoxedUint::from_be_slice_vartime(exponent);
        if exponent < BoxedUint::from(RSA_MIN_EXPONENT) {
            return Err(InvalidKey::Exponent);
        }
        let modulus = BoxedUint::from_be_slice_vartime(modulus);
        RsaPublicKey::new_with_size_limits(modulus, exponent, RSA_BITS).map(Self::Rsa).map_err(|error| match error {
            rsa::Error::ModulusTooSmall | rsa::Error::ModulusTooLarge => InvalidKey::Size,
            rsa::Error::PublicExponentTooLarge | rsa::Error::InvalidExponent => InvalidKey::Exponent,
            _ => InvalidKey::Malformed,
        })
    }

    /// The family of algorithms it is for.
    pub const fn family(&self) -> Family {
        match self {
            Self::Rsa(_) => Family::Rsa,
        }
    }

    /// Whether `signature` is over `message`. An algorithm of another family is no.
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match (self, algorithm.family()) {
            (Self::Rsa(key), Family::Rsa) => rsa_pkcs1(key, algorithm.hash(), message, signature),
            (Self::Rsa(_), Family::Hmac) => false,
        }
    }
}

/// RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2.2). The crate builds the encoding that must come out and compares the whole of it, so nothing
/// can hide behind the padding.
fn rsa_pkcs1(key: &RsaPublicKey, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
    let (scheme, digest) = match hash {
        Hash::Sha256 => (Pkcs1v15Sign::new::<Sha256>(), Sha256::digest(message).to_vec()),
        Hash::Sha384 => (Pkcs1v15Sign::new::<Sha384>(), Sha384::digest(message).to_vec()),
        Hash::Sha512 => (Pkcs1v15Sign::new::<Sha512>(), Sha512::digest(message).to_vec()),
    };
    key.verify(scheme, &digest, signature).is_ok()
}

/// A `Base64urlUInt` member (RFC 7518 section 2).
fn bytes(jwk: &Map<String, Value>, member: &str) -> Result<Vec<u8>, InvalidKey> {
    let text = jwk.get(member).and_then(Value::as_str).ok_or(InvalidKey::Malformed)?;
    URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| !bytes.is_empty()).ok_or(InvalidKey::Malformed)
}
