//! Lines for the operator, in JSON, and counts of answers. Never a token, a secret or a query string.

use portcullis::config::wire::Level;
use portcullis::record::{LogRules, Record};
use portcullis::reject::Reject;
use portcullis::request::Head;
use serde_json::json;

use crate::convert::now;
use crate::upstream::count_own;

/// Something of the gateway's own is wrong.
pub(crate) fn error(message: &str) {
    worker::console_error!("{}", json!({ "level": "error", "message": message }));
}

/// Something should be looked at.
pub(crate) fn warn(message: &str) {
    worker::console_warn!("{}", json!({ "level": "warn", "message": message }));
}

/// Writes the line of a request that is over, if its level is wanted. Time and id are found out only then.
pub(crate) fn write(record: &Record<'_>, head: &Head<'_>, rules: &LogRules) {
    let level = record.level();
    if level <= rules.level {
        say(level, &Record { time: now().rfc3339(), id: head.request_id(), ..record.clone() }.line(rules));
    }
}

/// Writes the line of a request that was sent on and came back without an answer; `line` is what it was when it was sent.
pub(crate) fn write_failure(line: &str, reject: &Reject, rules: &LogRules) {
    let level = if reject.code().status() >= 500 { Level::Error } else { Level::Warn };
    let Some(open) = line.strip_suffix('}') else { return };
    if level <= rules.level {
        let (code, reason) = (reject.code(), json!(reject.internal()));
        say(level, &format!("{open},\"status\":{},\"code\":\"{}\",\"reason\":{reason}}}", code.status(), code.code()));
    }
}

/// Counts an answer of the gateway's own.
pub(crate) fn count_answer(analytics: Option<&str>, record: &Record<'_>) {
    if let (Some(binding), Some(status)) = (analytics, record.status) {
        let code = record.reject.map_or("", |reject| reject.code().code());
        count_own(binding, record.route.unwrap_or(""), code, record.method, status);
    }
}

fn say(level: Level, line: &str) {
    match level {
        Level::Off => {}
        Level::Error => worker::console_error!("{line}"),
        Level::Warn => worker::console_warn!("{line}"),
        Level::Info => worker::console_log!("{line}"),
    }
}
