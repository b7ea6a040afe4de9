//! Private keys: made, read, and used to sign. The gateway has none of this; only people at a terminal sign.

use ed25519_dalek::SigningKey as EdSigningKey;
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use p256::ecdsa::signature::Signer;
use p256::elliptic_curve::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, LineEnding};
use portcullis::jwt::alg::{Algorithm, Curve, Family, Hash};
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::{Pkcs1v15Sign, Pss, RsaPrivateKey};
use sha2::{Digest, Sha256, Sha384, Sha512};

/// A private key.
pub(super) enum PrivateKey {
    Rsa(Box<RsaPrivateKey>),
    P256(p256::SecretKey),
    P384(p384::SecretKey),
    P521(p521::SecretKey),
    Ed(Box<EdSigningKey>),
}

/// Bytes of the system's randomness.
pub(super) fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| format!("the system has no randomness: {error}"))?;
    Ok(bytes)
}

/// A key of a curve: about every second draw is one for P-521, and nearly every for the others.
macro_rules! drawn {
    ($curve:ident, $bytes:literal, $top:literal) => {
        loop {
            let mut bytes = random::<$bytes>()?;
            if let Some(first) = bytes.first_mut() {
                *first &= $top;
            }
            if let Ok(key) = $curve::SecretKey::from_slice(&bytes) {
                break key;
            }
        }
    };
}

impl PrivateKey {
    /// A new key for `algorithm`, of this many bits where it is of RSA.
    pub(super) fn generate(algorithm: Algorithm, bits: usize) -> Result<Self, String> {
        Ok(match algorithm.family() {
            Family::Hmac => return Err(format!("{algorithm} has a secret, no key pair")),
            Family::RsaPkcs1 | Family::RsaPss => {
                // Asked once before, so that what cannot fail here has been seen not to.
                random::<32>()?;
                let key = RsaPrivateKey::new(&mut UnwrapErr(SysRng), bits);
                Self::Rsa(Box::new(key.map_err(|error| format!("no key was made: {error}"))?))
            }
            Family::Ecdsa(Curve::P256) => Self::P256(drawn!(p256, 32, 0xFF)),
            Family::Ecdsa(Curve::P384) => Self::P384(drawn!(p384, 48, 0xFF)),
            Family::Ecdsa(Curve::P521) => Self::P521(drawn!(p521, 66, 0x01)),
            Family::EdDsa => Self::Ed(Box::new(EdSigningKey::from_bytes(&random::<32>()?))),
        })
    }

    /// Reads PKCS#8 (RFC 5958), PKCS#1 (RFC 8017) or SEC 1 (RFC 5915).
    pub(super) fn from_pem(pem: &str) -> Result<Self, String> {
        let pem = pem.trim();
        let label = pem.strip_prefix("-----BEGIN ").and_then(|rest| rest.split_once("-----"));
        let read = match label.map(|(label, _)| label) {
            Some("PRIVATE KEY") => Self::from_pkcs8(pem),
            Some("RSA PRIVATE KEY") => RsaPrivateKey::from_pkcs1_pem(pem).ok().map(|key| Self::Rsa(Box::new(key))),
            Some("EC PRIVATE KEY") => p256::SecretKey::from_sec1_pem(pem)
                .map(Self::P256)
                .or_else(|_| p384::SecretKey::from_sec1_pem(pem).map(Self::P384))
                .or_else(|_| p521::SecretKey::from_sec1_pem(pem).map(Self::P521))
                .ok(),
            Some("ENCRYPTED PRIVATE KEY") => {
                return Err("this key is encrypted: `openssl pkcs8` takes the password off".to_owned());
            }
            Some(label) if label.contains("PUBLIC KEY") || label == "CERTIFICATE" => {
                return Err("this is a public key, which checks tokens and signs none".to_owned());
            }
            _ => return Err("no private key in PEM is here".to_owned()),
        };
        read.ok_or_else(|| "this private key cannot be read: RSA, P-256, P-384, P-521 and Ed25519 can".to_owned())
    }

