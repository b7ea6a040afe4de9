//! Secrets and keys that are not what signed.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::answered;
use crate::explain::Explanation;
use crate::explain::inquiry::Inquiry;
use crate::jwt::keyset::KeySet;
use crate::testing::{OTHER_RSA, RSA, SECONDS, SECRET, headers, hs, jwk, jwks, rs, with_signature};

fn told(authorizer: &Value, secret: &str, keys: Option<&KeySet>, token: &str) -> Explanation {
    let config =
        json!({"authorizer": authorizer, "paths": [{"method": "GET", "path": "/me", "auth": true, "response": {}}]});
    let inquiry = Inquiry {
        method: "GET".into(),
        path: "/me".into(),
        headers: headers(&[("authorization", &format!("Bearer {token}"))]),
    };
    let names = BTreeMap::from([("KEY".to_owned(), secret.to_owned())]);
    answered(&inquiry, &config, &names, keys)
}

fn claims() -> Value {
    json!({"iss": "https://id.example/", "aud": "api", "exp": SECONDS + 300})
}

fn starts(name: &str, told: &Explanation, cause: &str) {
    let first = told.cause.as_deref().unwrap_or_default();
    assert!(first.starts_with(cause), "{name}: {first}");
}

#[test]
fn a_secret_that_one_side_has_in_another_form_is_told_by_the_form_and_the_side() {
    let jwt = json!({"type": "jwt", "secret": "$secret.KEY", "algorithm": "HS256", "issuer": "https://id.example/", "audience": "api"});
    let header = json!({"alg": "HS256"});
    let twice = STANDARD.encode(STANDARD.encode("x".repeat(40)));
    for (name, ours, theirs, cause) in [
        (
            "their line break",
            SECRET.to_owned(),
            format!("{SECRET}\n"),
            "the signature fits if the secret ends with a line break: the signer's does",
        ),
        (
            "their line break of Windows",
            SECRET.to_owned(),
            format!("{SECRET}\r\n"),
            "the signature fits if the secret ends with a line break of Windows",
        ),
        (
            "our quotes",
            format!("\"{SECRET}\""),
            SECRET.to_owned(),
            "the signature fits if quotes around the secret are taken off",
        ),
        (
            "their quotes",
            SECRET.to_owned(),
            format!("\"{SECRET}\""),
            "the signature fits if the secret is in quotes: the signer's is",
        ),
        ("base64 twice", twice, STANDARD.encode("x".repeat(40)), "the signature fits if the secret is read as base64"),
        ("another", SECRET.to_owned(), "another-secret-of-thirty-two-bytes".to_owned(), "another key signed the token"),
    ] {
        starts(name, &told(&jwt, &ours, None, &hs(&theirs, &header, &claims())), cause);
    }
    let mut encoded = jwt.clone();
    encoded["secret_encoding"] = "base64".into();
    let wrapped = STANDARD.encode(STANDARD.encode(SECRET));
    starts(
        "once more",
        &told(&encoded, &wrapped, None, &hs(SECRET, &header, &claims())),
        "the signature fits if the secret is taken out of base64 once more",
    );
    starts(
        "in base64url",
        &told(&encoded, "--__--__--__--__--__--__--__--__--__--__--__", None, &hs(SECRET, &header, &claims())),
        "gateway.json:1:",
    );
    let told = told(&encoded, "--__--__--__--__--__--__--__--__--__--__--__", None, &hs(SECRET, &header, &claims()));
    assert!(told.cause.unwrap().ends_with("it can be read as base64url"));
    assert!(told.fix.unwrap().starts_with("write \"secret_encoding\": \"base64url\""));
}

#[test]
fn a_secret_of_several_that_does_not_count_is_told_by_its_place_or_name() {
    let (old, new) = ("old-secret-of-thirty-two-bytes-and-more", "new-secret-of-thirty-two-bytes-and-more");
    let jwt = |secrets: Value| json!({"type": "jwt", "secrets": secrets, "algorithm": "HS256", "issuer": "https://id.example/", "audience": "api"});
    for (name, secrets, kid, signed, cause) in [
        (
            "ended",
            json!([{"secret": old, "not_after": SECONDS - 100}, {"secret": new}]),
            None,
            old,
            "the secret number 1 of `secrets` signed it, which does not count now: its `not_after` is past",
        ),
        (
            "too early",
            json!([{"secret": old}, {"secret": new, "not_before": SECONDS + 100}]),
            None,
            new,
            "the secret number 2 of `secrets` signed it, which does not count now: its `not_before` is ahead",
        ),
        (
            "the other's name",
            json!([{"kid": "a", "secret": old}, {"kid": "b", "secret": new}]),
            Some("a"),
            new,
            "the token names `kid` a, and the secret `b` signed it",
        ),
        (
            "an unknown name",
            json!([{"kid": "a", "secret": old}, {"kid": "b", "secret": new}]),
            Some("c"),
            new,
            "the token names `kid` c, and no secret of that name counts now; there are a, b",
        ),
    ] {
        let mut header = json!({"alg": "HS256"});
        if let Some(kid) = kid {
            header["kid"] = kid.into();
        }
        starts(name, &told(&jwt(secrets), "", None, &hs(signed, &header, &claims())), cause);
    }
}

