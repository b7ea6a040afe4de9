//! Consumers and what belongs to them, as the namespace has it. docs/consumers.md has the stored forms.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::kv::{Namespace, Put};

/// The version of what is stored.
const VERSION: u64 = 1;

/// The longest name: with a prefix before it, it is still a key of KV.
const MAX_NAME_BYTES: usize = 256;

/// What a consumer can have, by what its keys begin with, and what people call it.
pub(super) const KINDS: [(&str, &str); 3] =
    [("credential:", "credential"), ("api-key:", "API key"), ("password:", "password")];

/// A consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Consumer {
    pub(super) name: String,
    pub(super) id: String,
    /// Seconds since 1970; none where it is known by its credentials alone.
    pub(super) created: Option<u64>,
}

/// Something of a consumer's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holding {
    pub(super) key: String,
    pub(super) kind: &'static str,
    pub(super) owner: Consumer,
}

/// All of a namespace.
#[derive(Debug, Default)]
pub(super) struct Directory {
    pub(super) consumers: Vec<Consumer>,
    pub(super) holdings: Vec<Holding>,
}

/// A name of a consumer or a credential: it goes into headers, keys and logs.
pub(super) fn name(text: &str) -> Result<String, String> {
    let odd = |letter: char| letter.is_whitespace() || letter.is_control();
    if text.is_empty() || text.len() > MAX_NAME_BYTES || text.contains(odd) {
        return Err(format!("a name has 1 to {MAX_NAME_BYTES} bytes, no spaces and no control characters"));
    }
    Ok(text.to_owned())
}

/// The same without a colon, which ends a user's name in `Authorization: Basic` (RFC 7617 section 2).
pub(super) fn consumer_name(text: &str) -> Result<String, String> {
    if text.contains(':') {
        return Err("a consumer's name has no colon".to_owned());
    }
    name(text)
}

impl Consumer {
    pub(super) fn key(name: &str) -> String {
        format!("consumer:{name}")
    }

    /// What is stored of it.
    pub(super) fn put(&self) -> Put {
        let value = json!({ "version": VERSION, "id": self.id, "username": self.name, "created": self.created });
        let metadata = json!({ "id": self.id, "created": self.created });
        Put { key: Self::key(&self.name), value, metadata: Some(metadata), ttl: None }
    }

    /// What `consumer:NAME` holds.
    pub(super) fn read(name: &str, text: &str) -> Option<Self> {
        let stored: Value = serde_json::from_str(text).ok()?;
        let id = stored.get("id")?.as_str()?.to_owned();
        Some(Self { name: name.to_owned(), id, created: stored.get("created").and_then(Value::as_u64) })
    }
}

/// A credential's record, with what lists show of it.
pub(super) fn credential(
    iss: &str,
    owner: &Consumer,
    proof: Map<String, Value>,
    times: [(&str, Option<u64>); 2],
) -> Put {
    let mut record = json!({ "version": VERSION, "consumer": { "id": owner.id, "username": owner.name } });
    if let Some(members) = record.as_object_mut() {
        members.extend(proof);
        members.extend(times.into_iter().filter_map(|(name, time)| Some((name.to_owned(), time?.into()))));
    }
    owned(credential_key(iss), record, owner)
}

/// A record of `owner`'s.
pub(super) fn owned(key: String, value: Value, owner: &Consumer) -> Put {
    Put { key, value, metadata: Some(json!({ "consumer": owner.name, "id": owner.id })), ttl: None }
}

pub(super) fn credential_key(iss: &str) -> String {
    format!("credential:{iss}")
}

/// Whose a record is, as it says itself.
fn owner(text: &str) -> Option<Consumer> {
    let stored: Value = serde_json::from_str(text).ok()?;
    let member = |name: &str| stored.get("consumer")?.get(name)?.as_str().map(str::to_owned);
    Some(Consumer { name: member("username")?, id: member("id")?, created: None })
}

