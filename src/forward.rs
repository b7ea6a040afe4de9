//! What goes to the upstream: the URL, and the edits to the client's headers.

mod edits;

use std::borrow::Cow;
use std::sync::Arc;

use crate::authn::{Authorizer, Identity};
use crate::credential::without_parameter;
use crate::reject::{Code, Reject};
use crate::request::Head;
use crate::route::path::RequestPath;
use crate::template::{Template, Values, push_escaped};
use crate::url::{HttpUrl, Target};

pub(crate) use edits::{Asserted, CONSUMER_HEADERS, NOT_FORWARDED, never_forwarded};
pub use edits::{Edits, Mapped};

/// Methods that promise to change nothing (RFC 9110 section 9.2.1 and the registry of section 18.2): what may be sent twice.
pub(crate) const SAFE_METHODS: [&str; 8] = ["GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH", "QUERY"];

/// An upstream as a route uses it.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Where it is.
    pub to: Destination,
    /// What becomes of the path.
    pub path: PathRule,
    /// What is set and removed among the request's headers.
    pub headers: Vec<Mapped>,
    /// What is set and removed in its query.
    pub query: Vec<Mapped>,
    /// How long it may take to its response head, all attempts together, in milliseconds.
    pub timeout_ms: u32,
    /// When it is asked again.
    pub retries: Option<Retries>,
}

/// Where an upstream is.
#[derive(Clone, Debug)]
pub enum Destination {
    /// At the server with this number.
    Server(usize),
    /// Bound to this Worker under this name.
    Service(String),
}

/// The same with the server's URL.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Address<'g> {
    Server(&'g HttpUrl),
    Service(&'g str),
}

/// What becomes of a path on its way to the upstream.
#[derive(Clone, Debug)]
pub enum PathRule {
    /// This many leading segments are taken off.
    Strip(usize),
    /// It is made anew.
    Rewrite(Template),
}

/// When an upstream is asked again: for a safe method without a body, and never for longer than its timeout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retries {
    /// How many further times.
    pub attempts: u32,
    /// After these statuses.
    pub statuses: Vec<u16>,
    /// After no answer at all.
    pub unreachable: bool,
}

/// A Worker that is asked before anything else is done for a request.
#[derive(Clone, Debug)]
pub struct Hook {
    /// The name under which it is bound.
    pub binding: String,
    /// How long it may take, in milliseconds.
    pub timeout_ms: u32,
}

/// A request to be sent: the client's own method, body and headers, with these edits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound {
    /// The absolute URL.
    pub url: String,
    /// The service binding that gets it, in place of the host in the URL.
    pub service: Option<String>,
    /// The edits to its headers.
    pub edits: Edits,
    /// Whether its answer may be for its sender alone: no cache on the way may give it to another.
    pub private: bool,
    /// How long the response head may take, in milliseconds.
    pub timeout_ms: u32,
    /// When it may be sent again.
    pub retries: Option<Retries>,
}

/// What is known of a request that is sent on.
#[derive(Clone, Copy)]
pub(crate) struct Sender<'s> {
    pub(crate) head: &'s Head<'s>,
    /// The path that was matched and authorised; no other is sent on.
    pub(crate) path: &'s RequestPath<'s>,
    /// The request's own URL, taken apart.
    pub(crate) target: Target<'s>,
    pub(crate) authorizers: &'s [&'s Authorizer],
    pub(crate) identity: Option<&'s Identity<'s>>,
    /// The headers that no client's request keeps.
    pub(crate) never_forwarded: &'s Arc<[String]>,
}

impl<'s> Sender<'s> {
    /// What its templates are filled from.
    pub(crate) fn values(&self) -> Values<'s> {
        Values { head: self.head, path: self.path, claims: self.identity.map(Identity::claims) }
    }

    /// The edits to the request, and its query without what it is not to keep.
    fn edits(&self) -> (Edits, String) {
        let mut query = self.target.query.to_owned();
        let edits = Edits::new(self, &mut query);
        (edits, query)
    }
}

impl Upstream {
    /// The request for this upstream, which is at `address`.
    ///
    /// # Errors
    /// `invalid_request` where a rewritten path lacks something that the request does not have.
    pub(crate) fn outbound(&self, address: Address<'_>, sender: Sender<'_>) -> Result<Outbound, Reject> {
        let (mut edits, mut query) = sender.edits();
        edits.apply(&self.headers, sender.values());
        for (name, template) in &self.query {
            map_parameter(&mut query, name, template.as_ref().and_then(|template| template.text(sender.values())));
        }
        let path = match &self.path {
            PathRule::Strip(segments) => Cow::Borrowed(strip(sender.path, *segments)),
            PathRule::Rewrite(template) => Cow::Owned(template.path(sender.values()).map_err(|lacking| {
                Reject::new(Code::InvalidRequest).because(format!("the path cannot be rewritten for lack of {lacking}"))
            })?),
        };
        let ([scheme, separator, authority], base, service) = match address {
            Address::Server(url) => ([url.origin.as_str(), "", ""], url.base.as_str(), None),
            Address::Service(binding) => (sender.target.origin(), "", Some(binding.to_owned())),
        };
        let slash = if path.is_empty() && base.is_empty() { "/" } else { "" };
        // With room for nearly every one; `concat` takes twice the instructions.
        let mut url = String::with_capacity(sender.head.url.len() + scheme.len() + base.len());
        for part in [scheme, separator, authority, base, &path, slash, &query] {
            url.push_str(part);
        }
        let retries = self
            .retries
            .clone()
            .filter(|_| SAFE_METHODS.contains(&sender.head.method) && sender.head.headers.get("upgrade").is_none());
        let private = !sender.authorizers.is_empty();
        Ok(Outbound { url, service, edits, private, timeout_ms: self.timeout_ms, retries })
    }
}

impl Hook {
    /// The question for this hook: the client's own request but for its body, with the identity that the upstream would get.
    pub(crate) fn outbound(&self, sender: Sender<'_>) -> Outbound {
        let (edits, query) = sender.edits();
        let [scheme, separator, authority] = sender.target.origin();
        let url = [scheme, separator, authority, sender.path.as_str(), &query].concat();
        let service = Some(self.binding.clone());
        Outbound { url, service, edits, private: true, timeout_ms: self.timeout_ms, retries: None }
    }
}

/// `path` without its first `segments`.
fn strip<'p>(path: &'p RequestPath<'_>, segments: usize) -> &'p str {
    let mut rest = path.as_str();
    for _ in 0..segments {
        let after_slash = rest.get(1..).unwrap_or("");
        rest = after_slash.find('/').and_then(|slash| after_slash.get(slash..)).unwrap_or("");
    }
    rest
}

/// Sets or removes one parameter, and leaves all others as they are, byte for byte.
fn map_parameter(query: &mut String, name: &str, value: Option<String>) {
    *query = without_parameter(query, name);
    if let Some(value) = value {
        query.push(if query.is_empty() { '?' } else { '&' });
        push_escaped(query, name);
        query.push('=');
        push_escaped(query, &value);
    }
}

/// Whether a text could break out of a header's value.
pub fn breaks_header(text: &str) -> bool {
    // Most are ASCII, and looking for characters costs.
    text.bytes().any(|byte| byte.is_ascii_control() || !byte.is_ascii()) && text.chars().any(char::is_control)
}

/// `token` of RFC 9110 section 5.6.2: what the name of a header may be.
pub fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests;
