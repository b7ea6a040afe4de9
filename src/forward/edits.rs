//! The edits to a client's headers on their way to an upstream.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::{Sender, breaks_header, is_token};
use crate::authn::{Identity, KeySource};
use crate::consumer::{Consumer, is_header_text};
use crate::credential::{Place, without_cookie, without_parameter};
use crate::lines::Lines;
use crate::request::{CLIENT_ADDRESS, Head};
use crate::template::{Piece, Template, Values, claim_text};

/// Headers that are for one connection alone (RFC 9110 section 7.6.1), and those that the gateway sets itself.
pub(crate) const NOT_FORWARDED: [&str; 13] = [
    "connection",
    // An interim answer would be taken for the final one by the runtime; it has asked for the body already.
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "host",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
];

/// Headers by which frameworks and servers behind a proxy let themselves be told another path, method, host, client, user or id. From a client
/// nobody is to believe them; a mapping can pass them on.
const NOT_BELIEVED: [&str; 38] = [
    "cf-access-authenticated-user-email",
    "fastly-client-ip",
    "forwarded",
    "proxy",
    "remote-user",
    "true-client-ip",
    "x-amzn-oidc-data",
    "x-amzn-oidc-identity",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-original-path",
    "x-forwarded-access-token",
    "x-forwarded-by",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-method",
    "x-forwarded-path",
    "x-forwarded-port",
    "x-forwarded-preferred-username",
    "x-forwarded-prefix",
    "x-forwarded-scheme",
    "x-forwarded-server",
    "x-forwarded-ssl",
    "x-forwarded-uri",
    "x-forwarded-user",
    "x-host",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    // CVE-2025-29927: a framework that takes this for its own passes over its middleware, which may be what checks users.
    "x-middleware-subrequest",
    "x-original-host",
    "x-original-uri",
    "x-original-url",
    "x-override-url",
    "x-real-ip",
    "x-remote-user",
    "x-request-id",
    "x-rewrite-url",
];

/// What tells an upstream whose credential it was: the consumer's id and name, and what the credential is called.
pub(crate) const CONSUMER_HEADERS: [&str; 3] = ["x-consumer-id", "x-consumer-username", "x-credential-identifier"];

/// A name with the template of its value; none: it is removed.
pub type Mapped = (String, Option<Template>);

/// The headers that no client's request keeps: those of its connection, those that nobody is to believe, and `reserved`, which only the
/// gateway may set.
pub(crate) fn never_forwarded(reserved: &[String]) -> Arc<[String]> {
    let names = NOT_FORWARDED.iter().chain(&NOT_BELIEVED).map(|&name| name.to_owned());
    names.chain(reserved.iter().cloned()).collect()
}

/// Edits to headers: first some are removed, then some are set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edits {
    /// Headers to be removed from every request, the same for all of a gateway.
    pub always: Arc<[String]>,
    /// Headers to be removed from this one too.
    pub remove: Vec<Cow<'static, str>>,
    /// Headers to be set then.
    pub set: Lines,
    /// Headers that were left out, for the log: their values hold control characters.
    pub left_out: Vec<String>,
}

impl Edits {
    /// What every request needs that is sent on: connections end here, and nobody but the gateway says who is asking. Credentials are taken
    /// off `query` too.
    pub(super) fn new(sender: &Sender<'_>, query: &mut String) -> Self {
        let &Sender { head, target, authorizers, identity, never_forwarded, .. } = sender;
        // With room for what most requests get.
        let set = Lines::with_capacity(256);
        let mut edits = Self { always: Arc::clone(never_forwarded), remove: Vec::new(), set, left_out: Vec::new() };
        let is_removed = |name: &str| never_forwarded.iter().any(|known| known.eq_ignore_ascii_case(name));
        // Nearly always it is `keep-alive` alone, which is one of those.
        if let Some(named) = head.headers.get("connection").filter(|named| !is_removed(named)) {
            let names = named.split(',').map(str::trim).filter(|name| is_token(name) && !is_removed(name));
            edits.remove.extend(names.map(|name| Cow::Owned(name.to_ascii_lowercase())));
        }
        edits.set_safely("x-forwarded-proto", target.scheme);
        edits.set_safely("x-forwarded-host", target.authority);
        if let Some(address) = head.headers.get(CLIENT_ADDRESS) {
            edits.set_safely("x-forwarded-for", &address);
        }
        edits.set.push("x-request-id", head.request_id());
        // `Upgrade` goes on for WebSockets alone (RFC 6455); everything else that a connection could become ends here.
        match head.headers.get("upgrade").as_deref() {
            Some(protocol) if protocol.eq_ignore_ascii_case("websocket") => {
                edits.remove.retain(|name| name != "upgrade");
            }
            Some(_) => edits.remove.push("upgrade".into()),
            None => {}
        }
        for authorizer in authorizers.iter().filter(|authorizer| !authorizer.forward_token) {
            for place in &authorizer.places {
                edits.take_off(place, head, query);
            }
            if matches!(authorizer.keys, KeySource::Passwords(_)) {
                edits.remove.push("authorization".into());
            }
        }
        if let Some(identity) = identity {
            let Asserted { set, left_out } = identity.asserted();
            edits.set.append(set);
            edits.left_out.extend_from_slice(left_out);
        }
        edits
    }

