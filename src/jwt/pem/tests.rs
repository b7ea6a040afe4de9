use serde_json::json;

use super::*;
use crate::jwt::keyset::{InvalidKeySet, KeySet};
use crate::testing::{RSA as SIGNER, RSA_PUBLIC_PEM, jwk};

macro_rules! key {
    ($name:literal) => {
        include_str!(concat!("../../../tests/keys/", $name, ".pem"))
    };
}

/// The public members of the key that `pem` holds.
fn members(pem: &str) -> Result<serde_json::Value, InvalidKey> {
    public_key(pem).map(|key| key.to_jwk().into())
}

#[test]
fn spki_pkcs1_and_certificate_give_one_and_the_same_rsa_key() {
    let expected = jwk(&SIGNER, &json!({}));
    for (name, pem) in
        [("SPKI", RSA_PUBLIC_PEM), ("PKCS #1", key!("rsa-pkcs1-public")), ("a certificate", key!("rsa-certificate"))]
    {
        assert_eq!(members(pem), Ok(expected.clone()), "{name}");
    }
}

#[test]
fn each_curve_is_read_from_spki_and_certificate() {
    for (name, pem, kind, curve) in [
        ("P-256", key!("p256-public"), "EC", "P-256"),
        ("P-256, the point compressed", key!("p256-compressed-public"), "EC", "P-256"),
        ("P-256, certificate", key!("p256-certificate"), "EC", "P-256"),
        ("P-384", key!("p384-public"), "EC", "P-384"),
        ("P-521", key!("p521-public"), "EC", "P-521"),
        ("P-521, certificate", key!("p521-certificate"), "EC", "P-521"),
        ("Ed25519", key!("ed25519-public"), "OKP", "Ed25519"),
        ("Ed25519, certificate", key!("ed25519-certificate"), "OKP", "Ed25519"),
    ] {
        let key = members(pem).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert_eq!((&key["kty"], &key["crv"]), (&json!(kind), &json!(curve)), "{name}");
    }
    for (one, other) in [
        (key!("p256-public"), key!("p256-compressed-public")),
        (key!("p256-public"), key!("p256-certificate")),
        (key!("p521-public"), key!("p521-certificate")),
        (key!("ed25519-public"), key!("ed25519-certificate")),
    ] {
        assert_eq!(members(one), members(other));
    }
}

#[test]
fn what_is_no_usable_public_key_is_refused_with_its_reason() {
    let label = |from: &str, to: &str| RSA_PUBLIC_PEM.replace(from, to);
    let body = RSA_PUBLIC_PEM.lines().nth(3).unwrap();
    // The last byte of a point, and so a point beside its curve.
    let with_other_end = |pem: &str, ends: u8| {
        let (_, mut document) = der::pem::decode_vec(pem.as_bytes()).unwrap();
        *document.last_mut().unwrap() ^= ends;
        der::pem::encode_string("PUBLIC KEY", der::pem::LineEnding::LF, &document).unwrap()
    };
    let small_order = {
        let (_, mut document) = der::pem::decode_vec(key!("ed25519-public").as_bytes()).unwrap();
        let start = document.len() - 32;
        document[start..].fill(0);
        der::pem::encode_string("PUBLIC KEY", der::pem::LineEnding::LF, &document).unwrap()
    };
    for (name, pem, why) in [
        ("PKCS #1 private key", key!("rsa").to_owned(), InvalidKey::Private),
        ("PKCS #8 private key", key!("rsa-pkcs8").into(), InvalidKey::Private),
        ("EC private key", key!("p256").into(), InvalidKey::Private),
        ("Ed25519 private key", key!("ed25519").into(), InvalidKey::Private),
        ("encrypted private key", label("PUBLIC KEY", "ENCRYPTED PRIVATE KEY"), InvalidKey::Private),
        ("a request for a certificate", key!("certificate-request").into(), InvalidKey::Unsupported),
        ("secp256k1", key!("secp256k1-public").into(), InvalidKey::Unsupported),
        ("explicit parameters", key!("p256-explicit-public").into(), InvalidKey::Unsupported),
        ("X25519", key!("x25519-public").into(), InvalidKey::Unsupported),
        ("RSA for PSS alone", key!("rsa-pss-public").into(), InvalidKey::Unsupported),
        ("a certificate of 1024 bits", key!("rsa-1024-certificate").into(), InvalidKey::Size),
        ("a point beside P-256", with_other_end(key!("p256-public"), 1), InvalidKey::Point),
        ("a point beside P-384", with_other_end(key!("p384-public"), 1), InvalidKey::Point),
        ("a point beside P-521", with_other_end(key!("p521-public"), 1), InvalidKey::Point),
        ("an Ed25519 key of small order", small_order, InvalidKey::Point),
        ("SPKI called PKCS #1", label("PUBLIC KEY", "RSA PUBLIC KEY"), InvalidKey::Malformed),
        ("SPKI called a certificate", label("PUBLIC KEY", "CERTIFICATE"), InvalidKey::Malformed),
        ("another label", label("PUBLIC KEY", "PUBLIC KEYS"), InvalidKey::Unsupported),
        ("other labels at the ends", RSA_PUBLIC_PEM.replacen("PUBLIC", "RSA PUBLIC", 1), InvalidKey::Malformed),
        (
            "a letter of no alphabet",
            RSA_PUBLIC_PEM.replacen(body, &body.replacen(&body[..1], "!", 1), 1),
            InvalidKey::Malformed,
        ),
        ("a line left out", RSA_PUBLIC_PEM.replacen(&format!("{body}\n"), "", 1), InvalidKey::Malformed),
        ("no end", RSA_PUBLIC_PEM.replace("-----END PUBLIC KEY-----", ""), InvalidKey::Malformed),
        ("no body", "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n".into(), InvalidKey::Malformed),
        ("empty", String::new(), InvalidKey::Malformed),
        ("text", "secret".into(), InvalidKey::Malformed),
        ("a JWK", jwk(&SIGNER, &json!({})).to_string(), InvalidKey::Malformed),
        (
            "the body alone",
            RSA_PUBLIC_PEM.lines().filter(|line| !line.starts_with('-')).collect(),
            InvalidKey::Malformed,
        ),
    ] {
        assert_eq!(members(&pem).err(), Some(why), "{name}");
    }
}