impl Directory {
    /// Reads it. What was put by this command says in its list what it is; the values of all others are read.
    pub(super) fn read(namespace: &Namespace) -> Result<Self, String> {
        let keys = namespace.list("")?;
        let kind = |key: &str| KINDS.into_iter().find(|(prefix, _)| key.starts_with(prefix)).map(|(_, kind)| kind);
        let text = |metadata: &Option<Value>, name: &str| {
            metadata.as_ref().and_then(|metadata| metadata.get(name)?.as_str()).map(str::to_owned)
        };
        let mut directory = Self::default();
        let mut unknown = Vec::new();
        for key in keys {
            let (id, of) = (text(&key.metadata, "id"), text(&key.metadata, "consumer"));
            let created = key.metadata.as_ref().and_then(|metadata| metadata.get("created")?.as_u64());
            match (key.name.strip_prefix("consumer:"), kind(&key.name), id, of) {
                (Some(name), _, Some(id), _) => {
                    directory.consumers.push(Consumer { name: name.to_owned(), id, created });
                }
                (None, Some(kind), Some(id), Some(name)) => {
                    let owner = Consumer { name, id, created: None };
                    directory.holdings.push(Holding { key: key.name, kind, owner });
                }
                (None, None, ..) => {}
                _ => unknown.push(key.name),
            }
        }
        for (key, value) in namespace.get(&unknown)? {
            if let Some(name) = key.strip_prefix("consumer:") {
                directory.consumers.extend(Consumer::read(name, &value));
            } else if let (Some(kind), Some(owner)) = (kind(&key), owner(&value)) {
                directory.holdings.push(Holding { key, kind, owner });
            }
        }
        directory.consumers.sort_by(|one, other| one.name.cmp(&other.name));
        directory.holdings.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(directory)
    }

    /// What is `name`'s.
    pub(super) fn of<'d>(&'d self, name: &'d str) -> impl Iterator<Item = &'d Holding> {
        self.holdings.iter().filter(move |holding| holding.owner.name == name)
    }

    /// All consumers by name, also those that have credentials alone.
    pub(super) fn all(&self) -> BTreeMap<&str, &Consumer> {
        let by_credentials = self.holdings.iter().map(|holding| (holding.owner.name.as_str(), &holding.owner));
        by_credentials.chain(self.consumers.iter().map(|known| (known.name.as_str(), known))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_into_headers_and_keys() {
        for good in ["my-app", "ann@example.com", "a", "größe", "https://issuer.example/"] {
            assert!(name(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a\nb", "\u{0}", &"a".repeat(257)] {
            assert!(name(bad).is_err(), "{bad}");
        }
        assert!(consumer_name("a:b").is_err());
    }

    #[test]
    fn a_consumers_record_comes_back_as_it_was() {
        let consumer = Consumer { name: "my-app".into(), id: "c-1".into(), created: Some(5) };
        let put = consumer.put();
        assert_eq!(put.key, "consumer:my-app");
        assert_eq!(put.value, json!({"version": 1, "id": "c-1", "username": "my-app", "created": 5}));
        assert_eq!(Consumer::read("my-app", &put.value.to_string()), Some(consumer));
    }

    #[test]
    fn a_credential_says_whose_it_is_and_lists_show_no_secret() {
        let consumer = Consumer { name: "my-app".into(), id: "c-1".into(), created: Some(5) };
        let proof = Map::from_iter([("algorithm".into(), "HS256".into()), ("secret".into(), "s3cret".into())]);
        let put = credential("iss-1", &consumer, proof, [("created", Some(7)), ("not_after", None)]);
        assert_eq!(put.key, "credential:iss-1");
        let expected = json!({"version": 1, "consumer": {"id": "c-1", "username": "my-app"}, "algorithm": "HS256", "secret": "s3cret", "created": 7});
        assert_eq!(put.value, expected);
        assert_eq!(put.metadata, Some(json!({"consumer": "my-app", "id": "c-1"})));
        let read = portcullis::consumer::Credential::signing_key(&put.value.to_string(), "iss-1").unwrap();
        assert_eq!((read.consumer.id.as_str(), read.consumer.username.as_str()), ("c-1", "my-app"));
    }
}
