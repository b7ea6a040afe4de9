//! Where an authorizer's keys come from: exactly one place.

use super::{Compiler, intern};
use crate::authn::KeySource;
use crate::config::field::{At, Field};
use crate::config::files;
use crate::config::reference::Env;
use crate::config::wire::{Encoding, Jwks, Jwt};
use crate::consumer::secret_bytes;
use crate::discovery;
use crate::jwks::{Source, SourceId};
use crate::jwt::alg::{Algorithm, Family};
use crate::jwt::key::{HmacKey, InvalidKey};
use crate::jwt::keys::Secret;
use crate::jwt::keyset::KeySet;
use crate::jwt::pem;
use crate::time::{UnixTime, Window};
use crate::url::HttpUrl;

/// How long a key server may take, and how long old keys serve while it is down, unless configured.
const JWKS_TIMEOUT_MS: u64 = 5_000;
const JWKS_STALE_MS: u64 = 86_400_000;

/// The fields that keys can come from, and whether each is in use.
pub(super) fn key_places(jwt: &Jwt) -> [(&'static str, bool); 6] {
    [
        ("secret", !jwt.secret.is_absent()),
        ("secrets", !jwt.secrets.is_absent()),
        ("jwks_url", !jwt.jwks_url.is_absent()),
        ("jwks", !jwt.jwks.is_absent()),
        ("public_key", !jwt.public_key.is_absent()),
        ("discovery", jwt.discovery.value() == Some(&true)),
    ]
}

impl Compiler<'_> {
    /// The one place where keys come from.
    pub(super) fn keys(
        &self,
        offset: usize,
        jwt: &Jwt,
        algorithms: Option<&[Algorithm]>,
        sources: &mut Vec<Source>,
    ) -> Option<KeySource> {
        let places = key_places(jwt);
        let written: Vec<&str> = places.into_iter().filter(|(_, here)| *here).map(|(name, _)| name).collect();
        let source = match written.as_slice() {
            ["secret" | "secrets"] => {
                if jwt.algorithm.is_absent() && jwt.algorithms.is_absent() {
                    let message =
                        "`algorithm` is missing: with a shared secret it must be written (HS256, HS384, HS512)";
                    self.error(offset, message);
                }
                self.secrets(jwt, algorithms.unwrap_or_default()).map(KeySource::Secrets)
            }
            ["jwks_url" | "discovery"] => self.remote(offset, jwt, sources).map(KeySource::Remote),
            ["jwks"] => self.inline(jwt.jwks.good()?).map(KeySource::Inline),
            ["public_key"] => self.public_key(jwt.public_key.good()?).map(KeySource::Inline),
            [] => {
                let names = places.map(|(name, _)| format!("`{name}`")).join(", ");
                self.error(offset, format!("there are no keys: one of {names} is needed"));
                return None;
            }
            several => {
                let names: Vec<String> = several.iter().map(|name| format!("`{name}`")).collect();
                self.error(offset, format!("keys come from one place, and here are {}", names.join(" and ")));
                return None;
            }
        };
        self.expect_kind(jwt, algorithms, matches!(written.as_slice(), ["secret" | "secrets"]));
        source
    }

    /// Secrets and public keys are never mixed in one authorizer: that is how an RSA key's text becomes an HMAC secret.
    fn expect_kind(&self, jwt: &Jwt, algorithms: Option<&[Algorithm]>, shared: bool) {
        let Some(at) = jwt.algorithm.good().or(jwt.algorithms.good()) else { return };
        if algorithms.unwrap_or_default().iter().any(|algorithm| (algorithm.family() == Family::Hmac) != shared) {
            let why = if shared {
                "a shared secret signs with HS256, HS384 or HS512 alone"
            } else {
                "these keys are public ones, which HS algorithms do not use"
            };
            self.error(at.offset, why);
        }
    }

    /// `jwks`, written out.
    fn inline(&self, at: &At<Jwks>) -> Option<KeySet> {
        let text = match &at.value {
            Jwks::String(text) => self.text(at.offset, text)?,
            Jwks::Object(place) => {
                if files::path_in(self.source, place.0).is_some() {
                    // The build puts the file's text here; until then there is nothing to look at.
                    if !matches!(self.env, Env::Unknown | Env::Judged(_)) {
                        self.error(at.offset, "the file was not read: `portcullis check --output` does that");
                    }
                    return None;
                }
                self.json(place.0)?.to_string()
            }
        };
        match KeySet::parse(text.as_bytes()) {
            Ok(set) => {
                for (kid, why) in set.skipped() {
                    let name = kid.as_ref().map_or_else(|| "a key".to_owned(), |kid| format!("the key `{kid}`"));
                    self.warn(at.offset, format!("{name} is not used: {why}"));
                }
                Some(set)
            }
            Err(why) => {
                self.error(at.offset, format!("this key set cannot be used: {why}"));
                None
            }
        }
    }

    fn public_key(&self, at: &At<String>) -> Option<KeySet> {
        let text = self.text(at.offset, &at.value)?;
        let told = |why: InvalidKey| match why {
            // Environments without line breaks in their values are full of these.
            InvalidKey::Malformed if text.contains("\\n") => {
                "it has `\\n` written out where line breaks belong".to_owned()
            }
            InvalidKey::Malformed if !text.trim_start().starts_with("-----BEGIN ") => {
                "a PEM begins with `-----BEGIN PUBLIC KEY-----`".to_owned()
            }
            why => why.to_string(),
        };
        let key = pem::public_key(&text)
            .map_err(|why| self.error(at.offset, format!("this key cannot be used: {}", told(why))));
        key.map(KeySet::single).ok()
    }

    fn remote(&self, offset: usize, jwt: &Jwt, sources: &mut Vec<Source>) -> Option<SourceId> {
        if jwt.issuer.is_absent() {
            self.error(offset, "`issuer` is missing: keys from a URL may sign for more than one issuer");
        }
        let (at, url, issuer) = self.address(offset, jwt)?;
        let url = HttpUrl::parse(&url).map_err(|why| self.error(at, why)).ok()?;
        if !url.may_serve_keys() {
            self.error(at, "keys are fetched by https: over http anybody on the way can put in their own");
            return None;
        }
        let positive = |field: &Field<u64>, default: u64| match field.good() {
            Some(at) if at.value == 0 => {
                self.error(at.offset, "at least one millisecond is needed");
                default
            }
            Some(at) => at.value,
            None => default,
        };
        let source = Source {
            url: url.to_string(),
            issuer,
            ttl_ms: jwt.jwks_cache_ttl_ms.good().map(|_| positive(&jwt.jwks_cache_ttl_ms, 1)),
            timeout_ms: positive(&jwt.jwks_timeout_ms, JWKS_TIMEOUT_MS),
            stale_ms: jwt.jwks_stale_ms.value().copied().unwrap_or(JWKS_STALE_MS),
        };
        Some(intern(sources, source))
    }

    /// The URL to ask, with its place in the file; for discovery also the issuer that it is asked of.
    fn address(&self, offset: usize, jwt: &Jwt) -> Option<(usize, String, Option<String>)> {
        if let Some(at) = jwt.jwks_url.good() {
            return Some((at.offset, self.text(at.offset, &at.value)?, None));
        }
        let issuers = jwt.issuer.strings();
        let [issuer] = issuers.as_slice() else {
            self.error(offset, "`discovery` needs exactly one `issuer`");
            return None;
        };
        let text = self.text(issuer.offset, issuer.value)?;
        Some((issuer.offset, discovery::document_url(&text), Some(text)))
    }

    fn secrets(&self, jwt: &Jwt, algorithms: &[Algorithm]) -> Option<Vec<Secret>> {
        let encoding = jwt.secret_encoding.value().copied().unwrap_or(Encoding::Utf8);
        if let Some(at) = jwt.secret.good() {
            let key = self.hmac_key(at, encoding, algorithms)?;
            return Some(vec![Secret { kid: None, key, window: Window::default() }]);
        }
        let list = jwt.secrets.good()?;
        if list.value.is_empty() {
            self.error(list.offset, "the list of secrets is empty");
        }
        let secrets: Vec<Option<Secret>> = jwt
            .secrets
            .elements()
            .map(|at| {
                let secret = &at.value;
                let window = self.window(&secret.not_before, &secret.not_after, "secret");
                let kid = secret.kid.good().and_then(|at| self.name(at, "a key")).cloned();
                let key = self.hmac_key(self.required(&secret.secret, at.offset, "secret")?, encoding, algorithms)?;
                Some(Secret { kid, key, window })
            })
            .collect();
        secrets.into_iter().collect()
    }

    /// The times between which `what` counts.
    pub(super) fn window(&self, from: &Field<u64>, until: &Field<u64>, what: &str) -> Window {
        if let (Some(from), Some(until)) = (from.good(), until.good())
            && until.value <= from.value
        {
            self.error(until.offset, format!("`not_after` is not after `not_before`: the {what} never counts"));
        }
        let time = |field: &Field<u64>| field.value().copied().map(UnixTime::from_seconds);
        Window { not_before: time(from), not_after: time(until) }
    }

    fn hmac_key(&self, at: &At<String>, encoding: Encoding, algorithms: &[Algorithm]) -> Option<HmacKey> {
        if let Some(name) = meant_reference(&at.value) {
            let message = format!("`{}` is taken letter for letter: did you mean `$secret.{name}`?", at.value);
            self.error(at.offset, message);
            return None;
        }
        let text = self.text(at.offset, &at.value)?;
        let Some(bytes) = secret_bytes(&text, encoding) else {
            self.error(at.offset, "the secret is not written in its `secret_encoding`");
            return None;
        };
        // RFC 7518 section 3.2: at least as long as the hash.
        let wanted = algorithms.iter().map(|algorithm| algorithm.hash().bytes()).max().unwrap_or(0);
        if bytes.len() < wanted && !bytes.is_empty() {
            let message =
                format!("the secret has {} bytes; RFC 7518 section 3.2 asks for at least {wanted}", bytes.len());
            match self.env {
                // It is there already, and refusing everybody would help nobody.
                Env::Known(_) => self.warn(at.offset, message),
                Env::Judged(_) | Env::Unknown => self.error(at.offset, message),
            }
        }
        if cfg!(feature = "explain") && bytes.len() >= wanted && repeats(&bytes) && !matches!(self.env, Env::Known(_)) {
            let message =
                "the secret repeats itself, so its length says nothing: `portcullis key generate` makes a random one";
            self.warn(at.offset, message);
        }
        HmacKey::new(&bytes).map_err(|why| self.error(at.offset, why.to_string())).ok()
    }
}

/// The name in what looks like a reference as others write them. A secret that looks so is written with `$$`.
pub(super) fn meant_reference(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("{{").and_then(|text| text.strip_suffix("}}"));
    let name = inner.map(str::trim).or_else(|| {
        ["$", "process.env.", "import.meta.env.", "env.", "secret.", "secrets."]
            .iter()
            .find_map(|before| text.strip_prefix(before))
    })?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    // A path in another tool's store says nothing of what it would be called here.
    if is_name { Some(name) } else { inner.map(|_| "NAME") }
}

/// Whether a secret is one piece over and over, or made of so few different bytes that nobody has drawn it: 32 random ones have fewer than
/// eight different hexadecimal digits once in thirty million times.
fn repeats(secret: &[u8]) -> bool {
    let mut different = secret.to_vec();
    different.sort_unstable();
    different.dedup();
    let is_period = |length: usize| secret.iter().zip(secret.iter().skip(length)).all(|(one, other)| one == other);
    !secret.is_empty() && (different.len() < 8 || (1..=secret.len() / 2).any(is_period))
}
