//! Credentials that are no tokens: API keys, and names with passwords.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Authorizer, Checked, Context, CredentialStore, Identity, KeySource, Need, Who};
use crate::consumer::{Consumer, Credential, PasswordHash, api_key_hash};
use crate::credential::{self, Found};
use crate::jwt::policy::Verified;
use crate::memory::{Entry, KeysUsed, Memo};
use crate::records::{Looked, RecordKey};
use crate::reject::{Code, Reject};
use crate::request::Head;

/// Digits of an API key's hash that name it to upstreams and in logs.
const NAME_DIGITS: usize = 12;

/// What a consumer takes in memory, by estimate: its names, and the headers that tell them.
const CONSUMER_BYTES: usize = 512;

/// The longest credential that is looked at, in bytes.
const MAX_BYTES: usize = 1024;

/// What one authorizer makes of the API key or password that it finds.
pub(super) fn check<'g>(
    authorizer: &'g Authorizer,
    head: &Head<'_>,
    context: Context<'_>,
) -> Result<Checked<'g>, Reject> {
    match &authorizer.keys {
        KeySource::ApiKeys(store) => match credential::find(&authorizer.places, head)? {
            Found::Token(key) => api_key(authorizer, store, &key, context),
            Found::OtherScheme => Ok(Checked::OtherScheme),
            Found::Nothing => Ok(Checked::NoToken),
        },
        KeySource::Passwords(store) => match basic(head)? {
            Some((name, password)) => password_of(authorizer, store, &name, &password, context),
            None => Ok(Checked::NoToken),
        },
        KeySource::Secrets(_) | KeySource::Inline(_) | KeySource::Remote(_) | KeySource::Consumers(_) => {
            Ok(Checked::NoToken)
        }
    }
}

fn api_key<'g>(
    authorizer: &'g Authorizer,
    store: &CredentialStore<()>,
    key: &str,
    context: Context<'_>,
) -> Result<Checked<'g>, Reject> {
    if key.len() > MAX_BYTES {
        return Err(Reject::new(Code::TokenTooLarge));
    }
    let hash = api_key_hash(key);
    let name = hash.get(..NAME_DIGITS).unwrap_or(&hash);
    store.with(
        &hash,
        "api-key",
        context,
        |text| Credential::api_key(text, name),
        |credential, _| Ok(Checked::Verified(known(authorizer, &credential.consumer), None, None)),
    )
}

fn password_of<'g>(
    authorizer: &'g Authorizer,
    store: &CredentialStore<PasswordHash>,
    name: &str,
    password: &str,
    context: Context<'_>,
) -> Result<Checked<'g>, Reject> {
    if name.len() + password.len() > MAX_BYTES {
        return Err(Reject::new(Code::TokenTooLarge));
    }
    // Neither holds a colon before the first, so no two pairs are one text.
    let digest = context.memory.digest([authorizer.number].into_iter(), &format!("{name}:{password}"));
    let mut judged = false;
    let checked = store.with(
        name,
        "password",
        context,
        |text| Credential::password(text, name),
        |credential, used| {
            judged = true;
            // The hash of a password is slow by design, so a good one is remembered as long as its record is the same.
            if let Some(entry) = context.memory.get(&digest).filter(|entry| entry.keys == used) {
                let identity = Identity { authorizer, remembered: true, who: Arc::clone(&entry.who) };
                return Ok(Checked::Verified(identity, None, None));
            }
            if !credential.proof.fits(password.as_bytes()) {
                return Err(Reject::new(Code::UnknownCredential).because("another password".into()));
            }
            let identity = known(authorizer, &credential.consumer);
            let entry = Entry { authorizer: authorizer.number, keys: used, who: Arc::clone(&identity.who) };
            Ok(Checked::Verified(identity, None, Some(Memo::new(digest, CONSUMER_BYTES, entry))))
        },
    );
    if let (Err(_), false) = (&checked, judged) {
        // A name that nobody has takes as long as one that somebody has: the time of an answer would tell which names there are.
        store.spend(password);
    }
    checked
}

impl CredentialStore<PasswordHash> {
    /// Hashes `password` as the slowest user's is hashed. Of those in KV nothing is known here.
    fn spend(&self, password: &str) {
        let slowest = self.known.iter().map(|(_, credential)| &credential.proof).max_by_key(|proof| proof.rounds());
        if let Some(slowest) = slowest {
            std::hint::black_box(slowest.fits(password.as_bytes()));
        }
    }
}

impl<T> CredentialStore<T> {
    /// Finds the credential `name`, in the configuration or in KV under `kind:NAME`, and judges it if it counts now.
    fn with<'g>(
        &self,
        name: &str,
        kind: &str,
        context: Context<'_>,
        read: impl FnOnce(&str) -> Result<Credential<T>, String>,
        judge: impl FnOnce(&Credential<T>, KeysUsed) -> Result<Checked<'g>, Reject>,
    ) -> Result<Checked<'g>, Reject> {
        let unknown = |why: String| Reject::new(Code::UnknownCredential).because(why);
        if let Some((_, credential)) = self.known.iter().find(|(known, _)| known == name) {
            if !credential.window.holds(context.now) {
                return Err(unknown("it counts at another time".into()));
            }
            return judge(credential, KeysUsed::Configured);
        }
        let Some(binding) = &self.binding else { return Err(unknown("the configuration does not have it".into())) };
        let key = RecordKey::new(binding, format!("{kind}:{name}"));
        match context.records.look(&key, self.ttl_ms, context.now) {
            Looked::Text(text, generation) => match read(text) {
                Ok(credential) if credential.window.holds(context.now) => {
                    judge(&credential, KeysUsed::Record(generation))
                }
                Ok(_) => Err(unknown(format!("`{}` counts at another time", key.key))),
                Err(why) => Err(unknown(format!("`{}` in {binding} cannot be used: {why}", key.key))),
            },
            Looked::Absent => Err(unknown(format!("it is not in {binding}"))),
            Looked::Unknown => Ok(Checked::Needs(Need::Records(vec![key]))),
            Looked::Unbound => Err(key.unbound()),
            Looked::Failing => Err(key.unreadable("credentials")),
        }
    }
}

fn known<'g>(authorizer: &'g Authorizer, consumer: &Consumer) -> Identity<'g> {
    let who = Who::new(Verified::without_claims(), Some(consumer.clone()));
    Identity { authorizer, remembered: false, who: Arc::new(who) }
}

/// Name and password of `Authorization: Basic` (RFC 7617 section 2).
fn basic(head: &Head<'_>) -> Result<Option<(String, String)>, Reject> {
    let malformed = || Reject::new(Code::MalformedAuthorization);
    let Some(value) = head.headers.get("authorization") else { return Ok(None) };
    let Some((scheme, encoded)) = value.trim().split_once(' ') else { return Ok(None) };
    if !scheme.eq_ignore_ascii_case("basic") {
        return Ok(None);
    }
    let pair = STANDARD.decode(encoded.trim()).map_err(|_| malformed())?;
    let pair = String::from_utf8(pair).map_err(|_| malformed())?;
    let (name, password) = pair.split_once(':').ok_or_else(malformed)?;
    Ok(Some((name.to_owned(), password.to_owned())))
}
