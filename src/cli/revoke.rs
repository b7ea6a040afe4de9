//! `portcullis revoke`: tokens that are taken back before their end.

use std::process::ExitCode;

use portcullis::authn::DEFAULT;
use portcullis::revocation::What;
use serde_json::{Value, json};

use super::answer::{No, Told, finish};
use super::known::{Authorizer, authorizers, read};
use super::kv::{At, Namespace, Put};
use super::moment::{lifetime, now, time, written};
use super::table::{count, table};

/// The shortest that KV keeps a record.
const MIN_TTL: u64 = 60;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    which: Option<Which>,
    /// What was issued before then: `now`, seconds since 1970, 2026-11-22T08:00:00Z. Unless given, now.
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with_all = ["jti", "also_new"])]
    before: Option<u64>,
    /// Also what will be issued from now on: a subject that is never to come back.
    #[arg(long, conflicts_with = "jti")]
    also_new: bool,
    /// Forget it after this time, when all such tokens have ended: 90s, 15m, 24h, 30d, 2w.
    #[arg(long, value_name = "SPAN", value_parser = lifetime)]
    ttl: Option<u64>,
    #[command(flatten)]
    at: RevocationsAt,
}

/// One of three.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// One token, by its `jti`.
    #[arg(long, value_name = "JTI")]
    jti: Option<String>,
    /// All tokens of one subject.
    #[arg(long, value_name = "SUB")]
    sub: Option<String>,
    /// All tokens of the authorizer.
    #[arg(long)]
    all: bool,
}

#[derive(Debug, clap::Args)]
struct RevocationsAt {
    /// Whose tokens; may be left out where one authorizer has a revocation list.
    #[arg(long, value_name = "NAME")]
    authorizer: Option<String>,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List what is taken back.
    Ls {
        #[command(flatten)]
        at: RevocationsAt,
    },
    /// Let tokens count again.
    Rm {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        at: RevocationsAt,
    },
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match (&arguments.command, &arguments.which) {
        (Some(Command::Ls { at }), _) => finish(list(at), at.at.json),
        (Some(Command::Rm { which, at }), _) => finish(remove(which, at), at.at.json),
        (None, Some(which)) => finish(add(which, arguments), arguments.at.at.json),
        (None, None) => finish(Err(No::Use("one of --jti, --sub and --all is needed".to_owned())), false),
    }
}

impl Which {
    /// What the record is called.
    fn key(&self, binding: &str, label: &str) -> String {
        let what = match (&self.jti, &self.sub) {
            (Some(jti), _) => What::Token(jti),
            (None, Some(sub)) => What::Subject(sub),
            (None, None) => What::All,
        };
        what.key(binding, label).key
    }

    fn told(&self, label: &str) -> String {
        match (&self.jti, &self.sub) {
            (Some(jti), _) => format!("the token `{jti}` of {label}"),
            (None, Some(sub)) => format!("tokens of the subject `{sub}` of {label}"),
            (None, None) => format!("all tokens of {label}"),
        }
    }
}

/// The authorizer with the revocation list, and the list.
fn open(arguments: &RevocationsAt) -> Result<(Authorizer, String, Namespace), No> {
    let file = arguments.at.config.display();
    let known = authorizers(&read(&arguments.at.config)?);
    let named = |known: &&Authorizer| match &arguments.authorizer {
        Some(name) => known.label() == name || (known.is_default && name == DEFAULT),
        None => known.revocations().is_some(),
    };
    let fitting: Vec<&Authorizer> = known.iter().filter(named).collect();
    let chosen = match fitting.as_slice() {
        [one] => *one,
        [] if arguments.authorizer.is_some() => {
            let labels: Vec<&str> = known.iter().map(Authorizer::label).collect();
            return No::answer(format!("there is no such authorizer in {file}: {}", labels.join(", ")));
        }
        [] => {
            return No::answer(format!(
                "no authorizer of {file} has a revocation list, so nobody would look: add this to one\n\n\"revocation\": {{ \"binding\": \"{}\" }}",
                portcullis::revocation::NAMESPACE
            ));
        }
        // The default one comes first.
        [one, ..] if one.is_default => *one,
        several => {
            let labels: Vec<&str> = several.iter().map(|one| one.label()).collect();
            return No::answer(format!(
                "several authorizers have revocation lists, say which: --authorizer {}",
                labels.join(" or ")
            ));
        }
    };
    let Some(binding) = chosen.revocations() else {
        let label = chosen.label();
        return No::answer(format!(
            "the authorizer {label} has no revocation list, so nobody would look: add `\"revocation\": {{}}` to it"
        ));
    };
    let binding = arguments.at.binding.clone().unwrap_or_else(|| binding.to_owned());
    let namespace = Namespace::open(&arguments.at, &binding)?;
    Ok((chosen.clone(), binding, namespace))
}

