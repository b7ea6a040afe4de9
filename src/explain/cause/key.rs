//! Algorithms, keys and signatures that do not fit.

use serde_json::Value;

use super::{Cause, cause};
use crate::authn::{KeySource, verify_token};
use crate::explain::evidence::Evidence;
use crate::explain::{Question, Variant};
use crate::gateway::Gateway;
use crate::jwt::alg::Algorithm;
use crate::reject::Code;

pub(super) fn algorithm(evidence: &Evidence<'_>) -> Cause {
    let alg = evidence.header("alg").unwrap_or_default();
    let secret = evidence.authorizer.is_some_and(|authorizer| matches!(authorizer.keys, KeySource::Secrets(_)));
    let allowed = evidence.authorizer.and_then(|authorizer| authorizer.policy.algorithms.as_ref());
    let allowed = allowed.map_or_else(
        || "those of its public keys".to_owned(),
        |list| list.iter().map(|alg| alg.name()).collect::<Vec<_>>().join(", "),
    );
    match (alg.starts_with("HS"), secret) {
        (false, true) => cause(
            format!(
                "the token is signed with {alg}, a provider's key pair, and the authorizer has a shared secret ({allowed})"
            ),
            "use an authorizer with the provider's `jwks_url` or `discovery` on this path",
        ),
        (true, false) => cause(
            format!("the token is signed with {alg}, a shared secret, and the authorizer has public keys ({allowed})"),
            "use an authorizer with `secret` on this path; a public key is never used as a secret",
        ),
        _ => cause(
            format!("the token is signed with {alg}, and the authorizer allows {allowed}"),
            "add it to `algorithms`, or sign with another",
        ),
    }
}

pub(super) fn unknown_key(question: Question<'_>, evidence: &Evidence<'_>) -> Cause {
    let known = question.fetched.or(match evidence.authorizer.map(|authorizer| &authorizer.keys) {
        Some(KeySource::Inline(set)) => Some(set),
        _ => None,
    });
    let set = known.map(crate::jwt::keyset::KeySet::to_jwks);
    let kids: Vec<String> = set
        .iter()
        .flat_map(|set| set["keys"].as_array().cloned().unwrap_or_default())
        .map(|key| {
            let member = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
            format!("{} ({} {})", member("kid"), member("kty"), member("alg"))
        })
        .collect();
    let kid = evidence.header("kid");
    if let Some((_, why)) = known.and_then(|set| set.skipped().iter().find(|(skipped, _)| skipped.as_deref() == kid)) {
        return cause(
            format!("the key that the token names ({}) is not used: {why}", kid.unwrap_or("none")),
            "have the provider publish a usable key",
        );
    }
    let named = kid.map_or_else(|| "names no `kid`".to_owned(), |kid| format!("names `kid` {kid}"));
    cause(
        format!(
            "the token {named} with {}, and the set has {}",
            evidence.header("alg").unwrap_or("no `alg`"),
            if kids.is_empty() { "no key of use".to_owned() } else { kids.join(", ") }
        ),
        "see whether the token is from this issuer and environment, and whether --jwks is what the key URL serves now",
    )
}

pub(super) fn signature(question: Question<'_>, evidence: &Evidence<'_>) -> Cause {
    let Some(token) = evidence.token.as_deref() else {
        return cause("the signature does not fit", "sign with the configured key");
    };
    let name = evidence.authorizer.and_then(|authorizer| authorizer.name.as_deref());
    let verifies = |gateway: &Gateway| match gateway.authorizer(name) {
        Some(Ok(authorizer)) => {
            let verdict =
                verify_token(authorizer, token, question.gateway.max_token_bytes(), question.fetched, question.now);
            !matches!(verdict, Err(reject) if reject.code() == Code::InvalidSignature)
        }
        _ => false,
    };
    for encoding in ["base64", "base64url", "hex", "utf8"] {
        if (question.variant)(Variant::Encoding(encoding)).is_some_and(|gateway| verifies(&gateway)) {
            return cause(
                format!("the signature fits if the secret is read as {encoding}"),
                format!("write \"secret_encoding\": \"{encoding}\" beside the secret"),
            );
        }
    }
    if (question.variant)(Variant::Trimmed).is_some_and(|gateway| verifies(&gateway)) {
        return cause(
            "the signature fits if white space around the secret is taken off",
            "set the secret again without the line break at its end",
        );
    }
    let wanted = evidence.header("alg").and_then(Algorithm::named);
    let length = token.rsplit('.').next().map_or(0, |part| part.len() * 3 / 4);
    if let (Some(algorithm), true) = (wanted, evidence.header("alg").is_some_and(|alg| alg.starts_with("HS")))
        && length != algorithm.hash().bytes()
    {
        return cause(
            format!("the signature has {length} bytes, and {} gives {}", algorithm.name(), algorithm.hash().bytes()),
            "see whether the token was cut off",
        );
    }
    let secret = matches!(evidence.authorizer.map(|authorizer| &authorizer.keys), Some(KeySource::Secrets(_)));
    let fix = if secret {
        "see whether both sides have the same secret; base64, hex and white space were tried"
    } else {
        "see whether the token is from this issuer and environment, and was not changed on the way"
    };
    cause("another key signed the token, or it was changed on the way", fix)
}
