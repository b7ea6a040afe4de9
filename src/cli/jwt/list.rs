//! `portcullis jwt ls`, and credentials as they are stored.

use portcullis::consumer::stored_secret;
use portcullis::digest::hex;
use portcullis::jwt::alg::Algorithm;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::answer::{No, Told};
use super::super::consumer::open;
use super::super::directory::Consumer;
use super::super::kv::At;
use super::super::moment::now;
use super::super::table::{count, table};
use super::{credentials, text, time_or_dash};

/// A stored credential.
#[derive(Debug)]
pub(super) struct Credential {
    pub(super) iss: String,
    pub(super) owner: Consumer,
    pub(super) algorithm: Algorithm,
    pub(super) created: Option<u64>,
    pub(super) not_after: Option<u64>,
    pub(super) record: Value,
}

impl Credential {
    /// Reads `credential:ISS`.
    pub(super) fn read(iss: &str, stored: &str) -> Option<Self> {
        let record: Value = serde_json::from_str(stored).ok()?;
        let consumer = record.get("consumer")?;
        let owner = Consumer {
            name: text(consumer, "username")?.to_owned(),
            id: text(consumer, "id")?.to_owned(),
            created: None,
        };
        let time = |name: &str| record.get(name).and_then(Value::as_u64);
        let (created, not_after) = (time("created"), time("not_after"));
        let algorithm = Algorithm::named(text(&record, "algorithm")?)?;
        Some(Self { iss: iss.to_owned(), owner, algorithm, created, not_after, record })
    }

    /// The last four digits of a digest: enough to tell credentials apart, too little to guess by.
    pub(super) fn fingerprint(&self) -> String {
        let secret = text(&self.record, "secret").map(|secret| {
            let bytes = stored_secret(secret, text(&self.record, "secret_encoding"));
            bytes.unwrap_or_else(|| secret.as_bytes().to_vec())
        });
        let bytes = secret.unwrap_or_else(|| {
            let key = text(&self.record, "public_key").map(|pem| pem.trim().to_owned());
            key.or_else(|| self.record.get("jwk").map(Value::to_string)).unwrap_or_default().into_bytes()
        });
        let digest: [u8; 32] = Sha256::digest(bytes).into();
        let [.., third, last] = digest;
        hex(&[third, last])
    }

    fn secret(&self) -> String {
        text(&self.record, "secret").unwrap_or("-").to_owned()
    }
}

pub(super) fn run(name: &str, show_secrets: bool, at: &At) -> Result<Told, No> {
    let (namespace, _) = open(at)?;
    let all = credentials(&namespace, name)?;
    let now = now();
    let ends = |one: &Credential| {
        let ended = if one.not_after.is_some_and(|ends| ends <= now) { " (ended)" } else { "" };
        format!("{}{ended}", time_or_dash(one.not_after))
    };
    let listed = all.iter().map(|one| {
        let mut listed = json!({
            "algorithm": one.algorithm.name(),
            "iss": one.iss,
            "created": one.created,
            "not_after": one.not_after,
            "fingerprint": one.fingerprint(),
        });
        if let (true, Some(members)) = (show_secrets, listed.as_object_mut()) {
            members.insert("secret".to_owned(), one.record.get("secret").cloned().unwrap_or_default());
        }
        listed
    });
    let json = json!({ "credentials": listed.collect::<Vec<Value>>() });
    let row = |one: &Credential| {
        [one.algorithm.name().to_owned(), one.iss.clone(), time_or_dash(one.created), ends(one), one.fingerprint()]
    };
    let headings = ["ALGORITHM", "ISS", "CREATED", "ENDS", "FINGERPRINT"];
    let lines = if all.is_empty() {
        String::new()
    } else if show_secrets {
        let rows: Vec<[String; 6]> = all
            .iter()
            .map(|one| {
                let [algorithm, iss, created, ends, fingerprint] = row(one);
                [algorithm, iss, created, ends, fingerprint, one.secret()]
            })
            .collect();
        let [algorithm, iss, created, ends, fingerprint] = headings;
        table([algorithm, iss, created, ends, fingerprint, "SECRET"], &rows)
    } else {
        table(headings, &all.iter().map(row).collect::<Vec<_>>())
    };
    let summary = format!("{} of {name} in {}\n", count(all.len(), "credential"), namespace.told());
    Ok(Told { text: lines + &summary, json, notes: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_of_the_bytes_however_they_are_written() {
        let of = |more: Value| {
            let mut record = json!({"consumer": {"id": "1", "username": "a"}, "algorithm": "HS256"});
            record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            Credential::read("i", &record.to_string()).unwrap().fingerprint()
        };
        // SHA-256 of "test" ends in 0a08.
        assert_eq!(of(json!({"secret": "test"})), "0a08");
        assert_eq!(of(json!({"secret": "74657374", "secret_encoding": "hex"})), "0a08");
        assert_ne!(of(json!({"public_key": "a"})), of(json!({"public_key": "b"})));
    }
}
