//! The upstream: the client's own request with the library's edits, and the answer with its.

use js_sys::Promise;
use portcullis::forward::{NOT_RETURNED, Outbound};
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(module = "/src/upstream.js")]
extern "C" {
    /// Rejects with an `UpstreamFailure` where no response head came, or not within `ms` milliseconds.
    fn forward(
        request: &web_sys::Request,
        url: &str,
        ms: u32,
        remove: &str,
        set: &str,
        connection: &str,
        cors: Option<&str>,
    ) -> Promise;
}

/// Sends `request` on as `outbound` says; `cors` are the headers that take the place of an upstream's own. Bodies stream through the
/// runtime in both directions and are never read here.
pub(crate) fn send(
    request: &web_sys::Request,
    outbound: &Outbound,
    cors: Option<&[(&'static str, String)]>,
) -> Promise {
    let cors = cors.map(lines);
    let remove = outbound.remove.join("\n");
    let connection = NOT_RETURNED.join("\n");
    let Outbound { url, timeout_ms, set, .. } = outbound;
    forward(request, url, *timeout_ms, &remove, &lines(set), &connection, cors.as_deref())
}

/// `name:value` lines. Neither holds a line end: names are tokens, and values with control characters never get this far.
fn lines<N: AsRef<str>>(headers: &[(N, String)]) -> String {
    let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{}:{value}", name.as_ref())).collect();
    lines.join("\n")
}
