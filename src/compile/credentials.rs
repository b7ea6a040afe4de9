//! Authorizers whose credentials are consumers': in KV, or by their hashes in the configuration.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::keys::key_places;
use super::{Compiler, Reported, as_written};
use crate::authn::{Authorizer, ConsumerStore, CredentialStore, KeySource};
use crate::config::field::{At, Field};
use crate::config::problem::Finding;
use crate::config::wire::{self, Fail, Jwt, Mode};
use crate::consumer::{Consumer, Credential, NAMESPACE, PasswordHash, hex, is_header_text};
use crate::credential::Place;
use crate::jwt::alg::Algorithm;
use crate::jwt::policy::Policy;
use crate::revocation::{self, Revocation};

/// How long a credential is remembered, in milliseconds, unless `cache_ttl_ms` says otherwise: how long a removed one works on at most.
pub const CREDENTIAL_TTL_MS: u64 = 60_000;

/// The same for revocations.
const REVOCATION_TTL_MS: u64 = 30_000;

/// The claim that names a consumer's credential, unless `key_claim` says otherwise.
pub const KEY_CLAIM: &str = "iss";

/// The shortest of both: a request that needs several records must have them all at once.
const MIN_TTL_MS: u64 = 1000;

/// The longest of both: an hour.
const MAX_TTL_MS: u64 = 3_600_000;

/// The header of an API key, unless it is written.
const API_KEY_HEADER: &str = "x-api-key";

