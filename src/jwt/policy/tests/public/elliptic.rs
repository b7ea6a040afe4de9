//! Tokens of ES256 and EdDSA with signatures that are no more than numbers.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};

use super::*;
use crate::jwt::key::{EcKey, InvalidKey, PublicKey};

/// The order of P-256 (SP 800-186 section 3.2.1.3).
const ORDER: [u8; 32] = [
    0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7,
    0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
];

fn signer() -> SigningKey {
    SigningKey::from_slice(&[0x2A; 32]).unwrap()
}

fn with_kid(key: &PublicKey, kid: &str) -> Value {
    let mut jwk = Value::Object(key.to_jwk());
    jwk["kid"] = kid.into();
    jwk
}

fn elliptic(kid: &str) -> Value {
    with_kid(&PublicKey::Ec(EcKey::P256(*signer().verifying_key())), kid)
}

fn es256(kid: &str) -> Value {
    json!({"alg": "ES256", "kid": kid})
}

fn signature(header: &Value) -> Signature {
    signer().sign(signing_input(header, &good()).as_bytes())
}

#[test]
fn an_es256_signature_is_r_and_s_at_full_length_and_neither_is_zero() {
    let keys = set(&[elliptic("e")]);
    let header = es256("e");
    let good_one = signature(&header);
    let bytes = good_one.to_bytes();
    let (r, s) = bytes.split_at(32);
    let zero = [0; 32];
    for (name, signature, expected) in [
        ("a good one", bytes.to_vec(), Ok(())),
        ("r and s zero", [zero, zero].concat(), Err(TokenError::InvalidSignature)),
        ("r zero", [&zero, s].concat(), Err(TokenError::InvalidSignature)),
        ("s zero", [r, &zero].concat(), Err(TokenError::InvalidSignature)),
        ("r and s the order", [ORDER, ORDER].concat(), Err(TokenError::InvalidSignature)),
        ("r the order", [&ORDER, s].concat(), Err(TokenError::InvalidSignature)),
        ("s the order", [r, &ORDER].concat(), Err(TokenError::InvalidSignature)),
        ("DER", good_one.to_der().as_bytes().to_vec(), Err(TokenError::InvalidSignature)),
        ("DER of zeros", vec![0x30, 6, 2, 1, 0, 2, 1, 0], Err(TokenError::InvalidSignature)),
        ("r alone", r.to_vec(), Err(TokenError::InvalidSignature)),
        ("a byte behind", [r, s, &[0]].concat(), Err(TokenError::InvalidSignature)),
        ("empty", Vec::new(), Err(TokenError::InvalidSignature)),
        ("zeros of P-521's length", vec![0; 132], Err(TokenError::InvalidSignature)),
    ] {
        let token = with_signature(&header, &good(), &signature);
        assert_eq!(judge(&Policy::default(), Keys::Public(&keys), &token), expected, "{name}");
        let judged = judge(&allowing(&["ES256"]), Keys::Public(&keys), &token);
        assert_eq!(judged, expected, "{name}, with ES256 alone allowed");
    }
}

/// With a key of small order, R of small order and S zero, one signature is over every message.
#[test]
fn an_ed25519_key_of_small_order_judges_nothing() {
    let neutral = [[1].as_slice(), &[0; 31]].concat();
    let weak = json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(&neutral), "kid": "weak"});
    let keys = set(&[weak, elliptic("e")]);
    assert_eq!(keys.skipped(), [(Some("weak".into()), InvalidKey::Point)]);
    let signature = [neutral, vec![0; 32]].concat();
    for (name, header) in
        [("by its kid", json!({"alg": "EdDSA", "kid": "weak"})), ("without kid", json!({"alg": "EdDSA"}))]
    {
        let token = with_signature(&header, &good(), &signature);
        assert_eq!(judge(&Policy::default(), Keys::Public(&keys), &token), Err(TokenError::UnknownKey), "{name}");
    }
}

#[test]
fn a_kid_of_a_key_of_another_kind_names_no_key() {
    let edwards =
        json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "d"});
    let keys = set(&[jwk(&RSA, &json!({"kid": "r"})), elliptic("e"), edwards]);
    let es = |header: &Value| with_signature(header, &good(), &signature(header).to_bytes());
    for (name, token, expected) in [
        ("RS256 by the EC key", rs(&RSA, &header(Some("e")), &good()), Err(TokenError::UnknownKey)),
        ("RS256 by the Ed25519 key", rs(&RSA, &header(Some("d")), &good()), Err(TokenError::UnknownKey)),
        ("ES256 by the RSA key", es(&es256("r")), Err(TokenError::UnknownKey)),
        ("ES256 by the Ed25519 key", es(&es256("d")), Err(TokenError::UnknownKey)),
        ("ES384 by the key on P-256", es(&json!({"alg": "ES384", "kid": "e"})), Err(TokenError::UnknownKey)),
        ("EdDSA by the EC key", es(&json!({"alg": "EdDSA", "kid": "e"})), Err(TokenError::UnknownKey)),
        ("RS256 by its own", rs(&RSA, &header(Some("r")), &good()), Ok(())),
        ("ES256 by its own", es(&es256("e")), Ok(())),
        ("ES256 without kid", es(&json!({"alg": "ES256"})), Ok(())),
    ] {
        assert_eq!(judge(&Policy::default(), Keys::Public(&keys), &token), expected, "{name}");
    }
}
