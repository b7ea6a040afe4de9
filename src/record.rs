//! What the log tells of a request: one JSON line. Never a token, a secret or a query string.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::authn::Identity;
use crate::config::wire::{Level, Subject};
use crate::digest;
use crate::reject::Reject;

/// How the log is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogRules {
    /// Which requests get a line.
    pub level: Level,
    /// How a line names who asked.
    pub subject: Subject,
    /// Whether answers carry `Server-Timing`.
    pub server_timing: bool,
    /// The Analytics Engine binding that counts answers, where one is bound.
    pub analytics: String,
}

/// What is known of a request when it is decided.
#[derive(Clone, Debug, Default)]
pub struct Record<'r> {
    /// When it came, as RFC 3339 says.
    pub time: String,
    /// Its id.
    pub id: &'r str,
    /// Its method.
    pub method: &'r str,
    /// Its path, without the query.
    pub path: &'r str,
    /// The pattern of its route.
    pub route: Option<&'r str>,
    /// The status of the gateway's own answer; the upstream's comes later.
    pub status: Option<u16>,
    /// Why it was refused.
    pub reject: Option<&'r Reject>,
    /// Who is asking.
    pub identity: Option<&'r Identity<'r>>,
    /// Why a token was passed over.
    pub ignored: Option<&'r Reject>,
    /// How the keys came that its token was checked with.
    pub keys: Option<&'static str>,
    /// Headers that were left out since their values would break a header line.
    pub left_out: &'r [String],
}

impl Record<'_> {
    /// The level at which this is told.
    pub fn level(&self) -> Level {
        match self.status {
            Some(500..) => Level::Error,
            _ if self.reject.is_some() || self.ignored.is_some() || !self.left_out.is_empty() => Level::Warn,
            _ => Level::Info,
        }
    }

    /// The line: a JSON object.
    pub fn line(&self, rules: &LogRules) -> String {
        let reject = self.reject;
        let identity = self.identity;
        let line = Line {
            time: &self.time,
            id: self.id,
            method: self.method,
            path: self.path,
            route: self.route,
            status: self.status,
            code: reject.map(|reject| reject.code().code()),
            claim: reject.and_then(Reject::claim),
            reason: reject.or(self.ignored).and_then(Reject::internal),
            authorizer: identity.map(|identity| identity.authorizer.label()),
            token: identity.map(|identity| if identity.remembered { "remembered" } else { "verified" }),
            keys: identity.and(self.keys),
            subject: identity.and_then(|identity| subject(identity, rules.subject)),
            consumer: identity.and_then(Identity::consumer).map(|consumer| consumer.username.as_str()),
            ignored: self.ignored.map(|reject| reject.code().code()),
            left_out: self.left_out,
        };
        // It has no map with keys that are no text, so it can be written.
        serde_json::to_string(&line).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Line<'r> {
    time: &'r str,
    id: &'r str,
    method: &'r str,
    path: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorizer: Option<&'r str>,
    /// Whether the token's signature was checked for this request or for one before.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumer: Option<&'r str>,
    /// The code of a token that was passed over.
    #[serde(skip_serializing_if = "Option::is_none")]
    ignored: Option<&'static str>,
    #[serde(rename = "leftOut", skip_serializing_if = "<[String]>::is_empty")]
    left_out: &'r [String],
}

fn subject(identity: &Identity<'_>, rule: Subject) -> Option<String> {
    let claim = |name: &str| identity.claims().get(name).and_then(Value::as_str);
    match rule {
        Subject::None => None,
        Subject::Plain => claim("sub").map(str::to_owned),
        Subject::Hash => claim("sub").map(|subject| {
            let hash = Sha256::new().chain_update(claim("iss").unwrap_or("")).chain_update([0]).chain_update(subject);
            digest::hex(hash.finalize().iter().as_slice().get(..16).unwrap_or_default())
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reject::Code;

    #[test]
    fn a_line_tells_what_is_known_and_nothing_else() {
        let reject = Reject::new(Code::UpstreamTimeout).because("https://up: nothing in 5 ms".into());
        let left_out = ["x-user".to_owned()];
        let bare = Record { time: "T".into(), id: "i", method: "GET", path: "/a", ..Record::default() };
        let refused = Record { status: Some(504), reject: Some(&reject), route: Some("/{a}"), ..bare.clone() };
        for (record, level, line) in [
            (bare.clone(), Level::Info, r#"{"time":"T","id":"i","method":"GET","path":"/a"}"#),
            (
                refused,
                Level::Error,
                r#"{"time":"T","id":"i","method":"GET","path":"/a","route":"/{a}","status":504,"code":"upstream_timeout","reason":"https://up: nothing in 5 ms"}"#,
            ),
            (
                Record { left_out: &left_out, ..bare },
                Level::Warn,
                r#"{"time":"T","id":"i","method":"GET","path":"/a","leftOut":["x-user"]}"#,
            ),
        ] {
            assert_eq!(record.level(), level);
            assert_eq!(record.line(&LogRules::default()), line);
        }
    }
}
