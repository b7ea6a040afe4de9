//! `portcullis token sign`: tokens to try a gateway with.

use std::fs;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use portcullis::config::wire;
use portcullis::consumer::secret_bytes;
use portcullis::jwt::alg::{Algorithm, Family, Hash};
use portcullis::jwt::json;
use serde_json::{Map, Value, json};
use sha2::{Sha256, Sha384, Sha512};

use super::key::algorithm;
use super::private_key::PrivateKey;
use super::say;

/// How long a token is good, unless something else is asked for.
const SECONDS: u64 = 300;

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("signer").required(true).args(["secret", "secret_file", "key"]))]
pub(super) struct Sign {
    /// The claims, an object of JSON, or @FILE with one.
    #[arg(long, value_name = "JSON|@FILE")]
    claims: String,
    /// The shared secret. Others on this machine may see it: --secret-file hides it.
    #[arg(long, value_name = "SECRET")]
    secret: Option<String>,
    /// A file that holds the shared secret. A line end after it is not part of it.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// How the secret is written, as `secret_encoding` of gateway.json has it.
    #[arg(long, value_name = "ENCODING", default_value = "utf8", conflicts_with = "key")]
    secret_encoding: Encoding,
    /// A private key in PEM: PKCS#8, PKCS#1 or SEC 1.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The algorithm.
    #[arg(long, value_name = "ALG", value_parser = algorithm)]
    alg: Algorithm,
    /// The key id in the header.
    #[arg(long, value_name = "KID")]
    kid: Option<String>,
    /// The type in the header.
    #[arg(long, value_name = "TYP", default_value = "JWT")]
    typ: String,
    /// How long it is good, in seconds; unless given, 300.
    #[arg(long, value_name = "SECONDS", conflicts_with = "no_exp")]
    expires: Option<u64>,
    /// Leave `exp` out: the token is good for ever.
    #[arg(long)]
    no_exp: bool,
    /// The time to sign at, in seconds since 1970; without it, now.
    #[arg(long, value_name = "SECONDS")]
    now: Option<u64>,
    /// Print token, header and claims as JSON.
    #[arg(long)]
    json: bool,
}

/// How a secret is written.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Encoding {
    /// Its characters are its bytes.
    Utf8,
    /// RFC 4648 section 4.
    Base64,
    /// RFC 4648 section 5.
    Base64url,
    /// Two digits a byte.
    Hex,
}

impl From<Encoding> for wire::Encoding {
    fn from(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Utf8 => Self::Utf8,
            Encoding::Base64 => Self::Base64,
            Encoding::Base64url => Self::Base64url,
            Encoding::Hex => Self::Hex,
        }
    }
}

/// Prints a token; `clock` says what time it is.
pub(super) fn run(arguments: &Sign, clock: impl FnOnce() -> u64) -> Result<(), String> {
    let now = arguments.now.unwrap_or_else(clock);
    let claims = claims(arguments, now)?;
    let mut header = Map::new();
    header.insert("alg".to_owned(), arguments.alg.name().into());
    header.insert("typ".to_owned(), arguments.typ.as_str().into());
    if let Some(kid) = &arguments.kid {
        header.insert("kid".to_owned(), kid.as_str().into());
    }
    let part = |members: &Map<String, Value>| URL_SAFE_NO_PAD.encode(json!(members).to_string());
    let input = format!("{}.{}", part(&header), part(&claims));
    let signature = signature(arguments, input.as_bytes())?;
    let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature));
    if arguments.json {
        say::line(format_args!("{:#}", json!({ "token": token, "header": header, "claims": claims })));
    } else {
        say::line(token);
    }
    Ok(())
}

/// The claims that are asked for, with the times that are missing.
fn claims(arguments: &Sign, now: u64) -> Result<Map<String, Value>, String> {
    let text = match arguments.claims.strip_prefix('@') {
        Some(file) => fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?,
        None => arguments.claims.clone(),
    };
    let mut claims = json::object(text.as_bytes())
        .map_err(|_| "--claims is no object of JSON, or has a name twice: '{\"sub\": \"me\"}' is one".to_owned())?;
    if let Some(number) = unheld(&text) {
        return Err(format!(
            "--claims: no 64-bit integer holds {number}, and another number would be signed: write it as text, in quotes"
        ));
    }
    if claims.contains_key("exp") && (arguments.expires.is_some() || arguments.no_exp) {
        return Err("the claims have an `exp` already: leave out --expires and --no-exp".to_owned());
    }
    claims.entry("iat").or_insert_with(|| now.into());
    if !arguments.no_exp {
        let end = now.saturating_add(arguments.expires.unwrap_or(SECONDS));
        claims.entry("exp").or_insert_with(|| end.into());
    }
    Ok(claims)
}

