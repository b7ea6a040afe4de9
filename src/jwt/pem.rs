//! Public keys in PEM (RFC 7468): SPKI, PKCS#1, or a certificate.

use der::asn1::ObjectIdentifier;
use der::{Decode, Encode};
use spki::SubjectPublicKeyInfoRef;
use x509_cert::Certificate;

use super::alg::Curve;
use super::key::{EcKey, EdKey, InvalidKey, PublicKey, RsaKey};

/// RFC 8017 appendix A.1.
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// RFC 5480 section 2.1.1.
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
/// RFC 8410 section 3.
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Reads the key of the one `PUBLIC KEY`, `RSA PUBLIC KEY` or `CERTIFICATE` there is; of several, none. Of a
/// certificate nothing but the key counts: that it is the right one was settled by whoever gave out the certificate's
/// address, or wrote it into the configuration.
pub fn public_key(pem: &str) -> Result<PublicKey, InvalidKey> {
    let (label, document) = der::pem::decode_vec(pem.trim().as_bytes()).map_err(|_| InvalidKey::Malformed)?;
    match label {
        "PUBLIC KEY" => spki(&document),
        "RSA PUBLIC KEY" => pkcs1(&document),
        "CERTIFICATE" => {
            let certificate = Certificate::from_der(&document).map_err(|_| InvalidKey::Malformed)?;
            let info = certificate.tbs_certificate().subject_public_key_info();
            spki(&info.to_der().map_err(|_| InvalidKey::Malformed)?)
        }
        label if label.contains("PRIVATE KEY") => Err(InvalidKey::Private),
        _ => Err(InvalidKey::Unsupported),
    }
}

/// `SubjectPublicKeyInfo` (RFC 5280 section 4.1).
fn spki(document: &[u8]) -> Result<PublicKey, InvalidKey> {
    let info = SubjectPublicKeyInfoRef::from_der(document).map_err(|_| InvalidKey::Malformed)?;
    let key = info.subject_public_key.as_bytes().ok_or(InvalidKey::Malformed)?;
    match info.algorithm.oid {
        RSA => pkcs1(key),
        ED25519 => EdKey::new(key).map(PublicKey::Ed),
        EC => {
            let curve = match info.algorithm.parameters_oid().map_err(|_| InvalidKey::Unsupported)? {
                P256 => Curve::P256,
                P384 => Curve::P384,
                P521 => Curve::P521,
                _ => return Err(InvalidKey::Unsupported),
            };
            EcKey::from_point(curve, key).map(PublicKey::Ec)
        }
        _ => Err(InvalidKey::Unsupported),
    }
}

/// `RSAPublicKey` (RFC 8017 appendix A.1.1).
fn pkcs1(document: &[u8]) -> Result<PublicKey, InvalidKey> {
    let key = pkcs1::RsaPublicKeyRef::from_der(document).map_err(|_| InvalidKey::Malformed)?;
    RsaKey::new(key.modulus.as_bytes(), key.public_exponent.as_bytes()).map(PublicKey::Rsa)
}

#[cfg(test)]
mod tests;