    /// All that is removed.
    pub fn removed(&self) -> impl Iterator<Item = &str> {
        self.always.iter().map(String::as_str).chain(self.remove.iter().map(Cow::as_ref))
    }

    /// Sets and removes what a mapping says. What has no value is removed: the client's own copy never stands in for it.
    pub(super) fn apply(&mut self, mapping: &[Mapped], values: Values<'_>) {
        for (name, template) in mapping {
            self.remove(name);
            let Some(template) = template else { continue };
            let Some(text) = template.text(values) else { continue };
            let claims = || template.pieces().iter().any(|piece| matches!(piece, Piece::Claim(_)));
            self.set_if(stays_as_it_is(&text) || (!claims() && !breaks_header(&text)), name, &text);
        }
    }

    /// Sets a value out of a request, which is left out where it could break a header line.
    fn set_safely(&mut self, name: &str, value: &str) {
        self.set_if(!breaks_header(value), name, value);
    }

    /// Sets a value, or says for the log that it was left out.
    fn set_if(&mut self, fits: bool, name: &str, value: &str) {
        set_if(fits, name, value, &mut self.set, &mut self.left_out);
    }

    fn remove(&mut self, name: &str) {
        self.set.remove(name);
        self.remove.push(name.to_owned().into());
    }

    /// Takes a credential off the request.
    fn take_off(&mut self, place: &Place, head: &Head<'_>, query: &mut String) {
        match place {
            Place::Header { name, .. } => self.remove.push(name.clone().into()),
            Place::Query(name) => *query = without_parameter(query, name),
            Place::Cookie(name) => {
                // What another place has left of it, which may be nothing: the client's own line has that credential still.
                let line = match self.set.get("cookie") {
                    Some(line) => Some(Cow::Owned(line.to_owned())),
                    None if self.remove.iter().any(|removed| removed == "cookie") => None,
                    None => head.headers.get("cookie"),
                };
                let Some(line) = line else { return };
                self.remove("cookie");
                if let Some(kept) = without_cookie(&line, name) {
                    // The upstream would have got its other control characters from the client itself.
                    self.set_if(!kept.contains(['\r', '\n']), "cookie", &kept);
                }
            }
        }
    }
}

/// What the upstream is told of who is asking.
#[derive(Debug)]
pub(crate) struct Asserted {
    /// The headers that are set.
    set: Lines,
    /// Those that are left out.
    left_out: Vec<String>,
}

impl Asserted {
    /// The same for every request of this identity, so that it can be kept with it.
    pub(crate) fn of(identity: &Identity<'_>) -> Self {
        let (mut set, mut left_out) = (Lines::default(), Vec::new());
        if let Some(Consumer { id, username, credential }) = identity.consumer() {
            for (header, value) in CONSUMER_HEADERS.into_iter().zip([id, username, credential]) {
                // Nothing else gets into a consumer, but for the name of its credential.
                set_if(is_header_text(value), header, value, &mut set, &mut left_out);
            }
        }
        for (claim, header) in &identity.authorizer.forward_claims {
            if let Some(text) = identity.claims().find(claim).map(claim_text) {
                set_if(stays_as_it_is(&text), header, &text, &mut set, &mut left_out);
            }
        }
        if let Some(header) = &identity.authorizer.forward_payload {
            let payload = Value::Object(identity.claims().members().clone()).to_string();
            set.push(header, &URL_SAFE_NO_PAD.encode(payload));
        }
        set.shrink();
        Self { set, left_out }
    }
}

/// Whether the upstream gets `text` letter for letter: white space at its ends is none of a header's value (RFC 9110 section 5.5), so ` admin`
/// would become `admin`, which is somebody else.
fn stays_as_it_is(text: &str) -> bool {
    !breaks_header(text) && !text.starts_with([' ', '\t']) && !text.ends_with([' ', '\t'])
}

/// Sets a value, or says for the log that it was left out.
fn set_if(fits: bool, name: &str, value: &str, set: &mut Lines, left_out: &mut Vec<String>) {
    if fits {
        set.push(name, value);
    } else {
        left_out.push(name.to_owned());
    }
}
