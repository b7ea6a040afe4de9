//! What a browser makes of answers to pages of other origins (the Fetch standard's CORS protocol).

use super::{Explanation, Question, Step};
use crate::reply::Reply;
use crate::request::Head;

/// What to do about an origin that may not.
const ALLOW: &str =
    "add the origin to `cors.allow_origins`: scheme, host and port, letter for letter, without a slash at the end";

/// The answer to a preflight, as the browser reads it.
pub(super) fn preflight(reply: &Reply, head: &Head<'_>) -> Explanation {
    let refused = refusal(reply, head);
    let origin = head.headers.get("origin").unwrap_or_default();
    let methods = reply.get("access-control-allow-methods").unwrap_or("no method");
    let text = match &refused {
        Some((why, _)) => format!("a preflight, answered before authentication: {why}"),
        None => format!(
            "a preflight, answered before authentication: {origin} may, with {methods}; the request itself comes after it"
        ),
    };
    Explanation {
        steps: vec![Step { step: "cors", ok: refused.is_none(), text: text.clone() }],
        status: Some(reply.status),
        code: None,
        unread: false,
        cause: refused.is_some().then_some(text),
        fix: refused.map(|(_, fix)| fix),
    }
}

/// Why a browser does not send the request after this answer, and what to do about it.
fn refusal(reply: &Reply, head: &Head<'_>) -> Option<(String, String)> {
    let header = |name: &str| head.headers.get(name).unwrap_or_default();
    let origin = header("origin");
    if reply.get("access-control-allow-origin").is_none() {
        let fix = match &*origin {
            "null" => {
                "open the page from a server: a file and a sandboxed frame have the origin `null`, which cannot be named"
            }
            _ => ALLOW,
        };
        return Some((format!("{origin} is not among `allow_origins`"), fix.to_owned()));
    }
    let methods: Vec<&str> = reply.get("access-control-allow-methods").unwrap_or_default().split(',').collect();
    let method = header("access-control-request-method");
    // These three go out whatever the answer's list says.
    if !["GET", "HEAD", "POST"].contains(&&*method) && !methods.contains(&&*method) {
        return Some((
            format!("{origin} may, but not with {method}: the path has {} for it", methods.join(", ")),
            "add the method to the path and, where it is narrowed there, to `cors.allow_methods`".to_owned(),
        ));
    }
    let list = reply.get("access-control-allow-headers").unwrap_or_default().to_ascii_lowercase();
    let allowed_headers: Vec<&str> = list.split(',').map(str::trim).collect();
    // A star stands for itself where cookies are sent, and never for Authorization.
    let star = allowed_headers.contains(&"*") && reply.get("access-control-allow-credentials").is_none();
    let wanted = header("access-control-request-headers").to_ascii_lowercase();
    let wanted = wanted.split(',').map(str::trim).filter(|name| !name.is_empty());
    let may = |name: &&str| allowed_headers.contains(name) || (star && *name != "authorization");
    let lacking: Vec<&str> = wanted.filter(|name| !may(name)).collect();
    (!lacking.is_empty()).then(|| {
        (
            format!("{origin} may, but not with the header {}", lacking.join(", ")),
            format!("add to `cors.allow_headers`: \"{}\"", lacking.join("\", \"")),
        )
    })
}

/// A word on an answer that a browser keeps from the page that asked: the request is good, and the page sees a network error.
pub(super) fn withheld(question: Question<'_>, allowed: Option<&str>) -> Option<(Step, String)> {
    let headers = question.head.headers;
    let origin = headers.get("origin").filter(|_| allowed.is_none())?;
    // A page of the gateway's own host may read everything.
    let is_own = origin.split_once("://").is_some_and(|(_, host)| headers.get("host").is_some_and(|own| own == host));
    let text = format!("the answer is kept from pages of {origin} by the browser: it is not among `allow_origins`");
    (!is_own).then(|| (Step { step: "cors", ok: false, text }, ALLOW.to_owned()))
}
