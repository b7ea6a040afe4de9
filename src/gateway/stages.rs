//! The stages of a request that has a route: who is asking, and what is to be done.

use std::marker::PhantomData;

use super::{Fault, Gateway, Refused, Route, RouteAction};
use crate::authn::{self, Authorizer, Context, Identity, Need, Outcome};
use crate::authorization::Authorization;
use crate::cors::Cors;
use crate::forward::{Outbound, Sender, breaks_header};
use crate::jwks::SourceId;
use crate::limit::{After, Before, Counted, Counters, RateLimit};
use crate::lines::Lines;
use crate::memory::Memo;
use crate::record::LogRules;
use crate::reject::{Code, Reject};
use crate::reply::Reply;
use crate::request::Head;
use crate::route::path::RequestPath;
use crate::rules::Facts;
use crate::template::Template;
use crate::url::Target;

/// A request that has a route.
#[derive(Debug)]
pub struct Matched<'g, 'r> {
    pub(super) gateway: &'g Gateway,
    pub(super) route: &'g Route,
    pub(super) path: RequestPath<'r>,
    /// The request's own URL, taken apart.
    pub(super) target: Target<'r>,
}

/// A request of which it is known who sent it.
#[derive(Debug)]
pub struct Authenticated<'g, 'r> {
    matched: Matched<'g, 'r>,
    /// The authorizers of its route.
    authorizers: Vec<&'g Authorizer>,
    identity: Option<Identity<'g>>,
    /// A source to be asked for fresh keys after the response.
    pub refresh: Option<SourceId>,
    /// Why a token was passed over, for the log.
    pub ignored: Option<Box<Reject>>,
    /// A token that was verified just now, to be remembered.
    pub memo: Option<Memo>,
}

/// A request that may do what it asks for.
#[derive(Debug)]
pub struct Authorized<'g, 'r>(Authenticated<'g, 'r>);

/// What came of authenticating.
#[derive(Debug)]
pub enum Authn<'g, 'r> {
    /// The request may go on.
    Passed(Authenticated<'g, 'r>),
    /// Something is needed first; then the same again.
    Needs(Matched<'g, 'r>, Need),
    /// It may not.
    Refused(Refused<'g>),
}

/// What is to be done with a request that may pass.
#[derive(Debug)]
pub struct Action {
    /// A Worker to be asked first: nothing else is done unless it agrees.
    pub hook: Option<Outbound>,
    /// What is done then.
    pub then: Then,
}

/// Where the answer comes from.
#[derive(Debug)]
pub enum Then {
    /// From the upstream, with headers that are set or, where there is no value, removed.
    Forward(Outbound, Vec<(String, Option<String>)>),
    /// From the configuration.
    Answer(Reply),
}

impl<'g, 'r> Matched<'g, 'r> {
    /// What the request counts as before anybody knows who sent it.
    pub fn limits(&self, head: &Head<'_>) -> Counters<'g, Before> {
        self.counters(head, None, |limit| !limit.is_after_authentication())
    }

    /// Finds out who is asking.
    pub fn authenticate(self, head: &Head<'_>, context: Context<'_>, _: Counted<Before>) -> Authn<'g, 'r> {
        let gateway = self.gateway;
        if self.route.auth.is_empty() {
            // Where what `auth` says cannot be used, the list is empty too: that is no open route.
            if let Err(fault) = &self.route.action {
                return Authn::Refused(self.refuse(fault.reject()));
            }
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
            Outcome::Needs(need) => Authn::Needs(self, need),
            Outcome::Refused(reject) => Authn::Refused(self.refuse(reject)),
        }
    }

    /// The pattern of its route, as it is written.
    pub fn label(&self) -> &'g str {
        &self.route.label
    }

    /// What it demands of whoever its authorizers let pass.
    #[cfg(feature = "explain")]
    pub fn authorization(&self) -> Option<&'g Authorization> {
        self.route.authorization.as_ref()
    }

