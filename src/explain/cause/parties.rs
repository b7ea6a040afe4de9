//! Whose token it is and whom it is for: `iss` and `aud` that are others.

use serde_json::Value;

use super::claims::{is_id_token, shown};
use super::{Cause, cause};
use crate::explain::evidence::Evidence;

/// Google's issuer (its ID tokens are what its authorizer takes), and what custom tokens of Firebase are for.
const GOOGLE: &str = "accounts.google.com";
const FIREBASE_EXCHANGE: &str = "identitytoolkit.googleapis.com";

/// What tokens for Microsoft Graph are for.
const GRAPH: [&str; 2] = ["00000003-0000-0000-c000-000000000000", "https://graph.microsoft.com"];

/// How two names differ that mean the same: `None` where they do not.
fn difference(seen: &str, known: &str) -> Option<&'static str> {
    let bare = |text: &str| text.trim().trim_end_matches('/').to_owned();
    let host = |text: &str| bare(text).to_ascii_lowercase();
    let without_scheme =
        |text: &str| host(text).split_once("://").map_or_else(|| host(text), |(_, rest)| rest.to_owned());
    if seen == known {
        None
    } else if seen.trim() == known.trim() {
        Some("in white space at an end")
    } else if bare(seen) == bare(known) {
        Some("in a slash at the end")
    } else if host(seen) == host(known) {
        Some("in case")
    } else if without_scheme(seen) == without_scheme(known) {
        Some(if seen.contains("://") == known.contains("://") { "in scheme" } else { "in the scheme, which one lacks" })
    } else {
        None
    }
}

pub(super) fn issuer(evidence: &Evidence<'_>) -> Cause {
    let seen = evidence.claim("iss").and_then(Value::as_str).unwrap_or_default();
    let mut known: Vec<&str> = Vec::new();
    for issuer in evidence.authorizers.iter().flat_map(|authorizer| &authorizer.policy.rules.issuers) {
        if !known.contains(&issuer.as_str()) {
            known.push(issuer);
        }
    }
    if seen.is_empty() {
        return cause("`iss` is empty", format!("have the signer write its name there: {}", known.join(" or ")));
    }
    if let Some((near, how)) = known.iter().find_map(|known| Some((*known, difference(seen, known)?))) {
        return differing(seen, near, how);
    }
    if let Some(documented) = known.iter().find(|known| known.contains("/.well-known/")) {
        return cause(
            format!("the configured issuer {documented} is the address of a document, and the token is from {seen}"),
            "write as `issuer` what that document has in `issuer`: it ends before /.well-known/",
        );
    }
    of_provider(evidence, seen).unwrap_or_else(|| {
        let other = "see whether the token is from another tenant, environment or provider";
        let fix = known.iter().find_map(|known| same_place(seen, known)).unwrap_or(other);
        cause(format!("the token is from {seen}, and {} is accepted", known.join(" or ")), fix)
    })
}

/// What is told of a token whose issuer is another altogether than those of the authorizer; none where it is one of them, or nearly.
pub(super) fn foreign(evidence: &Evidence<'_>) -> Option<Cause> {
    let seen = evidence.claim("iss")?.as_str().filter(|seen| !seen.is_empty())?;
    let known = &evidence.authorizer?.policy.rules.issuers;
    let is_near = |known: &String| known == seen || difference(seen, known).is_some();
    (!known.is_empty() && !known.iter().any(is_near)).then(|| issuer(evidence))
}

fn differing(seen: &str, near: &str, how: &str) -> Cause {
    let fix = format!("write \"issuer\": \"{seen}\": issuers are compared letter for letter");
    match how {
        "in a slash at the end" => {
            let (with, without) =
                if seen.ends_with('/') { ("the token's", "the configured") } else { ("the configured", "the token's") };
            cause(format!("a slash: {with} issuer ends with one, {without} does not ({seen} and {near})"), fix)
        }
        "in white space at an end" => cause(
            format!("the issuers differ {how} ({seen:?} and {near:?})"),
            "take it off on the side that has it: in the variable, or where the token is made",
        ),
        how => cause(format!("the issuers differ {how} ({seen:?} and {near:?})"), fix),
    }
}

/// Tokens that one provider gives out for something else.
fn of_provider(evidence: &Evidence<'_>, seen: &str) -> Option<Cause> {
    let is_for = |part: &str| audiences(evidence).iter().any(|audience| audience.contains(part));
    if seen == "supabase" {
        return Some(cause(
            format!("it is the project's API key (role {}), not a user's token", shown(evidence.claim("role"))),
            "send the `access_token` of the user's session as Bearer; the key belongs into the header `apikey` of Supabase's own API",
        ));
    }
    if is_for(FIREBASE_EXCHANGE) {
        return Some(cause(
            "it is a custom token of Firebase, which is no proof of who somebody is",
            "exchange it in the client with signInWithCustomToken, and send what getIdToken gives",
        ));
    }
    None
}

