//! Where requests go: servers, bound Workers, hooks, with what is changed on the way.

use super::paths::Known;
use super::template::Scope;
use super::{Compiler, unknown};
use crate::config::field::{At, Field};
use crate::config::wire::{self, PreProcess, RetryOn};
use crate::forward::{Destination, Hook, PathRule, Retries, Upstream};
use crate::route::pattern::Pattern;

/// How long an upstream may take to its response head, unless `timeout_ms` says otherwise.
const TIMEOUT_MS: u32 = 30_000;

/// The longest `timeout_ms`: ten minutes.
const MAX_TIMEOUT_MS: u64 = 600_000;

/// The most that an upstream is asked again for one request.
const MAX_RETRIES: u64 = 5;

/// What an upstream is asked again after, unless `on` says otherwise: statuses that say that another attempt may do.
const RETRY_STATUSES: [u16; 3] = [502, 503, 504];

/// The word of `on` for no answer at all.
const UNREACHABLE: &str = "unreachable";

impl Compiler<'_> {
    /// An integration with the path's mapping.
    pub(super) fn upstream(
        &self,
        integration: &At<wire::Integration>,
        path: &wire::Path,
        known: &Known<'_>,
        scope: Scope<'_>,
        reserved: &mut Vec<String>,
    ) -> Option<Upstream> {
        let (to, rewrite, timeout, retries) = match &integration.value {
            wire::Integration::HttpProxy(proxy) => {
                let to = self.server(proxy, integration.offset, known);
                (to, &proxy.rewrite, &proxy.timeout_ms, &proxy.retries)
            }
            wire::Integration::ServiceBinding(service) => {
                self.no_function(&service.function);
                let to = self.service(&service.binding, integration.offset, known).map(Destination::Service);
                (to, &service.rewrite, &service.timeout_ms, &service.retries)
            }
        };
        let timeout_ms = self.timeout(timeout);
        let retries = match retries {
            Field::Absent => Some(None),
            Field::Bad => None,
            Field::Good(at) => self.retries(at).map(Some),
        };
        let rule = match rewrite {
            Field::Absent => Some(PathRule::Strip(stripped(scope.pattern))),
            Field::Bad => None,
            Field::Good(at) => self.rewrite(at, scope).map(PathRule::Rewrite),
        };
        let (headers, query) = match &path.mapping {
            Field::Absent => (Some(Vec::new()), Some(Vec::new())),
            Field::Bad => return None,
            Field::Good(at) => {
                let mapping = &at.value;
                (self.mapped_headers(&mapping.headers, scope, reserved), self.mapped_query(&mapping.query, scope))
            }
        };
        Some(Upstream { to: to?, path: rule?, headers: headers?, query: query?, timeout_ms, retries: retries? })
    }

    fn server(&self, proxy: &wire::HttpProxy, offset: usize, known: &Known<'_>) -> Option<Destination> {
        let server = self.required(&proxy.server, offset, "server")?;
        let found = known.names.servers.iter().position(|alias| *alias == server.value);
        if found.is_none() && !known.servers_lack {
            let names = known.names.servers.iter().map(String::as_str);
            self.error(server.offset, unknown("server", &server.value, names));
        }
        found.map(Destination::Server)
    }

    /// The name under which the service with the alias in `field` is bound.
    fn service(&self, field: &Field<String>, offset: usize, known: &Known<'_>) -> Option<String> {
        let alias = self.required(field, offset, "binding")?;
        let found = known.names.services.iter().find(|(name, _)| *name == alias.value);
        if found.is_none() && !known.services_lack {
            let names = known.names.services.iter().map(|(name, _)| name.as_str());
            self.error(alias.offset, unknown("service binding", &alias.value, names));
        }
        found.map(|(_, binding)| binding.clone())
    }

    /// The Worker that is asked before the upstream.
    pub(super) fn hook(&self, at: &At<PreProcess>, known: &Known<'_>) -> Option<Hook> {
        let (binding, timeout_ms) = match &at.value {
            PreProcess::String(alias) => {
                let alias = Field::Good(At { value: alias.clone(), offset: at.offset });
                (self.service(&alias, at.offset, known)?, TIMEOUT_MS)
            }
            PreProcess::Object(hook) => {
                self.no_function(&hook.function);
                (self.service(&hook.binding, at.offset, known)?, self.timeout(&hook.timeout_ms))
            }
        };
        Some(Hook { binding, timeout_ms })
    }

    fn no_function(&self, function: &Field<String>) {
        if let Some(at) = function.good() {
            self.error(
                at.offset,
                "the bound Worker's `fetch` is called here, with the request as it is: there is no `function` to name",
            );
        }
    }

    fn retries(&self, at: &At<wire::Retries>) -> Option<Retries> {
        let attempts = self.required(&at.value.attempts, at.offset, "attempts")?;
        if !(1..=MAX_RETRIES).contains(&attempts.value) {
            self.error(attempts.offset, format!("between 1 and {MAX_RETRIES} further attempts can be made"));
        }
        let mut retries =
            Retries { attempts: u32::try_from(attempts.value).ok()?, statuses: Vec::new(), unreachable: false };
        if at.value.on.is_absent() {
            retries.statuses.extend(RETRY_STATUSES);
            retries.unreachable = true;
        }
        for on in at.value.on.elements() {
            match &on.value {
                RetryOn::Number(status @ 400..=599) => retries.statuses.extend(u16::try_from(*status)),
                RetryOn::String(word) if word == UNREACHABLE => retries.unreachable = true,
                _ => self.error(
                    on.offset,
                    format!("an upstream is asked again on a status from 400 to 599, or `{UNREACHABLE}`"),
                ),
            }
        }
        if at.value.on.has_bad() { None } else { Some(retries) }
    }

    fn timeout(&self, field: &Field<u64>) -> u32 {
        match field.good() {
            None => TIMEOUT_MS,
            Some(at) if (1..=MAX_TIMEOUT_MS).contains(&at.value) => u32::try_from(at.value).unwrap_or(TIMEOUT_MS),
            Some(at) => {
                self.error(at.offset, format!("a timeout is between 1 and {MAX_TIMEOUT_MS} milliseconds"));
                TIMEOUT_MS
            }
        }
    }
}

/// How many leading segments an upstream does not get: the literals before a final `{.+}`.
fn stripped(pattern: Option<&Pattern>) -> usize {
    pattern.filter(|pattern| pattern.has_rest()).map_or(0, Pattern::literal_prefix)
}