impl Compiler<'_> {
    /// `type: "consumers"`: what belongs to the keys.
    pub(super) fn consumer_store(&self, offset: usize, jwt: &Jwt) -> Option<ConsumerStore> {
        let encoding = ("secret_encoding", !jwt.secret_encoding.is_absent());
        for (name, _) in key_places(jwt).into_iter().chain([encoding]).filter(|(_, here)| *here) {
            self.error(offset, format!("`{name}` means nothing to `consumers`: each credential in KV has its own key"));
        }
        Some(ConsumerStore {
            binding: self.text_or(&jwt.binding, NAMESPACE)?,
            key_claim: jwt
                .key_claim
                .good()
                .and_then(|at| self.name(at, "a claim"))
                .map_or(KEY_CLAIM, String::as_str)
                .to_owned(),
            ttl_ms: self.ttl(&jwt.cache_ttl_ms, CREDENTIAL_TTL_MS),
        })
    }

    /// What may sign consumers' tokens: whatever a credential says.
    pub(super) fn consumer_policy(policy: Policy) -> Policy {
        Policy { algorithms: Some(policy.algorithms.unwrap_or_else(|| Algorithm::ALL.to_vec())), ..policy }
    }

    pub(super) fn revocation(&self, field: &Field<wire::Revocation>) -> Result<Option<Revocation>, Reported> {
        let at = match field {
            Field::Absent => return Ok(None),
            Field::Bad => return Err(Reported),
            Field::Good(at) => at,
        };
        Ok(Some(Revocation {
            binding: self.text_or(&at.value.binding, revocation::NAMESPACE).ok_or(Reported)?,
            fail_open: at.value.fail.value() == Some(&Fail::Open),
            ttl_ms: self.ttl(&at.value.cache_ttl_ms, REVOCATION_TTL_MS),
        }))
    }

    /// `type: "api_key"`.
    pub(super) fn api_key(&self, offset: usize, key: &wire::ApiKey, name: Option<String>) -> Option<Authorizer> {
        let places = if key.header_name.is_absent() && key.token_from.is_absent() {
            Some(vec![Place::Header { name: API_KEY_HEADER.into(), scheme: String::new() }])
        } else {
            let standard = Field::Good(At { value: String::new(), offset });
            let prefix = if key.token_prefix.is_absent() { standard } else { key.token_prefix.clone() };
            let jwt = Jwt { header_name: key.header_name.clone(), token_prefix: prefix, ..Jwt::default() };
            if key.token_from.is_absent() {
                self.places(&jwt)
            } else {
                self.places(&Jwt { token_from: key.token_from.clone(), ..Jwt::default() })
            }
        };
        let known: Vec<Option<(String, Credential<()>)>> = key.keys.elements().map(|at| self.known_key(at)).collect();
        self.distinct(key.keys.elements().map(|at| (at.offset, &at.value.sha256)).zip(&known));
        let binding = self.namespace(&key.binding, known.is_empty());
        let store = CredentialStore {
            known: Arc::new(known.into_iter().collect::<Option<_>>()?),
            binding: binding.ok()?,
            ttl_ms: self.ttl(&key.cache_ttl_ms, CREDENTIAL_TTL_MS),
        };
        let keys = KeySource::ApiKeys(store);
        (!key.keys.has_bad())
            .then(|| credential_authorizer(name, &key.mode, places?, keys, &key.forward_token))
            .flatten()
    }

    /// `type: "basic"`.
    pub(super) fn basic(&self, basic: &wire::Basic, name: Option<String>) -> Option<Authorizer> {
        let known: Vec<Option<(String, Credential<PasswordHash>)>> =
            basic.users.elements().map(|at| self.known_user(at)).collect();
        self.distinct(basic.users.elements().map(|at| (at.offset, &at.value.username)).zip(&known));
        let binding = self.namespace(&basic.binding, known.is_empty());
        let store = CredentialStore {
            known: Arc::new(known.into_iter().collect::<Option<_>>()?),
            binding: binding.ok()?,
            ttl_ms: self.ttl(&basic.cache_ttl_ms, CREDENTIAL_TTL_MS),
        };
        let keys = KeySource::Passwords(store);
        (!basic.users.has_bad())
            .then(|| credential_authorizer(name, &basic.mode, Vec::new(), keys, &basic.forward_token))
            .flatten()
    }

    /// Reports what is there twice: only the first of them would count.
    fn distinct<'n, T: 'n>(&self, known: impl Iterator<Item = ((usize, &'n Field<String>), &'n Option<(String, T)>)>) {
        let mut places = BTreeMap::new();
        for ((offset, written), known) in known {
            let (Some(written), Some((name, _))) = (written.value(), known) else { continue };
            if let Some(other) = places.insert(name, offset) {
                let name = as_written(written);
                self.report(Finding::conflict(offset, other, format!("{name} is there twice")));
            }
        }
    }

    /// The KV namespace of credentials: where the configuration has none itself, there must be one.
    fn namespace(&self, field: &Field<String>, needed: bool) -> Result<Option<String>, Reported> {
        if field.is_absent() && !needed {
            return Ok(None);
        }
        self.text_or(field, NAMESPACE).map(Some).ok_or(Reported)
    }

    fn known_key(&self, at: &At<wire::KnownKey>) -> Option<(String, Credential<()>)> {
        let key = &at.value;
        let hash = self.required(&key.sha256, at.offset, "sha256");
        let consumer = self.required(&key.consumer, at.offset, "consumer");
        let (hash, consumer) = (hash?, consumer?);
        let text = self.text(hash.offset, &hash.value)?.to_ascii_lowercase();
        if hex(&text).is_none() {
            self.error(hash.offset, "this is no SHA-256 in 64 hexadecimal digits: a key itself is never written here");
            return None;
        }
        let username = self.consumer_name(consumer)?;
        let id = self.consumer_id(&key.consumer_id, &username)?;
        let credential = text.get(..12).unwrap_or_default().to_owned();
        let consumer = Consumer { id, username, credential };
        Some((
            text,
            Credential { consumer, proof: (), window: self.window(&key.not_before, &key.not_after, "credential") },
        ))
    }

    fn known_user(&self, at: &At<wire::KnownUser>) -> Option<(String, Credential<PasswordHash>)> {
        let user = &at.value;
        let name = self.required(&user.username, at.offset, "username");
        let hash = self.required(&user.password_hash, at.offset, "password_hash");
        let (name, hash) = (name?, hash?);
        let text = self.text(hash.offset, &hash.value)?;
        let proof = PasswordHash::parse(&text).map_err(|why| self.error(hash.offset, why)).ok()?;
        let username = self.consumer_name(name)?;
        if username.contains(':') {
            self.error(name.offset, "a user's name has no colon (RFC 7617 section 2)");
        }
        let id = self.consumer_id(&user.consumer_id, &username)?;
        let consumer = Consumer { id, credential: username.clone(), username: username.clone() };
        Some((
            username,
            Credential { consumer, proof, window: self.window(&user.not_before, &user.not_after, "credential") },
        ))
    }

    fn consumer_name(&self, at: &At<String>) -> Option<String> {
        let name = self.text(at.offset, &at.value)?;
        if !is_header_text(&name) {
            self.error(
                at.offset,
                "a consumer's name goes into a header: it is not empty, and has no control characters",
            );
            return None;
        }
        Some(name)
    }

    fn consumer_id(&self, field: &Field<String>, username: &str) -> Option<String> {
        match field {
            Field::Absent => Some(username.to_owned()),
            Field::Bad => None,
            Field::Good(at) => self.consumer_name(at),
        }
    }

    fn ttl(&self, field: &Field<u64>, default: u64) -> u64 {
        field.good().map_or(default, |at| {
            if !(MIN_TTL_MS..=MAX_TTL_MS).contains(&at.value) {
                self.error(at.offset, format!("a record is remembered for {MIN_TTL_MS} to {MAX_TTL_MS} milliseconds"));
            }
            at.value
        })
    }
}

fn credential_authorizer(
    name: Option<String>,
    mode: &Field<Mode>,
    places: Vec<Place>,
    keys: KeySource,
    forward_token: &Field<bool>,
) -> Option<Authorizer> {
    if mode.is_bad() || forward_token.is_bad() {
        return None;
    }
    Some(Authorizer {
        number: 0,
        name,
        mode: mode.value().copied().unwrap_or(Mode::Strict),
        places,
        policy: Policy::default(),
        keys,
        forward_claims: Vec::new(),
        forward_payload: None,
        forward_token: forward_token.value().copied().unwrap_or(true),
        revocation: None,
    })
}