/// The first integer of `text`, which is JSON, that becomes the nearest fraction when it is read.
fn unheld(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        rest = rest.get(rest.find(|letter: char| letter == '"' || letter == '-' || letter.is_ascii_digit())?..)?;
        if let Some(mut inside) = rest.strip_prefix('"') {
            // What follows a backslash is one byte at least, and no quote that counts.
            while let Some(escaped) = inside.get(inside.find(['"', '\\'])?..)?.strip_prefix('\\') {
                inside = escaped.get(1..)?;
            }
            rest = inside.get(inside.find('"')? + 1..)?;
            continue;
        }
        let end = rest.find(|letter: char| !matches!(letter, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'));
        let (number, behind) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        let is_integer = !number.contains(['.', 'e', 'E']);
        if is_integer && number.parse::<i64>().is_err() && number.parse::<u64>().is_err() {
            return Some(number);
        }
        rest = behind;
    }
}

fn signature(arguments: &Sign, input: &[u8]) -> Result<Vec<u8>, String> {
    let read = |file: &PathBuf| fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()));
    let alg = arguments.alg;
    if let Some(file) = &arguments.key {
        if alg.family() == Family::Hmac {
            return Err(format!("{alg} signs with a shared secret, not with --key"));
        }
        let key = PrivateKey::from_pem(&read(file)?).map_err(|why| format!("{}: {why}", file.display()))?;
        return key.sign(alg, input);
    }
    if alg.family() != Family::Hmac {
        return Err(format!("{alg} signs with a private key: --key FILE"));
    }
    let written = match (&arguments.secret_file, &arguments.secret) {
        (Some(file), _) => {
            let text = read(file)?;
            let text = text.strip_suffix('\n').unwrap_or(&text);
            text.strip_suffix('\r').unwrap_or(text).to_owned()
        }
        (None, secret) => secret.clone().unwrap_or_default(),
    };
    let secret = secret_bytes(&written, arguments.secret_encoding.into())
        .ok_or_else(|| "the secret is not written as --secret-encoding says".to_owned())?;
    let least = alg.hash().bytes();
    if secret.is_empty() {
        return Err("the secret is empty: anybody could sign with it".to_owned());
    }
    if secret.len() < least {
        let has = secret.len();
        say::aside(format_args!(
            "portcullis: warning: the secret has {has} bytes, and {alg} asks for {least} (RFC 7518 section 3.2)"
        ));
    }
    Ok(match alg.hash() {
        Hash::Sha256 => code::<Hmac<Sha256>>(&secret, input),
        Hash::Sha384 => code::<Hmac<Sha384>>(&secret, input),
        Hash::Sha512 => code::<Hmac<Sha512>>(&secret, input),
    })
}

fn code<M: Mac + KeyInit>(secret: &[u8], input: &[u8]) -> Vec<u8> {
    // A key of any length will do (RFC 2104 section 2), so the other side of this is never taken.
    let keyed = <M as KeyInit>::new_from_slice(secret);
    keyed.map(|keyed| keyed.chain_update(input).finalize().into_bytes().to_vec()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_that_would_be_signed_as_another_number_is_found() {
        for (name, text, expected) in [
            ("the greatest", r#"{"n": 18446744073709551615}"#, None),
            ("the least", r#"{"n": -9223372036854775808}"#, None),
            ("one more", r#"{"n":18446744073709551616}"#, Some("18446744073709551616")),
            ("one less", r#"{"n":-9223372036854775809}"#, Some("-9223372036854775809")),
            ("in a list", r#"{"a": [1, {"b": 12345678901234567890123 }]}"#, Some("12345678901234567890123")),
            ("fractions", r#"{"a": 12345678901234567890123.5, "b": 1e30, "c": -0.1E+5, "d": -0}"#, None),
            ("text", r#"{"12345678901234567890123": "12345678901234567890123"}"#, None),
            ("escapes", r#"{"a": "\"12345678901234567890123\\", "b": "é\u00e9\\\"", "c": 0}"#, None),
            ("behind escapes", r#"{"a": "\\", "b": 12345678901234567890123}"#, Some("12345678901234567890123")),
            ("none", "{}", None),
        ] {
            json::object(text.as_bytes()).unwrap();
            assert_eq!(unheld(text), expected, "{name}");
        }
    }
}
