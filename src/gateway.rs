//! A request's way through the gateway. Each stage is made by the one before and by nothing else.
//!
//! ```text
//! Head ──Gateway::route──▶ Matched ──authenticate──▶ Authenticated ──action──▶ Outbound or Reply
//!            │                 └─▶ Needs (a key set; then again)
//!            └─▶ Reply (preflight)                any stage ──▶ Refused ──▶ Reply
//! ```

use crate::authn::{self, Authorizer, Context, Identity, Outcome};
use crate::config::wire::{Detail, Mode};
use crate::cors::{self, Cors};
use crate::forward::{Outbound, Upstream};
use crate::jwks::{Source, SourceId, Want};
use crate::memory::Memo;
use crate::reject::{Code, Reject};
use crate::reply::Reply;
use crate::request::Head;
use crate::route::path::RequestPath;
use crate::route::router::Router;
use crate::url::Target;

/// Something of the configuration that cannot be used: what is wrong with it, for the log. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(pub Vec<String>);

/// A compiled configuration with its environment: what requests are held against.
#[derive(Debug)]
pub struct Gateway {
    pub(crate) authorizers: Vec<Result<Authorizer, Fault>>,
    /// Name and number of each authorizer; the default one goes by none, and by its own if it has one.
    pub(crate) names: Vec<(Option<String>, usize)>,
    pub(crate) sources: Vec<Source>,
    pub(crate) router: Router<Methods>,
    pub(crate) routes: Vec<Route>,
    /// Rules for paths that have none of their own, and for answers that belong to no path.
    pub(crate) cors: Option<Result<Cors, Fault>>,
    /// Headers that carry an identity on any route. A client's own copies are removed on all of them: an upstream that trusts such a
    /// header behind one route will not tell routes apart.
    pub(crate) reserved: Vec<String>,
    pub(crate) detail: Detail,
    pub(crate) max_token_bytes: usize,
    pub(crate) max_path_bytes: usize,
}

/// What one pattern can do.
#[derive(Debug, Default)]
pub(crate) struct Methods {
    /// Method and number of the route, in the order of the file.
    pub(crate) named: Vec<(String, usize)>,
    /// The route for all other methods.
    pub(crate) any: Option<usize>,
}

/// One route.
#[derive(Debug)]
pub(crate) struct Route {
    /// Numbers of the authorizers; none: open.
    pub(crate) auth: Vec<usize>,
    pub(crate) mode: Option<Mode>,
    pub(crate) cors: Option<Result<Cors, Fault>>,
    pub(crate) action: Result<RouteAction, Fault>,
}

/// What a route does with a request that may pass.
#[derive(Debug)]
pub(crate) enum RouteAction {
    Forward(Upstream),
    Answer(Reply),
}

/// Methods that a path with `ANY` is said to have, where a list is wanted.
const ANY_METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// A request that has a route.
#[derive(Debug)]
pub struct Matched<'g, 'r> {
    gateway: &'g Gateway,
    route: &'g Route,
    path: RequestPath<'r>,
}

/// A request that may go on.
#[derive(Debug)]
pub struct Authenticated<'g, 'r> {
    matched: Matched<'g, 'r>,
    /// The authorizers of its route.
    authorizers: Vec<&'g Authorizer>,
    identity: Option<Identity<'g>>,
    /// A source to be asked for fresh keys after the response.
    pub refresh: Option<SourceId>,
    /// Why a token was passed over, for the log.
    pub ignored: Option<Reject>,
    /// A token that was verified just now, to be remembered.
    pub memo: Option<Memo>,
}

/// What came of routing.
#[derive(Debug)]
pub enum Routed<'g, 'r> {
    /// There is a route.
    Matched(Matched<'g, 'r>),
    /// The answer is known already: a preflight.
    Answer(Reply),
}

