//! The upstream: the client's own request with the library's edits, and the answer with its.

use std::borrow::Cow;
use std::cell::RefCell;

use js_sys::{JsString, Promise};
use portcullis::forward::{Edits, Outbound};
use serde_json::{Map, Value, json};
use wasm_bindgen::prelude::wasm_bindgen;
use worker::Env;

use crate::convert::lines;

#[wasm_bindgen(module = "/src/upstream.js")]
extern "C" {
    /// Rejects with an `UpstreamFailure` where no response head came, or not within `ms` milliseconds.
    fn forward(
        request: &web_sys::Request,
        env: &Env,
        url: &str,
        ms: u32,
        remove: &JsString,
        set: &str,
        cors: Option<&str>,
        line: Option<&str>,
        extras: Option<&str>,
    ) -> Promise;

    fn answer_after(
        request: &web_sys::Request,
        env: &Env,
        answer: &web_sys::Response,
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
    let (remove, set, extras) = (shared(remove), lines(set), extras.text());
    forward(request, env, url, *timeout_ms, &remove, &set, cors.as_deref(), line, extras.as_deref())
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
    answer_after(request, env, answer, cors.as_deref(), line, &extras.text().unwrap_or_default())
}

/// The lines of `names` as JavaScript has them. Most requests of an isolate have the same ones, and JavaScript knows them again.
fn shared(names: &[Cow<'static, str>]) -> JsString {
    thread_local! {
        static LAST: RefCell<(Vec<Cow<'static, str>>, JsString)> = RefCell::new((Vec::new(), JsString::from("")));
    }
    LAST.with_borrow_mut(|(known, text)| {
        if known != names {
            *known = names.to_vec();
            *text = names.join("\n").into();
        }
        text.clone()
    })
}
