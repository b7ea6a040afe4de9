//! `portcullis key generate`: from the system's randomness.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis::jwt::alg::{Algorithm, Family, Hash};
use portcullis::jwt::pem;
use serde_json::{Map, Value};

use super::super::private_key::{PrivateKey, random};
use super::super::say;
use super::{algorithm, jwk};

#[derive(Debug, clap::Args)]
pub(in super::super) struct Arguments {
    /// What it is to sign with: HS256 makes a secret, RS256, PS256, ES256, EdDSA and the like make a key pair.
    #[arg(long, value_name = "ALG", value_parser = algorithm)]
    alg: Algorithm,
    /// The key id; of a key pair, its thumbprint (RFC 7638) unless given.
    #[arg(long, value_name = "KID")]
    kid: Option<String>,
    /// Bits of an RSA key.
    #[arg(long, value_name = "BITS", default_value = "2048", value_parser = ["2048", "3072", "4096"])]
    bits: String,
    /// Write files with names that begin so, and print nothing that is secret.
    #[arg(long, value_name = "PREFIX")]
    out: Option<String>,
    /// Print all of it as JSON.
    #[arg(long)]
    json: bool,
}

/// One piece of what was made.
struct Part {
    /// Its member in JSON.
    name: &'static str,
    /// How its file's name ends.
    ending: &'static str,
    secret: bool,
    value: Value,
}

impl Part {
    fn text(&self) -> String {
        match &self.value {
            Value::String(text) => format!("{}\n", text.trim_end()),
            other => format!("{other:#}\n"),
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<(), String> {
    let parts = match arguments.alg.family() {
        Family::Hmac => vec![secret(arguments.alg.hash())?],
        _ => pair(arguments)?,
    };
    let kid = parts.iter().find_map(|part| part.value.get("kid").cloned());
    let kid = kid.or_else(|| arguments.kid.clone().map(Value::from));
    let mut told = Map::new();
    told.insert("alg".to_owned(), arguments.alg.name().into());
    told.extend(kid.map(|kid| ("kid".to_owned(), kid)));
    let mut lines = String::new();
    let files = arguments.out.as_ref().map(|prefix| write(prefix, &parts)).transpose()?.unwrap_or_default();
    for (number, part) in parts.iter().enumerate() {
        if let Some(file) = files.get(number) {
            let file = file.display().to_string();
            lines.extend([&file, "\n"]);
            told.insert(format!("{}_file", part.name), file.into());
        } else {
            lines.push_str(&part.text());
        }
        if files.is_empty() || !part.secret {
            told.insert(part.name.to_owned(), part.value.clone());
        }
    }
    if arguments.json {
        say::line(format_args!("{:#}", Value::Object(told)));
    } else {
        say::text(&lines);
    }
    Ok(())
}

/// As many bytes as the hash gives: RFC 7518 section 3.2 asks for no less.
fn secret(hash: Hash) -> Result<Part, String> {
    let bytes = random::<64>()?;
    let text = URL_SAFE_NO_PAD.encode(bytes.get(..hash.bytes()).unwrap_or(&bytes));
    Ok(Part { name: "secret", ending: ".secret", secret: true, value: text.into() })
}

fn pair(arguments: &Arguments) -> Result<Vec<Part>, String> {
    let bits = arguments.bits.parse().map_err(|_| "the bits are no number".to_owned())?;
    let private = PrivateKey::generate(arguments.alg, bits)?;
    let public = private.public_pem()?;
    let key = pem::public_key(&public).map_err(|why| format!("the gateway would not use this key: {why}"))?;
    let jwk = jwk(&key, arguments.alg, arguments.kid.as_deref());
    Ok(vec![
        Part { name: "private_key", ending: ".private.pem", secret: true, value: private.pem()?.into() },
        Part { name: "public_key", ending: ".public.pem", secret: false, value: public.into() },
        Part { name: "jwk", ending: ".jwk.json", secret: false, value: jwk.into() },
    ])
}

/// Writes new files, what is secret for its owner alone. One that is there stays: it may be the only copy of a key.
fn write(prefix: &str, parts: &[Part]) -> Result<Vec<PathBuf>, String> {
    let files: Vec<PathBuf> = parts.iter().map(|part| PathBuf::from(format!("{prefix}{}", part.ending))).collect();
    // All of them or none: half a key pair is of no use.
    if let Some(file) = files.iter().find(|file| file.exists()) {
        return Err(format!("{} is there already, and is not overwritten", file.display()));
    }
    for (file, part) in files.iter().zip(parts) {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        if part.secret {
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        let written = options.open(file).and_then(|mut open| open.write_all(part.text().as_bytes()));
        written.map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(files)
}