#[test]
fn a_key_of_the_set_that_signed_under_another_name_is_named() {
    let jwt = json!({"type": "jwt", "jwks_url": "https://id.example/jwks", "issuer": "https://id.example/", "audience": "api"});
    let key = |rsa, kid: &str| jwk(rsa, &json!({"kid": kid, "alg": "RS256"}));
    let set = |keys: &[Value]| KeySet::parse(jwks(keys).as_bytes()).unwrap();
    let (one, two) = (set(&[key(&RSA, "k1")]), set(&[key(&OTHER_RSA, "k1"), key(&RSA, "k2")]));
    let bare = set(&[jwk(&RSA, &json!({}))]);
    let token = |alg: &str, kid: &str| rs(&RSA, &json!({"alg": alg, "kid": kid}), &claims());
    for (name, set, token, cause) in [
        (
            "another case",
            &one,
            token("RS256", "K1"),
            "the token names `kid` K1 with RS256, and the set has k1 (RSA RS256); k1 signed it",
        ),
        ("swapped", &two, token("RS256", "k1"), "the token names `kid` k1, and k2 signed it"),
        (
            "a key without a name",
            &bare,
            token("RS256", "k1"),
            "the token names `kid` k1 with RS256, and the set has one without `kid` (RSA -); one without `kid` signed it",
        ),
        (
            "another algorithm",
            &one,
            token("RS512", "k1"),
            "the token is signed with RS512, and the key for it is k1 (RSA RS256)",
        ),
    ] {
        starts(name, &told(&jwt, "", Some(set), &token), cause);
    }
    let mut others = claims();
    others["iss"] = "https://dev.example/".into();
    for (name, token, cause) in [
        (
            "another tenant's key",
            rs(&OTHER_RSA, &json!({"alg": "RS256", "kid": "z"}), &others),
            "the token is from https://dev.example/, and https://id.example/ is accepted: the token names `kid` z",
        ),
        (
            "another tenant's signature",
            rs(&OTHER_RSA, &json!({"alg": "RS256", "kid": "k1"}), &others),
            "the token is from https://dev.example/, and https://id.example/ is accepted: another key signed",
        ),
        (
            "a shared secret's",
            hs(SECRET, &json!({"alg": "HS256"}), &others),
            "the token is from https://dev.example/, and https://id.example/ is accepted: the token is signed with HS256",
        ),
    ] {
        starts(name, &told(&jwt, "", Some(&one), &token), cause);
    }
    let unread = told(&jwt, "", None, &token("RS256", "k1"));
    assert_eq!(
        unread.cause.as_deref(),
        Some("the keys of this authorizer are at https://id.example/jwks, which is not asked here")
    );
    assert!(unread.fix.unwrap().contains("curl -o keys.json https://id.example/jwks"));
}

#[test]
fn a_signature_shows_what_it_is() {
    let jwt = json!({"type": "entra", "tenant": "t", "audience": "api"});
    let set = KeySet::parse(jwks(&[jwk(&RSA, &json!({"kid": "a"}))]).as_bytes()).unwrap();
    let graph =
        json!({"iss": "https://sts.windows.net/t/", "aud": "https://graph.microsoft.com", "exp": SECONDS + 300});
    let token = with_signature(&json!({"alg": "RS256", "kid": "a", "nonce": "n"}), &graph, &[7; 256]);
    starts("a token for Graph", &told(&jwt, "", Some(&set), &token), "it is a token for Microsoft's own APIs");
    let refresh = hs(SECRET, &json!({"alg": "HS512"}), &json!({"typ": "Refresh", "exp": SECONDS + 300}));
    starts("a refresh token", &told(&jwt, "", Some(&set), &refresh), "it is a refresh token");
    let pem = include_str!("../../../tests/keys/p256-public.pem");
    let jwt = json!({"type": "jwt", "public_key": pem, "algorithm": "ES256", "issuer": "https://id.example/", "audience": "api"});
    let der = with_signature(&json!({"alg": "ES256"}), &claims(), &[&[0x30, 0x44, 2, 32][..], &[1; 66]].concat());
    starts("DER", &told(&jwt, "", None, &der), "the signature is in DER (70 bytes)");
}

#[test]
fn a_configuration_is_told_by_its_own_fault() {
    let jwt =
        |key: &str| json!({"type": "jwt", "public_key": key, "algorithm": "RS256", "issuer": "i", "audience": "api"});
    let escaped = include_str!("../../../tests/keys/rsa-public.pem").replace('\n', "\\n");
    for (name, authorizer, cause, fix) in [
        ("escapes", jwt(&escaped), "it has `\\n` written out where line breaks belong", "correct it"),
        ("no PEM", jwt("MIIB"), "a PEM begins with `-----BEGIN PUBLIC KEY-----`", "correct it"),
        (
            "an empty secret",
            json!({"type": "jwt", "secret": "$secret.KEY", "algorithm": "HS256", "issuer": "i", "audience": "a"}),
            "the secret is empty",
            "set the secret",
        ),
        (
            "unbound",
            json!({"type": "jwt", "secret": "$secret.NONE", "algorithm": "HS256", "issuer": "i", "audience": "a"}),
            "`NONE` is not bound",
            "bind what is missing",
        ),
    ] {
        let told = told(&authorizer, "", None, "a.b.c");
        assert_eq!(told.code, Some("config_error"), "{name}");
        assert!(told.cause.as_deref().unwrap().contains(cause), "{name}: {:?}", told.cause);
        assert!(told.fix.as_deref().unwrap().starts_with(fix), "{name}: {:?}", told.fix);
    }
}
