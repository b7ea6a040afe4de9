//! Keys of a set that are passed over.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dashu_int::UBig;
use dashu_int::monty::MontgomeryRepr;
use rsa::traits::PublicKeyParts;

use super::*;
use crate::jwt::key::InvalidKey;
use crate::testing::MODULUS_1024;

/// A point of P-256 (RFC 7515 appendix A.3.1) and a key of Ed25519 (RFC 8037 appendix A.2).
const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
const ED: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// The members that make an EC key, but for these.
fn ec(members: &Value) -> Value {
    let mut key = json!({"kty": "EC", "crv": "P-256", "x": X, "y": Y, "n": null, "e": null});
    key.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    key
}

#[test]
fn an_elliptic_key_in_order_is_not_odd() {
    let keys = [ec(&json!({"alg": "ES256"})), json!({"kty": "OKP", "crv": "Ed25519", "x": ED, "alg": "EdDSA"})];
    assert_eq!(set(&keys).skipped(), []);
}

#[test]
fn odd_keys_are_passed_over_each_with_its_reason_and_the_rest_work() {
    let short_with_zeros = {
        let bytes = URL_SAFE_NO_PAD.decode(MODULUS_1024).unwrap();
        URL_SAFE_NO_PAD.encode([vec![0; 128], bytes].concat())
    };
    let long = "_".repeat(1400);
    let even = {
        let mut bytes = RSA.n_bytes().to_vec();
        *bytes.last_mut().unwrap() &= 0xFE;
        URL_SAFE_NO_PAD.encode(bytes)
    };
    let zero = URL_SAFE_NO_PAD.encode([0; 32]);
    let short = URL_SAFE_NO_PAD.encode([9; 31]);
    for (name, members, why) in [
        ("exponent 3", json!({"e": "Aw"}), InvalidKey::Exponent),
        ("exponent 1", json!({"e": "AQ"}), InvalidKey::Exponent),
        ("exponent 0", json!({"e": "AA"}), InvalidKey::Exponent),
        ("exponent 65535", json!({"e": "__8"}), InvalidKey::Exponent),
        ("even exponent 65538", json!({"e": "AQAC"}), InvalidKey::Exponent),
        ("1024 bits", json!({"n": MODULUS_1024}), InvalidKey::Size),
        ("1024 bits behind zeros", json!({"n": short_with_zeros}), InvalidKey::Size),
        ("8400 bits", json!({"n": long}), InvalidKey::Size),
        ("no modulus", json!({"n": null}), InvalidKey::Malformed),
        ("empty modulus", json!({"n": ""}), InvalidKey::Malformed),
        ("modulus a number", json!({"n": 7}), InvalidKey::Malformed),
        ("padded exponent", json!({"e": "AQAB="}), InvalidKey::Malformed),
        ("no exponent", json!({"e": null}), InvalidKey::Malformed),
        ("a shared secret", json!({"kty": "oct", "k": "c2VjcmV0"}), InvalidKey::Symmetric),
        ("private exponent", json!({"d": "AQAB"}), InvalidKey::Private),
        ("first prime", json!({"p": "AQAB"}), InvalidKey::Private),
        ("second prime", json!({"q": "AQAB"}), InvalidKey::Private),
        ("first CRT exponent", json!({"dp": "AQAB"}), InvalidKey::Private),
        ("second CRT exponent", json!({"dq": "AQAB"}), InvalidKey::Private),
        ("CRT coefficient", json!({"qi": "AQAB"}), InvalidKey::Private),
        ("further primes", json!({"oth": []}), InvalidKey::Private),
        ("exponent of 34 bits", json!({"e": "AgAAAAE"}), InvalidKey::Exponent),
        ("exponent of 72 bits", json!({"e": "AQAAAAAAAAAB"}), InvalidKey::Exponent),
        ("even modulus", json!({"n": even}), InvalidKey::Malformed),
        ("another kind", json!({"kty": "AKP"}), InvalidKey::Unsupported),
        ("EC without its members", json!({"kty": "EC"}), InvalidKey::Malformed),
        ("EC without a point", json!({"kty": "EC", "crv": "P-256"}), InvalidKey::Malformed),
        ("EC with x alone", ec(&json!({"y": null})), InvalidKey::Malformed),
        ("EC coordinate too short", ec(&json!({"x": short})), InvalidKey::Malformed),
        ("EC coordinate too long", ec(&json!({"x": format!("{X}AA")})), InvalidKey::Malformed),
        ("EC coordinates of another curve", ec(&json!({"crv": "P-384"})), InvalidKey::Malformed),
        ("EC point off its curve", ec(&json!({"y": X})), InvalidKey::Point),
        ("EC point at zero", ec(&json!({"x": zero, "y": zero})), InvalidKey::Point),
        ("EC x over the field", ec(&json!({"x": URL_SAFE_NO_PAD.encode([0xFF; 32])})), InvalidKey::Point),
        ("EC secp256k1", ec(&json!({"crv": "secp256k1"})), InvalidKey::Unsupported),
        ("EC whose alg is another curve's", ec(&json!({"alg": "ES384"})), InvalidKey::Unsupported),
        ("EC whose alg is of RSA", ec(&json!({"alg": "RS256"})), InvalidKey::Unsupported),
        ("EC with private parts", ec(&json!({"d": X})), InvalidKey::Private),
        ("OKP without its members", json!({"kty": "OKP"}), InvalidKey::Malformed),
        ("OKP X25519", json!({"kty": "OKP", "crv": "X25519", "x": ED}), InvalidKey::Unsupported),
        ("OKP Ed448", json!({"kty": "OKP", "crv": "Ed448", "x": ED}), InvalidKey::Unsupported),
        ("Ed25519 of small order", json!({"kty": "OKP", "crv": "Ed25519", "x": zero}), InvalidKey::Point),
        ("Ed25519 of 31 bytes", json!({"kty": "OKP", "crv": "Ed25519", "x": short}), InvalidKey::Malformed),
        ("another case", json!({"kty": "rsa"}), InvalidKey::Unsupported),
        ("no kind", json!({"kty": null}), InvalidKey::Malformed),
        ("for encryption", json!({"use": "enc"}), InvalidKey::Purpose),
        ("for signing alone", json!({"key_ops": ["sign"]}), InvalidKey::Purpose),
        ("for nothing", json!({"key_ops": []}), InvalidKey::Purpose),
        ("key_ops a string", json!({"key_ops": "verify"}), InvalidKey::Purpose),
        ("use a list", json!({"use": ["sig"]}), InvalidKey::Purpose),
        ("an encryption algorithm", json!({"alg": "RSA-OAEP"}), InvalidKey::Unsupported),
        ("an HS algorithm", json!({"alg": "HS256"}), InvalidKey::Unsupported),
        ("none", json!({"alg": "none"}), InvalidKey::Unsupported),
        ("alg a number", json!({"alg": 256}), InvalidKey::Malformed),
    ] {
        let odd = jwk(&RSA, &members_of(&members, "odd"));
        let keys = set(&[odd.clone(), jwk(&OTHER_RSA, &json!({"kid": "b"}))]);
        assert_eq!(keys.skipped(), [(Some("odd".into()), why)], "{name}");
        let token = rs(&OTHER_RSA, &header(Some("b")), &good());
        assert_eq!(judge(&Policy::default(), Keys::Public(&keys), &token), Ok(()), "{name}: the rest work");
        let token = rs(&RSA, &header(Some("odd")), &good());
        let judged = judge(&Policy::default(), Keys::Public(&keys), &token);
        assert_eq!(judged, Err(TokenError::UnknownKey), "{name}: it judges nothing");
        let alone = KeySet::parse(jwks(&[odd]).as_bytes()).err();
        assert_eq!(alone, Some(InvalidKeySet::NoUsableKey), "{name}: alone it is no set");
    }
    let keys = set(&[json!("text"), jwk(&RSA, &json!({"kid": 7})), jwk(&RSA, &json!({"kid": "a"}))]);
    assert_eq!(keys.skipped(), [(None, InvalidKey::Malformed), (None, InvalidKey::Malformed)]);
}

