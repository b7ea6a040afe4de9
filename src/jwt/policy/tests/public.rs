//! Public keys: which of a set may judge a token, and what their signatures are worth.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

mod elliptic;
mod odd_keys;

use super::*;
use crate::jwt::keyset::{InvalidKeySet, MAX_KEYS};
use crate::testing::{OTHER_RSA, rsa_signature};

fn set(keys: &[Value]) -> KeySet {
    KeySet::parse(jwks(keys).as_bytes()).unwrap()
}

fn header(kid: Option<&str>) -> Value {
    kid.map_or_else(|| json!({"alg": "RS256"}), |kid| json!({"alg": "RS256", "kid": kid}))
}

#[test]
fn good_signatures_of_every_rs_algorithm_pass() {
    for alg in RS {
        let header = json!({"alg": alg, "kid": "a"});
        let token = rs(&RSA, &header, &good());
        for policy in [Policy::default(), allowing(&[alg]), allowing(&RS)] {
            assert_eq!(judge(&policy, Keys::Public(&rsa_set()), &token), Ok(()), "{alg}");
        }
    }
}

#[test]
fn an_rsa_signature_counts_whole_and_for_its_own_message_alone() {
    let header = header(Some("a"));
    let signature = rsa_signature(&RSA, &header, &good());
    let mut flipped = signature.clone();
    flipped[200] ^= 0x10;
    let longer = [&signature[..], &[0]].concat();
    let padded = [&[0], &signature[..]].concat();
    let of_sha512 = rsa_signature(&RSA, &json!({"alg": "RS512", "kid": "a"}), &good());
    for (name, signature) in [
        ("a bit changed", &flipped[..]),
        ("one byte short", &signature[..255]),
        ("a byte of garbage behind", &longer[..]),
        ("a zero before", &padded[..]),
        ("empty", &[][..]),
        ("one", &[1][..]),
        ("zeros", &[0; 256][..]),
        ("more than the modulus", &[0xff; 256][..]),
        ("an HMAC with the key's text", &hmac(RSA_PUBLIC_PEM.as_bytes(), &header, &good())[..]),
        ("of another algorithm", &of_sha512[..]),
        ("of another key", &rsa_signature(&OTHER_RSA, &header, &good())[..]),
        ("of another payload", &rsa_signature(&RSA, &header, &json!({"sub": "u"}))[..]),
    ] {
        let token = with_signature(&header, &good(), signature);
        let judged = judge(&Policy::default(), Keys::Public(&rsa_set()), &token);
        assert_eq!(judged, Err(TokenError::InvalidSignature), "{name}");
    }
    assert_eq!(judge(&Policy::default(), Keys::Public(&rsa_set()), &rs(&RSA, &header, &good())), Ok(()));
}

