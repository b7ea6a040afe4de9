//! A request's way through the gateway. Each stage is made by the one before and by nothing else.
//!
//! ```text
//! Head ──Gateway::route──▶ Matched ──authenticate──▶ Authenticated ──authorize──▶ Authorized ──action──▶ Action
//!            │      limits ─┘│                                       limits ─┘            Outbound or Reply
//!            └─▶ Reply       └─▶ Needs (keys, records; then again)
//!               (preflight)                                  any stage ──▶ Refused ──▶ Reply
//! ```

mod methods;
mod stages;

use std::sync::Arc;

use crate::authn::{Authorizer, Identity, KeySource};
use crate::authorization::Authorization;
use crate::config::wire::{Detail, Mode};
use crate::cors::{self, Cors};
use crate::forward::{Address, Destination, Hook, Mapped, Upstream};
use crate::jwks::{Source, SourceId};
use crate::limit::RateLimit;
use crate::record::LogRules;
use crate::reject::{Code, Reject};
use crate::reply::Reply;
use crate::request::Head;
use crate::route::path::RequestPath;
use crate::route::router::Router;
use crate::url::{HttpUrl, Target};

pub(crate) use methods::Methods;
pub use stages::{Action, Authenticated, Authn, Authorized, Matched, Then};

/// Something of the configuration that cannot be used: what is wrong with it, for the log. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(pub Vec<String>);

impl Fault {
    fn reject(&self) -> Reject {
        Reject::config(self.0.join("; "))
    }
}

/// A compiled configuration with its environment: what requests are held against.
#[derive(Debug)]
pub struct Gateway {
    pub(crate) authorizers: Vec<Result<Authorizer, Fault>>,
    /// Name and number of each authorizer; the default one goes by none, and by its own if it has one.
    pub(crate) names: Vec<(Option<String>, usize)>,
    pub(crate) sources: Vec<Source>,
    pub(crate) servers: Vec<Result<HttpUrl, Fault>>,
    pub(crate) router: Router<Methods>,
    pub(crate) routes: Vec<Route>,
    /// Rules for paths that have none of their own, and for answers that belong to no path.
    pub(crate) cors: Option<Result<Cors, Fault>>,
    /// The headers that no client's request keeps. Those are among them that carry an identity on any route: an upstream that trusts such a
    /// header behind one route will not tell routes apart.
    pub(crate) never_forwarded: Arc<[String]>,
    pub(crate) log: LogRules,
    pub(crate) detail: Detail,
    pub(crate) max_token_bytes: usize,
    pub(crate) max_path_bytes: usize,
    pub(crate) max_body_bytes: Option<u64>,
}

/// One route.
#[derive(Debug)]
pub(crate) struct Route {
    /// The pattern as it is written.
    pub(crate) label: String,
    /// Numbers of the authorizers; none: open.
    pub(crate) auth: Vec<usize>,
    pub(crate) mode: Option<Mode>,
    /// What is demanded of whoever the authorizers let pass.
    pub(crate) authorization: Option<Authorization>,
    pub(crate) limits: Vec<RateLimit>,
    pub(crate) hook: Option<Hook>,
    pub(crate) cors: Option<Result<Cors, Fault>>,
    /// Headers of the answer, where it is no refusal.
    pub(crate) response_headers: Vec<Mapped>,
    pub(crate) action: Result<RouteAction, Fault>,
}

/// What a route does with a request that may pass.
#[derive(Debug)]
pub(crate) enum RouteAction {
    Forward(Upstream),
    Answer(Reply),
}

/// What came of routing.
#[derive(Debug)]
pub enum Routed<'g, 'r> {
    /// There is a route.
    Matched(Matched<'g, 'r>),
    /// The answer is known already: a preflight.
    Answer(Reply),
}

/// A refusal, with the cross-origin rules that its answer obeys.
#[derive(Debug)]
pub struct Refused<'g> {
    /// Why.
    pub reject: Reject,
    gateway: &'g Gateway,
    route: Option<&'g Route>,
    who: Option<Box<Identity<'g>>>,
    cors: Option<&'g Cors>,
}

/// What kind of binding a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindingKind {
    /// Another Worker.
    Service,
    /// A rate limit.
    RateLimit,
    /// A KV namespace.
    Namespace,
}

