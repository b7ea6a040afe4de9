//! What a configuration protects and where it leads, route by route: for people and for programs.
//!
//! It is read off the configuration as it is written, so it needs no environment and holds no secret: references stay references. Only a
//! configuration that passes the check has an outline, since of another one nobody could say what is open.

mod read;
mod svg;

use std::cell::RefCell;

use serde::Serialize;

use self::read::Reader;
use crate::compile::compile;
use crate::config::de;
use crate::config::problem::Problem;
use crate::config::reference::Env;
use crate::config::source::Source;
use crate::config::wire::{self, Mode};

/// All routes, in the order of the file.
#[derive(Clone, Debug, Serialize)]
pub struct Outline {
    /// The routes.
    pub routes: Vec<Route>,
}

/// One entry of `paths`.
#[derive(Clone, Debug, Serialize)]
pub struct Route {
    /// Its methods.
    pub methods: Vec<String>,
    /// Its pattern.
    pub path: String,
    /// Whether a request without a credential is always refused.
    pub needs_token: bool,
    /// Who may pass a request; one is enough. None: the route is open.
    pub authorizers: Vec<Authorizer>,
    /// What becomes of a request without a good token: `strict`, `optional`, `permissive`. None where the route is open.
    pub mode: Option<&'static str>,
    /// Scopes that a token must grant.
    pub scopes: Vec<String>,
    /// Whether one of them is enough.
    pub any_scope: bool,
    /// Roles, of which one is enough.
    pub roles: Vec<String>,
    /// The claim that lists roles, where some are asked for.
    pub roles_claim: Option<String>,
    /// Rules.
    pub rules: Vec<Rule>,
    /// Rate limits.
    pub rate_limits: Vec<Limit>,
    /// The binding of the Worker that is asked first.
    pub pre_process: Option<String>,
    /// Where it leads.
    pub upstream: Upstream,
}

/// An authorizer of a route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Authorizer {
    /// What `auth` calls it, or `default`.
    pub name: String,
    /// Its `type`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its place in the file: the default one may have a name too.
    #[serde(skip)]
    number: usize,
    #[serde(skip)]
    mode: Mode,
}

/// A rule.
#[derive(Clone, Debug, Serialize)]
pub struct Rule {
    /// `allow`, `deny` or `require`.
    pub kind: &'static str,
    /// The expression.
    pub expression: String,
}

/// A rate limit.
#[derive(Clone, Debug, Serialize)]
pub struct Limit {
    /// The binding that counts.
    pub binding: String,
    /// What is counted by.
    pub by: Vec<String>,
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Upstream {
    /// To a server.
    Server {
        /// Its alias.
        alias: String,
        /// Its URL as it is written.
        url: String,
    },
    /// To another Worker.
    ServiceBinding {
        /// Its alias.
        alias: String,
        /// The name of the binding.
        binding: String,
    },
    /// Nowhere: the answer is in the configuration.
    Response {
        /// Its status.
        status: u64,
    },
}

/// The outline of a configuration.
///
/// # Errors
/// All problems of one that does not pass the check, warnings among them.
pub fn outline(text: &str) -> Result<Outline, Vec<Problem>> {
    let compiled = compile(text, Env::Unknown);
    if !compiled.is_good() {
        return Err(compiled.problems);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let source = Source::parse(text).ok();
    // Nothing is found that the check has not found already.
    let config: Option<wire::Config> = source.as_ref().and_then(|source| de::read(source.root(), &RefCell::default()));
    let (Some(source), Some(config)) = (source, config) else { return Err(compiled.problems) };
    let reader = Reader::new(&config, &source);
    Ok(Outline { routes: config.paths.elements().map(|at| reader.route(&at.value)).collect() })
}

impl Outline {
    /// The same without the routes that always need a token.
    #[must_use]
    pub fn open(mut self) -> Self {
        self.routes.retain(|route| !route.needs_token);
        self
    }

    /// A picture: routes, authorizers, upstreams, and lines between them.
    pub fn svg(&self) -> String {
        svg::draw(self)
    }
}

impl Route {
    /// What is asked of a request beside a token, in short.
    pub fn demands(&self) -> Vec<String> {
        let mut told = Vec::new();
        if !self.scopes.is_empty() {
            let one_of = if self.any_scope && self.scopes.len() > 1 { "one of " } else { "" };
            told.push(format!("scope {one_of}{}", self.scopes.join(",")));
        }
        if !self.roles.is_empty() {
            let one_of = if self.roles.len() > 1 { "one of " } else { "" };
            told.push(format!("role {one_of}{}", self.roles.join(",")));
        }
        match self.rules.len() {
            0 => {}
            1 => told.push("1 rule".to_owned()),
            rules => told.push(format!("{rules} rules")),
        }
        told.extend(self.rate_limits.iter().map(|limit| format!("limit by {}", limit.by.join("+"))));
        told.extend(self.pre_process.iter().map(|binding| format!("asks {binding}")));
        told
    }
}

impl Upstream {
    /// Its name, and what is behind the name.
    pub fn told(&self) -> (String, Option<&str>) {
        match self {
            Self::Server { alias, url } => (alias.clone(), Some(url)),
            Self::ServiceBinding { alias, binding } => (format!("service {binding}"), Some(alias)),
            Self::Response { status } => (format!("response {status}"), None),
        }
    }
}

#[cfg(test)]
mod tests;