#[test]
fn a_key_is_chosen_by_its_exact_kid() {
    let keys = set(&[jwk(&RSA, &json!({"kid": "a"})), jwk(&OTHER_RSA, &json!({"kid": "b"}))]);
    let unnamed = set(&[jwk(&RSA, &json!({}))]);
    let mixed = set(&[jwk(&RSA, &json!({})), jwk(&OTHER_RSA, &json!({"kid": "b"}))]);
    let twins = set(&[jwk(&RSA, &json!({"kid": "a"})), jwk(&OTHER_RSA, &json!({"kid": "a"}))]);
    let unknown = Err(TokenError::UnknownKey);
    for (name, keys, kid, key, expected) in [
        ("its own", &keys, Some("a"), &RSA, Ok(())),
        ("the other", &keys, Some("b"), &OTHER_RSA, Ok(())),
        ("of another key", &keys, Some("b"), &RSA, Err(TokenError::InvalidSignature)),
        ("not there", &keys, Some("c"), &RSA, unknown.clone()),
        ("other case", &keys, Some("A"), &RSA, unknown.clone()),
        ("empty", &keys, Some(""), &RSA, unknown.clone()),
        ("a path", &keys, Some("../../../../dev/null"), &RSA, unknown.clone()),
        ("SQL", &keys, Some("a' OR '1'='1"), &RSA, unknown.clone()),
        ("a URL", &keys, Some("https://evil.example/jwks"), &RSA, unknown.clone()),
        ("the key has none", &unnamed, Some("a"), &RSA, unknown.clone()),
        ("neither has one", &unnamed, None, &RSA, Ok(())),
        ("beside a key without one", &mixed, Some("b"), &OTHER_RSA, Ok(())),
        ("the key without one beside one that has", &mixed, None, &RSA, Ok(())),
        ("not there, beside a key without one", &mixed, Some("a"), &RSA, unknown.clone()),
        ("two keys of one, the first", &twins, Some("a"), &RSA, Ok(())),
        ("two keys of one, the second", &twins, Some("a"), &OTHER_RSA, Ok(())),
        ("the token has none, first of several", &keys, None, &RSA, Ok(())),
        ("the token has none, last of several", &keys, None, &OTHER_RSA, Ok(())),
    ] {
        let token = rs(key, &header(kid), &good());
        assert_eq!(judge(&Policy::default(), Keys::Public(keys), &token), expected, "{name}");
    }
    let alone = set(&[jwk(&RSA, &json!({"kid": "a"}))]);
    let token = rs(&OTHER_RSA, &header(None), &good());
    let judged = judge(&Policy::default(), Keys::Public(&alone), &token);
    assert_eq!(judged, Err(TokenError::InvalidSignature), "no kid, no key fits");
}

#[test]
fn a_token_without_kid_is_held_against_four_keys_at_most() {
    let with_other_at = |place: usize| {
        let keys: Vec<Value> = (0..6)
            .map(|number| jwk(if number == place { &OTHER_RSA } else { &RSA }, &json!({"kid": format!("k{number}")})))
            .collect();
        set(&keys)
    };
    for (place, expected) in
        [(0, Ok(())), (3, Ok(())), (4, Err(TokenError::InvalidSignature)), (5, Err(TokenError::InvalidSignature))]
    {
        let keys = with_other_at(place);
        let token = rs(&OTHER_RSA, &header(None), &good());
        assert_eq!(judge(&Policy::default(), Keys::Public(&keys), &token), expected, "the key is number {place}");
        let token = rs(&OTHER_RSA, &header(Some(&format!("k{place}"))), &good());
        assert_eq!(judge(&Policy::default(), Keys::Public(&keys), &token), Ok(()), "number {place}, by its kid");
    }
}

#[test]
fn keys_for_something_else_leave_room_for_those_that_fit() {
    let mut keys: Vec<Value> = (0..5).map(|_| jwk(&RSA, &json!({"alg": "RS512"}))).collect();
    keys.push(jwk(&OTHER_RSA, &json!({})));
    let token = rs(&OTHER_RSA, &header(None), &good());
    assert_eq!(judge(&Policy::default(), Keys::Public(&set(&keys)), &token), Ok(()));
}

#[test]
fn what_a_key_says_of_its_own_use_is_obeyed() {
    let unknown = Err(TokenError::UnknownKey);
    for (members, expected) in [
        (json!({}), Ok(())),
        (json!({"use": "sig"}), Ok(())),
        (json!({"alg": "RS256"}), Ok(())),
        (json!({"key_ops": ["verify"]}), Ok(())),
        (json!({"key_ops": ["sign", "verify"], "use": "sig", "alg": "RS256"}), Ok(())),
        (json!({"x5t": "x", "x5c": ["x"], "issuer": "x"}), Ok(())),
        (json!({"alg": "RS384"}), unknown.clone()),
        (json!({"alg": "RS512"}), unknown.clone()),
        (json!({"use": "enc"}), unknown.clone()),
        (json!({"key_ops": ["sign"]}), unknown.clone()),
    ] {
        let keys = set(&[jwk(&RSA, &members_of(&members, "a")), jwk(&OTHER_RSA, &json!({"kid": "b"}))]);
        let token = rs(&RSA, &header(Some("a")), &good());
        assert_eq!(judge(&Policy::default(), Keys::Public(&keys), &token), expected, "{members}");
    }
}

