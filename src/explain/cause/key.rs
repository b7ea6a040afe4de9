//! Algorithms and keys that do not fit.

use serde_json::{Value, json};

use super::{Cause, cause};
use crate::authn::{Authorizer, KeySource, verify_token};
use crate::explain::Question;
use crate::explain::evidence::Evidence;
use crate::jwt::keys::Secret;
use crate::jwt::keyset::KeySet;
use crate::reject::Code;

pub(super) fn algorithm(evidence: &Evidence<'_>) -> Cause {
    let alg = evidence.header("alg").unwrap_or_default();
    // Keycloak signs these with a secret of its own.
    if let Some(kind @ ("Refresh" | "Offline")) = evidence.claim("typ").and_then(Value::as_str) {
        return cause(
            format!("it is a refresh token (`typ` is {kind}), which is for the provider alone"),
            "send the access token of the same answer",
        );
    }
    let secret = evidence.authorizer.is_some_and(|authorizer| matches!(authorizer.keys, KeySource::Secrets(_)));
    let allowed = evidence.authorizer.and_then(|authorizer| authorizer.policy.algorithms.as_ref());
    let allowed = allowed.map_or_else(
        || "RS, PS, ES and EdDSA".to_owned(),
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
    let (alg, kid) = (evidence.header("alg").unwrap_or("no `alg`"), evidence.header("kid"));
    let named = kid.map_or_else(|| "names no `kid`".to_owned(), |kid| format!("names `kid` {kid}"));
    let of_url = matches!(evidence.authorizer.map(|authorizer| &authorizer.keys), Some(KeySource::Remote(_)));
    let set = match evidence.authorizer.map(|authorizer| &authorizer.keys) {
        Some(KeySource::Secrets(secrets)) => return unknown_secret(secrets, &named),
        Some(KeySource::Inline(set)) => Some(set),
        _ => question.fetched,
    };
    if let Some((_, why)) = set.and_then(|set| set.skipped().iter().find(|(skipped, _)| skipped.as_deref() == kid)) {
        return cause(
            format!("the key that the token names ({}) is not used: {why}", kid.unwrap_or("none")),
            "have the provider publish a usable key",
        );
    }
    let keys = set.map(listed).unwrap_or_default();
    let told = keys.iter().map(Listed::told).collect::<Vec<_>>().join(", ");
    let has = if told.is_empty() { "no key of use".to_owned() } else { told };
    let of_kid: Vec<&Listed> = keys.iter().filter(|key| kid.is_none() || key.kid.as_deref() == kid).collect();
    // One key in the configuration goes by any name.
    let fits_kid = if of_kid.is_empty() && keys.iter().all(|key| key.kid.is_none()) && !of_url {
        keys.first()
    } else {
        of_kid.first().copied()
    };
    if let Some(key) = fits_kid {
        return cause(
            format!("the token is signed with {alg}, and the key for it is {}", key.told()),
            "sign with an algorithm of that key, or give the authorizer the key that signs; an `alg` beside a key allows no other",
        );
    }
    if let Some(signer) = set.and_then(|set| signer(question, evidence, set)) {
        return cause(
            format!("the token {named} with {alg}, and the set has {has}; {signer} signed it"),
            "have the signer and the key set call the key alike, letter for letter",
        );
    }
    let fix = if of_url {
        "see whether the token is from this issuer and environment, and whether --jwks is what the key URL serves now"
    } else {
        "see whether the token is from this issuer and environment, and put its key into the configuration if it is"
    };
    cause(format!("the token {named} with {alg}, and the set has {has}"), fix)
}

fn unknown_secret(secrets: &[Secret], named: &str) -> Cause {
    let kids: Vec<&str> = secrets.iter().map(|secret| secret.kid.as_deref().unwrap_or("one without `kid`")).collect();
    cause(
        format!("the token {named}, and no secret of that name counts now; there are {}", kids.join(", ")),
        "sign with one of these names, or see `not_before` and `not_after` of the secrets",
    )
}

/// A key of a set, for words.
struct Listed {
    kid: Option<String>,
    kind: String,
    alg: Option<String>,
}

impl Listed {
    fn told(&self) -> String {
        let kid = self.kid.as_deref().unwrap_or("one without `kid`");
        format!("{kid} ({} {})", self.kind, self.alg.as_deref().unwrap_or("-"))
    }
}

fn listed(set: &KeySet) -> Vec<Listed> {
    let text = |key: &Value, name: &str| key.get(name).and_then(Value::as_str).map(str::to_owned);
    members(set)
        .iter()
        .map(|key| {
            let kind = [text(key, "kty"), text(key, "crv")].into_iter().flatten().collect::<Vec<_>>().join(" ");
            Listed { kid: text(key, "kid"), kind, alg: text(key, "alg") }
        })
        .collect()
}

fn members(set: &KeySet) -> Vec<Value> {
    set.to_jwks().get("keys").and_then(Value::as_array).cloned().unwrap_or_default()
}

/// The name of the key in `set` that signed the token, whatever the token calls it.
pub(super) fn signer(question: Question<'_>, evidence: &Evidence<'_>, set: &KeySet) -> Option<String> {
    let (token, authorizer) = (evidence.token.as_deref()?, evidence.authorizer?);
    let signs = |key: &&Value| {
        let mut renamed = (*key).clone();
        if let Some(members) = renamed.as_object_mut() {
            match evidence.header("kid") {
                Some(kid) => members.insert("kid".to_owned(), kid.into()),
                None => members.remove("kid"),
            };
        }
        let Ok(alone) = KeySet::parse(json!({ "keys": [renamed] }).to_string().as_bytes()) else { return false };
        let authorizer = Authorizer { keys: KeySource::Inline(alone), ..authorizer.clone() };
        let verdict = verify_token(&authorizer, token, question.gateway.max_token_bytes(), None, question.now);
        !matches!(verdict, Err(reject) if matches!(reject.code(), Code::InvalidSignature | Code::UnknownKey))
    };
    let keys = members(set);
    let key = keys.iter().find(signs)?;
    Some(key.get("kid").and_then(Value::as_str).map_or_else(|| "one without `kid`".to_owned(), str::to_owned))
}
