//! `portcullis jwt`: the credentials that consumers sign their tokens with.

mod list;
mod make;

use std::path::PathBuf;
use std::process::ExitCode;

use portcullis::jwt::alg::Algorithm;
use serde_json::{Value, json};

use super::answer::{No, Told, finish};
use super::consumer::{open, until};
use super::directory::{Consumer, Directory, credential, credential_key, name, owned};
use super::files::token;
use super::key::algorithm;
use super::kv::{At, Namespace};
use super::moment::{lifetime, now, span, written};
use list::Credential;
use make::{Kept, Material};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a credential, and show once what its tokens are signed with.
    Add {
        /// The consumer's name.
        name: String,
        /// What its tokens are signed with: HS256, HS384, HS512 make a secret; RS256, PS256, ES256, EdDSA and the like a key pair.
        #[arg(long, value_name = "ALG", default_value = "HS256", value_parser = algorithm)]
        alg: Algorithm,
        /// What its tokens name it by; unless given, the consumer's name with random digits.
        #[arg(long, value_name = "ISS", value_parser = name)]
        iss: Option<String>,
        /// End it after this time: 90s, 15m, 24h, 30d, 2w.
        #[arg(long, value_name = "SPAN", value_parser = lifetime)]
        expires_in: Option<u64>,
        #[command(flatten)]
        keys: Keys,
        #[command(flatten)]
        at: At,
    },
    /// List a consumer's credentials.
    Ls {
        /// The consumer's name.
        name: String,
        /// Show shared secrets too.
        #[arg(long)]
        show_secrets: bool,
        #[command(flatten)]
        at: At,
    },
    /// Make another credential of the same kind, and end the old one after a while.
    Rotate {
        /// The consumer's name.
        name: String,
        /// The old credential; may be left out where there is one.
        iss: Option<String>,
        /// How long the old one goes on: 90s, 15m, 24h, 30d, 2w.
        #[arg(long, value_name = "SPAN", default_value = "24h", value_parser = span)]
        overlap: u64,
        #[command(flatten)]
        keys: Keys,
        #[command(flatten)]
        at: At,
    },
    /// Remove a credential.
    Rm {
        /// The consumer's name.
        name: String,
        /// What the credential's tokens name it by.
        iss: String,
        #[command(flatten)]
        at: At,
    },
}

/// Key pairs.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Keys {
    /// The consumer's public key or certificate in PEM: then it alone has the private one.
    #[arg(long, value_name = "FILE", conflicts_with = "out")]
    public_key: Option<PathBuf>,
    /// Write what is made to files with names that begin so, and print nothing that is secret.
    #[arg(long, value_name = "PREFIX")]
    out: Option<String>,
}

pub(super) fn run(command: &Command) -> ExitCode {
    match command {
        Command::Add { name, alg, iss, expires_in, keys, at } => {
            finish(add(name, *alg, iss.as_deref(), *expires_in, keys, at), at.json)
        }
        Command::Ls { name, show_secrets, at } => finish(list::run(name, *show_secrets, at), at.json),
        Command::Rotate { name, iss, overlap, keys, at } => {
            finish(rotate(name, iss.as_deref(), *overlap, keys, at), at.json)
        }
        Command::Rm { name, iss, at } => finish(remove(name, iss, at), at.json),
    }
}

fn add(
    name: &str,
    alg: Algorithm,
    iss: Option<&str>,
    expires_in: Option<u64>,
    keys: &Keys,
    at: &At,
) -> Result<Told, No> {
    let material = Material::make(alg, keys)?;
    let (namespace, store) = open(at)?;
    if let Some(allowed) = store.algorithms.filter(|allowed| !allowed.iter().any(|name| name == alg.name())) {
        return No::answer(format!(
            "the authorizer of consumers would refuse tokens of {alg}: --alg {}",
            allowed.join(" or ")
        ));
    }
    let iss = iss.map_or_else(|| fresh(name), |iss| Ok(iss.to_owned()))?;
    let found = namespace.get(&[Consumer::key(name), credential_key(&iss)])?;
    let Some(owner) = found.get(&Consumer::key(name)).and_then(|text| Consumer::read(name, text)) else {
        let place = namespace.told();
        return No::answer(format!("there is no consumer `{name}` in {place}: `portcullis consumer add {name}`"));
    };
    if found.contains_key(&credential_key(&iss)) {
        return No::answer(format!(
            "a credential `{iss}` is there already: tokens would not say which of them is meant"
        ));
    }
    let ends = expires_in.map(|span| now().saturating_add(span));
    let put = credential(&iss, &owner, material.stored(), [("created", Some(now())), ("not_after", ends)]);
    let kept = material.keep(keys)?;
    kept.unless(namespace.put(&[put]))?;
    let mut notes: Vec<String> = store.note.into_iter().map(str::to_owned).collect();
    notes.extend(how_to_sign(&store.key_claim, &iss, &material, &kept));
    notes.extend(ends.map(|ends| format!("it ends at {}", written(ends))));
    let mut json = material.json(&iss, &kept);
    if let (Some(members), Some(ends)) = (json.as_object_mut(), ends) {
        members.insert("not_after".to_owned(), ends.into());
    }
    Ok(Told { text: material.table(&iss, &kept), json, notes })
}

