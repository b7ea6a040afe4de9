//! The upstream: the client's own request with the library's edits, and the answer with its.

use js_sys::Promise;
use portcullis::forward::{Edits, NOT_RETURNED, Outbound};
use serde_json::{Map, Value, json};
use wasm_bindgen::prelude::wasm_bindgen;
use worker::Env;

#[wasm_bindgen(module = "/src/upstream.js")]
extern "C" {
    /// Rejects with an `UpstreamFailure` where no response head came, or not within `ms` milliseconds.
    fn forward(
        request: &web_sys::Request,
        env: &Env,
        url: &str,
        ms: u32,
        remove: &str,
        set: &str,
        connection: &str,
        cors: Option<&str>,
        line: Option<&str>,
        extras: Option<&str>,
    ) -> Promise;

    fn answer_after(
        request: &web_sys::Request,
        env: &Env,
        answer: &web_sys::Response,
        connection: &str,
        cors: Option<&str>,
        line: Option<&str>,
        extras: &str,
    ) -> Promise;

    /// Counts an answer through Analytics Engine.
    pub(crate) fn count(env: &Env, binding: &str, route: &str, code: &str, method: &str, status: u16, ms: u32);
}

/// What few requests need beside the request itself; JSON on the other side.
#[derive(Default)]
pub(crate) struct Extras(Map<String, Value>);

impl Extras {
    pub(crate) fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// A Worker that is asked first.
    pub(crate) fn hook(&mut self, hook: &Outbound) {
        let Outbound { url, service, edits, timeout_ms, .. } = hook;
        let hook = json!({ "service": service, "url": url, "ms": timeout_ms, "remove": edits.remove.join("\n"), "set": lines(&edits.set) });
        self.put("hook", hook);
    }

    /// Headers of the answer that are set or, with no value, removed.
    pub(crate) fn response_headers(&mut self, headers: &[(String, Option<String>)]) {
        if !headers.is_empty() {
            self.put("response", json!(headers));
        }
    }

    fn text(self) -> Option<String> {
        (!self.0.is_empty()).then(|| Value::Object(self.0).to_string())
    }
}

/// Sends `request` on as `outbound` says; `cors` are the headers that take the place of an upstream's own, `line` is the log's line so far.
/// Bodies stream through the runtime in both directions and are never read here.
pub(crate) fn send(
    request: &web_sys::Request,
    env: &Env,
    outbound: &Outbound,
    cors: Option<&[(&'static str, String)]>,
    line: Option<&str>,
    mut extras: Extras,
) -> Promise {
    let cors = cors.map(lines);
    let Outbound { url, service, edits: Edits { remove, set, .. }, timeout_ms, retries } = outbound;
    if let Some(service) = service {
        extras.put("service", service.as_str());
    }
    if let Some(retries) = retries {
        let portcullis::forward::Retries { attempts, statuses, unreachable } = retries;
        extras.put("retries", json!({ "attempts": attempts, "statuses": statuses, "unreachable": unreachable }));
    }
    let (remove, set, connection) = (remove.join("\n"), lines(set), NOT_RETURNED.join("\n"));
    let extras = extras.text();
    forward(request, env, url, *timeout_ms, &remove, &set, &connection, cors.as_deref(), line, extras.as_deref())
}

/// Gives `answer` if the hook in `extras` agrees.
pub(crate) fn send_after(
    request: &web_sys::Request,
    env: &Env,
    answer: &web_sys::Response,
    cors: Option<&[(&'static str, String)]>,
    line: Option<&str>,
    extras: Extras,
) -> Promise {
    let cors = cors.map(lines);
    let connection = NOT_RETURNED.join("\n");
    answer_after(request, env, answer, &connection, cors.as_deref(), line, &extras.text().unwrap_or_default())
}

/// `name:value` lines. Neither holds a line end: names are tokens, and values with control characters never get this far.
fn lines<N: AsRef<str>>(headers: &[(N, String)]) -> String {
    let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{}:{value}", name.as_ref())).collect();
    lines.join("\n")
}
