//! ECDSA on the curves of NIST's that JSON Web Algorithms name (RFC 7518 section 3.4).

use p256::ecdsa::signature::hazmat::PrehashVerifier;

use super::InvalidKey;
use crate::jwt::alg::Curve;

/// A point on one of the curves.
#[derive(Clone, Debug)]
pub enum EcKey {
    /// P-256.
    P256(p256::ecdsa::VerifyingKey),
    /// P-384.
    P384(p384::ecdsa::VerifyingKey),
    /// P-521.
    P521(p521::ecdsa::VerifyingKey),
}

impl EcKey {
    /// From a point's coordinates, big-endian, each as long as the curve's field (RFC 7518 section 6.2.1.2).
    pub fn new(curve: Curve, x: &[u8], y: &[u8]) -> Result<Self, InvalidKey> {
        if x.len() != curve.bytes() || y.len() != curve.bytes() {
            return Err(InvalidKey::Malformed);
        }
        Self::from_point(curve, &[&[0x04], x, y].concat())
    }

    /// From a point as SEC 1 section 2.3.3 writes it. One that is not on the curve is refused.
    pub fn from_point(curve: Curve, point: &[u8]) -> Result<Self, InvalidKey> {
        match curve {
            Curve::P256 => p256::ecdsa::VerifyingKey::from_sec1_bytes(point).map(Self::P256),
            Curve::P384 => p384::ecdsa::VerifyingKey::from_sec1_bytes(point).map(Self::P384),
            Curve::P521 => p521::ecdsa::VerifyingKey::from_sec1_bytes(point).map(Self::P521),
        }
        .map_err(|_| InvalidKey::Point)
    }

    /// Its curve.
    pub const fn curve(&self) -> Curve {
        match self {
            Self::P256(_) => Curve::P256,
            Self::P384(_) => Curve::P384,
            Self::P521(_) => Curve::P521,
        }
    }

    /// x and y, big-endian, each as long as the curve's field.
    pub fn coordinates(&self) -> (Vec<u8>, Vec<u8>) {
        let point = match self {
            Self::P256(key) => key.to_sec1_point(false).as_bytes().to_vec(),
            Self::P384(key) => key.to_sec1_point(false).as_bytes().to_vec(),
            Self::P521(key) => key.to_sec1_point(false).as_bytes().to_vec(),
        };
        let coordinates = point.get(1..).unwrap_or_default();
        let (x, y) = coordinates.split_at(coordinates.len() / 2);
        (x.to_vec(), y.to_vec())
    }

    /// Whether `signature`, r and s one after the other at their full length, is over `digest`. The crates refuse an r or s that is zero or
    /// not below the order.
    pub fn verify(&self, digest: &[u8], signature: &[u8]) -> bool {
        fn check<K: PrehashVerifier<S>, S: for<'s> TryFrom<&'s [u8]>>(
            key: &K,
            digest: &[u8],
            signature: &[u8],
        ) -> bool {
            S::try_from(signature).is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok())
        }
        match self {
            Self::P256(key) => check::<_, p256::ecdsa::Signature>(key, digest, signature),
            Self::P384(key) => check::<_, p384::ecdsa::Signature>(key, digest, signature),
            Self::P521(key) => check::<_, p521::ecdsa::Signature>(key, digest, signature),
        }
    }
}
