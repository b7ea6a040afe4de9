//! Between JavaScript's types and the library's, without panics.

use portcullis::reply::Reply;
use portcullis::request::{Head, Headers};
use portcullis::time::UnixTime;
use wasm_bindgen::prelude::wasm_bindgen;

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
        self.0.get(name).ok().flatten()
    }
}

/// The time, which on Workers stands still between two I/O operations.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::as_conversions, reason = "saturates")]
pub(crate) fn now() -> UnixTime {
    UnixTime::from_millis(js_sys::Date::now() as u64)
}

/// An answer of the gateway's own. A status with a body that it cannot have would throw, so such bodies are left out.
pub(crate) fn response(reply: &Reply, head: &Head<'_>) -> web_sys::Response {
    let init = web_sys::ResponseInit::new();
    init.set_status(reply.status);
    if let Ok(headers) = web_sys::Headers::new() {
        for (name, value) in &reply.headers {
            // Appended: `vary` may come twice.
            let _ = headers.append(name, value);
        }
        init.set_headers(&headers);
    }
    let bodiless = head.method == "HEAD" || matches!(reply.status, 204 | 205 | 304);
    let body = (!bodiless).then_some(reply.body.as_str());
    web_sys::Response::new_with_opt_str_and_init(body, &init).unwrap_or_else(|_| web_sys::Response::error())
}
