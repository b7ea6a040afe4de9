//! From the configuration's text to a [`Gateway`], gathering every problem on the way.
//!
//! The one function behind the build, `portcullis check`, the Worker and the tests: what checks, builds; what builds, runs. What only an
//! environment can spoil (a name that is not bound, a URL in a variable) spoils the authorizers and routes that need it, and no others.

#[cfg(feature = "explain")]
mod advice;
mod authorization;
mod authorizer;
mod callers;
mod cors;
mod credentials;
mod keys;
mod limits;
mod paths;
mod places;
mod prepared;
mod presets;
#[cfg(feature = "explain")]
mod reach;
mod response;
mod template;
mod upstream;

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::config::field::{At, Field};
use crate::config::nearest::quoted_with_suggestion;
use crate::config::problem::{Finding, Problem, Severity};
use crate::config::reference::{Env, Resolved, has_reference, resolve};
use crate::config::source::Source;
use crate::config::wire;
use crate::gateway::{Fault, Gateway, Methods};
use crate::jwks;
use crate::route::router::Router;
use crate::url::HttpUrl;

#[cfg(feature = "cli")]
pub(crate) use {
    limits::WORDS, paths::METHODS, paths::named_methods, presets::provider_settings, presets::settings_of,
};

pub use authorizer::SKEW_SECONDS;
pub use credentials::{CREDENTIAL_TTL_MS, KEY_CLAIM};
pub use prepared::Prepared;

use paths::Names;

/// Bytes of a token, unless `limits.max_token_bytes` says otherwise: what the header limits of most servers leave room for.
const MAX_TOKEN_BYTES: usize = 8192;

/// Bytes of a path, unless `limits.max_path_bytes` says otherwise.
const MAX_PATH_BYTES: usize = 8192;

/// What came of compiling.
#[derive(Debug)]
pub struct Compiled {
    /// The gateway; none where the configuration is refused as a whole.
    pub gateway: Option<Gateway>,
    /// Everything found, in the order of the file.
    pub problems: Vec<Problem>,
}

impl Compiled {
    /// Whether nothing worse than warnings was found.
    pub fn is_good(&self) -> bool {
        self.problems.iter().all(|problem| problem.severity == Severity::Warning)
    }
}

/// Compiles `text` with the environment `env`. A byte order mark is passed over, as RFC 8259 section 8.1 allows.
pub fn compile(text: &str, env: Env<'_>) -> Compiled {
    Prepared::read(text).bind(env)
}

/// Compiles the text of a file that is called `file`: so it is called by what cannot be used.
pub fn compile_file(file: &str, text: &str, env: Env<'_>) -> Compiled {
    Prepared::read(text).called(file).bind(env)
}

/// A field that is not as it should be; the problem is with the findings already.
struct Reported;

struct Compiler<'s> {
    source: &'s Source<'s>,
    env: Env<'s>,
    /// What the file is called, for faults.
    file: &'s str,
    findings: RefCell<Vec<Finding>>,
    /// Errors that a [`Fault`] stands for. Any other error refuses the whole.
    scoped_errors: Cell<usize>,
    depth: Cell<usize>,
    /// Headers of clients' requests that templates read, with the places.
    header_reads: RefCell<Vec<(usize, String)>>,
    /// How many values referred to an environment that is not at hand.
    open: Cell<usize>,
}

impl<'s> Compiler<'s> {
    fn new(source: &'s Source<'s>, env: Env<'s>, findings: Vec<Finding>) -> Self {
        Compiler {
            source,
            env,
            file: "gateway.json",
            findings: RefCell::new(findings),
            scoped_errors: Cell::new(0),
            depth: Cell::new(0),
            header_reads: RefCell::default(),
            open: Cell::new(0),
        }
    }
}

