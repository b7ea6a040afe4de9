//! What there is to see of a request: where its credential is, what its token says.

use serde_json::{Map, Value};

use super::decoded::part;
use super::{Question, STAGES, Step, path_of};
use crate::authn::Authorizer;
use crate::credential::{self, Found, Place};
use crate::gateway::{Matched, Routed};

/// What there is to see.
pub(super) struct Evidence<'g> {
    /// The pattern of the route.
    pub(super) route: Option<&'g str>,
    method: String,
    path: String,
    /// The authorizers of the route that can be used.
    pub(super) authorizers: Vec<&'g Authorizer>,
    /// The token that the first of them finds.
    pub(super) token: Option<String>,
    /// The authorizer that the token is for, as far as that can be told.
    pub(super) authorizer: Option<&'g Authorizer>,
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
        let token = authorizers.iter().find_map(|authorizer| match credential::find(&authorizer.places, head) {
            Ok(Found::Token(token)) => Some(token),
            _ => None,
        });
        let part = |number: usize| part(token.as_deref()?, number);
        let (header, claims) = (part(0), part(1));
        let issuer = claims.as_ref().and_then(|claims| claims.get("iss")).and_then(Value::as_str);
        let named = |authorizer: &&&Authorizer| {
            issuer.is_some_and(|issuer| authorizer.policy.rules.issuers.iter().any(|known| known == issuer))
        };
        let authorizer = authorizers.iter().find(named).or_else(|| authorizers.first()).copied();
        Self {
            route: matched.as_ref().map(Matched::label),
            method: head.method.to_owned(),
            path: path_of(head).to_owned(),
            authorizers,
            token,
            authorizer,
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
        let places: Vec<String> =
            self.authorizers.iter().flat_map(|authorizer| &authorizer.places).map(place).collect();
        if places.is_empty() { "the header `authorization` (Basic)".to_owned() } else { places.join(", ") }
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
    fn seen(&self, step: &str) -> String {
        match step {
            "route" => {
                let names: Vec<&str> = self.authorizers.iter().map(|authorizer| authorizer.label()).collect();
                let auth =
                    if names.is_empty() { "open".to_owned() } else { format!("authorizer {}", names.join(", ")) };
                format!("{} {} is {} ({auth})", self.method, self.path, self.route.unwrap_or("no route"))
            }
            "credential" if self.token.is_some() => format!("a token in {}", self.places()),
            "credential" => "found".to_owned(),
            "token" => match (&self.header, &self.claims) {
                (Some(header), Some(claims)) => {
                    let names: Vec<&str> = claims.keys().map(String::as_str).collect();
                    format!("header {}; claims {}", Value::Object(header.clone()), names.join(", "))
                }
                _ => String::new(),
            },
            "algorithm" => self.header("alg").map(|alg| format!("{alg} is allowed")).unwrap_or_default(),
            "time" => match self.seconds("exp") {
                Some(_) => "`exp` is ahead".to_owned(),
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

/// A place where a token may be, in words.
fn place(place: &Place) -> String {
    match place {
        Place::Header { name, scheme } if scheme.is_empty() => format!("the header `{name}`"),
        Place::Header { name, scheme } => format!("the header `{name}` behind `{scheme} `"),
        Place::Cookie(name) => format!("the cookie `{name}`"),
        Place::Query(name) => format!("the query parameter `{name}`"),
    }
}
