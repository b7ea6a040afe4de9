//! Routes out of the configuration as it is written.

use jsonc_parser::ast::Value;

use super::{Authorizer, Limit, Route, Rule, Upstream};
use crate::config::field::{At, Field};
use crate::config::source::Source;
use crate::config::wire::{self, Auth, Integration, Match, Mode, PreProcess, RateLimits};

/// What the authorizer without a name is called, as in logs.
const DEFAULT: &str = "default";

/// The claim of roles, unless another is written.
const ROLES: &str = "roles";

/// What `mode` is written as.
const fn word(mode: Mode) -> &'static str {
    match mode {
        Mode::Permissive => "permissive",
        Mode::Optional => "optional",
        Mode::Strict => "strict",
    }
}

/// All authorizers, the default one first.
fn authorizers(config: &wire::Config, source: &Source<'_>) -> Vec<Known> {
    let default = config.authorizer.good().map(|at| (at, true));
    let all = default.into_iter().chain(config.authorizers.elements().map(|at| (at, false))).enumerate();
    let read = |(number, (at, is_default)): (usize, (&At<wire::Authorizer>, bool))| {
        let (name, mode) = shared(&at.value);
        let kind = match source.value_at(at.offset) {
            Some(Value::Object(object)) => object.get_string("type").map(|kind| kind.value.to_string()),
            _ => None,
        };
        let authorizer = Authorizer {
            name: name.value().map_or(DEFAULT, String::as_str).to_owned(),
            kind: kind.unwrap_or_default(),
            number,
            mode: mode.value().copied().unwrap_or(Mode::Strict),
        };
        Known { is_default, is_named: !name.is_absent(), authorizer }
    };
    all.map(read).collect()
}

/// The fields that authorizers of every type have.
fn shared(authorizer: &wire::Authorizer) -> (&Field<String>, &Field<Mode>) {
    use wire::Authorizer as Type;
    match authorizer {
        Type::ApiKey(key) => (&key.name, &key.mode),
        Type::Basic(basic) => (&basic.name, &basic.mode),
        Type::Jwt(jwt)
        | Type::Auth0(jwt)
        | Type::Supabase(jwt)
        | Type::Firebase(jwt)
        | Type::Okta(jwt)
        | Type::Cognito(jwt)
        | Type::Entra(jwt)
        | Type::Google(jwt)
        | Type::Clerk(jwt)
        | Type::Keycloak(jwt)
        | Type::CloudflareAccess(jwt)
        | Type::Oidc(jwt)
        | Type::Consumers(jwt) => (&jwt.name, &jwt.mode),
    }
}

/// An authorizer, and how `auth` can call it.
struct Known {
    /// By `true`.
    is_default: bool,
    /// By its name.
    is_named: bool,
    authorizer: Authorizer,
}

/// A configuration that has no problems.
pub(super) struct Reader<'c> {
    config: &'c wire::Config,
    authorizers: Vec<Known>,
}

impl<'c> Reader<'c> {
    pub(super) fn new(config: &'c wire::Config, source: &Source<'_>) -> Self {
        Self { config, authorizers: authorizers(config, source) }
    }

    pub(super) fn route(&self, path: &wire::Path) -> Route {
        let settings = match path.auth.value() {
            Some(Auth::Object(settings)) => Some(settings),
            _ => None,
        };
        let authorizers = self.auth(path);
        // As `authn::authenticate` has it: the path's own, or of several the strictest.
        let own = settings.and_then(|settings| settings.mode.value().copied());
        let mode = own.or_else(|| authorizers.iter().map(|authorizer| authorizer.mode).max()).unwrap_or(Mode::Strict);
        let is_open = matches!(path.auth.value(), None | Some(Auth::Null | Auth::Boolean(false)));
        let mode = (!is_open).then_some(mode);
        let strings = |field: Option<&Field<wire::OneOrMany>>| field.map(texts).unwrap_or_default();
        let scopes = strings(settings.map(|settings| &settings.scopes));
        let roles = strings(settings.map(|settings| &settings.roles));
        let claim = settings.and_then(|settings| settings.roles_claim.value().cloned());
        Route {
            methods: texts(&path.method),
            path: path.path.value().cloned().unwrap_or_default(),
            // Nobody has no scopes and no roles. What a rule says of nobody cannot be told from here.
            needs_token: mode == Some(Mode::Strict) || !scopes.is_empty() || !roles.is_empty(),
            mode: mode.map(word),
            authorizers,
            any_scope: settings.is_some_and(|settings| settings.scopes_match.value() == Some(&Match::Any)),
            roles_claim: (!roles.is_empty()).then(|| claim.unwrap_or_else(|| ROLES.to_owned())),
            scopes,
            roles,
            rules: path.authorization.value().map(rules).unwrap_or_default(),
            rate_limits: limits(&path.rate_limit),
            pre_process: path.pre_process.value().map(|hook| self.binding(hook_alias(hook))),
            upstream: self.upstream(path),
        }
    }

