//! A configuration compiled as far as it can be before its environment is known: what a build does, so that a Worker's start is short.
//!
//! Routing never depends on an environment, and most routes do not either. Those are kept; a Worker compiles the rest when it starts:
//! authorizers, servers, and routes that refer to variables or secrets themselves.

use super::paths::Known;
use super::{Compiled, Compiler};
use crate::config::de::read;
use crate::config::problem::{Finding, Problem};
use crate::config::reference::Env;
use crate::config::source::Source;
use crate::config::wire;
use crate::forward::never_forwarded;
use crate::gateway::{Methods, Route};
use crate::route::pattern::Pattern;
use crate::route::router::Router;

/// A configuration that waits for its environment.
pub struct Prepared<'t>(Result<Parts<'t>, Problem>);

struct Parts<'t> {
    source: Source<'t>,
    /// As it is written, but for the paths whose routes are kept.
    config: Option<wire::Config>,
    router: Router<Methods>,
    /// The routes, by their numbers.
    waiting: Vec<Waiting>,
    /// What was found by reading and routing.
    findings: Vec<Finding>,
    /// What the file is called, for faults.
    file: &'t str,
}

/// A route that waits for its environment.
enum Waiting {
    /// It does not need one.
    Kept(Box<Kept>),
    /// It is the next of the paths that the configuration has left.
    Open(Option<Pattern>),
}

struct Kept {
    route: Route,
    /// Headers that carry an identity because this route sets them.
    reserved: Vec<String>,
    /// Headers of clients' requests that it reads, with the places.
    header_reads: Vec<(usize, String)>,
}

impl<'t> Prepared<'t> {
    /// Compiles of `text` what does not depend on an environment.
    pub fn new(text: &'t str) -> Self {
        let mut prepared = Self::read(text);
        if let Ok(parts) = &mut prepared.0 {
            parts.keep();
        }
        prepared
    }

    /// Reads `text`, and compiles nothing but its routing.
    pub(super) fn read(text: &'t str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let source = match Source::parse(text) {
            Ok(source) => source,
            Err(invalid) => {
                let finding = Finding::error(invalid.offset, format!("not JSON: {}", invalid.reason));
                return Self(Err(finding.locate(text, None)));
            }
        };
        let compiler = Compiler::new(&source, Env::Unknown, Vec::new());
        let config: Option<wire::Config> = read(source.root(), &compiler.findings);
        let (router, patterns) = config.as_ref().map(|config| compiler.routing(config)).unwrap_or_default();
        let findings = compiler.findings.into_inner();
        let waiting = patterns.into_iter().map(Waiting::Open).collect();
        Self(Ok(Parts { source, config, router, waiting, findings, file: "gateway.json" }))
    }

    /// The same of a file that is called `file`.
    pub(super) fn called(mut self, file: &'t str) -> Self {
        if let Ok(parts) = &mut self.0 {
            parts.file = file;
        }
        self
    }

    /// Compiles what depends on the environment.
    pub fn bind(self, env: Env<'_>) -> Compiled {
        match self.0 {
            Ok(parts) => parts.bind(env),
            Err(problem) => Compiled { gateway: None, problems: vec![problem] },
        }
    }
}

impl Parts<'_> {
    /// Compiles every route, keeps those that came out well without an environment, and forgets how they were written.
    fn keep(&mut self) {
        let Some(config) = &self.config else { return };
        let compiler = Compiler::new(&self.source, Env::Unknown, Vec::new());
        let (_, names) = compiler.gateway(config, Router::default());
        let known = Known::new(config, &names);
        let mut kept = Vec::new();
        for (at, waiting) in config.paths.elements().zip(&mut self.waiting) {
            let Waiting::Open(pattern) = waiting else { continue };
            let before = (compiler.open.get(), compiler.findings.borrow().len());
            let mut reserved = Vec::new();
            let route = compiler.route(at, &known, pattern.as_ref(), &mut reserved);
            let header_reads = compiler.header_reads.take();
            // Whatever was found is found again, and told, where the environment is known.
            if before == (compiler.open.get(), compiler.findings.borrow().len()) && route.action.is_ok() {
                *waiting = Waiting::Kept(Box::new(Kept { route, reserved, header_reads }));
                kept.push(at.offset);
            }
        }
        drop(compiler);
        if let Some(config) = &mut self.config {
            config.paths.forget(&kept);
        }
        self.source.forget(&kept);
    }

    fn bind(self, env: Env<'_>) -> Compiled {
        let compiler = Compiler { file: self.file, ..Compiler::new(&self.source, env, self.findings) };
        let gateway = self.config.as_ref().map(|config| {
            let (mut gateway, names) = compiler.gateway(config, self.router);
            let known = Known::new(config, &names);
            let mut paths = config.paths.elements();
            let mut all_reserved = names.reserved.clone();
            let mut reserve = |names: Vec<String>| {
                for name in names {
                    if !all_reserved.contains(&name) {
                        all_reserved.push(name);
                    }
                }
            };
            for waiting in self.waiting {
                match waiting {
                    Waiting::Kept(kept) => {
                        reserve(kept.reserved);
                        compiler.header_reads.borrow_mut().extend(kept.header_reads);
                        gateway.routes.push(kept.route);
                    }
                    Waiting::Open(pattern) => {
                        let Some(at) = paths.next() else { break };
                        let mut reserved = Vec::new();
                        gateway.routes.push(compiler.route(at, &known, pattern.as_ref(), &mut reserved));
                        reserve(reserved);
                    }
                }
            }
            compiler.check_header_reads(&all_reserved);
            gateway.never_forwarded = never_forwarded(&all_reserved);
            // It looks at all paths as they are written, of which those that are kept are no more: a build has told of them.
            #[cfg(feature = "explain")]
            if config.paths.elements().count() == gateway.routes.len() {
                compiler.reach(config, &gateway);
                compiler.advise(config, &gateway);
            }
            gateway
        });
        let whole = compiler.errors() == compiler.scoped_errors.get();
        let mut findings = compiler.findings.into_inner();
        findings.sort_by_key(|finding| finding.offset);
        let text = self.source.text();
        let problems = findings.into_iter().map(|finding| finding.locate(text, Some(&self.source))).collect();
        Compiled { gateway: gateway.filter(|_| whole), problems }
    }
}