/// What came of authenticating.
#[derive(Debug)]
pub enum Authn<'g, 'r> {
    /// The request may go on.
    Passed(Authenticated<'g, 'r>),
    /// Keys are needed first; then the same again.
    Needs(Matched<'g, 'r>, SourceId, Want),
    /// It may not.
    Refused(Refused<'g>),
}

/// What is to be done with a request that may pass.
#[derive(Debug)]
pub enum Action {
    /// Send it on.
    Forward(Outbound),
    /// Answer it.
    Answer(Reply),
}

/// A refusal, with the cross-origin rules that its answer obeys.
#[derive(Debug)]
pub struct Refused<'g> {
    /// Why.
    pub reject: Reject,
    gateway: &'g Gateway,
    cors: Option<&'g Cors>,
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
            return Ok(Routed::Matched(Matched { gateway: self, route, path }));
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
        authorizers.chain(routes).chain(cors).flat_map(|fault| fault.0.iter().map(String::as_str))
    }

    /// A refusal for what happened outside of every stage, with the cross-origin rules of the request's route.
    pub fn refuse_outright(&self, head: &Head<'_>, reject: Reject) -> Refused<'_> {
        match self.route(head) {
            Ok(Routed::Matched(matched)) => matched.refuse(reject),
            _ => self.refuse(reject, self.cors.as_ref()),
        }
    }

    fn preflight<'g>(&'g self, methods: &Methods, head: &Head<'_>) -> Option<Result<Reply, Refused<'g>>> {
        if head.method != "OPTIONS" || !cors::is_preflight(head) {
            return None;
        }
        let wanted = head.headers.get("access-control-request-method")?;
        match self.cors_of(methods, &wanted)? {
            Ok(cors) => Some(Ok(cors.preflight(head.headers.get("origin").as_deref(), &methods.list()))),
            Err(fault) => Some(Err(self.refuse(Reject::config(fault.0.join("; ")), None))),
        }
    }

    /// The rules for `method` of a path: those of its route or, where the path lacks the method, of any route that has some.
    fn cors_of(&self, methods: &Methods, method: &str) -> Option<&Result<Cors, Fault>> {
        let mut routes = methods.route(method).into_iter().chain(methods.routes());
        routes.find_map(|number| self.routes.get(number)?.cors.as_ref()).or(self.cors.as_ref())
    }

    fn refuse<'g>(&'g self, reject: Reject, cors: Option<&'g Result<Cors, Fault>>) -> Refused<'g> {
        Refused { reject, gateway: self, cors: cors.and_then(|cors| cors.as_ref().ok()) }
    }
}

impl Methods {
    /// The route for `method`. HEAD comes with GET (RFC 9110 section 9.3.2); a method by its name comes before `ANY`.
    fn route(&self, method: &str) -> Option<usize> {
        let named = |wanted: &str| self.named.iter().find(|(known, _)| known == wanted).map(|(_, route)| *route);
        let with_get = || if method == "HEAD" { named("GET") } else { None };
        named(method).or_else(with_get).or(self.any)
    }

    /// The numbers of all its routes.
    fn routes(&self) -> impl Iterator<Item = usize> {
        self.named.iter().map(|(_, route)| *route).chain(self.any)
    }

    /// The methods as `Allow` names them.
    fn list(&self) -> Vec<String> {
        if self.any.is_some() {
            return ANY_METHODS.iter().map(|&method| method.to_owned()).collect();
        }
        let mut list: Vec<String> = self.named.iter().map(|(method, _)| method.clone()).collect();
        if let Some(get) = list.iter().position(|method| method == "GET")
            && !list.iter().any(|method| method == "HEAD")
        {
            list.insert(get + 1, "HEAD".to_owned());
        }
        list
    }
}