/// Which of them counts would be a guess.
#[test]
fn several_blocks_are_no_key() {
    let other = key!("p256-public");
    for (name, pem) in [
        ("the same twice", format!("{RSA_PUBLIC_PEM}{RSA_PUBLIC_PEM}")),
        ("two keys", format!("{RSA_PUBLIC_PEM}{other}")),
        ("a chain", [key!("rsa-certificate"), key!("p256-certificate")].concat()),
        ("a key and a private one", format!("{other}{}", key!("p256"))),
        ("with a line between", format!("{RSA_PUBLIC_PEM}\n{other}")),
        ("something behind", format!("{RSA_PUBLIC_PEM}something")),
    ] {
        assert_eq!(members(&pem).err(), Some(InvalidKey::Malformed), "{name}");
    }
}

#[test]
fn line_ends_and_white_space_around_do_not_matter() {
    let expected = members(RSA_PUBLIC_PEM);
    assert!(expected.is_ok());
    for (name, pem) in [
        ("CRLF", RSA_PUBLIC_PEM.replace('\n', "\r\n")),
        ("no last line end", RSA_PUBLIC_PEM.trim_end().to_owned()),
        ("white space around", format!("\n \t{RSA_PUBLIC_PEM}\r\n \n")),
        ("CRLF and white space around", format!("  \r\n{}\r\n", RSA_PUBLIC_PEM.replace('\n', "\r\n"))),
    ] {
        assert_eq!(members(&pem), expected, "{name}");
    }
}

#[test]
fn a_map_of_certificates_is_a_key_set_and_a_bad_one_is_passed_over() {
    let document = json!({
        "good": key!("rsa-certificate"),
        "elliptic": key!("p256-certificate").replace('\n', "\r\n"),
        "short": key!("rsa-1024-certificate"),
        "cut": &key!("rsa-certificate")[..400],
        "private": key!("rsa"),
    });
    let set = KeySet::parse(document.to_string().as_bytes()).unwrap();
    let kids: Vec<_> = set.to_jwks()["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect();
    assert_eq!(kids.len(), 2);
    assert!(kids.contains(&json!("good")) && kids.contains(&json!("elliptic")), "{kids:?}");
    let mut skipped = set.skipped().to_vec();
    skipped.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = [("cut", InvalidKey::Malformed), ("private", InvalidKey::Private), ("short", InvalidKey::Size)];
    assert_eq!(skipped, expected.map(|(kid, why)| (Some(kid.to_owned()), why)));
}

#[test]
fn a_map_of_something_else_is_no_key_set() {
    let certificate = key!("rsa-certificate");
    for (name, document, why) in [
        ("empty", json!({}), InvalidKeySet::NotAKeySet),
        ("a text among certificates", json!({"a": certificate, "b": "text"}), InvalidKeySet::NotAKeySet),
        ("a number among certificates", json!({"a": certificate, "b": 7}), InvalidKeySet::NotAKeySet),
        ("bad ones alone", json!({"a": key!("rsa-1024-certificate")}), InvalidKeySet::NoUsableKey),
    ] {
        assert_eq!(KeySet::parse(document.to_string().as_bytes()).err(), Some(why), "{name}");
    }
}
