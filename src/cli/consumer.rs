//! `portcullis consumer`: who has credentials.

use std::process::ExitCode;

use portcullis::request;
use serde_json::{Value, json};

use super::answer::{No, Told, finish};
use super::directory::{Consumer, Directory, KINDS, consumer_name, name};
use super::known::{Store, store};
use super::kv::{At, Namespace};
use super::moment::{now, written};
use super::private_key::random;
use super::table::{count, table};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Add a consumer. `portcullis jwt add` gives it a credential.
    Add {
        /// Its name: what upstreams get as X-Consumer-Username.
        #[arg(value_parser = consumer_name)]
        name: String,
        /// Its id, which never changes: what they get as X-Consumer-ID. Unless given, a random one.
        #[arg(long, value_name = "ID", value_parser = name)]
        id: Option<String>,
        #[command(flatten)]
        at: At,
    },
    /// List consumers, and how many credentials each has.
    Ls {
        #[command(flatten)]
        at: At,
    },
    /// Remove a consumer with all of its credentials, API keys and passwords.
    Rm {
        /// Its name.
        name: String,
        #[command(flatten)]
        at: At,
    },
}

pub(super) fn run(command: &Command) -> ExitCode {
    match command {
        Command::Add { name, id, at } => finish(add(name, id.as_deref(), at), at.json),
        Command::Ls { at } => finish(list(at), at.json),
        Command::Rm { name, at } => finish(remove(name, at), at.json),
    }
}

/// The namespace of credentials.
pub(super) fn open(at: &At) -> Result<(Namespace, Store), String> {
    let store = store(at)?;
    Ok((Namespace::open(at, &store.binding)?, store))
}

fn add(name: &str, id: Option<&str>, at: &At) -> Result<Told, No> {
    let (namespace, store) = open(at)?;
    let key = Consumer::key(name);
    if let Some(known) = namespace.get(std::slice::from_ref(&key))?.get(&key) {
        let id = Consumer::read(name, known).map_or_else(String::new, |known| format!(" (id {})", known.id));
        return No::answer(format!("the consumer `{name}` is there already{id}, in {}", namespace.told()));
    }
    let consumer =
        Consumer { name: name.to_owned(), id: id.map_or_else(uuid, |id| Ok(id.to_owned()))?, created: Some(now()) };
    namespace.put(&[consumer.put()])?;
    let mut notes: Vec<String> = store.note.into_iter().map(str::to_owned).collect();
    notes.push(format!("`portcullis jwt add {name}` gives it a credential"));
    Ok(Told {
        text: format!("consumer {name} added to {}: id {}\n", namespace.told(), consumer.id),
        json: told(&consumer),
        notes,
    })
}

fn list(at: &At) -> Result<Told, No> {
    let (namespace, _) = open(at)?;
    let directory = Directory::read(&namespace)?;
    let all = directory.all();
    let rows: Vec<[String; 4]> = all
        .values()
        .map(|known| {
            let created = known.created.map_or_else(|| "-".to_owned(), written);
            [known.name.clone(), known.id.clone(), directory.of(&known.name).count().to_string(), created]
        })
        .collect();
    let listed = all.values().map(|known| {
        let mut listed = told(known);
        if let Some(members) = listed.as_object_mut() {
            members.insert("credentials".to_owned(), directory.of(&known.name).count().into());
        }
        listed
    });
    let json = json!({ "consumers": listed.collect::<Vec<Value>>() });
    let summary = format!("{} in {}\n", count(rows.len(), "consumer"), namespace.told());
    let text =
        if rows.is_empty() { summary } else { table(["NAME", "ID", "CREDENTIALS", "CREATED"], &rows) + &summary };
    Ok(Told { text, json, notes: Vec::new() })
}

fn remove(name: &str, at: &At) -> Result<Told, No> {
    let (namespace, store) = open(at)?;
    let directory = Directory::read(&namespace)?;
    let mut keys: Vec<String> = directory.of(name).map(|holding| holding.key.clone()).collect();
    let kinds: Vec<String> = KINDS
        .into_iter()
        .map(|(_, kind)| (kind, directory.of(name).filter(|holding| holding.kind == kind).count()))
        .filter(|(_, number)| *number > 0)
        .map(|(kind, number)| count(number, kind))
        .collect();
    if directory.consumers.iter().any(|known| known.name == name) {
        // Last, so that what went wrong half way can be done again.
        keys.push(Consumer::key(name));
    }
    if keys.is_empty() {
        return No::answer(format!("there is no consumer `{name}` in {}: `portcullis consumer ls`", namespace.told()));
    }
    namespace.delete(&keys)?;
    let with = if kinds.is_empty() { String::new() } else { format!(" with {}", kinds.join(", ")) };
    Ok(Told {
        text: format!("consumer {name} removed from {}{with}\n", namespace.told()),
        json: json!({ "removed": keys }),
        notes: vec![until(&store)],
    })
}

/// How long what was taken away still counts.
pub(super) fn until(store: &Store) -> String {
    format!(
        "where it was in use lately it counts for {} more seconds at most (`cache_ttl_ms`), and KV may add a minute",
        store.remembers
    )
}

fn told(consumer: &Consumer) -> Value {
    json!({ "name": consumer.name, "id": consumer.id, "created": consumer.created })
}

/// A random UUID (RFC 9562 section 5.4).
fn uuid() -> Result<String, String> {
    Ok(request::uuid(random()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_random_uuid() {
        let (one, other) = (uuid().unwrap(), uuid().unwrap());
        assert_ne!(one, other);
        let parts: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(one.get(14..15), Some("4"));
        assert!(one.get(19..20).is_some_and(|variant| "89ab".contains(variant)), "{one}");
    }
}
