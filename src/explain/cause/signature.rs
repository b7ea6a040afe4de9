//! Signatures that do not fit, and what would have fitted.

use serde_json::Value;

use super::key::signer;
use super::{Cause, cause};
use crate::authn::{Authorizer, KeySource, verify_token};
use crate::explain::evidence::Evidence;
use crate::explain::{Question, Variant};
use crate::jwt::alg::{Algorithm, Family};
use crate::jwt::keys::Secret;
use crate::reject::Code;
use crate::time::Window;

/// The spellings of a secret that `secret_encoding` knows.
pub(super) const ENCODINGS: [&str; 4] = ["base64", "base64url", "hex", "utf8"];

pub(super) fn signature(question: Question<'_>, evidence: &Evidence<'_>) -> Cause {
    let (Some(token), Some(authorizer)) = (evidence.token.as_deref(), evidence.authorizer) else {
        return cause("the signature does not fit", "sign with the configured key");
    };
    if let Some(told) = odd(evidence, token) {
        return told;
    }
    let set = match &authorizer.keys {
        KeySource::Secrets(secrets) => return secret(question, evidence, secrets),
        KeySource::Inline(set) => Some(set),
        _ => question.fetched,
    };
    if let Some(name) = set.and_then(|set| signer(question, evidence, set)) {
        let kid = evidence.header("kid").unwrap_or("none");
        return cause(
            format!("the token names `kid` {kid}, and {name} signed it"),
            "have the signer and the key set call the key alike: names of two keys were swapped",
        );
    }
    cause(
        "another key signed the token, or it was changed on the way",
        "see whether the token is from this issuer and environment, and was not changed on the way",
    )
}

/// What a signature shows by its form.
fn odd(evidence: &Evidence<'_>, token: &str) -> Option<Cause> {
    let algorithm = evidence.header("alg").and_then(Algorithm::named)?;
    let length = token.rsplit('.').next().map_or(0, |part| part.len() * 3 / 4);
    let wanted = match algorithm.family() {
        Family::Hmac => algorithm.hash().bytes(),
        Family::Ecdsa(_) => match algorithm.name() {
            "ES256" => 64,
            "ES384" => 96,
            _ => 132,
        },
        Family::EdDsa => 64,
        Family::RsaPkcs1 | Family::RsaPss if length < 128 => 256,
        // The key says how long these are; what was cut off of them is at the end all the same.
        Family::RsaPkcs1 | Family::RsaPss => length,
    };
    let name = algorithm.name();
    let is_der = token.rsplit('.').next().is_some_and(|part| part.starts_with("ME") || part.starts_with("MI"));
    if length != wanted && is_der && matches!(algorithm.family(), Family::Ecdsa(_)) {
        return Some(cause(
            format!("the signature is in DER ({length} bytes), and {name} of a token is r and s alone ({wanted})"),
            "have the signer write it as RFC 7518 section 3.4 says: `ieee-p1363` in Node and WebCrypto",
        ));
    }
    if length != wanted {
        return Some(cause(
            format!("the signature has {length} bytes, and {name} gives {wanted}"),
            if length < wanted {
                "see whether the token was cut off"
            } else {
                "have the signer put the signature's bytes into base64url, not their hexadecimal text"
            },
        ));
    }
    // Microsoft changes the header of its own tokens after signing, so that nobody else relies on them.
    let issuer = evidence.claim("iss").and_then(Value::as_str).unwrap_or_default();
    let is_microsofts = issuer.contains("sts.windows.net") || issuer.contains("login.microsoftonline.com");
    (is_microsofts && evidence.header("nonce").is_some()).then(|| {
        cause(
            "it is a token for Microsoft's own APIs (`nonce` in its header), such as Graph: nobody else can verify it",
            "ask Entra with a scope of your own API: api://APPLICATION/.default, or one that it exposes",
        )
    })
}

fn secret(question: Question<'_>, evidence: &Evidence<'_>, secrets: &[Secret]) -> Cause {
    if let Some(told) = spelt_otherwise(question, evidence) {
        return told;
    }
    for (number, secret) in secrets.iter().enumerate() {
        let always = Secret { kid: None, window: Window::default(), ..secret.clone() };
        if !verifies(question, evidence, vec![always]) {
            continue;
        }
        let name =
            secret.kid.as_ref().map_or_else(|| format!("number {} of `secrets`", number + 1), |kid| format!("`{kid}`"));
        if !secret.window.holds(question.now) {
            let ended = secret.window.not_after.is_some_and(|end| end <= question.now);
            let when = if ended { "its `not_after` is past" } else { "its `not_before` is ahead" };
            return cause(
                format!("the secret {name} signed it, which does not count now: {when}"),
                "sign with the one that counts, or let this one count for longer",
            );
        }
        let kid = evidence.header("kid").unwrap_or("none");
        return cause(
            format!("the token names `kid` {kid}, and the secret {name} signed it"),
            "have the signer name the secret that it signs with",
        );
    }
    cause(
        "another key signed the token, or it was changed on the way",
        "see whether both sides have the same secret; base64, hex, quotes and white space were tried",
    )
}

fn spelt_otherwise(question: Question<'_>, evidence: &Evidence<'_>) -> Option<Cause> {
    let fits = |variant: Variant| {
        let name = evidence.authorizer.and_then(|authorizer| authorizer.name.as_deref());
        let gateway = (question.variant)(variant)?;
        let Some(Ok(authorizer)) = gateway.authorizer(name) else { return None };
        let KeySource::Secrets(secrets) = &authorizer.keys else { return None };
        verifies(question, evidence, secrets.clone()).then_some(())
    };
    for encoding in ENCODINGS {
        if fits(Variant::Encoding(encoding)).is_some() {
            return Some(cause(
                format!("the signature fits if the secret is read as {encoding}"),
                format!("write \"secret_encoding\": \"{encoding}\" beside the secret"),
            ));
        }
    }
    let ways = [
        (
            Variant::Trimmed,
            "the signature fits if white space around the secret is taken off",
            "set the secret again without the line break at its end",
        ),
        (
            Variant::Ended("\n"),
            "the signature fits if the secret ends with a line break: the signer's does",
            "have the signer take the line break off: it read a file, or `echo` wrote one",
        ),
        (
            Variant::Ended("\r\n"),
            "the signature fits if the secret ends with a line break of Windows: the signer's does",
            "have the signer take the line break off: it read a file",
        ),
        (
            Variant::Unquoted,
            "the signature fits if quotes around the secret are taken off",
            "set the secret again without quotes",
        ),
        (
            Variant::Quoted,
            "the signature fits if the secret is in quotes: the signer's is",
            "have the signer take the quotes off: they come out of its .env file",
        ),
        (
            Variant::Unwrapped,
            "the signature fits if the secret is taken out of base64 once more: it was encoded twice",
            "set the secret again as the signer has it; Kubernetes and others show secrets in base64",
        ),
    ];
    ways.into_iter().find(|(variant, ..)| fits(*variant).is_some()).map(|(_, told, fix)| cause(told, fix))
}

/// Whether one of `secrets` made the signature.
fn verifies(question: Question<'_>, evidence: &Evidence<'_>, secrets: Vec<Secret>) -> bool {
    let (Some(token), Some(authorizer)) = (evidence.token.as_deref(), evidence.authorizer) else { return false };
    let authorizer = Authorizer { keys: KeySource::Secrets(secrets), ..authorizer.clone() };
    let verdict = verify_token(&authorizer, token, question.gateway.max_token_bytes(), None, question.now);
    !matches!(verdict, Err(reject) if matches!(reject.code(), Code::InvalidSignature | Code::UnknownKey))
}
