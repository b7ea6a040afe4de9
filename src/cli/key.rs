//! `portcullis key`: secrets, key pairs, and public keys as a key set.

mod generate;
mod jwks;

use std::process::ExitCode;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis::jwt::alg::{Algorithm, Curve};
use portcullis::jwt::key::PublicKey;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::wrong_use;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a secret or a key pair.
    Generate(generate::Arguments),
    /// Print public keys and certificates in PEM as a JSON Web Key Set.
    Jwks(jwks::Arguments),
}

pub(super) fn run(command: &Command) -> ExitCode {
    let done = match command {
        Command::Generate(arguments) => generate::run(arguments),
        Command::Jwks(arguments) => jwks::run(arguments),
    };
    done.map_or_else(|message| wrong_use(&message), |()| ExitCode::SUCCESS)
}

/// An algorithm by its name.
pub(super) fn algorithm(name: &str) -> Result<Algorithm, String> {
    Algorithm::named(name).ok_or_else(|| format!("one of {}", Algorithm::names().collect::<Vec<_>>().join(", ")))
}

/// `key` as a key set has it; its thumbprint is its `kid` unless another is given.
fn jwk(key: &PublicKey, algorithm: Algorithm, kid: Option<&str>) -> Map<String, Value> {
    let mut jwk = key.to_jwk();
    let kid = kid.map_or_else(|| thumbprint(&jwk), str::to_owned);
    for (name, value) in [("alg", algorithm.name()), ("kid", &kid), ("use", "sig")] {
        jwk.insert(name.to_owned(), value.into());
    }
    jwk
}

/// RFC 7638 section 3: SHA-256 over the members that make up the key and nothing else, in the order of their names.
fn thumbprint(jwk: &Map<String, Value>) -> String {
    let mut members: Vec<String> = jwk.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    members.sort();
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{{{}}}", members.join(","))))
}

/// What a key signs with where nobody says more.
fn usual(key: &PublicKey) -> Algorithm {
    match key {
        PublicKey::Rsa(_) => Algorithm::Rs256,
        PublicKey::Ed(_) => Algorithm::EdDsa,
        PublicKey::Ec(key) => match key.curve() {
            Curve::P256 => Algorithm::Es256,
            Curve::P384 => Algorithm::Es384,
            Curve::P521 => Algorithm::Es512,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_of_rfc_7638_and_of_rfc_8037_come_out() {
        let rsa = r#"{"kty":"RSA","e":"AQAB","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"}"#;
        let ed = r#"{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        for (name, jwk, expected) in [
            ("RFC 7638 section 3.1", rsa, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
            ("RFC 8037 appendix A.3", ed, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
        ] {
            let key = PublicKey::from_jwk(&serde_json::from_str(jwk).unwrap()).unwrap();
            assert_eq!(thumbprint(&key.to_jwk()), expected, "{name}");
        }
    }
}
