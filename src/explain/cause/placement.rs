//! Credentials that are not where they are looked for.

use serde_json::{Value, json};

use super::{Cause, cause};
use crate::authn::KeySource;
use crate::config::nearest::nearest;
use crate::consumer::api_key_hash;
use crate::credential::Place;
use crate::explain::Question;
use crate::explain::evidence::{Evidence, place};

/// The header that Cloudflare Access adds, and the one that its clients without a browser send.
const ACCESS: &str = "cf-access-jwt-assertion";
const ACCESS_CLIENT: &str = "cf-access-client-id";

pub(in crate::explain) fn missing(question: Question<'_>, evidence: &Evidence<'_>) -> Cause {
    elsewhere(question, evidence).unwrap_or_else(|| {
        cause(format!("there is no credential in {}", evidence.places()), format!("send one: {}", example(evidence)))
    })
}

/// What a request has that was meant as a credential, where it is not looked for.
pub(in crate::explain) fn elsewhere(question: Question<'_>, evidence: &Evidence<'_>) -> Option<Cause> {
    if evidence.authorizers.is_empty() {
        return None;
    }
    let sent = sent(question);
    other_scheme(question, evidence)
        .or_else(|| misspelt(&sent, evidence))
        .or_else(|| moved(&sent, evidence))
        .or_else(|| access(question, evidence))
}

/// Something that a client sent, where it sent it.
struct Sent {
    place: Place,
    value: String,
}

impl Sent {
    /// The last word of it, without quotes.
    fn word(&self) -> &str {
        self.value.split_whitespace().last().unwrap_or_default().trim_matches(['"', '\''])
    }

    /// Whether it is a token, or a key that the configuration knows.
    fn is_credential(&self, evidence: &Evidence<'_>) -> bool {
        let word = self.word();
        let is_token = word.starts_with("eyJ") && word.split('.').count() >= 3;
        is_token
            || evidence.authorizers.iter().any(|authorizer| match &authorizer.keys {
                KeySource::ApiKeys(store) => store.known.iter().any(|(hash, _)| *hash == api_key_hash(word)),
                _ => false,
            })
    }
}

fn sent(question: Question<'_>) -> Vec<Sent> {
    let pairs = |text: &str, ends: char, of: fn(String) -> Place| -> Vec<Sent> {
        let pairs = text.split(ends).filter_map(|pair| pair.split_once('='));
        pairs.map(|(name, value)| Sent { place: of(name.trim().to_owned()), value: value.trim().to_owned() }).collect()
    };
    let mut sent = Vec::new();
    for (name, value) in question.headers {
        if name.eq_ignore_ascii_case("cookie") {
            sent.extend(pairs(value, ';', Place::Cookie));
        } else {
            let words: Vec<&str> = value.split_whitespace().collect();
            let scheme = if let [scheme, _] = words.as_slice() { (*scheme).to_owned() } else { String::new() };
            let place = Place::Header { name: name.to_ascii_lowercase(), scheme };
            sent.push(Sent { place, value: value.clone() });
        }
    }
    let query = question.head.url.split_once('?').map_or("", |(_, query)| query);
    sent.extend(pairs(query, '&', Place::Query));
    sent
}

/// Where a name and a password are wanted alone, anything else in the same header.
fn other_scheme(question: Question<'_>, evidence: &Evidence<'_>) -> Option<Cause> {
    let only = evidence.authorizers.iter().all(|authorizer| matches!(authorizer.keys, KeySource::Passwords(_)));
    let value = question.head.headers.get("authorization").filter(|_| only)?;
    let scheme = value.split_whitespace().next()?;
    Some(cause(
        format!("the scheme is `{scheme}`, and this path takes a name and a password behind `Basic`"),
        "send them (`curl -u NAME`), or put an authorizer for tokens on this path",
    ))
}