    fn from_pkcs8(pem: &str) -> Option<Self> {
        let rsa = || RsaPrivateKey::from_pkcs8_pem(pem).ok().map(|key| Self::Rsa(Box::new(key)));
        let ed = || EdSigningKey::from_pkcs8_pem(pem).ok().map(|key| Self::Ed(Box::new(key)));
        rsa()
            .or_else(|| p256::SecretKey::from_pkcs8_pem(pem).ok().map(Self::P256))
            .or_else(|| p384::SecretKey::from_pkcs8_pem(pem).ok().map(Self::P384))
            .or_else(|| p521::SecretKey::from_pkcs8_pem(pem).ok().map(Self::P521))
            .or_else(ed)
    }

    /// The key itself, PKCS#8 in PEM.
    pub(super) fn pem(&self) -> Result<String, String> {
        let pem = match self {
            Self::Rsa(key) => key.to_pkcs8_pem(LineEnding::LF),
            Self::P256(key) => key.to_pkcs8_pem(LineEnding::LF),
            Self::P384(key) => key.to_pkcs8_pem(LineEnding::LF),
            Self::P521(key) => key.to_pkcs8_pem(LineEnding::LF),
            Self::Ed(key) => key.to_pkcs8_pem(LineEnding::LF),
        };
        pem.map(|pem| pem.to_string()).map_err(|error| format!("the key cannot be written: {error}"))
    }

    /// Its public half, SPKI in PEM.
    pub(super) fn public_pem(&self) -> Result<String, String> {
        let pem = match self {
            Self::Rsa(key) => key.to_public_key().to_public_key_pem(LineEnding::LF),
            Self::P256(key) => key.public_key().to_public_key_pem(LineEnding::LF),
            Self::P384(key) => key.public_key().to_public_key_pem(LineEnding::LF),
            Self::P521(key) => key.public_key().to_public_key_pem(LineEnding::LF),
            Self::Ed(key) => key.verifying_key().to_public_key_pem(LineEnding::LF),
        };
        pem.map_err(|error| format!("the public key cannot be written: {error}"))
    }

    /// A signature of `message`, in the form of RFC 7518 section 3.
    pub(super) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, String> {
        match (self, algorithm.family()) {
            (Self::Rsa(key), Family::RsaPkcs1 | Family::RsaPss) => rsa(key, algorithm, message),
            (Self::P256(key), Family::Ecdsa(Curve::P256)) => {
                let signature: p256::ecdsa::Signature = p256::ecdsa::SigningKey::from(key).sign(message);
                Ok(signature.to_bytes().to_vec())
            }
            (Self::P384(key), Family::Ecdsa(Curve::P384)) => {
                let signature: p384::ecdsa::Signature = p384::ecdsa::SigningKey::from(key).sign(message);
                Ok(signature.to_bytes().to_vec())
            }
            (Self::P521(key), Family::Ecdsa(Curve::P521)) => {
                let signature: p521::ecdsa::Signature = p521::ecdsa::SigningKey::from(key).sign(message);
                Ok(signature.to_bytes().to_vec())
            }
            (Self::Ed(key), Family::EdDsa) => Ok(key.sign(message).to_bytes().to_vec()),
            _ => Err(format!("{algorithm} does not sign with a key of this kind")),
        }
    }
}

/// Blinded, so that the time it takes tells nothing of the key.
fn rsa(key: &RsaPrivateKey, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, String> {
    random::<32>()?;
    let rng = &mut UnwrapErr(SysRng);
    let pss = algorithm.family() == Family::RsaPss;
    let signature = match (algorithm.hash(), pss) {
        (Hash::Sha256, false) => key.sign_with_rng(rng, Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message)),
        (Hash::Sha384, false) => key.sign_with_rng(rng, Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(message)),
        (Hash::Sha512, false) => key.sign_with_rng(rng, Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(message)),
        (Hash::Sha256, true) => key.sign_with_rng(rng, Pss::<Sha256>::new(), &Sha256::digest(message)),
        (Hash::Sha384, true) => key.sign_with_rng(rng, Pss::<Sha384>::new(), &Sha384::digest(message)),
        (Hash::Sha512, true) => key.sign_with_rng(rng, Pss::<Sha512>::new(), &Sha512::digest(message)),
    };
    signature.map_err(|error| format!("nothing was signed: {error}"))
}
