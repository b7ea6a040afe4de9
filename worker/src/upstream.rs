//! The upstream: the client's own request with the library's edits, and the answer with its.

use js_sys::{JsString, Promise, Reflect};
use portcullis::forward::{NOT_RETURNED, Outbound};
use portcullis::reject::{Code, Reject};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen(module = "/src/upstream.js")]
extern "C" {
    /// Rejects with an `AbortError` where no response head came within `ms` milliseconds.
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
pub(crate) async fn send(
    request: &web_sys::Request,
    outbound: &Outbound,
    cors: Option<&[(&'static str, String)]>,
) -> Result<web_sys::Response, Reject> {
    let cors = cors.map(lines);
    let remove = outbound.remove.join("\n");
    let connection = NOT_RETURNED.join("\n");
    let Outbound { url, timeout_ms, set, .. } = outbound;
    let answer = forward(request, url, *timeout_ms, &remove, &lines(set), &connection, cors.as_deref());
    match JsFuture::from(answer).await {
        Ok(answer) => Ok(answer.unchecked_into()),
        Err(error) if name(&error).as_deref() == Some("AbortError") => {
            let internal = format!("{}: no response head in {timeout_ms} ms", origin(outbound));
            Err(Reject::new(Code::UpstreamTimeout).because(internal))
        }
        Err(error) => {
            Err(Reject::new(Code::UpstreamUnreachable).because(format!("{}: {}", origin(outbound), words(&error))))
        }
    }
}

/// `name:value` lines. Neither holds a line end: names are tokens, and values with control characters never get this far.
fn lines<N: AsRef<str>>(headers: &[(N, String)]) -> String {
    let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{}:{value}", name.as_ref())).collect();
    lines.join("\n")
}

/// Scheme, host and port: a path may hold what does not belong in a log.
fn origin(outbound: &Outbound) -> &str {
    let after_scheme = outbound.url.find("://").map_or(0, |at| at + 3);
    let rest = outbound.url.get(after_scheme..).unwrap_or_default();
    let end = rest.find('/').map_or(outbound.url.len(), |at| after_scheme + at);
    outbound.url.get(..end).unwrap_or_default()
}

fn name(error: &JsValue) -> Option<String> {
    Reflect::get(error, &JsString::from("name")).ok()?.as_string()
}

/// What JavaScript says of an error, for the log.
fn words(error: &JsValue) -> String {
    let message = Reflect::get(error, &JsString::from("message")).ok().and_then(|message| message.as_string());
    message.unwrap_or_else(|| format!("{error:?}"))
}
