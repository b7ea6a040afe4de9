//! Paths that are not what they seem.

use jsonc_parser::ast::Value;

use crate::compile::Compiler;
use crate::config::field::{At, Field};
use crate::config::wire::{self, Auth, Integration, OneOrMany, PreProcess, Retries};
use crate::forward::SAFE_METHODS;

/// Statuses whose answers have no body (RFC 9110 sections 15.3.5 and 15.4.5).
const WITHOUT_BODY: [u64; 2] = [204, 304];

/// A week in seconds. Browsers keep a preflight for a day at most, so whatever is longer was not meant in seconds.
const WEEK: u64 = 604_800;

impl Compiler<'_> {
    pub(super) fn path_advice(&self, at: &At<wire::Path>, config: &wire::Config) {
        let path = &at.value;
        self.default_in_a_list(path, config);
        self.other_syntax(path);
        self.no_body(path);
        self.cors_advice(&path.cors);
        if let Some(Auth::Object(settings)) = path.auth.value() {
            for at in settings.scopes.strings().iter().filter(|at| at.value.contains(',')) {
                let message = format!("`{}` is one scope: several are a list, `[\"a\", \"b\"]`", at.value);
                self.warn(at.offset, message);
            }
        }
        let (timeout, retries) = match path.integration.value() {
            Some(Integration::HttpProxy(proxy)) => (&proxy.timeout_ms, &proxy.retries),
            Some(Integration::ServiceBinding(service)) => (&service.timeout_ms, &service.retries),
            None => (&Field::Absent, &Field::Absent),
        };
        self.timeout_advice(timeout);
        self.never_again(path, retries);
        if let Some(PreProcess::Object(hook)) = path.pre_process.value() {
            self.timeout_advice(&hook.timeout_ms);
        }
    }

    /// What is wrong with `[true, "partners"]` is told already, and not what to write.
    fn default_in_a_list(&self, path: &wire::Path, config: &wire::Config) {
        let list = match path.auth.value() {
            Some(Auth::List(list)) => list,
            Some(Auth::Object(settings)) => match settings.authorizer.value() {
                Some(OneOrMany::List(list)) => list,
                _ => return,
            },
            _ => return,
        };
        let nameless = config.authorizer.value().is_some_and(|authorizer| authorizer.name().is_absent());
        if let (true, true, Some(auth)) = (nameless, list.iter().any(Field::is_bad), path.auth.good()) {
            self.warn(auth.offset, "in a list, the top-level `authorizer` is called `default`");
        }
    }

    /// Patterns as other tools write them.
    fn other_syntax(&self, path: &wire::Path) {
        let Some(at) = path.path.good() else { return };
        for segment in at.value.split('/') {
            let is_in = |start, end| segment.len() > 2 && segment.starts_with(start) && segment.ends_with(end);
            let meant = if is_in('[', ']') && segment.contains("...") || is_in('(', ')') || segment.contains(".*") {
                "the rest is written `{.+}`"
            } else if is_in('[', ']') || is_in('<', '>') {
                "a parameter is written `{name}`"
            } else {
                continue;
            };
            self.warn(at.offset, format!("`{segment}` is taken letter for letter: {meant}"));
        }
    }

    fn no_body(&self, path: &wire::Path) {
        let Some(status) = path.response_status.good().filter(|at| WITHOUT_BODY.contains(&at.value)) else { return };
        let is_empty = path.response.value().is_none_or(|place| match self.source.value_at(place.0) {
            None | Some(Value::NullKeyword(_)) => true,
            Some(Value::StringLit(text)) => text.value.is_empty(),
            Some(_) => false,
        });
        if !is_empty {
            self.warn(status.offset, format!("an answer of {} has no body: the `response` is not sent", status.value));
        }
    }

    fn never_again(&self, path: &wire::Path, retries: &Field<Retries>) {
        let methods = path.method.strings();
        let safe = |method: &str| method == "ANY" || SAFE_METHODS.contains(&method);
        if let Some(at) = retries.good().filter(|_| !methods.is_empty() && !methods.iter().any(|at| safe(at.value))) {
            let message = format!("nothing is asked again here: only {} are", SAFE_METHODS.join(", "));
            self.warn(at.offset, message);
        }
    }

    pub(super) fn cors_advice(&self, cors: &Field<wire::Cors>) {
        let Some(cors) = cors.value() else { return };
        if let Some(at) = cors.allow_origins.good().filter(|at| at.value.is_empty()) {
            self.warn(at.offset, "`allow_origins` names none: no page of another origin may read an answer");
        }
        if let Some(at) = cors.max_age.good().filter(|at| at.value > WEEK) {
            self.warn(at.offset, "browsers remember a preflight for a day at most, in seconds");
        }
        if cors.allow_credentials.value() == Some(&true) {
            let stars = cors.allow_headers.elements().chain(cors.expose_headers.elements());
            for at in stars.filter(|at| at.value == "*") {
                self.warn(
                    at.offset,
                    "with `allow_credentials` browsers take `*` for a header of this name: write the names",
                );
            }
        }
    }
}