impl Gateway {
    /// Finds the route for a request: pattern first, method second.
    pub fn route<'g, 'r>(&'g self, head: &Head<'r>) -> Result<Routed<'g, 'r>, Refused<'g>> {
        let refuse = |reject| self.refuse(reject, self.cors.as_ref());
        let target = Target::parse(head.url).ok_or_else(|| refuse(Reject::new(Code::InvalidRequest)))?;
        if target.path.len() > self.max_path_bytes {
            return Err(refuse(Reject::new(Code::PathTooLong)));
        }
        let path = RequestPath::parse(target.path).map_err(|_| refuse(Reject::new(Code::InvalidPath)))?;
        let methods = self.router.find(path.as_str()).ok_or_else(|| refuse(Reject::new(Code::NotFound)))?;
        if let Some(answer) = self.preflight(methods, head) {
            return answer.map(Routed::Answer);
        }
        if let Some(route) = methods.route(head.method).and_then(|number| self.routes.get(number)) {
            return Ok(Routed::Matched(Matched { gateway: self, route, path, target }));
        }
        let reject = Reject::method_not_allowed(methods.list().join(", "));
        Err(self.refuse(reject, self.cors_of(methods, head.method)))
    }

    /// The authorizer called `name`, or the default one.
    pub fn authorizer(&self, name: Option<&str>) -> Option<&Result<Authorizer, Fault>> {
        self.names
            .iter()
            .find(|(known, _)| known.as_deref() == name)
            .and_then(|(_, number)| self.authorizers.get(*number))
    }

    /// Bytes that a token may have.
    pub const fn max_token_bytes(&self) -> usize {
        self.max_token_bytes
    }

    /// The settings of a key source.
    pub fn source(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(id.0)
    }

    /// The settings of all key sources.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// All that cannot be used, for the log.
    pub fn faults(&self) -> impl Iterator<Item = &str> {
        let authorizers = self.authorizers.iter().filter_map(|authorizer| authorizer.as_ref().err());
        let routes = self.routes.iter().filter_map(|route| route.action.as_ref().err());
        let cors = self.routes.iter().map(|route| &route.cors).chain([&self.cors]);
        let cors = cors.filter_map(|cors| cors.as_ref()?.as_ref().err());
        let servers = self.servers.iter().filter_map(|server| server.as_ref().err());
        authorizers.chain(servers).chain(routes).chain(cors).flat_map(|fault| fault.0.iter().map(String::as_str))
    }

    /// How the log is kept.
    pub const fn log(&self) -> &LogRules {
        &self.log
    }

    /// Bytes that a request's body may have, where that is limited.
    pub const fn max_body_bytes(&self) -> Option<u64> {
        self.max_body_bytes
    }

    /// The names of the bindings that it calls, each with what kind it is.
    pub fn bindings(&self) -> impl Iterator<Item = (&str, BindingKind)> {
        let services = self.routes.iter().flat_map(|route| {
            let upstream = match &route.action {
                Ok(RouteAction::Forward(Upstream { to: Destination::Service(binding), .. })) => Some(binding),
                _ => None,
            };
            route.hook.as_ref().map(|hook| &hook.binding).into_iter().chain(upstream)
        });
        let limits = self.routes.iter().flat_map(|route| route.limits.iter().map(|limit| &limit.binding));
        services
            .map(|name| (name.as_str(), BindingKind::Service))
            .chain(limits.map(|name| (name.as_str(), BindingKind::RateLimit)))
            .chain(self.namespaces().map(|name| (name, BindingKind::Namespace)))
    }

    /// The KV namespaces that its authorizers read.
    fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.authorizers.iter().filter_map(|authorizer| authorizer.as_ref().ok()).flat_map(|authorizer| {
            let credentials = match &authorizer.keys {
                KeySource::Consumers(store) => Some(&store.binding),
                KeySource::ApiKeys(store) => store.binding.as_ref(),
                KeySource::Passwords(store) => store.binding.as_ref(),
                KeySource::Secrets(_) | KeySource::Inline(_) | KeySource::Remote(_) => None,
            };
            let revocations = authorizer.revocation.as_ref().map(|revocation| &revocation.binding);
            credentials.into_iter().chain(revocations).map(String::as_str)
        })
    }

    /// A refusal for what happened outside of every stage, with the cross-origin rules of the request's route.
    pub fn refuse_outright(&self, head: &Head<'_>, reject: Reject) -> Refused<'_> {
        match self.route(head) {
            Ok(Routed::Matched(matched)) => matched.refuse(reject),
            _ => self.refuse(reject, self.cors.as_ref()),
        }
    }

    /// Where an upstream is, or what is wrong with its server.
    fn address<'g>(&'g self, to: &'g Destination) -> Result<Address<'g>, Reject> {
        match to {
            Destination::Service(binding) => Ok(Address::Service(binding)),
            Destination::Server(number) => match self.servers.get(*number) {
                Some(server) => server.as_ref().map(Address::Server).map_err(Fault::reject),
                None => Err(Reject::config(format!("there is no server {number}"))),
            },
        }
    }

    fn preflight<'g>(&'g self, methods: &Methods, head: &Head<'_>) -> Option<Result<Reply, Refused<'g>>> {
        if head.method != "OPTIONS" || !cors::is_preflight(head) {
            return None;
        }
        let wanted = head.headers.get("access-control-request-method")?;
        match self.cors_of(methods, &wanted)? {
            Ok(cors) => Some(Ok(cors.preflight(head.headers.get("origin").as_deref(), &methods.list()))),
            Err(fault) => Some(Err(self.refuse(fault.reject(), None))),
        }
    }

    /// Whether a request says itself that its body is too large. One that does not say is counted on its way.
    fn is_too_large(&self, head: &Head<'_>) -> bool {
        let Some(limit) = self.max_body_bytes else { return false };
        let length = head.headers.get("content-length");
        length.is_some_and(|length| length.trim().parse::<u64>().map_or(true, |length| length > limit))
    }

    /// The rules for `method` of a path: those of its route or, where the path lacks the method, of any route that has some.
    fn cors_of(&self, methods: &Methods, method: &str) -> Option<&Result<Cors, Fault>> {
        let mut routes = methods.route(method).into_iter().chain(methods.routes());
        routes.find_map(|number| self.routes.get(number)?.cors.as_ref()).or(self.cors.as_ref())
    }

    fn refuse<'g>(&'g self, reject: Reject, cors: Option<&'g Result<Cors, Fault>>) -> Refused<'g> {
        Refused { reject, gateway: self, route: None, who: None, cors: cors.and_then(|cors| cors.as_ref().ok()) }
    }
}

#[cfg(test)]
mod tests;
