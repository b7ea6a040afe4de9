//! `authorizer` and `authorizers`, compiled.

use super::Compiler;
use super::keys::meant_reference;
use super::paths::AuthorizerName;
use crate::authn::{Authorizer, DEFAULT, KeySource};
use crate::config::field::{At, Field};
use crate::config::nearest::quoted_with_suggestion;
use crate::config::problem::Finding;
use crate::config::wire::{self, Jwt, Match, Mode, OneOrMany};
use crate::forward::CONSUMER_HEADERS;
use crate::gateway::Fault;
use crate::jwks::Source;
use crate::jwt::alg::Algorithm;
use crate::jwt::claims::ClaimRules;
use crate::jwt::policy::{Policy, normal_type};

/// Leeway for clocks that differ, in seconds, unless `clock_skew_seconds` says otherwise.
pub const SKEW_SECONDS: u64 = 30;

/// The most leeway that makes sense: more would let tokens live on for a noticeable time.
const MAX_SKEW_SECONDS: u64 = 600;

/// The type of consumers' tokens.
const CONSUMERS: &str = "consumers";

/// The type whose tokens name their client in `client_id` and have no `aud`.
const COGNITO: &str = "cognito";

/// All authorizers of a configuration.
pub(super) struct Authorizers {
    pub(super) compiled: Vec<Result<Authorizer, Fault>>,
    pub(super) names: Vec<AuthorizerName>,
    /// Headers that carry an identity.
    pub(super) reserved: Vec<String>,
}

/// Headers that clients and upstreams have uses of their own for.
const NEEDED: [&str; 7] =
    ["accept", "authorization", "content-encoding", "content-type", "cookie", "user-agent", "x-request-id"];

/// The headers by which an authorizer tells an upstream who is asking.
#[derive(Default)]
struct IdentityHeaders {
    /// Claim, header.
    claims: Vec<(String, String)>,
    payload: Option<String>,
    consumer: Vec<String>,
}

fn consumer_headers() -> Vec<String> {
    CONSUMER_HEADERS.iter().map(|&header| header.to_owned()).collect()
}

