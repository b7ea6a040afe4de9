//! Settings of authorizers that are hardly what somebody means.

use crate::compile::Compiler;
use crate::config::field::{At, Field};
use crate::config::wire::{self, Jwt};

/// Ten years in seconds: no token is meant to be older.
const TEN_YEARS: u64 = 10 * 365 * 86_400;

/// Seconds since 1970 of the year 5138. The same number of milliseconds is a day of 1973, so whatever is larger has been counted in those.
const FAR_AWAY: u64 = 100_000_000_000;

/// What is shorter was meant in seconds, in milliseconds: no key server or upstream answers sooner for everybody.
const SHORT_TIMEOUT_MS: u64 = 100;

/// The same for what is remembered.
const SHORT_MEMORY_MS: u64 = 1000;

/// Claims that everybody knows: a header is hardly called by one.
const REGISTERED: [&str; 13] =
    ["sub", "iss", "aud", "exp", "nbf", "iat", "jti", "email", "name", "scope", "roles", "groups", "azp"];

impl Compiler<'_> {
    pub(super) fn authorizer_advice(&self, authorizer: &wire::Authorizer) {
        match authorizer {
            wire::Authorizer::ApiKey(key) => key.keys.elements().for_each(|at| {
                self.in_seconds(&[&at.value.not_before, &at.value.not_after]);
            }),
            wire::Authorizer::Basic(basic) => basic.users.elements().for_each(|at| {
                self.in_seconds(&[&at.value.not_before, &at.value.not_after]);
            }),
            tokens => {
                if let Some((_, jwt)) = tokens.parts() {
                    self.token_advice(jwt);
                }
            }
        }
    }

    fn token_advice(&self, jwt: &Jwt) {
        for at in jwt.secrets.elements() {
            self.in_seconds(&[&at.value.not_before, &at.value.not_after]);
        }
        self.timeout_advice(&jwt.jwks_timeout_ms);
        self.in_milliseconds(&jwt.jwks_cache_ttl_ms, SHORT_MEMORY_MS);
        for field in [&jwt.max_age_seconds, &jwt.max_lifetime_seconds] {
            if let Some(at) = field.good().filter(|at| at.value > TEN_YEARS) {
                self.warn(
                    at.offset,
                    format!("{} seconds are more than ten years: it is not in milliseconds", at.value),
                );
            }
        }
        if let Some(at) = jwt.max_age_seconds.good().filter(|at| at.value == 0) {
            self.warn(at.offset, "a token is too old at once: `clock_skew_seconds` is all that it has");
        }
        for (claim, header) in jwt.forward_claims.members() {
            let is_header = claim.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("x-"));
            if is_header && REGISTERED.contains(&header.value.as_str()) {
                let message =
                    format!("the claim comes first, then its header: `{{ \"{}\": \"{claim}\" }}`", header.value);
                self.warn(header.offset, message);
            }
        }
    }

    /// A time that was meant in milliseconds since 1970.
    fn in_seconds(&self, fields: &[&Field<u64>]) {
        for at in fields.iter().filter_map(|field| field.good()).filter(|at| at.value > FAR_AWAY) {
            self.warn(
                at.offset,
                format!("{} is a time in milliseconds: it is written in seconds since 1970", at.value),
            );
        }
    }

    /// How long something may take.
    pub(super) fn timeout_advice(&self, field: &Field<u64>) {
        self.in_milliseconds(field, SHORT_TIMEOUT_MS);
    }

    /// Milliseconds that are fewer than `least`; none at all have been told of.
    fn in_milliseconds(&self, field: &Field<u64>, least: u64) {
        if let Some(At { value, offset }) = field.good().filter(|at| (1..least).contains(&at.value)) {
            self.warn(
                *offset,
                format!("it is in milliseconds, and {value} of them are hardly enough: {value} seconds are {value}000"),
            );
        }
    }
}
