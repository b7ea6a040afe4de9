//! What there is to see of a request: where its credential is, what its token says.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::decoded::part;
use super::moment::{are_millis, duration};
use super::{Question, STAGES, Step, path_of};
use crate::authn::{Authorizer, KeySource};
use crate::authorization::Authorization;
use crate::credential::{self, Found, Place};
use crate::gateway::{Matched, Routed};
use crate::request::Head;

/// What there is to see.
pub(super) struct Evidence<'g> {
    /// The pattern of the route.
    pub(super) route: Option<&'g str>,
    method: String,
    path: String,
    /// What its authorizers are called, whether they can be used or not; none where that cannot be told.
    names: Option<Vec<&'g str>>,
    /// The authorizers of the route that can be used.
    pub(super) authorizers: Vec<&'g Authorizer>,
    /// The token that the first of them finds.
    pub(super) token: Option<String>,
    /// What was found, and where.
    found: Option<String>,
    now: f64,
    /// The authorizer that the token is for, as far as that can be told.
    pub(super) authorizer: Option<&'g Authorizer>,
    /// What the route demands of whoever is let pass.
    pub(super) authorization: Option<&'g Authorization>,
    pub(super) header: Option<Map<String, Value>>,
    pub(super) claims: Option<Map<String, Value>>,
}

impl<'g> Evidence<'g> {
    pub(super) fn gather(question: Question<'g>) -> Self {
        let Question { gateway, head, .. } = question;
        let matched = match gateway.route(head) {
            Ok(Routed::Matched(matched)) => Some(matched),
            _ => None,
        };
        let authorizers = matched.as_ref().map(Matched::usable_authorizers).unwrap_or_default();
        let in_place = |known: &Place| match credential::find(std::slice::from_ref(known), head) {
            Ok(Found::Token(token)) => Some((token, place(known))),
            _ => None,
        };
        let of = |authorizer: &&&Authorizer| matches!(authorizer.keys, KeySource::ApiKeys(_) | KeySource::Passwords(_));
        let (others, of_tokens): (Vec<&&Authorizer>, Vec<&&Authorizer>) = authorizers.iter().partition(of);
        let first = |list: &[&&Authorizer]| list.iter().flat_map(|authorizer| &authorizer.places).find_map(in_place);
        let password = authorizers.iter().any(|one| matches!(one.keys, KeySource::Passwords(_))) && has_basic(head);
        let (token, found) = match (first(&of_tokens), first(&others)) {
            (Some((token, place)), _) => (Some(token), Some(format!("a token in {place}"))),
            (None, Some((_, place))) => (None, Some(format!("an API key in {place}"))),
            (None, None) => (None, password.then(|| "a name and a password behind `Basic `".to_owned())),
        };
        let part = |number: usize| part(token.as_deref()?, number);
        let (header, claims) = (part(0), part(1));
        let issuer = claims.as_ref().and_then(|claims| claims.get("iss")).and_then(Value::as_str);
        let named = |authorizer: &&&Authorizer| {
            issuer.is_some_and(|issuer| authorizer.policy.rules.issuers.iter().any(|known| known == issuer))
        };
        let first = of_tokens.first().copied().or_else(|| authorizers.first());
        let authorizer = authorizers.iter().find(named).or(first).copied();
        Self {
            route: matched.as_ref().map(Matched::label),
            method: head.method.to_owned(),
            path: path_of(head).to_owned(),
            names: matched.as_ref().and_then(Matched::authorizer_names),
            authorizers,
            token: token.map(Cow::into_owned),
            found,
            now: question.now.as_numeric_date(),
            authorizer,
            authorization: matched.as_ref().and_then(Matched::authorization),
            header,
            claims,
        }
    }