/// What it means that issuers share their host or their path.
fn same_place(seen: &str, known: &str) -> Option<&'static str> {
    let split = |text: &'_ str| -> Option<(String, String)> {
        let rest = text.split_once("://")?.1.trim_end_matches('/');
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        Some((host.to_ascii_lowercase(), path.to_owned()))
    };
    let ((host, path), (known_host, known_path)) = (split(seen)?, split(known)?);
    if host == known_host {
        return Some(
            "the host is the same, the path is not: see whether it is another realm, tenant, pool or authorization server",
        );
    }
    (path == known_path && !path.is_empty()).then_some(
        "the path is the same, the host is not: another project or tenant, or one provider by two addresses (set its public host name then)",
    )
}

fn audiences<'e>(evidence: &'e Evidence<'_>) -> Vec<&'e str> {
    match evidence.claim("aud") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

pub(super) fn audience(evidence: &Evidence<'_>) -> Cause {
    let rules = evidence.authorizer.map(|authorizer| &authorizer.policy.rules);
    let known: Vec<&str> = rules.into_iter().flat_map(|rules| &rules.audiences).map(String::as_str).collect();
    let all = rules.is_some_and(|rules| rules.all_audiences);
    let wanted = known.join(if all { " and " } else { " or " });
    let (seen, claim) = (audiences(evidence), shown(evidence.claim("aud")));
    if seen.is_empty() {
        return cause(
            "`aud` is an empty list: the token is for nobody",
            format!("ask the provider for a token with the audience {wanted}"),
        );
    }
    let lacking: Vec<&str> = known.iter().copied().filter(|known| !seen.contains(known)).collect();
    if all && lacking.len() < known.len() {
        return cause(
            format!("the token is for {claim}, and lacks {}: `audience_match` is `all`", lacking.join(", ")),
            "ask the provider for all of them, or write \"audience_match\": \"any\"",
        );
    }
    if let Some(graph) = seen.iter().find(|seen| GRAPH.contains(&seen.trim_end_matches('/'))) {
        return cause(
            format!("it is a token for Microsoft Graph ({graph}), which nobody else can use"),
            format!("ask Entra with a scope of your own API, such as {wanted}/.default"),
        );
    }
    if let Some(id) = seen.iter().find(|seen| known.contains(&format!("api://{seen}").as_str())) {
        return cause(
            format!("the token names the application by its id alone ({id}), the configuration as {wanted}"),
            format!("write \"audience\": [\"api://{id}\", \"{id}\"]: tokens of Entra's version 2 have the id alone"),
        );
    }
    let near =
        seen.iter().find_map(|seen| known.iter().find_map(|known| Some((*seen, *known, difference(seen, known)?))));
    if let Some((seen, near, how)) = near {
        let what =
            if how == "in a slash at the end" { "a slash: the audiences differ in it" } else { "the audiences differ" };
        let how = if how == "in a slash at the end" { "" } else { how };
        return cause(
            format!("{what} {how} ({seen:?} and {near:?})").replace("  ", " "),
            format!("write \"audience\": \"{seen}\": audiences are compared letter for letter"),
        );
    }
    if let [one] = seen.as_slice()
        && one.split([' ', ',']).any(|part| known.contains(&part))
    {
        return cause(
            format!("`aud` is one text that names several ({claim})"),
            "have the signer write them as a list: [\"…\", \"…\"] (RFC 7519 section 4.1.3)",
        );
    }
    of_client(evidence, &seen, &claim, &wanted)
}

/// Tokens whose audience is the client that asked for them.
fn of_client(evidence: &Evidence<'_>, seen: &[&str], claim: &str, wanted: &str) -> Cause {
    let client = evidence.claim("azp").or_else(|| evidence.claim("client_id")).and_then(Value::as_str);
    let issuer = evidence.claim("iss").and_then(Value::as_str).unwrap_or_default();
    // Google's ID tokens are what is wanted there: the fault is the client.
    let takes_id_tokens = issuer.contains(GOOGLE) || issuer.contains("securetoken.google.com");
    let scoped = evidence.claim("scope").is_some() || evidence.claim("scp").is_some();
    let is_clients = client.is_some_and(|client| seen.contains(&client));
    if !takes_id_tokens && (is_id_token(evidence) || (is_clients && !scoped)) {
        return cause(
            format!("it is an ID token: its audience {claim} is the client, and the API is {wanted}"),
            "send the access token instead, and ask the provider for one with the API's audience",
        );
    }
    let fix = if seen == ["account"] {
        "add an audience mapper for it to the client in Keycloak: without one, its tokens are for `account`"
    } else if takes_id_tokens {
        "see whether the client has another id or project than the configuration, or add its id to `audience`"
    } else {
        "ask the provider for a token with this audience, or add the token's to `audience`"
    };
    cause(format!("the token is for {claim}, and {wanted} is wanted"), fix)
}