fn members_of(members: &Value, kid: &str) -> Value {
    let mut members = members.clone();
    members["kid"] = kid.into();
    members
}

#[test]
fn documents_that_are_no_key_sets_are_refused() {
    let key = jwk(&RSA, &json!({}));
    let many = |number: usize| jwks(&vec![key.clone(); number]);
    for (name, document, why) in [
        ("empty", String::new(), InvalidKeySet::NotAKeySet),
        ("HTML", "<html></html>".into(), InvalidKeySet::NotAKeySet),
        ("a list", json!([key]).to_string(), InvalidKeySet::NotAKeySet),
        ("a key alone", key.to_string(), InvalidKeySet::NotAKeySet),
        ("keys an object", json!({"keys": {"a": key}}).to_string(), InvalidKeySet::NotAKeySet),
        ("keys twice", format!(r#"{{"keys":[{key}],"keys":[{key}]}}"#), InvalidKeySet::NotAKeySet),
        (
            "a member of a key twice",
            format!(r#"{{"keys":[{key},{{"kid":"a","kid":"b"}}]}}"#),
            InvalidKeySet::NotAKeySet,
        ),
        ("no keys", jwks(&[]), InvalidKeySet::NoUsableKey),
        ("more than a hundred", many(MAX_KEYS + 1), InvalidKeySet::TooManyKeys),
    ] {
        assert_eq!(KeySet::parse(document.as_bytes()).err(), Some(why), "{name}");
    }
    assert_eq!(MAX_KEYS, 100);
    assert!(KeySet::parse(many(MAX_KEYS).as_bytes()).is_ok());
}

#[test]
fn a_key_that_the_token_brings_along_is_never_used() {
    let pem = include_str!("../../../../tests/keys/rsa-certificate.pem");
    // Of the attacker's own key, as `x5c` has it (RFC 7515 section 4.1.6), and its digests.
    let chain: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let certificate = STANDARD.decode(&chain).unwrap();
    let own = jwk(&RSA, &json!({"kid": "a", "use": "sig", "alg": "RS256"}));
    let with_chain = jwk(&RSA, &json!({"kid": "a", "x5c": [chain]}));
    let injections = [
        ("jwk", own.clone()),
        ("jwk", with_chain),
        ("jwk", json!(own.to_string())),
        ("jku", json!("https://evil.example/jwks.json")),
        ("jku", json!("https://issuer.example.com@evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("x5u", json!(pem)),
        ("x5c", json!([chain])),
        ("x5c", json!(chain)),
        ("x5t#S256", json!(URL_SAFE_NO_PAD.encode(Sha256::digest(certificate)))),
        ("public_key", json!(RSA_PUBLIC_PEM)),
        ("keys", json!([own])),
    ];
    let keys = set(&[jwk(&OTHER_RSA, &json!({"kid": "a"}))]);
    for (name, value) in injections {
        for (signer, key, kid, expected) in [
            ("the token's own key", &RSA, Some("a"), Err(TokenError::InvalidSignature)),
            ("the token's own key, no kid", &RSA, None, Err(TokenError::InvalidSignature)),
            ("the token's own key, its kid", &RSA, Some("evil"), Err(TokenError::UnknownKey)),
            ("the set's key", &OTHER_RSA, Some("a"), Ok(())),
        ] {
            let mut header = header(kid);
            header[name] = value.clone();
            let token = rs(key, &header, &good());
            assert_eq!(judge(&Policy::default(), Keys::Public(&keys), &token), expected, "{name}: {signer}");
        }
    }
}

#[test]
fn a_set_keeps_the_public_members_of_its_usable_keys_alone() {
    let extra = json!({"kid": "a", "alg": "RS256", "x5c": ["x"], "use": "sig"});
    let keys = set(&[jwk(&RSA, &extra), jwk(&OTHER_RSA, &json!({"d": "AQAB", "kid": "private"}))]);
    assert_eq!(keys.to_jwks(), json!({"keys": [jwk(&RSA, &json!({"kid": "a", "alg": "RS256"}))]}));
}