/// A header whose name is nearly one that is looked at.
fn misspelt(sent: &[Sent], evidence: &Evidence<'_>) -> Option<Cause> {
    let looked = evidence.headers_looked_at();
    let near = |sent: &Sent| match &sent.place {
        Place::Header { name, .. } if !looked.contains(&name.as_str()) && !sent.word().is_empty() => {
            Some((name.clone(), nearest(name, looked.iter().copied())?.to_owned()))
        }
        _ => None,
    };
    let (name, known) = sent.iter().find_map(near)?;
    Some(cause(
        format!("the header `{name}` is sent, and `{known}` is looked at: the name is misspelt"),
        format!("send {}", example(evidence)),
    ))
}

/// A credential in a place of another name.
fn moved(sent: &[Sent], evidence: &Evidence<'_>) -> Option<Cause> {
    let looked = evidence.headers_looked_at();
    let is_new = |sent: &&Sent| match &sent.place {
        Place::Header { name, .. } => !looked.contains(&name.as_str()),
        _ => true,
    };
    let found = sent.iter().filter(is_new).find(|sent| sent.is_credential(evidence))?;
    let kind = if found.word().starts_with("eyJ") { "a token" } else { "the key" };
    let bare = match &found.place {
        Place::Header { name, .. } => Place::Header { name: name.clone(), scheme: String::new() },
        other => other.clone(),
    };
    Some(cause(
        format!("{kind} is in {}, but it is looked for in {}", place(&bare), evidence.places()),
        format!("send {}, or write {}", example(evidence), token_from(evidence, &found.place)),
    ))
}

/// Cloudflare Access takes what its clients send and adds its own token: a request that has the former alone came around it.
fn access(question: Question<'_>, evidence: &Evidence<'_>) -> Option<Cause> {
    let wanted = evidence.headers_looked_at().contains(&ACCESS);
    question.head.headers.get(ACCESS_CLIENT).filter(|_| wanted)?;
    Some(cause(
        format!(
            "the service token's headers (`{ACCESS_CLIENT}`) came past Cloudflare Access, which makes `{ACCESS}` of them"
        ),
        "call the host name that Access protects, and give the application a policy with the action Service Auth",
    ))
}

/// A credential in the first place where one is looked for, as it is sent.
pub(super) fn example(evidence: &Evidence<'_>) -> String {
    let Some(authorizer) = evidence.authorizers.first() else { return "none: the path is open".to_owned() };
    let what = if matches!(authorizer.keys, KeySource::ApiKeys(_)) { "KEY" } else { "TOKEN" };
    match authorizer.places.first() {
        _ if matches!(authorizer.keys, KeySource::Passwords(_)) => {
            "`Authorization: Basic …`, as `curl -u NAME` does".to_owned()
        }
        Some(Place::Header { name, .. }) if name == ACCESS => {
            "the request by the host name that Cloudflare Access protects: Access adds the header".to_owned()
        }
        Some(Place::Header { name, scheme }) => {
            let name = if name == "authorization" { "Authorization" } else { name };
            let scheme = if scheme.is_empty() { String::new() } else { format!("{scheme} ") };
            format!("`{name}: {scheme}{what}`")
        }
        Some(Place::Cookie(name)) => format!("`Cookie: {name}={what}`"),
        Some(Place::Query(name)) => format!("`?{name}={what}`"),
        None => "`Authorization: Bearer TOKEN`".to_owned(),
    }
}

/// The field that has it looked for in `new` too: a list of all places, since it takes the place of the usual one.
fn token_from(evidence: &Evidence<'_>, new: &Place) -> String {
    let known = evidence.authorizers.first().map(|authorizer| authorizer.places.as_slice()).unwrap_or_default();
    let list: Vec<Value> = known.iter().chain([new]).map(in_json).collect();
    format!("\"token_from\": {}", Value::Array(list))
}

fn in_json(place: &Place) -> Value {
    match place {
        Place::Header { name, scheme } => {
            // What a header has behind which scheme unless it is written.
            let usual = if name == "authorization" { "bearer" } else { "" };
            if scheme.eq_ignore_ascii_case(usual) {
                json!({ "header": name })
            } else {
                json!({ "header": name, "prefix": scheme })
            }
        }
        Place::Cookie(name) => json!({ "cookie": name }),
        Place::Query(name) => json!({ "query": name }),
    }
}