/// What a consumer has to know to sign.
fn how_to_sign(key_claim: &str, iss: &str, material: &Material, kept: &Kept) -> Vec<String> {
    let place = if key_claim == "kid" { "the header" } else { "the claims" };
    let mut told = vec![format!("tokens name it in {place}: {}", json!({ key_claim: iss }))];
    told.extend(material.advice(kept).map(str::to_owned));
    told
}

/// A name that no credential has yet.
fn fresh(name: &str) -> Result<String, String> {
    Ok(format!("{name}-{}", token::<6>()?))
}

fn rotate(name: &str, iss: Option<&str>, overlap: u64, keys: &Keys, at: &At) -> Result<Told, No> {
    let (namespace, store) = open(at)?;
    let old = match iss {
        Some(iss) => one(&namespace, name, iss)?,
        None => only(&namespace, name)?,
    };
    let material = Material::make(old.algorithm, keys)?;
    let iss = fresh(name)?;
    let ends = now().saturating_add(overlap).min(old.not_after.unwrap_or(u64::MAX));
    let mut ended = old.record.clone();
    if let Some(members) = ended.as_object_mut() {
        members.insert("not_after".to_owned(), ends.into());
    }
    let new = credential(&iss, &old.owner, material.stored(), [("created", Some(now())), ("not_after", None)]);
    let kept = material.keep(keys)?;
    kept.unless(namespace.put(&[new, owned(credential_key(&old.iss), ended, &old.owner)]))?;
    let mut notes = how_to_sign(&store.key_claim, &iss, &material, &kept);
    notes.push(format!(
        "the old one, {}, ends at {}: `portcullis jwt rm {name} {}` ends it now",
        old.iss,
        written(ends),
        old.iss
    ));
    let mut json = material.json(&iss, &kept);
    if let Some(members) = json.as_object_mut() {
        members.insert("replaces".to_owned(), json!({ "iss": old.iss, "not_after": ends }));
    }
    Ok(Told { text: material.table(&iss, &kept), json, notes })
}

fn remove(name: &str, iss: &str, at: &At) -> Result<Told, No> {
    let (namespace, store) = open(at)?;
    let found = one(&namespace, name, iss)?;
    namespace.delete(&[credential_key(&found.iss)])?;
    Ok(Told {
        text: format!("credential {iss} of {name} removed from {}\n", namespace.told()),
        json: json!({ "removed": [credential_key(iss)] }),
        notes: vec![until(&store)],
    })
}

/// The credential `iss` of the consumer `name`.
fn one(namespace: &Namespace, name: &str, iss: &str) -> Result<Credential, No> {
    let key = credential_key(iss);
    let found = namespace.get(std::slice::from_ref(&key))?;
    let found = found.get(&key).and_then(|text| Credential::read(iss, text));
    match found.filter(|found| found.owner.name == name) {
        Some(found) => Ok(found),
        None => No::answer(format!("`{name}` has no credential `{iss}`: `portcullis jwt ls {name}`")),
    }
}

/// The one credential of `name` that has not ended.
fn only(namespace: &Namespace, name: &str) -> Result<Credential, No> {
    let all = credentials(namespace, name)?;
    let now = now();
    let live: Vec<Credential> = all.into_iter().filter(|one| one.not_after.is_none_or(|ends| ends > now)).collect();
    let names: Vec<&str> = live.iter().map(|one| one.iss.as_str()).collect();
    match names.as_slice() {
        [] => No::answer(format!("`{name}` has no credential that counts: `portcullis jwt add {name}` makes one")),
        [_] => live.into_iter().next().ok_or_else(|| No::Answer(String::new())),
        _ => No::answer(format!("`{name}` has several credentials, say which: {}", names.join(", "))),
    }
}

/// The credentials of `name`.
fn credentials(namespace: &Namespace, name: &str) -> Result<Vec<Credential>, No> {
    let directory = Directory::read(namespace)?;
    let keys: Vec<String> =
        directory.of(name).filter(|held| held.kind == "credential").map(|held| held.key.clone()).collect();
    if keys.is_empty() && !directory.consumers.iter().any(|known| known.name == name) {
        return No::answer(format!("there is no consumer `{name}` in {}: `portcullis consumer ls`", namespace.told()));
    }
    let found = namespace.get(&keys)?;
    let read = |(key, text): (&String, &String)| Credential::read(key.strip_prefix("credential:")?, text);
    Ok(found.iter().filter_map(read).filter(|one| one.owner.name == name).collect())
}

/// What a list shows of a time that may not be.
fn time_or_dash(time: Option<u64>) -> String {
    time.map_or_else(|| "-".to_owned(), written)
}

/// A value as text, where it is one.
fn text<'v>(record: &'v Value, name: &str) -> Option<&'v str> {
    record.get(name).and_then(Value::as_str)
}
