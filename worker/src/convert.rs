//! Between JavaScript's types and the library's, without panics.

use std::cell::RefCell;

use js_sys::JsString;
use portcullis::reply::Reply;
use portcullis::request::{Head, Headers};
use portcullis::time::UnixTime;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(module = "/src/convert.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = header)]
    fn get(headers: &web_sys::Headers, name: &JsString) -> Result<Option<String>, JsValue>;

    fn respond(status: u16, headers: &str, body: Option<&str>) -> web_sys::Response;
}

#[wasm_bindgen]
extern "C" {
    /// A version 4 UUID (RFC 9562 section 5.4).
    #[wasm_bindgen(js_namespace = crypto, js_name = randomUUID)]
    pub(crate) fn random_uuid() -> String;
}

/// The headers of a JavaScript request.
pub(crate) struct JsHeaders(pub(crate) web_sys::Headers);

impl Headers for JsHeaders {
    fn get(&self, name: &str) -> Option<String> {
        // It throws for what is no header name, and names come from the configuration, where that is checked.
        named(name, |name| get(&self.0, name)).ok().flatten()
    }
}

/// Calls with `name` as JavaScript has it. Names come from the configuration and from the library, so they are few.
fn named<T>(name: &str, call: impl FnOnce(&JsString) -> T) -> T {
    thread_local! {
        static NAMES: RefCell<Vec<(String, JsString)>> = const { RefCell::new(Vec::new()) };
    }
    NAMES.with_borrow_mut(|names| {
        if let Some((_, known)) = names.iter().find(|(known, _)| known == name) {
            return call(known);
        }
        let made = JsString::from(name);
        let result = call(&made);
        if names.len() < MAX_NAMES {
            names.push((name.to_owned(), made));
        }
        result
    })
}

/// Names that are kept; a configuration that asks for more headers pays for the making of the others.
const MAX_NAMES: usize = 64;

/// The time, which on Workers stands still between two I/O operations.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::as_conversions, reason = "saturates")]
pub(crate) fn now() -> UnixTime {
    UnixTime::from_millis(js_sys::Date::now() as u64)
}

/// An answer of the gateway's own. A status with a body that it cannot have would throw, so such bodies are left out.
pub(crate) fn response(reply: &Reply, head: &Head<'_>) -> web_sys::Response {
    let bodiless = head.method == "HEAD" || matches!(reply.status, 204 | 205 | 304);
    respond(reply.status, &lines(&reply.headers), (!bodiless).then_some(reply.body.as_str()))
}

/// `name:value` lines. Neither holds a line end: names are tokens, and values with control characters never get this far.
pub(crate) fn lines<N: AsRef<str>>(headers: &[(N, String)]) -> String {
    let mut lines = String::new();
    for (name, value) in headers {
        if !lines.is_empty() {
            lines.push('\n');
        }
        lines.push_str(name.as_ref());
        lines.push(':');
        lines.push_str(value);
    }
    lines
}
