//! What the tests of several modules share: a time, fixed keys, tokens, requests.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::traits::PublicKeyParts;
use rsa::{RsaPrivateKey, RsaPublicKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::request::{Head, RequestId};
use crate::time::UnixTime;

/// The time at which tests run, in seconds and as a time.
pub(crate) const SECONDS: u64 = 1_700_000_000;
pub(crate) const NOW: UnixTime = UnixTime::from_seconds(SECONDS);

/// A secret that is long enough for every hash.
pub(crate) const SECRET: &str = "a-secret-of-sixty-four-bytes-which-is-enough-for-all-the-hashes!";

/// The text of `RSA`'s public half.
pub(crate) const RSA_PUBLIC_PEM: &str = include_str!("../tests/keys/rsa-public.pem");

/// Two RSA keys of 2048 bits that sign nothing but tests.
pub(crate) static RSA: LazyLock<RsaPrivateKey> = LazyLock::new(|| read(include_str!("../tests/keys/rsa.pem")));
pub(crate) static OTHER_RSA: LazyLock<RsaPrivateKey> = LazyLock::new(|| read(include_str!("../tests/keys/other.pem")));

/// The modulus of a 1024-bit RSA key, as a JWK writes it.
pub(crate) const MODULUS_1024: &str = "rOhY9L4q6xeNE4N4Z3qewu0mZzfQ27v22PcCsGAw4XMovWY_Z50BrK3HEQrIPbsQNDKebwKoKqowLgVEdnF6TiEAlVm4c1fZp9o6ixknH3qknzYtysr9W63yIUXwRQ13E0B_DWRHmx3p_1qBcZkRHKSPTYZ1C43m-jV8R3vR-9E";

fn read(pem: &str) -> RsaPrivateKey {
    RsaPrivateKey::from_pkcs1_pem(pem).unwrap()
}

/// The JWK of `key` with these further `members`; `null` takes one away.
pub(crate) fn jwk(key: &RsaPrivateKey, members: &Value) -> Value {
    let public = RsaPublicKey::from(key);
    let uint = |bytes: Box<[u8]>| URL_SAFE_NO_PAD.encode(bytes);
    let mut jwk = json!({
        "kty": "RSA",
        "n": uint(public.n().to_be_bytes_trimmed_vartime()),
        "e": uint(public.e().to_be_bytes_trimmed_vartime()),
    });
    for (name, value) in members.as_object().unwrap() {
        match value {
            Value::Null => drop(jwk.as_object_mut().unwrap().remove(name)),
            _ => jwk[name] = value.clone(),
        }
    }
    jwk
}

/// A document of these keys.
pub(crate) fn jwks(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

/// Two parts of a token: what is signed.
pub(crate) fn signing_input(header: &Value, payload: &Value) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(payload.to_string()))
}

/// A token with this signature, whatever it is worth.
pub(crate) fn with_signature(header: &Value, payload: &Value, signature: &[u8]) -> String {
    format!("{}.{}", signing_input(header, payload), URL_SAFE_NO_PAD.encode(signature))
}

/// The code that the `alg` of `header` asks for; SHA-256 for any that is no HS algorithm.
pub(crate) fn hmac(secret: &[u8], header: &Value, payload: &Value) -> Vec<u8> {
    fn code<M: Mac + KeyInit>(secret: &[u8], message: &str) -> Vec<u8> {
        <M as KeyInit>::new_from_slice(secret).unwrap().chain_update(message).finalize().into_bytes().to_vec()
    }
    let message = signing_input(header, payload);
    match header["alg"].as_str() {
        Some("HS384") => code::<Hmac<Sha384>>(secret, &message),
        Some("HS512") => code::<Hmac<Sha512>>(secret, &message),
        _ => code::<Hmac<Sha256>>(secret, &message),
    }
}

/// The signature that the `alg` of `header` asks for; with SHA-256 for any that is no RS algorithm.
pub(crate) fn rsa_signature(key: &RsaPrivateKey, header: &Value, payload: &Value) -> Vec<u8> {
    let message = signing_input(header, payload);
    match header["alg"].as_str() {
        Some("RS384") => key.sign(Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(message)),
        Some("RS512") => key.sign(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(message)),
        _ => key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message)),
    }
    .unwrap()
}

/// A token signed with a shared secret.
pub(crate) fn hs(secret: &str, header: &Value, payload: &Value) -> String {
    with_signature(header, payload, &hmac(secret.as_bytes(), header, payload))
}

/// A token signed with an RSA key.
pub(crate) fn rs(key: &RsaPrivateKey, header: &Value, payload: &Value) -> String {
    with_signature(header, payload, &rsa_signature(key, header, payload))
}

/// Headers of a request.
pub(crate) fn headers(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A request.
pub(crate) fn request<'r>(method: &'r str, url: &'r str, headers: &'r Vec<(String, String)>) -> Head<'r> {
    // One for each request, and a test makes few.
    let id = Box::leak(Box::new(RequestId::new(|| "fresh-id".to_owned())));
    Head { method, url, headers, id }
}

/// Looks at whoever a token with these claims stands for.
#[cfg(feature = "rules")]
pub(crate) fn with_identity<T>(claims: Option<&str>, look: impl FnOnce(Option<&crate::authn::Identity<'_>>) -> T) -> T {
    use crate::authn::{Context, Outcome, authenticate};
    use crate::{compile::compile, config::reference::Env, jwks::KeyRing, memory::Memory, records::Records};
    let Some(claims) = claims else { return look(None) };
    let config = json!({"authorizer": {"type": "jwt", "secret": SECRET, "algorithm": "HS256", "require_exp": false}, "paths": [{"method": "GET", "path": "/", "auth": true, "response": {}}]});
    let gateway = compile(&config.to_string(), Env::Unknown).gateway.unwrap();
    let payload: Value = serde_json::from_str(claims).unwrap();
    let headers = headers(&[("authorization", &format!("Bearer {}", hs(SECRET, &json!({"alg": "HS256"}), &payload)))]);
    let head = request("GET", "https://gw.example/", &headers);
    let authorizer = gateway.authorizer(None).unwrap().as_ref().unwrap();
    let (ring, memory, records) = (KeyRing::default(), Memory::new([0; 16]), Records::default());
    let context = Context { ring: &ring, memory: &memory, records: &records, sources: &[], now: NOW };
    match authenticate(&[authorizer], None, 8192, &head, context) {
        Outcome::Passed { identity: Some(identity), .. } => look(Some(&identity)),
        other => panic!("it does not pass: {other:?}"),
    }
}
