//! What goes to the upstream: the URL, and the edits to the client's headers.

use serde_json::Value;

use crate::authn::{Authorizer, Identity};
use crate::credential::{Place, without_cookie, without_parameter};
use crate::request::Head;
use crate::route::path::RequestPath;
use crate::url::{HttpUrl, Target};

/// Headers that are for one connection alone (RFC 9110 section 7.6.1), and those that the gateway sets itself.
const NOT_FORWARDED: [&str; 12] = [
    "connection",
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

/// Headers of an upstream's answer that are for its connection alone.
pub const NOT_RETURNED: [&str; 6] =
    ["connection", "keep-alive", "proxy-authenticate", "proxy-connection", "te", "trailer"];

/// Where the runtime puts the client's address.
const CLIENT_ADDRESS: &str = "cf-connecting-ip";

/// An upstream as a route uses it.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Where it is.
    pub url: HttpUrl,
    /// How many leading segments of the path are taken off.
    pub strip_segments: usize,
    /// How long it may take to its response head, in milliseconds.
    pub timeout_ms: u32,
}

/// A request for an upstream: the client's own method, body and headers, with these edits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound {
    /// The absolute URL.
    pub url: String,
    /// Headers to be removed first.
    pub remove: Vec<String>,
    /// Headers to be set then.
    pub set: Vec<(String, String)>,
    /// How long the upstream may take to its response head, in milliseconds.
    pub timeout_ms: u32,
    /// Headers of claims that were left out, for the log: their values hold control characters.
    pub left_out: Vec<String>,
}

impl Upstream {
    /// The request for this upstream. `path` is the one that was matched and authorised, and no other is sent on. `reserved` are the
    /// headers that only the gateway may set, for whichever route.
    pub fn outbound(
        &self,
        path: &RequestPath<'_>,
        head: &Head<'_>,
        authorizers: &[&Authorizer],
        identity: Option<&Identity<'_>>,
        reserved: &[String],
    ) -> Outbound {
        let target = Target::parse(head.url);
        let mut query = target.map_or("", |target| target.query).to_owned();
        let mut remove: Vec<String> = NOT_FORWARDED.iter().map(|&name| name.to_owned()).collect();
        if let Some(named) = head.headers.get("connection") {
            remove.extend(named.split(',').map(|name| name.trim().to_ascii_lowercase()).filter(|name| is_token(name)));
        }
        remove.extend_from_slice(reserved);
        let mut set = Vec::new();
        if let Some(target) = target {
            set.push(("x-forwarded-proto".to_owned(), target.scheme.to_owned()));
            set.push(("x-forwarded-host".to_owned(), target.authority.to_owned()));
        }
        if let Some(address) = head.headers.get(CLIENT_ADDRESS) {
            set.push(("x-forwarded-for".to_owned(), address));
        }
        // `Upgrade` goes on for WebSockets alone (RFC 6455); everything else that a connection could become ends here.
        match head.headers.get("upgrade") {
            Some(protocol) if protocol.eq_ignore_ascii_case("websocket") => {
                remove.retain(|name| name != "upgrade");
            }
            Some(_) => remove.push("upgrade".to_owned()),
            None => {}
        }
        for authorizer in authorizers.iter().filter(|authorizer| !authorizer.forward_token) {
            for place in &authorizer.places {
                take_off(place, head, &mut query, &mut remove, &mut set);
            }
        }
        let mut left_out = Vec::new();
        if let Some(identity) = identity {
            identity.assert(&mut set, &mut left_out);
        }
        let url = format!("{}{}{query}", self.url.origin, self.path(path));
        Outbound { url, remove, set, timeout_ms: self.timeout_ms, left_out }
    }

    fn path(&self, path: &RequestPath<'_>) -> String {
        let mut rest = path.as_str();
        for _ in 0..self.strip_segments {
            let after_slash = rest.get(1..).unwrap_or("");
            rest = after_slash.find('/').and_then(|slash| after_slash.get(slash..)).unwrap_or("");
        }
        let joined = format!("{}{rest}", self.url.base);
        if joined.is_empty() { "/".to_owned() } else { joined }
    }
}

impl Identity<'_> {
    /// Adds the headers that tell the upstream who is asking.
    fn assert(&self, set: &mut Vec<(String, String)>, left_out: &mut Vec<String>) {
        for (claim, header) in &self.authorizer.forward_claims {
            match self.claims().find(claim).map(header_text) {
                Some(Some(text)) => set.push((header.clone(), text)),
                Some(None) => left_out.push(header.clone()),
                None => {}
            }
        }
        if let Some(header) = &self.authorizer.forward_payload {
            use base64::Engine;
            let payload = Value::Object(self.claims().members().clone()).to_string();
            set.push((header.clone(), base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(payload)));
        }
    }
}

/// A claim as a header's value; `None` for what could break a header line.
fn header_text(value: &Value) -> Option<String> {
    let scalar = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    };
    let text = match value {
        Value::Array(list) => match list.iter().map(scalar).collect::<Option<Vec<_>>>() {
            Some(texts) => texts.join(","),
            None => value.to_string(),
        },
        _ => scalar(value).unwrap_or_else(|| value.to_string()),
    };
    (!text.chars().any(char::is_control)).then_some(text)
}

/// Takes a credential off the request.
fn take_off(
    place: &Place,
    head: &Head<'_>,
    query: &mut String,
    remove: &mut Vec<String>,
    set: &mut Vec<(String, String)>,
) {
    match place {
        Place::Header { name, .. } => remove.push(name.clone()),
        Place::Query(name) => *query = without_parameter(query, name),
        Place::Cookie(name) => {
            let line = set.iter().find(|(header, _)| header == "cookie").map(|(_, line)| line.clone());
            let Some(line) = line.or_else(|| head.headers.get("cookie")) else { return };
            set.retain(|(header, _)| header != "cookie");
            remove.push("cookie".to_owned());
            if let Some(kept) = without_cookie(&line, name) {
                set.push(("cookie".to_owned(), kept));
            }
        }
    }
}

/// `token` of RFC 9110 section 5.6.2: what the name of a header may be.
pub fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests;