impl<'g, 'r> Matched<'g, 'r> {
    /// Finds out who is asking.
    pub fn authenticate(self, head: &Head<'_>, context: Context<'_>) -> Authn<'g, 'r> {
        let gateway = self.gateway;
        if self.route.auth.is_empty() {
            return Authn::Passed(Authenticated {
                matched: self,
                authorizers: Vec::new(),
                identity: None,
                refresh: None,
                ignored: None,
                memo: None,
            });
        }
        let authorizers = match self.authorizers() {
            Ok(authorizers) => authorizers,
            Err(reject) => return Authn::Refused(self.refuse(reject)),
        };
        match authn::authenticate(&authorizers, self.route.mode, gateway.max_token_bytes, head, context) {
            Outcome::Passed { identity, refresh, ignored, memo } => {
                Authn::Passed(Authenticated { matched: self, authorizers, identity, refresh, ignored, memo })
            }
            Outcome::Needs(source, want) => Authn::Needs(self, source, want),
            Outcome::Refused(reject) => Authn::Refused(self.refuse(reject)),
        }
    }

    /// A refusal with this route's cross-origin rules.
    pub fn refuse(&self, reject: Reject) -> Refused<'g> {
        self.gateway.refuse(reject, self.cors())
    }

    fn cors(&self) -> Option<&'g Result<Cors, Fault>> {
        self.route.cors.as_ref().or(self.gateway.cors.as_ref())
    }

    fn authorizers(&self) -> Result<Vec<&'g Authorizer>, Reject> {
        let gateway = self.gateway;
        let pick = |number: &usize| match gateway.authorizers.get(*number) {
            Some(Ok(authorizer)) => Ok(authorizer),
            Some(Err(fault)) => Err(Reject::config(fault.0.join("; "))),
            None => Err(Reject::config(format!("there is no authorizer {number}"))),
        };
        self.route.auth.iter().map(pick).collect()
    }
}

impl<'g> Authenticated<'g, '_> {
    /// What is to be done.
    pub fn action(&self, head: &Head<'_>) -> Result<Action, Refused<'g>> {
        let matched = &self.matched;
        let upstream = match &matched.route.action {
            Ok(RouteAction::Forward(upstream)) => upstream,
            Ok(RouteAction::Answer(reply)) => return self.answer(reply, head).map(Action::Answer),
            Err(fault) => return Err(matched.refuse(Reject::config(fault.0.join("; ")))),
        };
        let identity = self.identity.as_ref();
        let outbound = upstream.outbound(&matched.path, head, &self.authorizers, identity, &matched.gateway.reserved);
        Ok(Action::Forward(outbound))
    }

    /// Who is asking, if anybody is known.
    pub const fn identity(&self) -> Option<&Identity<'g>> {
        self.identity.as_ref()
    }

    /// A refusal with this route's cross-origin rules.
    pub fn refuse(&self, reject: Reject) -> Refused<'g> {
        self.matched.refuse(reject)
    }

    /// The cross-origin headers of an answer that comes from the upstream; `None` where the gateway has no rules, and the upstream's own
    /// headers stand.
    pub fn cors_headers(&self, head: &Head<'_>) -> Result<Option<Vec<(&'static str, String)>>, Refused<'g>> {
        match self.matched.cors() {
            None => Ok(None),
            Some(Ok(cors)) => Ok(Some(cors.headers(head.headers.get("origin").as_deref()))),
            Some(Err(fault)) => Err(self.refuse(Reject::config(fault.0.join("; ")))),
        }
    }

    fn answer(&self, reply: &Reply, head: &Head<'_>) -> Result<Reply, Refused<'g>> {
        let mut reply = reply.clone();
        for (name, value) in self.cors_headers(head)?.into_iter().flatten() {
            reply.header(name, value);
        }
        Ok(reply)
    }
}

impl Refused<'_> {
    /// The answer that the client gets.
    pub fn reply(&self, head: &Head<'_>, request_id: &str) -> Reply {
        let mut reply = self.reject.reply(self.gateway.detail, request_id);
        if let Some(cors) = self.cors {
            for (name, value) in cors.headers(head.headers.get("origin").as_deref()) {
                reply.header(name, value);
            }
        }
        reply
    }
}

#[cfg(test)]
mod tests;
