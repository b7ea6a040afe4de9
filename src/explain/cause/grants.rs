//! Tokens that are good and grant too little: scopes, roles, rules.

use serde_json::Value;

use super::claims::shown;
use super::{Cause, cause};
use crate::authorization::Authorization;
use crate::explain::evidence::Evidence;

pub(super) fn scope(evidence: &Evidence<'_>, authorization: Option<&Authorization>) -> Cause {
    let wanted = authorization.map(|authorization| authorization.scopes.as_slice()).unwrap_or_default();
    let claim = evidence.claim("scope").or_else(|| evidence.claim("scp"));
    let granted = words(claim, ' ');
    let lacking: Vec<&str> = wanted.iter().map(String::as_str).filter(|scope| !granted.contains(scope)).collect();
    let seen = if claim.is_none() { "no scope".to_owned() } else { shown(claim) };
    let any = authorization.is_some_and(|authorization| authorization.any_scope);
    let list = lacking.join(if any { " or " } else { ", " });
    let told = format!("the token grants {seen}, and the path's `scopes` ask for {list} too");
    if let Some(near) = granted.iter().find(|word| lacking.iter().any(|lacking| lacking.eq_ignore_ascii_case(word))) {
        return cause(
            format!("{told}; `{near}` differs in case"),
            "use the same letters in the configuration and at the provider",
        );
    }
    let by_comma = words(claim, ',');
    if by_comma.len() > 1 && lacking.iter().all(|lacking| by_comma.contains(lacking)) {
        return cause(
            format!("{told}: there are commas between its scopes"),
            "have the signer put spaces there (RFC 8693 section 4.2), or write them as a list",
        );
    }
    let elsewhere = ["permissions", "scopes", "roles", "authorities"].into_iter().find(|name| {
        let held = words(evidence.claim(name), ' ');
        lacking.iter().all(|lacking| held.contains(lacking))
    });
    match elsewhere {
        Some(name) => cause(
            format!("{told}; it has that in `{name}`, where scopes are not looked for"),
            match lacking.as_slice() {
                [one] => format!("ask for it as a role: \"roles\": [\"{one}\"], \"roles_claim\": \"{name}\""),
                // Of several roles one is enough, which would ask for less than the scopes do.
                _ => format!("ask for each by a rule: {{ \"require\": \"jwt.{name}.contains('…')\" }}"),
            },
        ),
        None => cause(
            told,
            format!(
                "ask the provider for the scope {list} when getting the token, and see whether the user may have it"
            ),
        ),
    }
}

pub(super) fn denied(evidence: &Evidence<'_>, authorization: Option<&Authorization>, why: &str) -> Cause {
    let claim = authorization.map_or("", |authorization| authorization.roles_claim.as_str());
    // A refusal by roles names their claim; one by rules names the rule.
    match authorization {
        Some(authorization) if why.starts_with(&format!("`{claim}` holds none")) => role(evidence, authorization),
        _ => rule(evidence, why),
    }
}

fn role(evidence: &Evidence<'_>, authorization: &Authorization) -> Cause {
    let (claim, wanted) = (&authorization.roles_claim, &authorization.roles);
    let list = wanted.join(" or ");
    let claims = evidence.claims.as_ref();
    let held = claims.and_then(|claims| place_of(claims, wanted, ""));
    let seen = claims.and_then(|claims| crate::jwt::claims::Claims::new(claims.clone()).find(claim).cloned());
    let told = match &seen {
        Some(seen) => format!("`{claim}` is {seen}, and the path asks for the role {list}"),
        None => format!("`{claim}` is not in the token, and the path asks for the role {list} there"),
    };
    match held {
        Some(place) if place != *claim => {
            cause(format!("{told}; `{place}` has it"), format!("write \"roles_claim\": \"{place}\" beside `roles`"))
        }
        _ => cause(told, "give the user that role at the provider, and have it put into the token"),
    }
}

/// Where one of `wanted` is among claims, along dots.
fn place_of(claims: &serde_json::Map<String, Value>, wanted: &[String], above: &str) -> Option<String> {
    let is_wanted = |value: &Value| value.as_str().is_some_and(|role| wanted.iter().any(|wanted| wanted == role));
    claims.iter().find_map(|(name, value)| {
        let place = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        match value {
            Value::Object(inner) => place_of(inner, wanted, &place),
            Value::Array(list) => list.iter().any(is_wanted).then_some(place),
            value => is_wanted(value).then_some(place),
        }
    })
}

/// What a rule that is not met asks for is in the rule; what the token has is told beside it.
fn rule(evidence: &Evidence<'_>, why: &str) -> Cause {
    let ends = |letter: char| !letter.is_ascii_alphanumeric() && letter != '_';
    let mut names: Vec<&str> = Vec::new();
    for name in why.split("jwt.").skip(1).filter_map(|rest| rest.split(ends).next()) {
        if !names.contains(&name) && !name.is_empty() {
            names.push(name);
        }
    }
    let seen: Vec<String> = names.iter().map(|name| format!("`{name}` is {}", shown(evidence.claim(name)))).collect();
    let seen = if seen.is_empty() { String::new() } else { format!("; in the token {}", seen.join(", ")) };
    let fix = if why.contains(" fails: there is no ") {
        "have the provider put it into the token, or ask for it first: `has(jwt.NAME) && …`; a rule that fails refuses"
    } else if why.contains(" fails: ") {
        "write the rule for the type that the token has: a text, a number and a list are never compared with each other"
    } else {
        "give the user what the rule asks for, or change the rule"
    };
    cause(format!("{why}{seen}"), fix)
}

fn words(claim: Option<&Value>, between: char) -> Vec<&str> {
    match claim {
        Some(Value::String(text)) => text.split(between).map(str::trim).filter(|word| !word.is_empty()).collect(),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}
