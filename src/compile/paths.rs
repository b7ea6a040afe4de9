//! `paths`, compiled: each entry becomes a route, and its pattern and methods a place in the router.

use super::callers::Callers;
use super::template::Scope;
use super::{Compiler, unknown};
use crate::authn::DEFAULT;
use crate::config::field::{At, Field};
use crate::config::nearest::quoted_with_suggestion;
use crate::config::problem::Finding;
use crate::config::reference::has_reference;
use crate::config::wire::{self, Auth, Mode};
use crate::gateway::{Methods, Route, RouteAction};
use crate::route::pattern::Pattern;
use crate::route::router::Router;

/// The methods that the runtime passes on (those of kj's HTTP library but CONNECT), and `ANY` for all of them.
pub(crate) const METHODS: [&str; 29] = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "ANY",
    "TRACE",
    "PURGE",
    "COPY",
    "LOCK",
    "MKCOL",
    "MOVE",
    "PROPFIND",
    "PROPPATCH",
    "SEARCH",
    "UNLOCK",
    "ACL",
    "REPORT",
    "MKACTIVITY",
    "CHECKOUT",
    "MERGE",
    "M-SEARCH",
    "NOTIFY",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "QUERY",
    "BAN",
];

/// Those that are one method each.
pub(crate) fn named_methods() -> impl Iterator<Item = &'static str> + Clone {
    METHODS.into_iter().filter(|name| *name != "ANY")
}

/// Where an authorizer is: its name (none: the default one), its place in the file, its number.
pub(super) struct AuthorizerName {
    pub(super) name: Option<String>,
    pub(super) number: usize,
    /// Whether its credentials are consumers'.
    pub(super) has_consumers: bool,
    /// Whether they are tokens, which have claims.
    pub(super) has_claims: bool,
}

/// What the file gives names to.
pub(super) struct Names {
    /// The aliases of servers, in the order of [`Gateway::servers`](crate::gateway::Gateway).
    pub(super) servers: Vec<String>,
    /// Services, by alias, each with the name of its binding.
    pub(super) services: Vec<(String, String)>,
    pub(super) authorizers: Vec<AuthorizerName>,
    /// Headers in which an authorizer says who is asking.
    pub(super) reserved: Vec<String>,
}

/// What paths may name.
pub(super) struct Known<'k> {
    pub(super) names: &'k Names,
    variables: &'k Field<wire::Table<String>>,
    /// Some server, service or authorizer could not be read: a name that is not here may be its.
    pub(super) servers_lack: bool,
    pub(super) services_lack: bool,
    authorizers_lack: bool,
}

impl<'k> Known<'k> {
    pub(super) fn new(config: &'k wire::Config, names: &'k Names) -> Self {
        Self {
            names,
            variables: &config.variables,
            servers_lack: config.servers.has_bad(),
            services_lack: config.service_bindings.has_bad(),
            authorizers_lack: config.authorizer.is_bad() || config.authorizers.has_bad(),
        }
    }
}

