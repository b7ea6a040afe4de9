//! Claims that are missing, or not what they should be.

use serde_json::Value;

use super::{Cause, cause};
use crate::authn::KeySource;
use crate::explain::evidence::Evidence;
use crate::explain::moment::are_millis;

/// What an ID token has and an access token has not (OpenID Connect Core sections 2 and 3.1.3.6).
const OF_ID_TOKENS: [&str; 4] = ["nonce", "at_hash", "c_hash", "s_hash"];
/// What only an ID token has of these where there is no scope.
const OF_PEOPLE: [&str; 5] = ["email", "name", "nickname", "picture", "auth_time"];

/// Whether a token says who somebody is, and not what they may do.
pub(super) fn is_id_token(evidence: &Evidence<'_>) -> bool {
    let is = |name: &str, value: &str| evidence.claim(name).and_then(Value::as_str) == Some(value);
    let has = |name: &&str| evidence.claim(name).is_some();
    let scoped = ["scope", "scp", "permissions"].iter().any(has);
    OF_ID_TOKENS.iter().any(has) || is("token_use", "id") || is("typ", "ID") || (!scoped && OF_PEOPLE.iter().any(has))
}

pub(super) fn invalid_claim(evidence: &Evidence<'_>, claim: &str) -> Cause {
    let seen = evidence.claim(claim);
    match claim {
        "typ" => wrong_type(evidence),
        "exp" | "nbf" | "iat" => cause(
            format!("`{claim}` is {}, and a time is a number of seconds (RFC 7519 section 2)", shown(seen)),
            match seen.and_then(Value::as_f64) {
                Some(time) if are_millis(time) => "have the signer divide by 1000: these are milliseconds",
                _ => "have the signer write it as a number without quotes: seconds since 1970",
            },
        ),
        "token_use" if is_id_token(evidence) => cause(
            "it is an ID token (`token_use` is \"id\"), and the API takes access tokens",
            "send the access token of the same answer",
        ),
        _ => {
            if let Some(wanted) = fixed(evidence, claim) {
                return cause(
                    format!("`{claim}` is {}, and the authorizer's `claims` ask for {wanted}", shown(seen)),
                    "get a token with that value, or change `claims`",
                );
            }
            let kind = if claim == "aud" { "a text or a list of texts" } else { "a text" };
            cause(
                format!("`{claim}` is {}, and it is {kind} (RFC 7519 section 4.1)", shown(seen)),
                format!("have the signer write it as {kind}"),
            )
        }
    }
}

fn wrong_type(evidence: &Evidence<'_>) -> Cause {
    let seen = evidence.header("typ").unwrap_or("missing");
    let types = evidence.authorizer.map(|authorizer| authorizer.policy.types.join(", ")).unwrap_or_default();
    if types.is_empty() {
        return cause(
            format!("the header's `typ` is {seen}: the issuer has signed it for something else than access"),
            "send an access token; add the type to `token_types` if this one is right",
        );
    }
    if is_id_token(evidence) {
        return cause(
            format!("the header's `typ` is {seen} and not {types}: it is an ID token"),
            "send the access token of the same answer",
        );
    }
    cause(
        format!("the header's `typ` is {seen}, and the authorizer allows {types}"),
        "send an access token; add the type to `token_types` if this one is right",
    )
}

pub(super) fn missing_claim(evidence: &Evidence<'_>, claim: &str) -> Cause {
    let names = evidence.claims.iter().flat_map(|claims| claims.keys());
    if let Some(other) = names.into_iter().find(|name| *name != claim && name.eq_ignore_ascii_case(claim)) {
        return cause(
            format!("`{claim}` is not in the token; `{other}` is, and names are compared letter for letter"),
            "use the same letters on both sides",
        );
    }
    if let Some(KeySource::Consumers(store)) = evidence.authorizer.map(|authorizer| &authorizer.keys)
        && store.key_claim == claim
    {
        return match evidence.claim(claim) {
            Some(odd) => cause(
                format!("`{claim}` is {odd}, and the name of a consumer's credential is a text"),
                "write it in quotes",
            ),
            None => cause(
                format!("`{claim}` is not in the token: it names the consumer's credential"),
                "put what `portcullis jwt ls NAME` shows as ISS there",
            ),
        };
    }
    cause(format!("`{claim}` is not in the token"), fix_of_missing(claim))
}

fn fix_of_missing(claim: &str) -> &'static str {
    match claim {
        "exp" => "have the provider set an end, or write \"require_exp\": false",
        "iat" => {
            "have the signer write when it issues the token: `max_age_seconds` and `max_lifetime_seconds` count from there"
        }
        "aud" => {
            "ask the provider for a token with the API's audience; Cognito's access tokens have `client_id` instead"
        }
        "iss" => "have the signer set `iss`, or leave `issuer` out where the keys are the configuration's own",
        _ => "have the provider add it, or take it off `required_claims` or `claims`",
    }
}

/// What `claims` ask of a claim.
fn fixed(evidence: &Evidence<'_>, claim: &str) -> Option<String> {
    let rules = evidence.authorizer.map(|authorizer| &authorizer.policy.rules.fixed);
    let (_, values) = rules.into_iter().flatten().find(|(name, _)| name == claim)?;
    Some(values.iter().map(Value::to_string).collect::<Vec<_>>().join(" or "))
}

pub(super) fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "missing".to_owned(), Value::to_string)
}
