//! `portcullis key jwks`: what an authorizer's `jwks` or a key URL takes.

use std::fs;
use std::path::{Path, PathBuf};

use portcullis::jwt::alg::Algorithm;
use portcullis::jwt::key::InvalidKey;
use portcullis::jwt::pem;
use serde_json::{Value, json};

use super::super::say;
use super::{algorithm, jwk, usual};

#[derive(Debug, clap::Args)]
pub(in super::super) struct Arguments {
    /// Public keys (SPKI or PKCS#1) or certificates, in PEM, one in each file.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What they sign with; unless given, RS256 for RSA, and what the curve says for the others.
    #[arg(long, value_name = "ALG", value_parser = algorithm)]
    alg: Option<Algorithm>,
    /// The key id of the one key; unless given, its thumbprint (RFC 7638).
    #[arg(long, value_name = "KID")]
    kid: Option<String>,
    /// The same: a key set is JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), String> {
    let Arguments { files, alg, kid, json: _ } = arguments;
    if kid.is_some() && files.len() > 1 {
        return Err("--kid names one key, and here are several files".to_owned());
    }
    let mut keys: Vec<Value> = Vec::new();
    for file in files {
        let key = key(file, *alg, kid.as_deref())?;
        if keys.iter().any(|known| known.get("kid") == key.get("kid")) {
            return Err(format!("{}: this key is there twice", file.display()));
        }
        keys.push(key);
    }
    say::line(format_args!("{:#}", json!({ "keys": keys })));
    Ok(())
}

fn key(file: &Path, alg: Option<Algorithm>, kid: Option<&str>) -> Result<Value, String> {
    let told = |why: String| format!("{}: {why}", file.display());
    let text = fs::read_to_string(file).map_err(|error| told(error.to_string()))?;
    let key = pem::public_key(&text).map_err(|why| match why {
        InvalidKey::Private => told(
            "this is a private key, which belongs to whoever signs: give its public half (`openssl pkey -pubout`)"
                .to_owned(),
        ),
        InvalidKey::Malformed => told("one public key or certificate in PEM is needed".to_owned()),
        why => told(format!("the gateway does not use this key: {why}")),
    })?;
    let algorithm = alg.unwrap_or_else(|| usual(&key));
    if !key.fits(algorithm) {
        return Err(told(format!("{algorithm} does not sign with a key of this kind")));
    }
    Ok(jwk(&key, algorithm, kid).into())
}
