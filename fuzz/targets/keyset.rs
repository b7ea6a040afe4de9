//! Documents of an identity provider: key sets, what KV keeps of them, discovery, `Cache-Control`.

#![cfg_attr(fuzzing, no_main)]
#![expect(clippy::expect_used, reason = "what these find missing is a finding")]

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis::discovery::keys_url;
use portcullis::jwks::{FetchedKeys, KeyRing, Look, Source, SourceId};
use portcullis::jwt::alg::Algorithm;
use portcullis::jwt::jws::Jws;
use portcullis::jwt::keys::Keys;
use portcullis::jwt::keyset::{KeySet, MAX_KEYS};
use portcullis::time::UnixTime;
use portcullis::url::HttpUrl;
use portcullis_fuzz::tokens::{NOW, sign};
use serde_json::{Map, Value, json};

portcullis_fuzz::target!(check);

/// Members that a published key may have: nothing private among them.
const PUBLIC_MEMBERS: [&str; 8] = ["kty", "n", "e", "crv", "x", "y", "kid", "alg"];

/// Signatures that hold under weak keys or careless checks: the neutral point with 0, and 0 and 1 as r, s and RSA's number.
static FORGERIES: LazyLock<Vec<(Algorithm, String)>> = LazyLock::new(|| {
    let forge = |algorithm: Algorithm, length: usize, first: u8, last: u8| {
        let mut signature = vec![0; length];
        if let [start, .., end] = signature.as_mut_slice() {
            (*start, *end) = (first, last);
        }
        let header = URL_SAFE_NO_PAD.encode(json!({ "alg": algorithm.name() }).to_string());
        (algorithm, format!("{header}.e30.{}", URL_SAFE_NO_PAD.encode(signature)))
    };
    let lengths = [
        (Algorithm::EdDsa, 64),
        (Algorithm::Es256, 64),
        (Algorithm::Es384, 96),
        (Algorithm::Es512, 132),
        (Algorithm::Rs256, 256),
        (Algorithm::Ps256, 256),
    ];
    let all = lengths.iter().flat_map(|(algorithm, length)| {
        [(0, 0), (1, 0), (0, 1)].map(|(first, last)| forge(*algorithm, *length, first, last))
    });
    all.collect()
});

fn check(data: &[u8]) {
    if let Ok(set) = KeySet::parse(data) {
        published(&set);
        proves_nothing(&set, data);
        stored(&FetchedKeys { set, fetched_at: NOW, max_age_ms: None });
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(keys) = FetchedKeys::from_stored(text, NOW) {
        assert!(keys.fetched_at.since(NOW) <= 30_000, "keys from the future");
        usable(&keys);
        stored(&keys);
    }
    cache_control(text);
    if let Ok(url) = keys_url(data, "https://issuer.example") {
        let url = HttpUrl::parse(&url).expect("keys are at a URL");
        assert!(url.may_serve_keys());
    }
}

/// What the gateway passes on of a set is that set again, whole, and has nothing private in it.
fn published(set: &KeySet) {
    let jwks = set.to_jwks();
    let again = KeySet::parse(jwks.to_string().as_bytes()).expect("it can be read again");
    assert!(again.skipped().is_empty(), "{:?}", again.skipped());
    assert_eq!(again.to_jwks(), jwks);
    let keys = jwks.get("keys").and_then(Value::as_array).expect("a list of keys");
    assert!((1..=MAX_KEYS).contains(&keys.len()));
    let members = keys.iter().filter_map(Value::as_object).flat_map(Map::keys);
    members.for_each(|name| assert!(PUBLIC_MEMBERS.contains(&name.as_str()), "{name} is published"));
}

/// No key, however odd, makes a forgery good; and the text of a set is no secret.
fn proves_nothing(set: &KeySet, document: &[u8]) {
    let verified = |token: &str, algorithm| {
        let jws = Jws::parse(token).expect("it is well-formed");
        jws.verify_signature(algorithm, Keys::Public(set), NOW).is_ok()
    };
    for (algorithm, token) in FORGERIES.iter() {
        assert!(!verified(token, *algorithm), "{token}");
    }
    let confused = sign(&String::from_utf8_lossy(document), br#"{"alg":"HS256"}"#, b"{}");
    assert!(Algorithm::ALL.iter().all(|algorithm| !verified(&confused, *algorithm)), "{confused}");
}

/// What KV keeps comes back as it was.
fn stored(keys: &FetchedKeys) {
    let again = FetchedKeys::from_stored(&keys.to_stored(), NOW).expect("it can be read again");
    assert_eq!((again.fetched_at, again.max_age_ms), (keys.fetched_at, keys.max_age_ms));
    assert_eq!(again.set.to_jwks(), keys.set.to_jwks());
}

/// Whatever a document says of times, no clock runs over and nothing serves for ever.
fn usable(keys: &FetchedKeys) {
    let source = Source {
        url: "https://issuer.example/keys".to_owned(),
        issuer: None,
        ttl_ms: None,
        timeout_ms: 5_000,
        stale_ms: 86_400_000,
    };
    for now in [NOW, UnixTime::from_millis(0), UnixTime::from_millis(u64::MAX)] {
        let mut ring = KeyRing::new(1);
        ring.store(SourceId(0), keys.clone());
        let offered = matches!(ring.look(SourceId(0), &source, now), Look::Keys { .. });
        assert_eq!(offered, source.freshness(keys, now).is_some());
        assert!(source.freshness(keys, now) == Some(true) || source.is_due(keys, now), "old, and nobody asks");
    }
    // A day of `max-age` and a day of serving on while the source is down are the most.
    let late = UnixTime::from_millis(keys.fetched_at.as_millis().saturating_add(2 * 86_400_000));
    assert!(late <= keys.fetched_at || source.freshness(keys, late).is_none());
}

fn cache_control(header: &str) {
    const KEYS: &[u8] =
        br#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"xAQSLV9jNP89B1Nm6u-Fn3KjimDb78UObYXIYJy-AJg"}]}"#;
    let keys = FetchedKeys::fetched(KEYS, Some(header), NOW).expect("these keys are good");
    assert!(keys.max_age_ms.is_none() || header.to_ascii_lowercase().contains("max-age"));
    usable(&keys);
}