    fn auth(&self, path: &wire::Path) -> Vec<Authorizer> {
        let all = &self.authorizers;
        let default = || all.iter().filter(|known| known.is_default).map(|known| known.authorizer.clone());
        let named = |names: Vec<&str>| {
            let by_name = |name| all.iter().find(|known| known.is_named && known.authorizer.name == name);
            names.into_iter().filter_map(by_name).map(|known| known.authorizer.clone()).collect()
        };
        match path.auth.value() {
            None | Some(Auth::Null | Auth::Boolean(false)) => Vec::new(),
            Some(Auth::Boolean(true)) => default().collect(),
            Some(Auth::String(name)) => named(vec![name]),
            Some(Auth::List(list)) => named(list.iter().filter_map(Field::value).map(String::as_str).collect()),
            Some(Auth::Object(settings)) if settings.authorizer.is_absent() => default().collect(),
            Some(Auth::Object(settings)) => {
                named(settings.authorizer.strings().into_iter().map(|at| at.value).collect())
            }
        }
    }

    fn upstream(&self, path: &wire::Path) -> Upstream {
        match path.integration.value() {
            Some(Integration::HttpProxy(proxy)) => {
                let alias = proxy.server.value().cloned().unwrap_or_default();
                let mut servers = self.config.servers.elements();
                let server = servers.find(|at| at.value.alias.value() == Some(&alias));
                let url = server.and_then(|at| at.value.url.value().cloned()).unwrap_or_default();
                Upstream::Server { alias, url }
            }
            Some(Integration::ServiceBinding(service)) => {
                let alias = service.binding.value().cloned().unwrap_or_default();
                Upstream::ServiceBinding { binding: self.binding(&alias), alias }
            }
            None => Upstream::Response { status: path.response_status.value().copied().unwrap_or(200) },
        }
    }

    /// The binding of the service with this alias.
    fn binding(&self, alias: &str) -> String {
        let mut services = self.config.service_bindings.elements();
        let service = services.find(|at| at.value.alias.value().is_some_and(|known| known == alias));
        service.and_then(|at| at.value.binding.value().cloned()).unwrap_or_default()
    }
}

fn hook_alias(hook: &PreProcess) -> &str {
    match hook {
        PreProcess::String(alias) => alias,
        PreProcess::Object(hook) => hook.binding.value().map_or("", String::as_str),
    }
}

fn texts(field: &Field<wire::OneOrMany>) -> Vec<String> {
    field.strings().iter().map(|at| at.value.to_owned()).collect()
}

fn rules(authorization: &wire::Authorization) -> Vec<Rule> {
    let rule = |rule: &wire::Rule| {
        let kinds = [("allow", &rule.allow), ("deny", &rule.deny), ("require", &rule.require)];
        kinds.into_iter().find_map(|(kind, field)| Some(Rule { kind, expression: field.value()?.clone() }))
    };
    authorization.rules.elements().filter_map(|at| rule(&at.value)).collect()
}

fn limits(field: &Field<RateLimits>) -> Vec<Limit> {
    let limit = |limit: &wire::RateLimit| Limit {
        binding: limit.binding.value().cloned().unwrap_or_default(),
        by: texts(&limit.by),
    };
    match field.value() {
        None => Vec::new(),
        Some(RateLimits::Object(one)) => vec![limit(one)],
        Some(RateLimits::List(list)) => list.iter().filter_map(Field::value).map(limit).collect(),
    }
}
