//! Tokens as text: one spelling for each, and no signature that nobody made.

#![cfg_attr(fuzzing, no_main)]
#![expect(clippy::expect_used, reason = "what these find missing is a finding")]

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis::jwt::alg::{Algorithm, Family};
use portcullis::jwt::compact::Compact;
use portcullis::jwt::error::TokenError;
use portcullis::jwt::jws::Jws;
use portcullis::jwt::key::HmacKey;
use portcullis::jwt::keys::{Keys, Secret};
use portcullis::jwt::keyset::KeySet;
use portcullis::time::Window;
use portcullis_fuzz::tokens::{NOW, SECRET, is_signed};
use serde_json::{Map, Value, json};

portcullis_fuzz::target!(check);

/// Public halves of the keys that `seeds.mjs` signs with, each by the name of its file.
static PUBLIC: LazyLock<KeySet> = LazyLock::new(|| {
    let map = json!({
        "rsa": include_str!("../../tests/keys/rsa-public.pem"),
        "p256": include_str!("../../tests/keys/p256-public.pem"),
        "p384": include_str!("../../tests/keys/p384-public.pem"),
        "p521": include_str!("../../tests/keys/p521-public.pem"),
        "ed25519": include_str!("../../tests/keys/ed25519-public.pem"),
    });
    KeySet::parse(map.to_string().as_bytes()).expect("the keys of the tests are good")
});

static SECRETS: LazyLock<[Secret; 1]> = LazyLock::new(|| {
    let key = HmacKey::new(SECRET.as_bytes()).expect("it is not empty");
    [Secret { kid: None, key, window: Window::default() }]
});

fn check(data: &[u8]) {
    let Ok(token) = std::str::from_utf8(data) else { return };
    let (jws, compact) = (Jws::parse(token), Compact::parse(token));
    let Ok(jws) = jws else {
        assert!(compact.is_err(), "claims without a signature");
        return;
    };
    let [header, payload, signature] = parts(token);
    let header: Map<String, Value> = serde_json::from_slice(&header).expect("a header is an object");
    assert!(!header.contains_key("crit"), "an extension that nobody understands");
    assert_eq!(jws.algorithm().ok(), header.get("alg").and_then(Value::as_str).and_then(Algorithm::named));
    if let Ok(compact) = compact {
        let claims: Map<String, Value> = serde_json::from_slice(&payload).expect("claims are an object");
        assert_eq!(compact.claimed_issuer(), claims.get("iss").and_then(Value::as_str));
    }
    for algorithm in Algorithm::ALL {
        for keys in [Keys::Secrets(SECRETS.as_slice()), Keys::Public(&PUBLIC)] {
            signature_is_of_all(token, &signature, *algorithm, keys);
        }
    }
}

/// The three parts decoded. Each is the one spelling of its bytes: no other token says the same.
fn parts(token: &str) -> [Vec<u8>; 3] {
    let decode = |part: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(part).expect("a part is base64url");
        assert_eq!(URL_SAFE_NO_PAD.encode(&bytes), part, "a second spelling");
        bytes
    };
    let parts: Vec<Vec<u8>> = token.split('.').map(decode).collect();
    parts.try_into().expect("there are three parts")
}

/// Where a signature holds it was made with that key, for that algorithm, over exactly this.
fn signature_is_of_all(token: &str, signature: &[u8], algorithm: Algorithm, keys: Keys<'_>) {
    let verify = |token: &str| Jws::parse(token)?.verify_signature(algorithm, keys, NOW);
    let verified = verify(token);
    let named = Jws::parse(token).and_then(|jws| jws.algorithm());
    match verified {
        Ok(()) => assert_eq!(named, Ok(algorithm), "another algorithm"),
        Err(TokenError::InvalidSignature | TokenError::UnknownKey) => return assert_eq!(named, Ok(algorithm)),
        Err(TokenError::AlgorithmNotAllowed) => return assert_ne!(named, Ok(algorithm)),
        Err(error) => return assert_eq!(named.err(), Some(error)),
    }
    match keys {
        Keys::Secrets(_) => assert!(is_signed(token), "nobody made this"),
        Keys::Public(_) => assert_ne!(algorithm.family(), Family::Hmac, "a public key as a secret"),
    }
    let (input, _) = token.rsplit_once('.').expect("it has parts");
    let (first, second) = signature.split_at(signature.len() / 2);
    let mut flipped = [first, second].concat();
    if let Some(byte) = flipped.get_mut(first.len()) {
        *byte ^= 1;
    }
    for other in [
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(&flipped)),
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(first)),
        format!("{input}.{}", URL_SAFE_NO_PAD.encode([signature, b"\0"].concat())),
        format!("{input}AAAA.{}", URL_SAFE_NO_PAD.encode(signature)),
    ] {
        assert!(verify(&other).is_err(), "{other} is as good as {token}");
    }
}