impl Compiler<'_> {
    /// All but the routes.
    fn gateway(&self, config: &wire::Config, router: Router<Methods>) -> (Gateway, Names) {
        let (aliases, servers) = self.servers(config).into_iter().unzip();
        let mut sources = Vec::new();
        let authorizers = self.authorizers(config, &mut sources);
        let gateway = Gateway {
            authorizers: authorizers.compiled,
            names: authorizers.names.iter().map(|known| (known.name.clone(), known.number)).collect(),
            sources,
            servers,
            router,
            routes: Vec::new(),
            cors: config.cors.good().map(|at| self.cors(at)),
            never_forwarded: Arc::default(),
            log: self.log(config),
            detail: config.errors.value().and_then(|errors| errors.detail.value().copied()).unwrap_or_default(),
            max_token_bytes: self.limit(config, |limits| &limits.max_token_bytes, MAX_TOKEN_BYTES),
            max_path_bytes: self.limit(config, |limits| &limits.max_path_bytes, MAX_PATH_BYTES),
            max_body_bytes: config.limits.value().and_then(|limits| limits.max_body_bytes.value().copied()),
        };
        let services = self.services(config);
        (gateway, Names { servers: aliases, services, authorizers: authorizers.names, reserved: authorizers.reserved })
    }

    /// The servers by alias, each with its URL or what is wrong with it.
    fn servers(&self, config: &wire::Config) -> Vec<(String, Result<HttpUrl, Fault>)> {
        let mut servers: Vec<(String, Result<HttpUrl, Fault>)> = Vec::new();
        let mut places: Vec<(&str, usize)> = Vec::new();
        for at in config.servers.elements() {
            let Some(alias) = self.required(&at.value.alias, at.offset, "alias") else { continue };
            self.name(alias, "a server");
            if let Some((_, other)) = places.iter().find(|(known, _)| *known == alias.value) {
                self.report(Finding::conflict(
                    alias.offset,
                    *other,
                    format!("two servers are called `{}`", alias.value),
                ));
                continue;
            }
            places.push((&alias.value, alias.offset));
            let url = self.scoped(|| {
                let url = self.required(&at.value.url, at.offset, "url")?;
                let parsed = self.http_url(url)?;
                if parsed.query.is_empty() {
                    return Some(parsed);
                }
                self.error(url.offset, "an upstream's URL has no query: each request brings its own");
                None
            });
            servers.push((alias.value.clone(), url));
        }
        servers
    }

    /// The services by alias, each with the name of its binding.
    fn services(&self, config: &wire::Config) -> Vec<(String, String)> {
        let mut services: Vec<(String, String)> = Vec::new();
        let mut places: Vec<usize> = Vec::new();
        for at in config.service_bindings.elements() {
            let alias = self.required(&at.value.alias, at.offset, "alias");
            let binding = self.required(&at.value.binding, at.offset, "binding");
            let (Some(alias), Some(binding)) = (alias, binding) else { continue };
            self.name(alias, "a service");
            self.binding(binding);
            if let Some(known) = services.iter().position(|(known, _)| *known == alias.value) {
                let message = format!("two service bindings are called `{}`", alias.value);
                let other = places.get(known).copied().unwrap_or(0);
                self.report(Finding::conflict(alias.offset, other, message));
                continue;
            }
            places.push(alias.offset);
            services.push((alias.value.clone(), binding.value.clone()));
        }
        services
    }

    fn limit(&self, config: &wire::Config, pick: impl Fn(&wire::Limits) -> &Field<u64>, default: usize) -> usize {
        let Some(at) = config.limits.value().and_then(|limits| pick(limits).good()) else { return default };
        if let Ok(limit @ 1..=1_048_576) = usize::try_from(at.value) {
            return limit;
        }
        self.error(at.offset, "a limit is between 1 and 1048576 bytes");
        default
    }

    /// Runs `compile` so that its errors spoil its own result alone.
    fn scoped<T>(&self, compile: impl FnOnce() -> Option<T>) -> Result<T, Fault> {
        let before = self.findings.borrow().len();
        self.depth.set(self.depth.get() + 1);
        let result = compile();
        self.depth.set(self.depth.get() - 1);
        let findings = self.findings.borrow();
        let new = findings.get(before..).unwrap_or_default();
        let errors: Vec<String> =
            new.iter().filter(|f| f.severity == Severity::Error).map(|finding| self.told(finding)).collect();
        if self.depth.get() == 0 {
            self.scoped_errors.set(self.scoped_errors.get() + errors.len());
        }
        match result {
            Some(value) if errors.is_empty() => Ok(value),
            _ if errors.is_empty() => Err(Fault(vec!["it refers to an environment that is not at hand".into()])),
            _ => Err(Fault(errors)),
        }
    }

    fn told(&self, finding: &Finding) -> String {
        let problem = finding.clone().locate(self.source.text(), Some(self.source));
        format!("{}:{problem}", self.file)
    }

    fn errors(&self) -> usize {
        self.findings.borrow().iter().filter(|finding| finding.severity == Severity::Error).count()
    }

    fn report(&self, finding: Finding) {
        self.findings.borrow_mut().push(finding);
    }

    fn error(&self, offset: usize, message: impl Into<String>) {
        self.report(Finding::error(offset, message));
    }

    fn warn(&self, offset: usize, message: impl Into<String>) {
        self.report(Finding::warning(offset, message));
    }

    /// A field that has to be there; reported where it is not.
    fn required<'f, T>(&self, field: &'f Field<T>, owner: usize, name: &str) -> Option<&'f At<T>> {
        if field.is_absent() {
            self.error(owner, format!("`{name}` is missing"));
        }
        field.good()
    }

    /// A string after its references were looked up; `None` where it is not known, with the problem reported if it is one.
    fn text(&self, offset: usize, text: &str) -> Option<String> {
        match resolve(text, self.env) {
            Ok(Resolved::Value(value)) => Some(value),
            Ok(Resolved::Open) => {
                self.open.set(self.open.get() + 1);
                None
            }
            Ok(Resolved::Missing(names)) => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                let verb = if names.len() == 1 { "is" } else { "are" };
                self.error(
                    offset,
                    format!("{} {verb} not bound: no variable or secret has this name", names.join(", ")),
                );
                None
            }
            Err(invalid) => {
                self.error(offset, invalid.0);
                None
            }
        }
    }

    /// The same for a field that need not be there.
    fn text_or(&self, field: &Field<String>, default: &str) -> Option<String> {
        match field {
            Field::Absent => Some(default.to_owned()),
            Field::Bad => None,
            Field::Good(at) => self.text(at.offset, &at.value),
        }
    }

    /// The same for a string or a list; `None` where one of them is not known.
    fn texts(&self, field: &Field<wire::OneOrMany>) -> Option<Vec<String>> {
        let texts: Vec<_> = field.strings().iter().map(|at| self.text(at.offset, at.value)).collect();
        texts.into_iter().collect()
    }

    fn http_url(&self, at: &At<String>) -> Option<HttpUrl> {
        let text = self.text(at.offset, &at.value)?;
        HttpUrl::parse(&text).map_err(|why| self.error(at.offset, why)).ok()
    }

    /// Whether a name is written out, and has no reference in it, which is reported: names are what the rest of the file, other files and the
    /// gateway's own records go by.
    fn written_out(&self, offset: usize, name: &str, what: &str) -> bool {
        let refers = has_reference(name);
        if refers {
            self.error(offset, format!("`{name}`: the name of {what} is written out, references cannot be used in it"));
        }
        !refers
    }

    /// A name of `what`, which is written out, and not empty.
    fn name<'f>(&self, at: &'f At<String>, what: &str) -> Option<&'f String> {
        if at.value.is_empty() {
            self.error(at.offset, format!("the name of {what} cannot be empty"));
            return None;
        }
        self.written_out(at.offset, &at.value, what);
        Some(&at.value)
    }

    /// The name of a binding, as wrangler.toml has it.
    fn binding<'f>(&self, at: &'f At<String>) -> Option<&'f String> {
        if at.value.contains(char::is_whitespace) {
            self.error(
                at.offset,
                format!("`{}` is no binding's name: wrangler takes those of JavaScript's variables", at.value),
            );
        }
        self.name(at, "a binding")
    }

    /// A header's name that is written out, in lower case.
    fn header_name(&self, offset: usize, name: &str) -> Option<String> {
        if !self.written_out(offset, name, "a header") {
            return None;
        }
        if !crate::forward::is_token(name) {
            self.error(offset, format!("`{name}` is not a header name"));
            return None;
        }
        Some(name.to_ascii_lowercase())
    }
}

/// How a problem quotes a text in which references were looked up: as it is written, since what they stand for may be a secret.
fn as_written(written: &str) -> String {
    if has_reference(written) { format!("what `{written}` stands for") } else { format!("`{written}`") }
}

/// Finds the number of `name`, or says what is known.
fn unknown<'n>(kind: &str, name: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    format!("there is no {kind} {}", quoted_with_suggestion(name, known))
}

/// A key set source for the whole gateway: two authorizers with one URL share one, with the stricter of their settings.
fn intern(sources: &mut Vec<jwks::Source>, source: jwks::Source) -> jwks::SourceId {
    if let Some(known) = sources.iter().position(|known| (&known.url, &known.issuer) == (&source.url, &source.issuer)) {
        if let Some(shared) = sources.get_mut(known) {
            shared.ttl_ms = [shared.ttl_ms, source.ttl_ms].into_iter().flatten().min();
            shared.timeout_ms = shared.timeout_ms.min(source.timeout_ms);
            shared.stale_ms = shared.stale_ms.min(source.stale_ms);
        }
        return jwks::SourceId(known);
    }
    sources.push(source);
    jwks::SourceId(sources.len() - 1)
}

#[cfg(test)]
mod tests;
