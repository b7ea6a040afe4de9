//! Issuers, addresses and settings of providers that no token or server fits.

use crate::compile::{Compiler, as_written};
use crate::config::field::{At, Field};
use crate::config::reference::{Resolved, resolve};
use crate::config::wire::{self, Jwt};

/// What is read at an issuer, and is none.
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// What stands behind the address of a project at Supabase in its issuer.
const SUPABASE: &str = "/auth/v1";

impl Compiler<'_> {
    pub(super) fn server_advice(&self, config: &wire::Config) {
        for url in config.servers.elements().filter_map(|at| at.value.url.good()) {
            if self.known(&url.value).is_some_and(|value| value.contains('{')) {
                self.warn(
                    url.offset,
                    "braces are taken letter for letter in a server's URL: `rewrite` puts parameters in",
                );
            }
        }
    }

    pub(super) fn value_advice(&self, authorizer: &wire::Authorizer) {
        let Some((kind, jwt)) = authorizer.parts() else { return };
        for (claim, field) in [("iss", &jwt.issuer), ("aud", &jwt.audience)] {
            for at in field.strings() {
                if self.known(at.value).is_some_and(|value| value.trim() != value) {
                    let what = as_written(at.value.trim());
                    self.warn(at.offset, format!("{what} has white space at an end, as no token's `{claim}` has"));
                }
            }
        }
        for at in jwt.issuer.strings() {
            if self.known(at.value).is_some_and(|value| value.contains('?') || value.ends_with(DISCOVERY)) {
                let message = format!("an issuer is what tokens have in `iss`: no query, and no `{DISCOVERY}`");
                self.warn(at.offset, message);
            }
        }
        if let Some(at) = self.setting_known(&jwt.jwks_url).filter(|at| at.value.ends_with(DISCOVERY)) {
            self.warn(at.offset, "this is a discovery document and no key set: `discovery` with the `issuer` reads it");
        }
        match kind {
            "supabase" => self.supabase_advice(jwt),
            "keycloak" => {
                if let Some(at) = self.setting_known(&jwt.url).filter(|at| at.value.contains("/realms/")) {
                    self.warn(at.offset, "`/realms/` and the `realm` are added to this: the address ends before them");
                }
            }
            "cognito" => {
                let (region, pool) = (self.setting_known(&jwt.region), self.setting_known(&jwt.user_pool_id));
                if let (Some(region), Some(pool)) = (region, pool)
                    && pool.value.split('_').next() != Some(region.value.as_str())
                {
                    self.warn(pool.offset, "a user pool's id begins with its `region`, and this one with another");
                }
            }
            _ => {}
        }
    }

    fn supabase_advice(&self, jwt: &Jwt) {
        for at in jwt.issuer.strings() {
            if self.known(at.value).is_some_and(|value| !value.ends_with(SUPABASE)) {
                self.warn(at.offset, format!("Supabase's tokens have an `iss` that ends in `{SUPABASE}`"));
            }
        }
        // Where it is written out it is taken off, and in a variable it is not seen before it is too late.
        let first = jwt.issuer.strings().first().map(|at| At { value: at.value.to_owned(), offset: at.offset });
        let Some(address) = jwt.url.good().or(first.as_ref()) else { return };
        let ends = |text: &str| text.trim_end_matches('/').ends_with(SUPABASE);
        if !ends(&address.value) && self.known(&address.value).is_some_and(|value| ends(&value)) {
            let what = as_written(&address.value);
            self.warn(address.offset, format!("{what} ends in `{SUPABASE}`, which is added to it"));
        }
    }

    fn setting_known(&self, field: &Field<String>) -> Option<At<String>> {
        let at = field.good()?;
        Some(At { value: self.known(&at.value)?, offset: at.offset })
    }

    /// What `written` stands for, where that is known. Nothing is told of what is not: that is done where it is compiled.
    fn known(&self, written: &str) -> Option<String> {
        match resolve(written, self.env) {
            Ok(Resolved::Value(value)) => Some(value),
            _ => None,
        }
    }
}