/// What is stored: `before`, or nothing for whatever there is and will be.
fn record(before: Option<u64>) -> Value {
    match before {
        Some(before) => json!({ "version": 1, "before": before }),
        None => json!({ "version": 1 }),
    }
}

fn add(which: &Which, arguments: &Arguments) -> Result<Told, No> {
    let (authorizer, binding, namespace) = open(&arguments.at)?;
    let label = authorizer.label();
    // A second more: `iat` has whole ones, and a token of this very second is to end too.
    let before = match (which.jti.is_some() || arguments.also_new, arguments.before) {
        (true, _) => None,
        (false, given) => Some(given.unwrap_or_else(|| now() + 1)),
    };
    let life = if arguments.also_new { None } else { authorizer.longest_life() };
    let ttl = arguments.ttl.or(life).map(|ttl| ttl.max(MIN_TTL));
    let key = which.key(&binding, label);
    let metadata = key.starts_with("sha256:").then(|| json!({ "authorizer": label }));
    namespace.put(&[Put { key: key.clone(), value: record(before), metadata, ttl }])?;
    let issued = match before {
        Some(before) => format!(" issued before {}", written(before)),
        None if arguments.also_new => ", those of the future too".to_owned(),
        None => String::new(),
    };
    let mut notes = Vec::new();
    if ttl.is_none() && !arguments.also_new {
        notes
            .push("it stays until `revoke rm`: --ttl with the longest life of a token lets it go by itself".to_owned());
    }
    notes.push("Workers that remember otherwise look again within 10 seconds; KV may add a minute".to_owned());
    Ok(Told {
        text: format!("taken back: {}{issued}, in {}\n", which.told(label), namespace.told()),
        json: json!({ "key": key, "authorizer": label, "before": before, "ttl": ttl }),
        notes,
    })
}

fn list(at: &RevocationsAt) -> Result<Told, No> {
    let (authorizer, _, namespace) = open(at)?;
    let label = authorizer.label();
    let prefix = format!("revoked:{label}:");
    let is_hashed = |metadata: &Option<Value>| {
        metadata.as_ref().is_some_and(|metadata| metadata.get("authorizer") == Some(&json!(label)))
    };
    let keys: Vec<_> = namespace
        .list("")?
        .into_iter()
        .filter(|key| key.name.starts_with(&prefix) || (key.name.starts_with("sha256:") && is_hashed(&key.metadata)))
        .collect();
    let names: Vec<String> = keys.iter().map(|key| key.name.clone()).collect();
    let values = namespace.get(&names)?;
    let mut rows = Vec::new();
    let mut listed = Vec::new();
    for key in &keys {
        let Some(value) = values.get(&key.name) else { continue };
        let before = serde_json::from_str::<Value>(value).ok().and_then(|value| value.get("before")?.as_u64());
        let shown = key.name.strip_prefix(&prefix).unwrap_or(&key.name);
        let (by, whom) = shown.split_once(':').unwrap_or((shown, "-"));
        let issued = before.map_or_else(|| "ever".to_owned(), |before| format!("before {}", written(before)));
        let expires = key.expiration.map_or_else(|| "-".to_owned(), written);
        rows.push([by.to_owned(), whom.to_owned(), issued, expires]);
        listed.push(json!({ "key": key.name, "before": before, "expires": key.expiration }));
    }
    let summary = format!("{} of {label} in {}\n", count(rows.len(), "revocation"), namespace.told());
    let text = if rows.is_empty() { summary } else { table(["BY", "WHOM", "ISSUED", "FORGOTTEN"], &rows) + &summary };
    Ok(Told { text, json: json!({ "revocations": listed }), notes: Vec::new() })
}

fn remove(which: &Which, at: &RevocationsAt) -> Result<Told, No> {
    let (authorizer, binding, namespace) = open(at)?;
    let label = authorizer.label();
    let key = which.key(&binding, label);
    if namespace.get(std::slice::from_ref(&key))?.is_empty() {
        return No::answer(format!("{} were not taken back: `portcullis revoke ls`", which.told(label)));
    }
    namespace.delete(std::slice::from_ref(&key))?;
    Ok(Told {
        text: format!("no longer taken back: {}, in {}\n", which.told(label), namespace.told()),
        json: json!({ "removed": [key] }),
        notes: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_called_as_the_worker_calls_them() {
        let which = |jti: Option<&str>, sub: Option<&str>| Which {
            jti: jti.map(str::to_owned),
            sub: sub.map(str::to_owned),
            all: jti.is_none() && sub.is_none(),
        };
        assert_eq!(which(Some("t-1"), None).key("R", "default"), "revoked:default:jti:t-1");
        assert_eq!(which(None, Some("auth0|1")).key("R", "idp"), "revoked:idp:sub:auth0|1");
        assert_eq!(which(None, None).key("R", "idp"), "revoked:idp:all");
        let long = which(None, Some(&"x".repeat(600))).key("R", "idp");
        assert!(long.starts_with("sha256:") && long.len() == 71, "{long}");
    }
}
