//! Keys, and the signatures they judge.

mod ec;
mod ed;
mod hmac;
mod rsa;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

pub use self::ec::EcKey;
pub use self::ed::EdKey;
pub use self::hmac::{HmacKey, InvalidSecret};
pub use self::rsa::RsaKey;
use super::alg::{Algorithm, Curve, Family, Hash};

/// Members of a JWK that are nobody's business but the signer's (RFC 7518 sections 6.2.2 and 6.3.2, RFC 8037 section 2).
const PRIVATE_MEMBERS: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];

/// A public key.
#[derive(Clone, Debug)]
pub enum PublicKey {
    /// RSA: PKCS1-v1_5 and PSS.
    Rsa(RsaKey),
    /// An elliptic curve of NIST's: ECDSA.
    Ec(EcKey),
    /// Ed25519: EdDSA.
    Ed(EdKey),
}

/// Why a key is not used.
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
    /// An RSA exponent that is even, under 65537 or over 33 bits.
    Exponent,
    /// A point that is not on its curve, or of small order.
    Point,
    /// `use` or `key_ops` say it is not for signatures.
    Purpose,
}

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "a member is missing or not what it should be",
            Self::Symmetric => "it is a shared secret, which has no place among public keys",
            Self::Private => "it has private parts, and so it is no secret any more",
            Self::Unsupported => "it is of a kind that cannot be used",
            Self::Size => "an RSA key has 2048 to 8192 bits",
            Self::Exponent => "its exponent is even, under 65537 or too large",
            Self::Point => "its point is not on the curve, or of small order",
            Self::Purpose => "its `use` or `key_ops` say that it is not for signatures",
        })
    }
}

impl PublicKey {
    /// From a JSON Web Key (RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2).
    pub fn from_jwk(jwk: &Map<String, Value>) -> Result<Self, InvalidKey> {
        match text(jwk, "kty")? {
            "oct" => Err(InvalidKey::Symmetric),
            _ if PRIVATE_MEMBERS.iter().any(|name| jwk.contains_key(*name)) => Err(InvalidKey::Private),
            "RSA" => RsaKey::new(&bytes(jwk, "n")?, &bytes(jwk, "e")?).map(Self::Rsa),
            "EC" => {
                let curve = Curve::named(text(jwk, "crv")?).ok_or(InvalidKey::Unsupported)?;
                EcKey::new(curve, &bytes(jwk, "x")?, &bytes(jwk, "y")?).map(Self::Ec)
            }
            "OKP" if text(jwk, "crv")? == "Ed25519" => EdKey::new(&bytes(jwk, "x")?).map(Self::Ed),
            _ => Err(InvalidKey::Unsupported),
        }
    }

    /// As a JSON Web Key, without `kid` and `alg`.
    pub fn to_jwk(&self) -> Map<String, Value> {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let jwk = match self {
            Self::Rsa(key) => json!({ "kty": "RSA", "n": encode(&key.modulus()), "e": encode(&key.exponent()) }),
            Self::Ec(key) => {
                let (x, y) = key.coordinates();
                json!({ "kty": "EC", "crv": key.curve().name(), "x": encode(&x), "y": encode(&y) })
            }
            Self::Ed(key) => json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(key.bytes()) }),
        };
        if let Value::Object(members) = jwk { members } else { Map::new() }
    }

    /// Whether it can judge signatures of `algorithm`.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        match (self, algorithm.family()) {
            (Self::Rsa(_), Family::RsaPkcs1 | Family::RsaPss) | (Self::Ed(_), Family::EdDsa) => true,
            (Self::Ec(key), Family::Ecdsa(curve)) => key.curve() == curve,
            _ => false,
        }
    }

    /// Whether `signature` is over `message`. An algorithm that does not fit is no.
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let hash = algorithm.hash();
        match (self, algorithm.family()) {
            (Self::Rsa(key), Family::RsaPkcs1) => key.verify_pkcs1(hash, &hash.digest(message), signature),
            (Self::Rsa(key), Family::RsaPss) => key.verify_pss(hash, &hash.digest(message), signature),
            (Self::Ec(key), Family::Ecdsa(curve)) if key.curve() == curve => {
                key.verify(&hash.digest(message), signature)
            }
            (Self::Ed(key), Family::EdDsa) => key.verify(message, signature),
            _ => false,
        }
    }
}

impl Hash {
    fn digest(self, message: &[u8]) -> Vec<u8> {
        use sha2::{Digest, Sha256, Sha384, Sha512};
        match self {
            Self::Sha256 => Sha256::digest(message).to_vec(),
            Self::Sha384 => Sha384::digest(message).to_vec(),
            Self::Sha512 => Sha512::digest(message).to_vec(),
        }
    }
}

fn text<'j>(jwk: &'j Map<String, Value>, member: &str) -> Result<&'j str, InvalidKey> {
    jwk.get(member).and_then(Value::as_str).ok_or(InvalidKey::Malformed)
}

/// A `Base64urlUInt` or other base64url member (RFC 7518 section 2).
fn bytes(jwk: &Map<String, Value>, member: &str) -> Result<Vec<u8>, InvalidKey> {
    let decoded = URL_SAFE_NO_PAD.decode(text(jwk, member)?).map_err(|_| InvalidKey::Malformed)?;
    if decoded.is_empty() { Err(InvalidKey::Malformed) } else { Ok(decoded) }
}

#[cfg(test)]
mod tests;