    /// What its authorizers are called, those among them that cannot be used. `None` where nobody can say: something of the route could not be
    /// read, and that may be what its `auth` says.
    #[cfg(feature = "explain")]
    pub fn authorizer_names(&self) -> Option<Vec<&'g str>> {
        if self.route.auth.is_empty() && self.route.action.is_err() {
            return None;
        }
        let names = &self.gateway.names;
        let name = |wanted: &usize| {
            let mut own = names.iter().filter(|(_, number)| number == wanted).filter_map(|(name, _)| name.as_deref());
            own.next().unwrap_or(authn::DEFAULT)
        };
        Some(self.route.auth.iter().map(name).collect())
    }

    /// The authorizers of its route, but for those that cannot be used.
    pub fn usable_authorizers(&self) -> Vec<&'g Authorizer> {
        let numbers = self.route.auth.iter();
        numbers.filter_map(|number| self.gateway.authorizers.get(*number)?.as_ref().ok()).collect()
    }

    /// A refusal with this route's cross-origin rules.
    pub fn refuse(&self, reject: Reject) -> Refused<'g> {
        Refused { route: Some(self.route), ..self.gateway.refuse(reject, self.cors()) }
    }

    fn counters<Stage>(
        &self,
        head: &Head<'_>,
        identity: Option<&Identity<'_>>,
        belongs: impl Fn(&RateLimit) -> bool,
    ) -> Counters<'g, Stage> {
        let route = self.route;
        let limits = route.limits.iter().filter(|limit| belongs(limit));
        let counter = |limit: &'g RateLimit| limit.counter(head, self.path.as_str(), &route.label, identity);
        Counters(limits.map(counter).collect(), PhantomData)
    }

    fn cors(&self) -> Option<&'g Result<Cors, Fault>> {
        self.route.cors.as_ref().or(self.gateway.cors.as_ref())
    }

    fn authorizers(&self) -> Result<Vec<&'g Authorizer>, Reject> {
        let gateway = self.gateway;
        let pick = |number: &usize| match gateway.authorizers.get(*number) {
            Some(Ok(authorizer)) => Ok(authorizer),
            Some(Err(fault)) => Err(fault.reject()),
            None => Err(Reject::config(format!("there is no authorizer {number}"))),
        };
        self.route.auth.iter().map(pick).collect()
    }
}