impl Compiler<'_> {
    pub(super) fn authorizers(&self, config: &wire::Config, sources: &mut Vec<Source>) -> Authorizers {
        let mut all = Authorizers { compiled: Vec::new(), names: Vec::new(), reserved: Vec::new() };
        // The top-level one is `default` wherever a name is needed and it has none.
        let nameless = config.authorizer.good().filter(|at| at.value.name().is_absent());
        let mut places: Vec<(String, usize)> = nameless.map(|at| (DEFAULT.to_owned(), at.offset)).into_iter().collect();
        let default = config.authorizer.good().map(|at| (at, true));
        let named = config.authorizers.elements().map(|at| (at, false));
        for (at, is_default) in default.into_iter().chain(named) {
            let named = at.value.name();
            let name = named.value().cloned();
            if name.is_none() && !is_default && named.is_absent() {
                self.error(at.offset, "`name` is missing: it is what `auth` calls this authorizer by");
            }
            if let Some(name) = &name {
                if let Some((_, other)) = places.iter().find(|(known, _)| known == name) {
                    self.report(Finding::conflict(at.offset, *other, format!("two authorizers are called `{name}`")));
                }
                places.push((name.clone(), at.offset));
            }
            let number = all.compiled.len();
            let headers = self.identity_headers(&at.value);
            let has_consumers = !headers.consumer.is_empty();
            let has_claims = !matches!(at.value, wire::Authorizer::ApiKey(_) | wire::Authorizer::Basic(_));
            if is_default {
                all.names.push(AuthorizerName { name: None, number, has_consumers, has_claims });
            }
            if name.is_some() {
                all.names.push(AuthorizerName { name: name.clone(), number, has_consumers, has_claims });
            }
            let claimed = headers.claims.iter().map(|(_, header)| header).chain(&headers.payload);
            for header in claimed.chain(&headers.consumer) {
                if !all.reserved.contains(header) {
                    all.reserved.push(header.clone());
                }
            }
            let authorizer = self.scoped(|| match &at.value {
                wire::Authorizer::ApiKey(key) => self.api_key(at.offset, key, name),
                wire::Authorizer::Basic(basic) => self.basic(basic, name),
                other => self.tokens(at.offset, other, name, headers, sources),
            });
            all.compiled.push(authorizer.map(|authorizer| Authorizer { number, ..authorizer }));
        }
        all
    }

    /// The headers that tell an upstream who is asking. They are written out, so that a client's copies can be removed whatever the
    /// environment.
    fn identity_headers(&self, wire: &wire::Authorizer) -> IdentityHeaders {
        let Some((kind, jwt)) = wire.parts() else {
            return IdentityHeaders { consumer: consumer_headers(), ..IdentityHeaders::default() };
        };
        let mut headers = IdentityHeaders::default();
        for (claim, at) in jwt.forward_claims.members() {
            self.written_out(at.offset, claim, "a claim");
            let Some(header) = self.identity_header(at) else { continue };
            if let Some((other, _)) = headers.claims.iter().find(|(_, known)| *known == header) {
                self.error(at.offset, format!("`{header}` says `{other}` already: a header has one claim"));
            }
            headers.claims.push((claim.to_owned(), header));
        }
        if let Some(at) = jwt.forward_payload_header.good() {
            headers.payload = self.identity_header(at);
            let taken = headers.claims.iter().find(|(_, known)| Some(known) == headers.payload.as_ref());
            if let Some((other, header)) = taken {
                self.error(
                    at.offset,
                    format!("`{header}` says `{other}` already: the payload needs a header of its own"),
                );
            }
        }
        if kind == CONSUMERS {
            headers.consumer = consumer_headers();
        }
        headers
    }

    /// A header that tells an upstream who is asking. A client's own copy is removed on every route, which some headers can ill afford.
    fn identity_header(&self, at: &At<String>) -> Option<String> {
        let header = self.free_header(at.offset, &at.value)?;
        if cfg!(feature = "explain") && NEEDED.contains(&header.as_str()) {
            self.warn(
                at.offset,
                format!("a client's own `{header}` is removed on every route from now on, open ones too: another header will do"),
            );
        }
        Some(header)
    }

    /// An authorizer of tokens.
    fn tokens(
        &self,
        offset: usize,
        wire: &wire::Authorizer,
        name: Option<String>,
        headers: IdentityHeaders,
        sources: &mut Vec<Source>,
    ) -> Option<Authorizer> {
        let (kind, jwt) = wire.parts()?;
        let (jwt, claims) = self.expand(offset, kind, jwt)?;
        if let (Some(at), Some(name)) = (jwt.revocation.good(), &name)
            && (name.contains(':') || name == DEFAULT)
        {
            self.error(
                at.offset,
                format!("an authorizer with revocations cannot be called `{name}`: its records would be another's too"),
            );
        }
        let revocation = self.revocation(&jwt.revocation);
        let mut authorizer = self.jwt(offset, kind, &jwt, name, headers, sources)?;
        self.insist(offset, claims, &mut authorizer.policy.rules)?;
        authorizer.revocation = revocation.ok()?;
        Some(authorizer)
    }

    fn jwt(
        &self,
        offset: usize,
        kind: &str,
        jwt: &Jwt,
        name: Option<String>,
        headers: IdentityHeaders,
        sources: &mut Vec<Source>,
    ) -> Option<Authorizer> {
        // Each part is gone through before any of them can end this, so that every problem is told.
        let algorithms = self.algorithms(jwt);
        let is_consumers = kind == CONSUMERS;
        let keys = if is_consumers {
            self.consumer_store(offset, jwt).map(KeySource::Consumers)
        } else {
            self.keys(offset, jwt, algorithms.as_deref(), sources)
        };
        let rules = self.rules(offset, kind, jwt);
        let places = self.places(jwt);
        if let Some(at) = jwt.token_types.good().filter(|at| at.value.is_empty()) {
            self.error(at.offset, "`token_types` names none");
        }
        let types =
            jwt.token_types.elements().filter_map(|at| Some(normal_type(self.name(at, "a token's type")?))).collect();
        Some(Authorizer {
            number: 0,
            name,
            mode: jwt.mode.value().copied().unwrap_or(Mode::Strict),
            places: places?,
            policy: {
                let policy = Policy { algorithms, types, rules: rules? };
                if is_consumers { Self::consumer_policy(policy) } else { policy }
            },
            keys: keys?,
            forward_claims: headers.claims,
            forward_payload: headers.payload,
            forward_token: jwt.forward_token.value().copied().unwrap_or(true),
            revocation: None,
        })
    }

    fn algorithms(&self, jwt: &Jwt) -> Option<Vec<Algorithm>> {
        if let (Some(one), Some(other)) = (jwt.algorithm.good(), jwt.algorithms.good()) {
            let message = "`algorithm` and `algorithms` are one field: write one of them";
            self.report(Finding::conflict(other.offset, one.offset, message));
        }
        if jwt.algorithm.is_absent() && jwt.algorithms.is_absent() {
            return None;
        }
        let mut algorithms = Vec::new();
        for at in jwt.algorithm.strings().into_iter().chain(jwt.algorithms.strings()) {
            match Algorithm::named(at.value) {
                Some(algorithm) => algorithms.push(algorithm),
                None if at.value.eq_ignore_ascii_case("none") => {
                    self.error(at.offset, "`none` is no signature: such a token proves nothing");
                }
                None => {
                    let name = quoted_with_suggestion(at.value, Algorithm::names());
                    self.error(at.offset, format!("unknown algorithm {name}"));
                }
            }
        }
        if let Some(At { value: OneOrMany::List(list), offset }) = jwt.algorithm.good().or(jwt.algorithms.good())
            && list.is_empty()
        {
            self.error(*offset, "no algorithm is allowed: every token would be refused");
        }
        Some(algorithms)
    }

    fn rules(&self, offset: usize, kind: &str, jwt: &Jwt) -> Option<ClaimRules> {
        let default = ClaimRules::default();
        let is_consumers = kind == CONSUMERS;
        // A consumer's key is for this gateway alone, and can be taken away at any time: audience and end are not needed there.
        let require_exp = default.require_exp && !is_consumers;
        let has_claim = |name: &str| jwt.claims.members().any(|(known, _)| known == name);
        let names_client = kind == COGNITO && (!jwt.client_id.is_absent() || has_claim("client_id"));
        if jwt.audience.is_absent() && !is_consumers && !names_client {
            let why = if kind == COGNITO && !has_claim("token_use") {
                "`client_id` is missing: tokens for other clients of the pool are accepted"
            } else {
                "`audience` is missing: tokens for other services of the same issuer are accepted"
            };
            self.warn(offset, why);
        }
        for (name, field) in [("issuer", &jwt.issuer), ("audience", &jwt.audience)] {
            if let (Some(at), true) = (field.good(), field.strings().is_empty()) {
                self.error(at.offset, format!("`{name}` names none"));
            }
        }
        let seconds = |field: &Field<u64>| field.value().map(|&seconds| as_seconds(seconds));
        if let Some(at) = jwt.clock_skew_seconds.good().filter(|at| at.value > MAX_SKEW_SECONDS) {
            self.error(at.offset, format!("more than {MAX_SKEW_SECONDS} seconds are no skew of clocks"));
        }
        if let Some(at) = jwt.max_lifetime_seconds.good().filter(|at| at.value == 0) {
            self.error(at.offset, "at least one second is needed: every token would be refused");
        }
        let issuers = self.texts(&jwt.issuer);
        let audiences = self.texts(&jwt.audience);
        let fixed = self.fixed_claims(jwt);
        for (texts, field) in [(&issuers, &jwt.issuer), (&audiences, &jwt.audience)] {
            for at in field.strings().iter().filter(|_| cfg!(feature = "explain")) {
                if let Some(name) = meant_reference(at.value) {
                    self.warn(
                        at.offset,
                        format!("`{}` is taken letter for letter: did you mean `$env.{name}`?", at.value),
                    );
                }
            }
            if let (Some(at), true) = (field.good(), texts.iter().flatten().any(String::is_empty)) {
                self.error(at.offset, "an empty text is no issuer or audience");
            }
        }
        Some(ClaimRules {
            issuers: issuers?,
            audiences: audiences?,
            all_audiences: jwt.audience_match.value() == Some(&Match::All),
            skew: seconds(&jwt.clock_skew_seconds).unwrap_or(as_seconds(SKEW_SECONDS)),
            require_exp: jwt.require_exp.value().copied().unwrap_or(require_exp),
            max_lifetime: seconds(&jwt.max_lifetime_seconds),
            max_age: seconds(&jwt.max_age_seconds),
            required: jwt.required_claims.elements().filter_map(|at| self.name(at, "a claim").cloned()).collect(),
            fixed: fixed?,
        })
    }

    /// `claims`: each with the values that it may have.
    fn fixed_claims(&self, jwt: &Jwt) -> Option<Vec<(String, Vec<serde_json::Value>)>> {
        let mut fixed = Vec::new();
        let mut known = true;
        for (name, at) in jwt.claims.members() {
            self.written_out(at.offset, name, "a claim");
            match self.json(at.value.0) {
                Some(serde_json::Value::Null) => {
                    self.error(at.offset, "a claim that is `null` is as good as absent: no token meets this");
                }
                Some(serde_json::Value::Array(values)) => {
                    if values.is_empty() {
                        self.error(at.offset, "no value is allowed: no token meets this");
                    }
                    fixed.push((name.to_owned(), values));
                }
                Some(value) => fixed.push((name.to_owned(), vec![value])),
                None => known = false,
            }
        }
        known.then_some(fixed)
    }
}

#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "exact below 2^53 seconds")]
const fn as_seconds(seconds: u64) -> f64 {
    seconds as f64
}