impl Compiler<'_> {
    /// Which path and method is which route, by its number, and the pattern of each. Neither depends on an environment.
    pub(super) fn routing(&self, config: &wire::Config) -> (Router<Methods>, Vec<Option<Pattern>>) {
        if config.paths.is_absent() {
            self.error(0, "`paths` is missing");
        }
        let mut router = Router::default();
        let mut patterns = Vec::new();
        // Where each route stands in the file, by its number.
        let mut places = Vec::new();
        for at in config.paths.elements() {
            let pattern = self.pattern(at);
            let methods = self.methods(at);
            places.push(at.value.path.good().map_or(at.offset, |path| path.offset));
            if let Some(pattern) = &pattern {
                self.insert(&mut router, pattern, &methods, patterns.len(), &places);
            }
            patterns.push(pattern);
        }
        (router, patterns)
    }

    fn insert(
        &self,
        router: &mut Router<Methods>,
        pattern: &Pattern,
        methods: &[String],
        number: usize,
        places: &[usize],
    ) {
        let Some(entry) = router.entry(pattern, Default::default) else { return };
        let place = |number: usize| places.get(number).copied().unwrap_or(0);
        for method in methods {
            let taken = if method == "ANY" {
                entry.any
            } else {
                entry.named.iter().find(|(known, _)| known == method).map(|(_, route)| *route)
            };
            if let Some(other) = taken {
                let message = format!("`{method}` of this path is there twice");
                self.report(Finding::conflict(place(number), place(other), message));
            } else if method == "ANY" {
                entry.any = Some(number);
            } else {
                entry.named.push((method.clone(), number));
            }
        }
    }

    /// The pattern. It decides who may do what, so it is written out: no reference may stand in it.
    fn pattern(&self, at: &At<wire::Path>) -> Option<Pattern> {
        let path = self.required(&at.value.path, at.offset, "path")?;
        if has_reference(&path.value) {
            self.error(path.offset, "a path is written out: references cannot be used in it");
            return None;
        }
        for segment in path.value.split('/').filter(|segment| segment.starts_with([':', '*'])) {
            let meant =
                if segment.starts_with(':') { "a parameter is written `{name}`" } else { "the rest is written `{.+}`" };
            self.warn(path.offset, format!("`{segment}` is taken letter for letter: {meant}"));
        }
        Pattern::parse(&path.value).map_err(|why| self.error(path.offset, why.to_string())).ok()
    }

    fn methods(&self, at: &At<wire::Path>) -> Vec<String> {
        if self.required(&at.value.method, at.offset, "method").is_none() {
            return Vec::new();
        }
        let mut methods: Vec<String> = Vec::new();
        let written = at.value.method.strings();
        if let (true, Some(list)) = (written.is_empty(), at.value.method.good()) {
            self.error(list.offset, "`method` names none");
        }
        for method in written {
            let name = method.value;
            if name == "*" {
                self.error(method.offset, "unknown method `*`: did you mean `ANY`?");
            } else if !METHODS.contains(&name) {
                // Methods are case-sensitive (RFC 9110 section 9.1), so `get` is not GET; the nearest name says so.
                self.error(method.offset, format!("unknown method {}", quoted_with_suggestion(name, METHODS)));
            } else if methods.iter().any(|known| known == name) {
                self.error(method.offset, format!("`{name}` is there twice"));
            } else {
                methods.push(name.to_owned());
            }
        }
        methods
    }

    pub(super) fn route(
        &self,
        at: &At<wire::Path>,
        known: &Known<'_>,
        pattern: Option<&Pattern>,
        reserved: &mut Vec<String>,
    ) -> Route {
        let path = &at.value;
        let (mut auth, mut mode, mut hook, mut response_headers) = (Vec::new(), None, None, Vec::new());
        let mut callers = Callers::of(path, &known.names.authorizers, None);
        let mut authorization = None;
        let action = self.scoped(|| {
            let found = self.auth(at, known);
            if let Some((numbers, _)) = &found {
                callers = Callers::of(path, &known.names.authorizers, Some(numbers));
            }
            let scope = Scope { pattern, variables: [&path.variables, known.variables], callers };
            let action = self.action(at, known, scope, reserved);
            let asked = match &path.pre_process {
                Field::Absent => Some(None),
                Field::Bad => None,
                Field::Good(at) => self.hook(at, known).map(Some),
            };
            let mapped = match path.mapping.value() {
                Some(mapping) => self.mapped_response(&mapping.response_headers, scope),
                None => Some(Vec::new()),
            };
            (auth, mode) = found?;
            authorization = self.authorization(path, callers).ok()?;
            (hook, response_headers) = (asked?, mapped?);
            action
        });
        Route {
            label: path.path.value().cloned().unwrap_or_default(),
            auth,
            mode,
            authorization,
            limits: self.rate_limits(&path.rate_limit, callers),
            hook,
            cors: path.cors.good().map(|cors| self.cors(cors)),
            response_headers,
            action,
        }
    }

    /// The numbers of the authorizers, and the mode that takes the place of their own. `None` for whatever is wrong here, which spoils the
    /// route: it can never end up open by mistake.
    fn auth(&self, at: &At<wire::Path>, known: &Known<'_>) -> Option<(Vec<usize>, Option<Mode>)> {
        let Known { names: Names { authorizers, .. }, authorizers_lack, .. } = *known;
        let by_name = |name: &str, offset: usize| {
            let found = authorizers.iter().find(|known| known.name.as_deref() == Some(name)).or_else(|| {
                let default = authorizers.iter().find(|known| known.name.is_none()).filter(|_| name == DEFAULT)?;
                // One that has a name goes by it, and leaves this one to others.
                let is_named = |known: &AuthorizerName| known.number == default.number && known.name.is_some();
                (!authorizers.iter().any(is_named)).then_some(default)
            });
            if found.is_none() && !authorizers_lack {
                let names = authorizers.iter().filter_map(|known| known.name.as_deref());
                let mut message = unknown("authorizer", name, names);
                if matches!(name, "true" | "false") {
                    message = format!("{message} (for the value, write {name} without quotes)");
                } else if name == DEFAULT && authorizers.iter().any(|known| known.name.is_none()) {
                    message =
                        format!("{message} (the top-level `authorizer` goes by its `name`, or by true without quotes)");
                }
                self.error(offset, message);
            }
            found.map(|found| found.number)
        };
        let default = |offset: usize| {
            let found = authorizers.iter().find(|known| known.name.is_none());
            if found.is_none() && !authorizers_lack {
                self.error(offset, "this needs a default authorizer, and there is no top-level `authorizer`");
            }
            found.map(|found| vec![found.number])
        };
        let several = |names: Vec<At<&str>>, offset: usize| {
            if names.is_empty() {
                self.error(offset, "the list of authorizers is empty");
            }
            let numbers: Vec<_> = names.iter().map(|name| by_name(name.value, name.offset)).collect();
            numbers.into_iter().collect::<Option<Vec<_>>>().filter(|numbers| !numbers.is_empty())
        };
        let auth = match &at.value.auth {
            Field::Absent => return Some((Vec::new(), None)),
            Field::Bad => return None,
            Field::Good(auth) => auth,
        };
        match &auth.value {
            Auth::Null | Auth::Boolean(false) => Some((Vec::new(), None)),
            Auth::Boolean(true) => Some((default(auth.offset)?, None)),
            Auth::String(name) => Some((vec![by_name(name, auth.offset)?], None)),
            Auth::List(list) if list.iter().any(Field::is_bad) => None,
            Auth::List(list) => {
                let names =
                    list.iter().filter_map(Field::good).map(|at| At { value: at.value.as_str(), offset: at.offset });
                Some((several(names.collect(), auth.offset)?, None))
            }
            Auth::Object(settings) => {
                let numbers = match &settings.authorizer {
                    Field::Absent => default(auth.offset)?,
                    Field::Bad => return None,
                    Field::Good(at) => several(settings.authorizer.strings(), at.offset)?,
                };
                Some((numbers, settings.mode.value().copied()))
            }
        }
    }

    fn action(
        &self,
        at: &At<wire::Path>,
        known: &Known<'_>,
        scope: Scope<'_>,
        reserved: &mut Vec<String>,
    ) -> Option<RouteAction> {
        let path = &at.value;
        match (&path.integration, &path.response) {
            (Field::Absent, Field::Absent) => {
                self.error(at.offset, "a path has an `integration` or a `response`");
                None
            }
            (Field::Good(integration), Field::Good(response)) => {
                let message = "a path has an `integration` or a `response`, not both";
                self.report(Finding::conflict(response.offset, integration.offset, message));
                None
            }
            (_, Field::Good(response)) => {
                let mapping = path.mapping.value();
                let extra = mapping.and_then(|mapping| mapping.headers.good().or(mapping.query.good()));
                if let Some(table) = extra {
                    self.error(table.offset, "nothing is sent on from here: only `response_headers` can be mapped");
                }
                self.response(response, path).map(RouteAction::Answer)
            }
            (Field::Good(integration), _) => {
                let extra = [
                    ("response_status", path.response_status.good().map(|at| at.offset)),
                    ("response_headers", path.response_headers.good().map(|at| at.offset)),
                ];
                for (name, offset) in extra {
                    if let Some(offset) = offset {
                        self.error(offset, format!("`{name}` belongs to a `response`; the upstream answers here"));
                    }
                }
                self.upstream(integration, path, known, scope, reserved).map(RouteAction::Forward)
            }
            _ => None,
        }
    }
}