    /// A member of the token's header, as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.header.as_ref()?.get(name)?.as_str()
    }

    /// A claim.
    pub(super) fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.as_ref()?.get(name)
    }

    /// A claim that is a time in seconds.
    pub(super) fn seconds(&self, name: &str) -> Option<f64> {
        self.claim(name)?.as_f64()
    }

    /// Where the route's authorizers look.
    pub(super) fn places(&self) -> String {
        let mut places: Vec<String> = Vec::new();
        for authorizer in &self.authorizers {
            let passwords = matches!(authorizer.keys, KeySource::Passwords(_));
            let basic = passwords.then(|| "the header `authorization` behind `Basic `".to_owned());
            for place in authorizer.places.iter().map(place).chain(basic) {
                if !places.contains(&place) {
                    places.push(place);
                }
            }
        }
        places.join(", ")
    }

    /// The headers in which they look.
    pub(super) fn headers_looked_at(&self) -> Vec<&str> {
        let named = self.authorizers.iter().flat_map(|authorizer| &authorizer.places).filter_map(|place| match place {
            Place::Header { name, .. } => Some(name.as_str()),
            _ => None,
        });
        let passwords = self.authorizers.iter().any(|authorizer| matches!(authorizer.keys, KeySource::Passwords(_)));
        named.chain(passwords.then_some("authorization")).collect()
    }

    /// What it means that a request is nobody's.
    pub(super) fn anonymous(&self) -> String {
        if self.authorizers.is_empty() {
            "none is looked for: this route is open, and a token on it is not checked".to_owned()
        } else {
            format!("none in {}: the mode lets the request pass as nobody's", self.places())
        }
    }

    /// The stages before `stage`, all passed.
    pub(super) fn steps(&self, stage: usize) -> Vec<Step> {
        let good = |step: &'static str| Step { step, ok: true, text: self.seen(step) };
        let steps = STAGES.into_iter().take(stage);
        steps.filter(|step| *step != "authorization").map(good).filter(|step| !step.text.is_empty()).collect()
    }

    /// What was seen at a stage that was passed.
    pub(super) fn seen(&self, step: &str) -> String {
        match step {
            "route" => {
                let auth = match self.names.as_deref() {
                    None => "it cannot be used, so who may is not known".to_owned(),
                    Some([]) => "open".to_owned(),
                    Some(names) => format!("authorizer {}", names.join(", ")),
                };
                format!("{} {} is {} ({auth})", self.method, self.path, self.route.unwrap_or("no route"))
            }
            "credential" => self.found.clone().unwrap_or_default(),
            "token" => match (&self.header, &self.claims) {
                (Some(header), Some(claims)) => {
                    let names: Vec<&str> = claims.keys().map(String::as_str).collect();
                    format!("header {}; claims {}", Value::Object(header.clone()), names.join(", "))
                }
                _ => String::new(),
            },
            "algorithm" => self.header("alg").map(|alg| format!("{alg} is allowed")).unwrap_or_default(),
            "time" => match self.seconds("exp") {
                // It passes, and never ends: worth a word even where something else is asked about.
                Some(exp) if are_millis(exp) => {
                    format!(
                        "`exp` is {exp}, which is read as seconds: {} ahead. Milliseconds?",
                        duration(exp - self.now)
                    )
                }
                Some(exp) if exp < self.now => format!("it ended {} ago, within the skew", duration(self.now - exp)),
                Some(exp) => format!("it ends in {}", duration(exp - self.now)),
                None => String::new(),
            },
            "key" => match self.header("kid") {
                Some(kid) => format!("there is one for `kid` {kid}"),
                None if self.token.is_some() => "the token names none, and there is one that fits".to_owned(),
                None => String::new(),
            },
            "signature" if self.token.is_some() => "good".to_owned(),
            "claims" if self.token.is_some() => "as they should be".to_owned(),
            _ => String::new(),
        }
    }
}

/// Whether a request has something that is meant as a name and a password (RFC 7617 section 2).
fn has_basic(head: &Head<'_>) -> bool {
    let header = head.headers.get("authorization");
    let scheme = header.as_ref().and_then(|header| header.split_ascii_whitespace().next());
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic"))
}

/// A place where a token may be, in words.
pub(super) fn place(place: &Place) -> String {
    match place {
        Place::Header { name, scheme } if scheme.is_empty() => format!("the header `{name}`"),
        Place::Header { name, scheme } => format!("the header `{name}` behind `{scheme} `"),
        Place::Cookie(name) => format!("the cookie `{name}`"),
        Place::Query(name) => format!("the query parameter `{name}`"),
    }
}
