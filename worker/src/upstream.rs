//! The upstream: the client's own request with the library's edits, and the answer with its.

use js_sys::{JsString, Promise, Reflect};
use portcullis::cors;
use portcullis::forward::{NOT_RETURNED, Outbound};
use portcullis::reject::{Code, Reject};
use portcullis::request::Head;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen(module = "/src/upstream.js")]
extern "C" {
    /// Rejects with an `AbortError` where no response head came within `ms` milliseconds.
    #[wasm_bindgen(js_name = fetchWithin)]
    fn fetch_within(url: &str, init: &web_sys::RequestInit, ms: u32) -> Promise;
}

/// The headers that take the place of an upstream's own.
type CorsHeaders = Vec<(&'static str, String)>;

/// Sends `request` on as `outbound` says. Bodies stream through the runtime in both directions and are never read here.
pub(crate) async fn send(
    request: &web_sys::Request,
    head: &Head<'_>,
    outbound: &Outbound,
    cors: Option<CorsHeaders>,
) -> Result<web_sys::Response, Reject> {
    let init = init(request, head, outbound).map_err(|error| internal("the request could not be built", &error))?;
    match JsFuture::from(fetch_within(&outbound.url, &init, outbound.timeout_ms)).await {
        Ok(answer) => {
            let answer: web_sys::Response = answer.unchecked_into();
            edit(answer, cors).map_err(|error| internal("the answer could not be edited", &error))
        }
        Err(error) if name(&error).as_deref() == Some("AbortError") => Err(Reject::new(Code::UpstreamTimeout)
            .because(format!("{}: no response head in {} ms", origin(outbound), outbound.timeout_ms))),
        Err(error) => {
            Err(Reject::new(Code::UpstreamUnreachable).because(format!("{}: {}", origin(outbound), words(&error))))
        }
    }
}

fn init(request: &web_sys::Request, head: &Head<'_>, outbound: &Outbound) -> Result<web_sys::RequestInit, JsValue> {
    let headers = web_sys::Headers::new_with_headers(&request.headers())?;
    for name in &outbound.remove {
        headers.delete(name)?;
    }
    for (name, value) in &outbound.set {
        headers.set(name, value)?;
    }
    let init = web_sys::RequestInit::new();
    // The text, not the `Method` of `worker`: that one takes PROPFIND and PURGE for GET.
    init.set_method(head.method);
    init.set_redirect(web_sys::RequestRedirect::Manual);
    match request.body().filter(|_| !matches!(head.method, "GET" | "HEAD")) {
        Some(body) => init.set_body(&body),
        None => headers.delete("content-length")?,
    }
    init.set_headers(&headers);
    Ok(init)
}

/// The upstream's answer for the client. Untouched where there is nothing to edit, and always for a WebSocket, which a copy would lose.
fn edit(answer: web_sys::Response, cors: Option<CorsHeaders>) -> Result<web_sys::Response, JsValue> {
    let status = answer.status();
    let own = answer.headers();
    let connection = NOT_RETURNED.iter().any(|name| own.has(name).unwrap_or(false));
    if status == 101 || (cors.is_none() && !connection) {
        return Ok(answer);
    }
    // Copied as a whole: two `Set-Cookie` stay two.
    let headers = web_sys::Headers::new_with_headers(&own)?;
    if let Some(named) = own.get("connection")? {
        for name in named.split(',').map(str::trim).filter(|name| portcullis::forward::is_token(name)) {
            headers.delete(name)?;
        }
    }
    for name in NOT_RETURNED {
        headers.delete(name)?;
    }
    if let Some(cors) = cors {
        for name in cors::RESPONSE_HEADERS {
            headers.delete(name)?;
        }
        for (name, value) in cors {
            headers.append(name, &value)?;
        }
    }
    let init = web_sys::ResponseInit::new();
    init.set_status(status);
    init.set_status_text(&answer.status_text());
    init.set_headers(&headers);
    web_sys::Response::new_with_opt_readable_stream_and_init(answer.body().as_ref(), &init)
}

fn internal(what: &str, error: &JsValue) -> Reject {
    Reject::new(Code::InternalError).because(format!("{what}: {}", words(error)))
}

/// Scheme, host and port: a path may hold what does not belong in a log.
fn origin(outbound: &Outbound) -> &str {
    let after_scheme = outbound.url.find("://").map_or(0, |at| at + 3);
    let end = outbound
        .url
        .get(after_scheme..)
        .and_then(|rest| rest.find('/'))
        .map_or(outbound.url.len(), |at| after_scheme + at);
    outbound.url.get(..end).unwrap_or_default()
}

fn name(error: &JsValue) -> Option<String> {
    Reflect::get(error, &JsString::from("name")).ok()?.as_string()
}

/// What JavaScript says of an error, for the log.
pub(crate) fn words(error: &JsValue) -> String {
    let message = Reflect::get(error, &JsString::from("message")).ok().and_then(|message| message.as_string());
    message.unwrap_or_else(|| format!("{error:?}"))
}
