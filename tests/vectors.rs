//! Published vectors, held against the signature layer: Wycheproof's JSON Web Signature set, the examples of the RFCs, and the key sets of
//! identity providers.
//!
//! They stand in `../shared/vectors`, or in the folder that `PORTCULLIS_VECTORS` names. Where there is none, these tests say that they did
//! not run, and pass. Each row whose published verdict differs from ours is in `vectors/exceptions.json`, with the reason.

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::io::Write;
    use std::path::{Path, PathBuf};

    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use portcullis::jwt::alg::{Algorithm, Family};
    use portcullis::jwt::error::TokenError;
    use portcullis::jwt::jws::Jws;
    use portcullis::jwt::key::{HmacKey, InvalidKey};
    use portcullis::jwt::keys::{Keys, Secret};
    use portcullis::jwt::keyset::KeySet;
    use portcullis::time::{UnixTime, Window};
    use serde::Deserialize;
    use serde_json::{Value, json};

    const NOW: UnixTime = UnixTime::from_seconds(1_700_000_000);

    #[derive(Deserialize)]
    struct Vector {
        id: String,
        alg: String,
        jwk: Value,
        token: String,
        valid: bool,
        comment: String,
    }

    #[derive(Deserialize)]
    struct Exception {
        ours: bool,
        reason: String,
    }

    #[derive(Deserialize)]
    struct Provider {
        id: String,
        jwks: Option<Value>,
        x509: Option<Value>,
    }

    fn own(file: &str) -> String {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(file)).unwrap()
    }

    /// The text of a file of vectors; none, said aloud, where there is no folder of them. A folder without the file is an error.
    fn vectors(file: &str) -> Option<String> {
        let folder = std::env::var_os("PORTCULLIS_VECTORS")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors"), PathBuf::from);
        if !folder.is_dir() {
            // Past the capture of what tests print, or nobody would hear of it.
            writeln!(std::io::stderr(), "NOT RUN: {file}: there are no vectors in {}", folder.display()).unwrap();
            return None;
        }
        Some(fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}")))
    }

    /// A shared secret as a JWK, which no part of the library reads. What the key says of its own use is obeyed as for public keys.
    fn secret(jwk: &Value) -> Option<Secret> {
        let verifies = |ops: &Value| ops.as_array().is_some_and(|ops| ops.contains(&json!("verify")));
        if jwk.get("use").is_some_and(|purpose| purpose != "sig")
            || jwk.get("key_ops").is_some_and(|ops| !verifies(ops))
        {
            return None;
        }
        let key = HmacKey::new(&URL_SAFE_NO_PAD.decode(jwk["k"].as_str()?).ok()?).ok()?;
        Some(Secret { kid: jwk["kid"].as_str().map(str::to_owned), key, window: Window::default() })
    }

    /// Our verdict: why `token` is refused with `jwk` as the only key and `alg` as the only algorithm.
    fn judge(alg: &str, jwk: &Value, token: &str) -> Result<(), TokenError> {
        let jws = Jws::parse(token)?;
        let algorithm = Algorithm::named(alg).ok_or(TokenError::UnsupportedAlgorithm)?;
        if algorithm.family() == Family::Hmac {
            let secrets: Vec<Secret> = secret(jwk).into_iter().collect();
            return jws.verify_signature(algorithm, Keys::Secrets(&secrets), NOW);
        }
        let set = KeySet::parse(json!({ "keys": [jwk] }).to_string().as_bytes()).unwrap_or_default();
        jws.verify_signature(algorithm, Keys::Public(&set), NOW)
    }

    /// Runs a file of vectors; every verdict is the published one, but for the exceptions, each of which is still needed. The number of each
    /// verdict is told, lest all be refused for a key that was not read.
    fn run(file: &str, least: usize, verdicts: &[(Result<(), TokenError>, usize)]) {
        let Some(text) = vectors(file) else { return };
        let vectors: Vec<Vector> = serde_json::from_str(&text).unwrap();
        let all: BTreeMap<String, BTreeMap<String, Exception>> = serde_json::from_str(&own("exceptions.json")).unwrap();
        let none = BTreeMap::new();
        let exceptions = all.get(file).unwrap_or(&none);
        let mut wrong = Vec::new();
        let mut reasons = BTreeMap::new();
        for Vector { id, alg, jwk, token, valid, comment } in &vectors {
            let judged = judge(alg, jwk, token);
            *reasons.entry(judged.clone()).or_insert(0) += 1;
            let exception = exceptions.get(id);
            if let Some(exception) = exception {
                assert_ne!(exception.ours, *valid, "{id}: an exception that says what the vector says");
                assert!(exception.reason.len() > 20, "{id}: an exception without a reason");
            }
            let expected = exception.map_or(*valid, |exception| exception.ours);
            if judged.is_ok() != expected {
                wrong.push(format!("{id}: published valid={valid}, ours {judged:?} ({comment})"));
            }
        }
        let known = |id: &String| vectors.iter().any(|vector| vector.id == *id);
        wrong.extend(exceptions.keys().filter(|id| !known(id)).map(|id| format!("{id}: an exception for no vector")));
        assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), vectors.len(), wrong.join("\n"));
        assert!(vectors.len() >= least, "{file}: only {} ran", vectors.len());
        let expected: BTreeMap<Result<(), TokenError>, usize> = verdicts.iter().cloned().collect();
        assert_eq!(reasons, expected, "{file}: refused, but for other reasons than those");
    }

    #[test]
    fn wycheproof_signatures_are_judged_as_published() {
        let verdicts = [
            (Ok(()), 42),
            (Err(TokenError::Malformed), 38),
            (Err(TokenError::UnsupportedAlgorithm), 7),
            (Err(TokenError::AlgorithmNotAllowed), 8),
            (Err(TokenError::UnknownKey), 7),
            (Err(TokenError::InvalidSignature), 299),
        ];
        run("wycheproof.json", 400, &verdicts);
    }

    #[test]
    fn the_examples_of_the_rfcs_are_judged_as_published() {
        let verdicts =
            [(Ok(()), 12), (Err(TokenError::UnsupportedAlgorithm), 1), (Err(TokenError::InvalidSignature), 1)];
        run("rfc.json", 14, &verdicts);
    }

    /// Each provider's key set, how many of its keys can be used, and why the others cannot.
    const PROVIDERS: [(&str, usize, &[InvalidKey]); 20] = [
        ("auth0-1", 2, &[]),
        ("auth0-2", 1, &[]),
        ("okta-1", 2, &[]),
        ("okta-2", 3, &[]),
        ("google-1", 2, &[]),
        ("google-2", 2, &[]),
        ("google-3", 2, &[]),
        ("firebase-1", 2, &[]),
        ("firebase-2", 1, &[]),
        ("entra-1", 10, &[]),
        ("entra-2", 3, &[]),
        ("entra-3", 10, &[]),
        ("cognito-1", 2, &[]),
        ("cognito-2", 2, &[]),
        ("supabase-1", 1, &[]),
        ("supabase-2", 1, &[]),
        ("cloudflare-access-1", 2, &[]),
        ("clerk-1", 1, &[]),
        ("keycloak-1", 1, &[InvalidKey::Purpose]),
        ("keycloak-2", 1, &[InvalidKey::Purpose]),
    ];

    fn providers() -> Option<BTreeMap<String, KeySet>> {
        let providers: Vec<Provider> = serde_json::from_str(&vectors("providers.json")?).unwrap();
        let parse = |provider: Provider| {
            let document = provider.jwks.or(provider.x509).unwrap().to_string();
            let set = KeySet::parse(document.as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", provider.id));
            (provider.id, set)
        };
        Some(providers.into_iter().map(parse).collect())
    }

    #[test]
    fn every_key_set_of_a_provider_has_the_usable_keys_of_the_table() {
        let Some(providers) = providers() else { return };
        for (id, usable, skipped) in PROVIDERS {
            let set = &providers[id];
            assert_eq!(set.to_jwks()["keys"].as_array().unwrap().len(), usable, "{id}");
            let why: Vec<InvalidKey> = set.skipped().iter().map(|(_, why)| *why).collect();
            assert_eq!(why, skipped, "{id}");
            let again = KeySet::parse(set.to_jwks().to_string().as_bytes()).unwrap();
            assert_eq!(again.to_jwks(), set.to_jwks(), "{id}: what is kept of it reads the same");
        }
        assert_eq!(providers.len(), PROVIDERS.len());
    }
}