#[derive(serde::Deserialize)]
struct Weak {
    jwk: Value,
    token: String,
}

/// What the signature of a token was made of, by the RSA operation and nothing but that.
fn recovered(Weak { jwk, token }: &Weak) -> Vec<u8> {
    let number = |text: &str| UBig::from_be_bytes(&URL_SAFE_NO_PAD.decode(text).unwrap());
    let signature = number(token.rsplit_once('.').unwrap().1);
    let ring = MontgomeryRepr::new(number(jwk["n"].as_str().unwrap()));
    ring.reduce(signature).pow(&number(jwk["e"].as_str().unwrap())).residue().to_be_bytes().into()
}

#[test]
fn a_good_signature_of_a_weak_key_is_worth_nothing() {
    let rows: Vec<Weak> = serde_json::from_str(include_str!("../../../../../tests/keys/weak.json")).unwrap();
    let reasons =
        [("512 bits", InvalidKey::Size), ("1024 bits", InvalidKey::Size), ("the exponent 3", InvalidKey::Exponent)];
    assert_eq!(rows.len(), reasons.len());
    for (row, (name, why)) in rows.iter().zip(reasons) {
        let input = row.token.rsplit_once('.').unwrap().0;
        assert!(recovered(row).ends_with(&Sha256::digest(input)), "{name}: the signature is a good one");
        let keys = set(&[row.jwk.clone(), jwk(&OTHER_RSA, &json!({"kid": "b"}))]);
        assert_eq!(keys.skipped(), [(Some(name.into()), why)], "{name}");
        for policy in [Policy::default(), allowing(&["RS256"])] {
            assert_eq!(judge(&policy, Keys::Public(&keys), &row.token), Err(TokenError::UnknownKey), "{name}");
        }
        let alone = KeySet::parse(jwks(std::slice::from_ref(&row.jwk)).as_bytes()).err();
        assert_eq!(alone, Some(InvalidKeySet::NoUsableKey), "{name}: alone it is no set");
    }
}
