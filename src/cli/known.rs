//! What a configuration says of authorizers and upstreams, as it is written: what commands that edit it or its namespaces go by.

use std::path::Path;

use portcullis::authn::DEFAULT;
use portcullis::compile::{CREDENTIAL_TTL_MS, KEY_CLAIM, SKEW_SECONDS, compile};
use portcullis::config::number::whole;
use portcullis::config::reference::{Env, has_reference};
use portcullis::{consumer, revocation};
use serde_json::Value;

use super::check::read_with_files;
use super::kv::At;

/// The type of consumers' tokens.
pub(super) const CONSUMERS: &str = "consumers";

/// An authorizer.
#[derive(Clone, Debug)]
pub(super) struct Authorizer {
    /// What `auth` calls it; none: the default one, which `true` calls.
    pub(super) name: Option<String>,
    pub(super) is_default: bool,
    /// Its `type`.
    pub(super) kind: String,
    written: Value,
}

impl Authorizer {
    /// What logs and the keys of revocations call it.
    pub(super) fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(DEFAULT)
    }

    /// What `auth` of a path says for it.
    pub(super) fn reference(&self) -> Value {
        match &self.name {
            Some(name) if !self.is_default => name.as_str().into(),
            _ => true.into(),
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.written.get(name)?.as_str()
    }

    /// A whole number, in any spelling that the gateway takes: `3600.0` too.
    fn number(&self, name: &str) -> Option<u64> {
        self.written.get(name).and_then(|value| whole(&value.to_string()).ok())
    }

    /// The namespace of its revocations, if it has some.
    pub(super) fn revocations(&self) -> Option<&str> {
        let revocation = self.written.get("revocation")?.as_object()?;
        Some(revocation.get("binding").and_then(Value::as_str).unwrap_or(revocation::NAMESPACE))
    }

    /// Seconds that a token of it lives at most, where that is bounded.
    pub(super) fn longest_life(&self) -> Option<u64> {
        let skew =
            self.number("clock_skew_seconds").or_else(|| self.number("clockSkewSeconds")).unwrap_or(SKEW_SECONDS);
        Some(self.number("max_lifetime_seconds")? + 2 * skew)
    }

    /// What its tokens may be signed with, where it says so.
    fn algorithms(&self) -> Option<Vec<String>> {
        let written = self.written.get("algorithm").or_else(|| self.written.get("algorithms"))?;
        let all = written.as_array().map_or_else(|| vec![written], |list| list.iter().collect());
        Some(all.into_iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// Seconds that a credential which was taken away may still count.
    pub(super) fn remembers(&self) -> u64 {
        self.number("cache_ttl_ms").unwrap_or(CREDENTIAL_TTL_MS).div_ceil(1000)
    }
}

/// The authorizers of a configuration, the default one first.
pub(super) fn authorizers(config: &Value) -> Vec<Authorizer> {
    let default = config.get("authorizer").map(|written| (written, true));
    let named = config.get("authorizers").and_then(Value::as_array).into_iter().flatten();
    let all = default.into_iter().chain(named.map(|written| (written, false)));
    let read = |(written, is_default): (&Value, bool)| {
        let text = |name: &str| written.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Authorizer { name: text("name"), is_default, kind: text("type")?, written: written.clone() })
    };
    all.filter_map(read).collect()
}

/// A configuration that passes the check, as a JSON value.
pub(super) fn read(file: &Path) -> Result<Value, String> {
    let (text, _, mut problems) = read_with_files(file)?;
    let compiled = compile(&text, Env::Unknown);
    if !compiled.is_good() {
        problems.extend(compiled.problems);
        let told: Vec<String> = problems.iter().map(|problem| format!("{}:{problem}", file.display())).collect();
        return Err(format!("the configuration has problems\n{}", told.join("\n")));
    }
    serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| format!("{}: {error}", file.display()))
}

/// Where the credentials of consumers are.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) binding: String,
    /// The claim, or else header parameter, that names a credential.
    pub(super) key_claim: String,
    /// Seconds that what was taken away may still count.
    pub(super) remembers: u64,
    /// What tokens may be signed with, where the authorizer says so.
    pub(super) algorithms: Option<Vec<String>>,
    /// What to tell: no path asks for credentials yet.
    pub(super) note: Option<&'static str>,
}

/// The store that `--binding` or the one authorizer of consumers names.
pub(super) fn store(at: &At) -> Result<Store, String> {
    let known = authorizers(&read(&at.config)?);
    let binding = |known: &Authorizer| known.text("binding").unwrap_or(consumer::NAMESPACE).to_owned();
    let tokens: Vec<&Authorizer> = known.iter().filter(|known| known.kind == CONSUMERS).collect();
    let fitting = tokens.iter().find(|known| at.binding.as_ref().is_none_or(|wanted| binding(known) == *wanted));
    if at.binding.is_none()
        && tokens.iter().any(|one| binding(one) != fitting.map_or_else(String::new, |one| binding(one)))
    {
        let names: Vec<String> = tokens.iter().map(|one| format!("--binding {}", binding(one))).collect();
        return Err(format!(
            "authorizers of consumers have several namespaces: choose one with {}",
            names.join(" or ")
        ));
    }
    let named = at.binding.clone().or_else(|| fitting.map(|known| binding(known)));
    let named = named.unwrap_or_else(|| consumer::NAMESPACE.to_owned());
    if has_reference(&named) {
        return Err(format!(
            "the namespace is `{named}` in {}: say what that stands for with --binding",
            at.config.display()
        ));
    }
    Ok(Store {
        binding: named,
        key_claim: fitting.and_then(|known| known.text("key_claim")).unwrap_or(KEY_CLAIM).to_owned(),
        remembers: fitting.map_or(CREDENTIAL_TTL_MS.div_ceil(1000), |known| known.remembers()),
        algorithms: fitting.and_then(|known| known.algorithms()),
        note: tokens
            .is_empty()
            .then_some("no authorizer asks for consumers' tokens yet: `portcullis route add PATH --jwt`"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_count_in_any_spelling_that_the_gateway_takes() {
        for (name, written) in [
            ("whole", json!({ "max_lifetime_seconds": 3600, "clock_skew_seconds": 60, "cache_ttl_ms": 5000 })),
            (
                "with a point",
                json!({ "max_lifetime_seconds": 3600.0, "clock_skew_seconds": 60.0, "cache_ttl_ms": 5e3 }),
            ),
        ] {
            let known = Authorizer { name: None, is_default: true, kind: "jwt".into(), written };
            assert_eq!((known.longest_life(), known.remembers()), (Some(3720), 5), "{name}");
        }
    }
}
