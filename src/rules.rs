//! Rules: expressions of the Common Expression Language that say who may do what.
//!
//! The language is behind the feature `rules`, since it weighs as much as everything else: the build leaves it out of Workers whose
//! configuration has none. A rule in a Worker without it refuses.

#[cfg(feature = "rules")]
mod cel;
#[cfg(feature = "rules")]
mod needs;

use std::cell::OnceCell;
use std::fmt;

use serde_json::{Map, Value};

use crate::authn::Identity;
use crate::reject::{Code, Reject};
use crate::request::{CLIENT_ADDRESS, Head};
use crate::url::Target;

#[cfg(feature = "rules")]
use cel::Program;

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One such rule must be true.
    Allow,
    /// None such may be true.
    Deny,
    /// All such must be true.
    Require,
}

impl Kind {
    /// As the configuration writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Require => "require",
        }
    }
}

/// One rule of a path.
pub struct Rule {
    /// What it does.
    pub kind: Kind,
    /// The expression, as it is written.
    pub source: String,
    /// Compiled when it is first asked, once an isolate.
    program: OnceCell<Result<Program, String>>,
}

/// What rules may ask about a request.
#[derive(Clone, Copy)]
pub struct Facts<'f> {
    /// The request.
    pub head: &'f Head<'f>,
    /// The path that was matched.
    pub path: &'f str,
    /// Who is asking.
    pub identity: Option<&'f Identity<'f>>,
}

impl Rule {
    /// A rule that is not compiled yet.
    pub const fn new(kind: Kind, source: String) -> Self {
        Self { kind, source, program: OnceCell::new() }
    }

    /// What is wrong with the expression, for whoever writes it: what does not compile, and what can never be so.
    ///
    /// # Errors
    /// A phrase.
    pub fn check(&self) -> Result<(), String> {
        let program = self.program()?;
        match program.constant() {
            Some(Ok(true)) if self.kind == Kind::Deny => Err("it is always true: nobody would pass".into()),
            None | Some(Ok(true)) => Ok(()),
            Some(Ok(false)) if self.kind == Kind::Deny => Err("it can never be true: it denies nothing".into()),
            Some(Ok(false)) => Err("it can never be true: nobody would pass by it".into()),
            Some(Err(why)) => Err(format!("it always fails: {why}")),
        }
    }

    /// Whether the expression names something that no request to a path without such an authorizer has.
    pub fn asks_for(&self, variable: &str) -> bool {
        self.program().is_ok_and(|program| program.asks_for(variable))
    }

    /// The headers that the expression reads, in lower case.
    pub fn headers(&self) -> Vec<String> {
        self.program().map(Program::headers).unwrap_or_default()
    }

    fn is_true(&self, facts: Facts<'_>) -> Result<bool, String> {
        self.program()?.run(facts)
    }

    fn program(&self) -> Result<&Program, String> {
        self.program.get_or_init(|| Program::compile(&self.source)).as_ref().map_err(Clone::clone)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whether it was asked already is nothing that it is.
        f.debug_struct("Rule").field("kind", &self.kind).field("source", &self.source).finish_non_exhaustive()
    }
}

/// Judges all `rules`: any `deny` that is true refuses, then any `require` that is not, then the lack of any `allow` that is, where there are
/// such. An expression that fails refuses whatever its kind: what is not known to be harmless is not let through.
///
/// # Errors
/// `access_denied`; which rule it was and what was missing is for the log alone.
pub fn judge(rules: &[Rule], facts: Facts<'_>) -> Result<(), Reject> {
    let refuse = |why: String| Reject::new(Code::AccessDenied).because(why);
    let told = |number: usize, rule: &Rule| format!("rule {} ({} {})", number + 1, rule.kind.name(), rule.source);
    let mut allowed = None;
    for kind in [Kind::Deny, Kind::Require, Kind::Allow] {
        for (number, rule) in rules.iter().enumerate().filter(|(_, rule)| rule.kind == kind) {
            let answer = rule.is_true(facts).map_err(|why| refuse(format!("{} fails: {why}", told(number, rule))))?;
            match (kind, answer) {
                (Kind::Deny, true) => return Err(refuse(format!("{} is true", told(number, rule)))),
                (Kind::Require, false) => return Err(refuse(format!("{} is not true", told(number, rule)))),
                (Kind::Allow, answer) => allowed = Some(allowed.unwrap_or(false) || answer),
                _ => {}
            }
        }
    }
    match allowed {
        Some(false) => {
            let allows = rules.iter().enumerate().filter(|(_, rule)| rule.kind == Kind::Allow);
            let allows: Vec<String> = allows.map(|(number, rule)| told(number, rule)).collect();
            Err(refuse(format!("none is true of {}", allows.join(", "))))
        }
        _ => Ok(()),
    }
}

/// A member of `request`, `source` or `consumer`; `None` where the request has none.
#[cfg_attr(not(feature = "rules"), expect(dead_code, reason = "asked by programs alone"))]
fn member(facts: Facts<'_>, variable: &str, name: &str) -> Option<Value> {
    let Facts { head, path, identity } = facts;
    let target = || Target::parse(head.url);
    match (variable, name) {
        ("request", "method") => Some(head.method.into()),
        ("request", "path") => Some(path.into()),
        ("request", "id") => Some(head.request_id().into()),
        ("request", "host") => target().map(|target| target.authority.into()),
        ("request", "scheme") => target().map(|target| target.scheme.into()),
        ("source", "ip" | "address") => head.headers.get(CLIENT_ADDRESS).map(Value::from),
        ("consumer", _) => {
            let consumer = identity?.consumer()?;
            match name {
                "id" => Some(consumer.id.as_str().into()),
                "username" => Some(consumer.username.as_str().into()),
                "credential" => Some(consumer.credential.as_str().into()),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The claims that are asked for; all where `names` says none.
#[cfg_attr(not(feature = "rules"), expect(dead_code, reason = "asked by programs alone"))]
fn claims(facts: Facts<'_>, names: Option<&[String]>) -> Map<String, Value> {
    let Some(members) = facts.identity.map(|identity| identity.claims().members()) else { return Map::new() };
    match names {
        None => members.clone(),
        Some(names) => names.iter().filter_map(|name| Some((name.clone(), members.get(name)?.clone()))).collect(),
    }
}

/// What stands for a program in a build without the language: nothing compiles.
#[cfg(not(feature = "rules"))]
#[derive(Debug)]
enum Program {}

#[cfg(not(feature = "rules"))]
impl Program {
    fn compile(_: &str) -> Result<Self, String> {
        Err("this Worker was built without rules; `npm run build` builds what the configuration needs".into())
    }

    const fn constant(&self) -> Option<Result<bool, String>> {
        match *self {}
    }

    const fn asks_for(&self, _: &str) -> bool {
        match *self {}
    }

    const fn headers(&self) -> Vec<String> {
        match *self {}
    }

    const fn run(&self, _: Facts<'_>) -> Result<bool, String> {
        match *self {}
    }
}

#[cfg(all(test, feature = "rules"))]
mod tests;
