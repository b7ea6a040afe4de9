//! PEM and what is in it: SPKI, PKCS#1, certificates; alone, and in a map as some providers publish them.
//!
//! An input that begins with a `-` is PEM as it is. Otherwise its first byte picks a label and the rest is DER, so that mutations reach
//! the structures instead of breaking the base64 around them.

#![cfg_attr(fuzzing, no_main)]
#![expect(clippy::expect_used, reason = "what these find missing is a finding")]

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use portcullis::jwt::key::PublicKey;
use portcullis::jwt::keyset::KeySet;
use portcullis::jwt::pem::public_key;
use serde_json::{Value, json};

portcullis_fuzz::target!(check);

const LABELS: [&str; 5] = ["PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE", "PRIVATE KEY", "X509 CRL"];

fn check(data: &[u8]) {
    match data {
        [b'-', ..] => key(&String::from_utf8_lossy(data)),
        [pick, der @ ..] => {
            let label = LABELS.get(usize::from(*pick) % LABELS.len()).copied().unwrap_or_default();
            let read = key(&pem(label, der));
            let longer = public_key(&pem(label, &[der, b"\0"].concat()));
            assert!(!(read && longer.is_ok()), "something behind the key");
            read
        }
        [] => false,
    };
}

/// Whether this is a key, after looking at it from all sides.
fn key(pem: &str) -> bool {
    let read = public_key(pem);
    let map = json!({ "kid": pem }).to_string();
    let set = KeySet::parse(map.as_bytes());
    let Ok(key) = read else {
        assert!(set.is_err(), "a key in a map alone");
        return false;
    };
    assert!(!pem.contains("-----BEGIN PRIVATE KEY-----"), "{pem}");
    assert!(public_key(&format!("{pem}\n{pem}")).is_err(), "one of several");
    let jwk = key.to_jwk();
    let again = PublicKey::from_jwk(&jwk).expect("its JWK is a key");
    assert_eq!(again.to_jwk(), jwk);
    // A map of certificates is known by how its values begin; PEM alone may have words in front.
    if pem.trim_start().starts_with("-----BEGIN ") {
        let mut named = jwk.clone();
        named.insert("kid".to_owned(), "kid".into());
        assert_eq!(set.expect("a map of it is a set").to_jwks(), json!({ "keys": [named] }));
    }
    bounds(&key, |name| {
        let text = jwk.get(name).and_then(Value::as_str).expect("the member is there");
        URL_SAFE_NO_PAD.decode(text).expect("it is base64url")
    });
    true
}

/// Sizes beyond which a key is unsafe or too slow, and points of the wrong length.
fn bounds(key: &PublicKey, member: impl Fn(&str) -> Vec<u8>) {
    match key {
        PublicKey::Rsa(_) => {
            let (modulus, exponent) = (member("n"), member("e"));
            assert!((256..=1024).contains(&modulus.len()) && modulus.last().is_some_and(|last| last % 2 == 1));
            assert!((3..=5).contains(&exponent.len()) && exponent.last().is_some_and(|last| last % 2 == 1));
        }
        PublicKey::Ec(key) => {
            let length = key.curve().bytes();
            assert_eq!((member("x").len(), member("y").len()), (length, length));
        }
        PublicKey::Ed(_) => assert_eq!(member("x").len(), 32),
    }
}

/// RFC 7468 section 2, with lines of 64 letters.
fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    format!("{pem}-----END {label}-----\n")
}