impl<'g, 'r> Authenticated<'g, 'r> {
    /// Whether whoever sent the request may do what it asks for.
    ///
    /// # Errors
    /// The refusal where that is not so.
    pub fn authorize(self, head: &Head<'_>) -> Result<Authorized<'g, 'r>, Refused<'g>> {
        let Matched { route, path, .. } = &self.matched;
        // Where the mode let nobody pass, scopes and roles tell to come back as somebody (RFC 9110 section 15.5.2), or what was wrong with
        // the token: 403 would say that no token of theirs is enough.
        let asks = || route.authorization.as_ref().is_some_and(Authorization::asks_for_somebody);
        if self.identity.is_none() && !self.authorizers.is_empty() && asks() {
            let missing = || Reject::new(Code::MissingToken).at(authn::schemes(&self.authorizers));
            let reject = self.ignored.map_or_else(missing, |ignored| *ignored);
            return Err(self.matched.refuse(reject));
        }
        let facts = Facts { head, path: path.as_str(), identity: self.identity.as_ref() };
        match route.authorization.as_ref().map_or(Ok(()), |authorization| authorization.judge(facts)) {
            Ok(()) => Ok(Authorized(self)),
            Err(reject) => Err(Refused { who: self.identity.clone().map(Box::new), ..self.matched.refuse(reject) }),
        }
    }
}

impl<'g> Authorized<'g, '_> {
    /// What the request counts as now that it is known who sent it.
    pub fn limits(&self, head: &Head<'_>) -> Counters<'g, After> {
        self.0.matched.counters(head, self.0.identity.as_ref(), RateLimit::is_after_authentication)
    }

    /// What is to be done.
    ///
    /// # Errors
    /// The refusal where the route is not set up, the body is too large, or the request lacks what the upstream needs.
    pub fn action(&self, head: &Head<'_>, _: Counted<After>) -> Result<Action, Refused<'g>> {
        let Authenticated { matched, authorizers, identity, .. } = &self.0;
        let Matched { gateway, route, path, target } = matched;
        let action = route.action.as_ref().map_err(|fault| self.refuse(fault.reject()))?;
        if gateway.is_too_large(head) {
            return Err(self.refuse(Reject::new(Code::PayloadTooLarge)));
        }
        let sender = Sender {
            head,
            path,
            target: *target,
            authorizers,
            identity: identity.as_ref(),
            never_forwarded: &gateway.never_forwarded,
        };
        let filled = |template: &Template| template.text(sender.values()).filter(|text| !breaks_header(text));
        let response_headers = route.response_headers.iter();
        let response_headers =
            response_headers.map(|(name, template)| (name.clone(), template.as_ref().and_then(filled)));
        let then = match action {
            RouteAction::Forward(upstream) => {
                let outbound = gateway.address(&upstream.to).and_then(|address| upstream.outbound(address, sender));
                let outbound = outbound.map_err(|reject| self.refuse(reject))?;
                Then::Forward(outbound, response_headers.collect())
            }
            RouteAction::Answer(reply) => {
                let mut reply = self.answer(reply, head)?;
                response_headers.for_each(|(name, value)| reply.replace(&name, value.as_deref()));
                Then::Answer(reply)
            }
        };
        Ok(Action { hook: route.hook.as_ref().map(|hook| hook.outbound(sender)), then })
    }

    /// Who is asking, if anybody is known.
    pub const fn identity(&self) -> Option<&Identity<'g>> {
        self.0.identity.as_ref()
    }

    /// Why a token was passed over, for the log.
    pub fn ignored(&self) -> Option<&Reject> {
        self.0.ignored.as_deref()
    }

    /// The pattern of its route, as it is written.
    pub fn route(&self) -> &'g str {
        &self.0.matched.route.label
    }

    /// The path that was matched.
    pub fn path(&self) -> &str {
        self.0.matched.path.as_str()
    }

    /// A refusal with this route's cross-origin rules.
    pub fn refuse(&self, reject: Reject) -> Refused<'g> {
        Refused { who: self.0.identity.clone().map(Box::new), ..self.0.matched.refuse(reject) }
    }

    /// The cross-origin headers of an answer that comes from the upstream; `None` where the gateway has no rules, and the upstream's own
    /// headers stand.
    pub fn cors_headers(&self, head: &Head<'_>) -> Result<Option<Lines>, Refused<'g>> {
        match self.0.matched.cors() {
            None => Ok(None),
            Some(Ok(cors)) => Ok(Some(cors.headers(head.headers.get("origin").as_deref()))),
            Some(Err(fault)) => Err(self.refuse(fault.reject())),
        }
    }

    fn answer(&self, reply: &Reply, head: &Head<'_>) -> Result<Reply, Refused<'g>> {
        let mut reply = reply.clone();
        if let Some(cors) = self.cors_headers(head)? {
            reply.headers.append(&cors);
        }
        Ok(reply)
    }
}

impl<'g> Refused<'g> {
    /// The answer that the client gets.
    pub fn reply(&self, head: &Head<'_>) -> Reply {
        let mut reply = self.reject.reply(self.gateway.detail, head.request_id());
        if let Some(cors) = self.cors {
            reply.headers.append(&cors.headers(head.headers.get("origin").as_deref()));
        }
        reply
    }

    /// How the log is kept.
    pub const fn log(&self) -> &'g LogRules {
        &self.gateway.log
    }

    /// Who was asking, where that was known.
    pub fn identity(&self) -> Option<&Identity<'g>> {
        self.who.as_deref()
    }

    /// The pattern of the route, where the request has one.
    pub fn route(&self) -> Option<&'g str> {
        self.route.map(|route| route.label.as_str())
    }
}
