//! `paths`, compiled: each entry becomes a route, and its pattern and methods a place in the router.

use super::{Compiler, unknown};
use crate::config::field::{At, Field};
use crate::config::nearest::quoted_with_suggestion;
use crate::config::problem::Finding;
use crate::config::reference::has_reference;
use crate::config::wire::{self, Auth, Mode};
use crate::forward::Upstream;
use crate::gateway::{Fault, Gateway, Route, RouteAction};
use crate::route::pattern::Pattern;
use crate::url::HttpUrl;

/// How long an upstream may take to its response head, unless `timeout_ms` says otherwise.
const TIMEOUT_MS: u32 = 30_000;

/// The longest `timeout_ms`: ten minutes.
const MAX_TIMEOUT_MS: u64 = 600_000;

/// The methods that the runtime passes on (those of kj's HTTP library but CONNECT), and `ANY` for all of them.
const METHODS: [&str; 29] = [
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

/// Where an authorizer is: its name (none: the default one), its place in the file, its number.
pub(super) struct AuthorizerName {
    pub(super) name: Option<String>,
    pub(super) number: usize,
}

/// What paths may name.
struct Known<'k> {
    servers: &'k [(String, Result<HttpUrl, Fault>)],
    authorizers: &'k [AuthorizerName],
    /// Some server or authorizer could not be read: a name that is not here may be its.
    servers_lack: bool,
    authorizers_lack: bool,
}

impl Known<'_> {
    fn server(&self, alias: &str) -> Option<&Result<HttpUrl, Fault>> {
        self.servers.iter().find(|(known, _)| known == alias).map(|(_, url)| url)
    }

    /// What is wrong with the server that `path` names.
    fn server_fault(&self, path: &wire::Path) -> Option<Fault> {
        let wire::Integration::HttpProxy(proxy) = path.integration.value()?;
        self.server(proxy.server.value()?)?.as_ref().err().cloned()
    }
}

impl Compiler<'_> {
    pub(super) fn paths(
        &self,
        config: &wire::Config,
        servers: &[(String, Result<HttpUrl, Fault>)],
        authorizers: &[AuthorizerName],
        gateway: &mut Gateway,
    ) {
        let known = Known {
            servers,
            authorizers,
            servers_lack: config.servers.has_bad(),
            authorizers_lack: config.authorizer.is_bad() || config.authorizers.has_bad(),
        };
        if config.paths.is_absent() {
            self.error(0, "`paths` is missing");
        }
        // Where each route stands in the file, by its number.
        let mut places = Vec::new();
        for at in config.paths.elements() {
            let pattern = self.pattern(at);
            let methods = self.methods(at);
            let route = self.route(at, &known, pattern.as_ref());
            let number = gateway.routes.len();
            gateway.routes.push(route);
            places.push(at.value.path.good().map_or(at.offset, |path| path.offset));
            if let Some(pattern) = pattern {
                self.insert(gateway, &pattern, &methods, number, &places);
            }
        }
    }

    fn insert(&self, gateway: &mut Gateway, pattern: &Pattern, methods: &[String], number: usize, places: &[usize]) {
        let Some(entry) = gateway.router.entry(pattern, Default::default) else { return };
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

    fn route(&self, at: &At<wire::Path>, known: &Known<'_>, pattern: Option<&Pattern>) -> Route {
        let mut mode = None;
        let mut auth = Vec::new();
        let action = self.scoped(|| {
            let action = self.action(at, known, pattern);
            (auth, mode) = self.auth(at, known)?;
            action
        });
        let action = action.map_err(|fault| known.server_fault(&at.value).unwrap_or(fault));
        Route { auth, mode, cors: at.value.cors.good().map(|cors| self.cors(cors)), action }
    }

    /// The numbers of the authorizers, and the mode that takes the place of their own. `None` for whatever is wrong here, which spoils the
    /// route: it can never end up open by mistake.
    fn auth(&self, at: &At<wire::Path>, known: &Known<'_>) -> Option<(Vec<usize>, Option<Mode>)> {
        let Known { authorizers, authorizers_lack, .. } = *known;
        let by_name = |name: &str, offset: usize| {
            let found = authorizers.iter().find(|known| known.name.as_deref() == Some(name));
            if found.is_none() && !authorizers_lack {
                let names = authorizers.iter().filter_map(|known| known.name.as_deref());
                let mut message = unknown("authorizer", name, names);
                if matches!(name, "true" | "false") {
                    message = format!("{message} (for the value, write {name} without quotes)");
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

    fn action(&self, at: &At<wire::Path>, known: &Known<'_>, pattern: Option<&Pattern>) -> Option<RouteAction> {
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
            (_, Field::Good(response)) => self.response(response, path).map(RouteAction::Answer),
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
                let wire::Integration::HttpProxy(proxy) = &integration.value;
                self.upstream(proxy, integration.offset, known, pattern).map(RouteAction::Forward)
            }
            _ => None,
        }
    }

    fn upstream(
        &self,
        proxy: &wire::HttpProxy,
        offset: usize,
        known: &Known<'_>,
        pattern: Option<&Pattern>,
    ) -> Option<Upstream> {
        let timeout_ms = self.timeout(&proxy.timeout_ms);
        let server = self.required(&proxy.server, offset, "server")?;
        let Some(found) = known.server(&server.value) else {
            if !known.servers_lack {
                let names = known.servers.iter().map(|(alias, _)| alias.as_str());
                self.error(server.offset, unknown("server", &server.value, names));
            }
            return None;
        };
        // What is wrong with a server is told where the server is.
        let url = found.as_ref().ok()?.clone();
        let strip_segments = pattern.filter(|pattern| pattern.has_rest()).map_or(0, Pattern::literal_prefix);
        Some(Upstream { url, strip_segments, timeout_ms })
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
