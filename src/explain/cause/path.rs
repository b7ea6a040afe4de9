//! Requests without a route, and what they are near to.

use super::{Cause, cause};
use crate::config::nearest::nearest;
use crate::explain::{Question, path_of};
use crate::reject::Reject;

pub(super) fn invalid(question: Question<'_>) -> Cause {
    let path = path_of(question.head);
    let lower = path.to_ascii_lowercase();
    let odd = ["%2f", "%5c", "%00", "%23", "\\", "#"].into_iter().find(|odd| lower.contains(odd));
    let stray = path
        .split('%')
        .skip(1)
        .any(|rest| !rest.as_bytes().iter().take(2).all(u8::is_ascii_hexdigit) || rest.len() < 2);
    let what = match odd {
        Some(odd) => format!("`{odd}` in it"),
        None if stray => "a `%` in it that begins no `%HH`".to_owned(),
        None if lower.contains("..") || lower.contains("%2e") => "`..` in it".to_owned(),
        None => "bytes in it that are no UTF-8, or dots that climb".to_owned(),
    };
    cause(
        format!("the path {path} could be read as different paths: there is {what}"),
        "send it without `..`, `%2F`, `%5C`, `\\`, `#`, NUL, stray `%` and bytes that are not UTF-8; such values belong into the query",
    )
}

pub(super) fn method(question: Question<'_>, reject: &Reject) -> Cause {
    let (method, allow) = (question.head.method, reject.allow().unwrap_or("no method"));
    if allow.split(", ").any(|known| known == method.to_ascii_uppercase()) {
        return cause(
            format!("the method is `{method}` in small letters, and methods are told apart by case"),
            format!("send {}", method.to_ascii_uppercase()),
        );
    }
    if method == "OPTIONS" && question.head.headers.get("access-control-request-method").is_some() {
        return cause(
            "it is a browser's preflight, and neither the path nor the gateway has `cors`",
            "write \"cors\": { \"allow_origins\": [\"https://…\"], \"allow_headers\": [\"authorization\"] } with the page's origin",
        );
    }
    cause(
        format!("the path is there, but not with {method}: it takes {allow}"),
        "add the method to the path, or send one of those; a wider pattern is not tried",
    )
}

pub(super) fn not_found(question: Question<'_>) -> Cause {
    let path = path_of(question.head);
    let labels: Vec<&str> = question.gateway.routes.iter().map(|route| route.label.as_str()).collect();
    let sent = segments(path);
    let find = |fits: &dyn Fn(&[&str]) -> bool| labels.iter().copied().find(|label| fits(&segments(label)));
    let (told, fix) = if let Some(label) = find(&|known| fit(known, &sent, false)) {
        (
            format!("{label} does but for its case"),
            "paths are compared letter for letter: use the case of the configuration",
        )
    } else if let Some(label) = find(&|known| known.iter().any(|part| !is_open(part)) && ends_with(known, &sent)) {
        (format!("{label} ends so"), "send the whole path, with what comes before")
    } else if let Some(label) = find(&|known| {
        known.iter().any(|part| !is_open(part))
            && (1..sent.len()).any(|from| fit(known, sent.get(from..).unwrap_or_default(), true))
    }) {
        (
            format!("{label} does without what comes before it"),
            "leave out what the client's base URL adds, or write the route with it",
        )
    } else if let Some(label) =
        find(&|known| known.len() < sent.len() && fit(known, sent.get(..known.len()).unwrap_or_default(), true))
    {
        (format!("{label} takes itself alone"), "write the route with `{.+}` at the end to take what is below it too")
    } else if let Some(label) =
        find(&|known| known.len() > sent.len() && fit(known.get(..sent.len()).unwrap_or_default(), &sent, true))
    {
        (format!("{label} has more segments"), "send them all; `{name}` takes one segment that is not empty")
    } else if let Some(label) = nearest(path, labels.iter().copied()) {
        (format!("{label} is near"), "see whether one of the two is misspelt")
    } else {
        return cause(
            format!("no pattern fits {path}"),
            "see `portcullis routes`; `{name}` takes one segment, `{.+}` at the end takes the rest",
        );
    };
    cause(format!("no pattern fits {path}; {told}"), fix)
}

fn segments(path: &str) -> Vec<&str> {
    path.split('/').filter(|segment| !segment.is_empty()).collect()
}

/// Whether a segment of a pattern takes any.
fn is_open(segment: &str) -> bool {
    segment.starts_with('{')
}

/// Whether a pattern takes a path, with or without case.
fn fit(known: &[&str], sent: &[&str], case: bool) -> bool {
    match (known, sent) {
        (["{.+}"], _) | ([], []) => true,
        ([first, known @ ..], [segment, sent @ ..]) => {
            let same = if case { first == segment } else { first.eq_ignore_ascii_case(segment) };
            (same || is_open(first)) && fit(known, sent, case)
        }
        _ => false,
    }
}

/// Whether a pattern ends as a path does.
fn ends_with(known: &[&str], sent: &[&str]) -> bool {
    let behind = |from: usize| known.get(from..).unwrap_or_default();
    !sent.is_empty()
        && (1..known.len()).any(|from| behind(from).iter().any(|part| !is_open(part)) && fit(behind(from), sent, true))
}
