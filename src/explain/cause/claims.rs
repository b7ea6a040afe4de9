//! Claims that are not what they should be.

use serde_json::Value;

use super::{Cause, cause};
use crate::authn::Authorizer;
use crate::explain::Question;
use crate::explain::evidence::Evidence;
use crate::explain::moment::duration;

pub(super) fn not_yet(question: Question<'_>, evidence: &Evidence<'_>) -> Cause {
    let now = question.now.as_numeric_date();
    let ahead = |name: &str| evidence.seconds(name).map(|time| time - now).filter(|ahead| *ahead > 0.0);
    let (name, by) = match (ahead("nbf"), ahead("iat")) {
        (Some(by), _) => ("nbf", by),
        (None, Some(by)) => ("iat", by),
        (None, None) => ("nbf", 0.0),
    };
    cause(
        format!("`{name}` is {} ahead; {:.0} s of skew are allowed", duration(by), skew(evidence)),
        "compare the clocks of both sides; up to 600 s can be allowed by `clock_skew_seconds`",
    )
}

pub(super) fn invalid_claim(evidence: &Evidence<'_>, claim: &str) -> Cause {
    match claim {
        "typ" => cause(
            format!(
                "the header's `typ` is {}, and the authorizer allows {}",
                evidence.header("typ").unwrap_or("missing"),
                types(evidence)
            ),
            "send an access token; add the type to `token_types` if this one is right",
        ),
        "exp" | "nbf" | "iat" => cause(
            format!(
                "`{claim}` is {}, and a time is a number of seconds (RFC 7519 section 2)",
                shown(evidence.claim(claim))
            ),
            "write it as a number: seconds since 1970, not milliseconds, no text",
        ),
        _ => cause(
            format!(
                "`{claim}` is {}, and the authorizer's `claims` ask for {}",
                shown(evidence.claim(claim)),
                fixed(evidence, claim)
            ),
            "get a token with that value, or change `claims`",
        ),
    }
}

pub(super) fn issuer(evidence: &Evidence<'_>) -> Cause {
    let seen = evidence.claim("iss").and_then(Value::as_str).unwrap_or_default();
    let known: Vec<&String> =
        evidence.authorizers.iter().flat_map(|authorizer| &authorizer.policy.rules.issuers).collect();
    if let Some(near) = known.iter().find(|known| known.trim_end_matches('/') == seen.trim_end_matches('/')) {
        let (with, without) =
            if seen.ends_with('/') { ("the token's", "the configured") } else { ("the configured", "the token's") };
        return cause(
            format!("a slash: {with} issuer ends with one, {without} does not ({seen} and {near})"),
            format!("write \"issuer\": \"{seen}\": issuers are compared letter for letter"),
        );
    }
    if let Some(near) = known
        .iter()
        .find(|known| known.eq_ignore_ascii_case(seen) || known.split("://").nth(1) == seen.split("://").nth(1))
    {
        return cause(
            format!("the issuers differ in case or scheme ({seen} and {near})"),
            format!("write \"issuer\": \"{seen}\""),
        );
    }
    let known: Vec<&str> = known.iter().map(|known| known.as_str()).collect();
    cause(
        format!("the token is from {seen}, and {} is accepted", known.join(", ")),
        "see whether the token is from another tenant, environment or provider",
    )
}

pub(super) fn audience(evidence: &Evidence<'_>) -> Cause {
    let wanted = evidence.authorizer.map(|authorizer| authorizer.policy.rules.audiences.join(", ")).unwrap_or_default();
    let seen = evidence.claim("aud");
    let is_id_token =
        evidence.claim("nonce").is_some() || evidence.claim("at_hash").is_some() || evidence.claim("c_hash").is_some();
    let client = evidence.claim("azp").or_else(|| evidence.claim("client_id"));
    let holds =
        |value: &Value| seen == Some(value) || seen.and_then(Value::as_array).is_some_and(|list| list.contains(value));
    if is_id_token || client.is_some_and(holds) {
        return cause(
            format!("it is an ID token: its audience {} is the client, and the API is {wanted}", shown(seen)),
            "send the access token instead, and ask the provider for one with the API's audience",
        );
    }
    let slash =
        seen.and_then(Value::as_str).is_some_and(|seen| wanted.trim_end_matches('/') == seen.trim_end_matches('/'));
    if slash {
        return cause(
            format!("a slash: the audiences are {} and {wanted}", shown(seen)),
            "write `audience` as the token has it, letter for letter",
        );
    }
    cause(
        format!("the token is for {}, and {wanted} is wanted", shown(seen)),
        "ask the provider for a token with this audience, or add the token's to `audience`",
    )
}

pub(super) fn scope(evidence: &Evidence<'_>) -> String {
    match evidence.claim("scope").or_else(|| evidence.claim("scp")) {
        None => "no scope".to_owned(),
        claim => shown(claim),
    }
}

pub(super) fn fix_of_missing(claim: &str) -> &'static str {
    match claim {
        "exp" => "have the provider set an end, or write \"require_exp\": false",
        "aud" => {
            "ask the provider for a token with the API's audience; Cognito's access tokens have `client_id` instead"
        }
        "iss" => "have the signer set `iss`, or leave `issuer` out where the keys are the configuration's own",
        _ => "have the provider add it, or take it off `required_claims` or `claims`",
    }
}

pub(super) fn types(evidence: &Evidence<'_>) -> String {
    evidence.authorizer.map(|authorizer| authorizer.policy.types.join(", ")).unwrap_or_default()
}

pub(super) fn fixed(evidence: &Evidence<'_>, claim: &str) -> String {
    let rules = evidence.authorizer.map(|authorizer: &Authorizer| &authorizer.policy.rules.fixed);
    let values = rules.into_iter().flatten().find(|(name, _)| name == claim);
    values.map_or_else(
        || "another value".to_owned(),
        |(_, values)| values.iter().map(Value::to_string).collect::<Vec<_>>().join(" or "),
    )
}

pub(super) fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "missing".to_owned(), Value::to_string)
}

pub(super) fn skew(evidence: &Evidence<'_>) -> f64 {
    evidence.authorizer.map_or(0.0, |authorizer| authorizer.policy.rules.skew)
}
