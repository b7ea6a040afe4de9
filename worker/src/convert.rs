//! Between JavaScript's types and the library's, without panics.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};

use js_sys::JsString;
use portcullis::reply::Reply;
use portcullis::request::{Head, Headers, RequestId};
use portcullis::time::UnixTime;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::Env;
use worker::worker_sys::Context;

// Of the request that is decided on.
#[wasm_bindgen(raw_module = "../worker/src/current.js")]
extern "C" {
    /// Decides on `request` from now on: for one that has waited.
    pub(crate) fn attend(request: &web_sys::Request, env: &Env, ctx: &Context);

    /// What was made of it, a response or the promise of one, in a box. It is decided on no longer.
    pub(crate) fn boxed() -> wasm_bindgen::JsValue;

    /// What [`with_head`] takes.
    pub(crate) fn head() -> String;

    fn sent_on() -> String;

    fn header(name: &JsString) -> Option<String>;

    pub(crate) fn environment() -> Env;

    pub(crate) fn context() -> Context;

    #[wasm_bindgen(js_name = respond)]
    fn respond_with(status: u16, text: &str);
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn fill_randomly(bytes: &mut [u8]);
}

/// The headers of a request. What most are asked for has come with its head, or comes at once when the first of it is asked for.
struct CurrentHeaders<'t> {
    authorization: Option<&'t str>,
    request_id: Option<&'t str>,
    sent_on: OnceCell<Cow<'t, str>>,
}

impl CurrentHeaders<'_> {
    /// The line `index` of what every request is asked for that is sent on.
    fn sent_on(&self, index: usize) -> Option<&str> {
        self.sent_on.get_or_init(|| Cow::Owned(sent_on())).split('\n').nth(index).and_then(present)
    }
}

impl Headers for CurrentHeaders<'_> {
    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let known = match name {
            "authorization" => self.authorization,
            "x-request-id" => self.request_id,
            "connection" => self.sent_on(0),
            "cf-connecting-ip" => self.sent_on(1),
            "upgrade" => self.sent_on(2),
            _ => return named(name, header).map(Cow::Owned),
        };
        known.map(Cow::Borrowed)
    }
}

/// A line for a header: what is not there is a NUL, which no value holds.
fn present(line: &str) -> Option<&str> {
    (line != "\0").then_some(line)
}

/// Looks at the head of a request, which is method, URL, `authorization` and `x-request-id` as lines, and perhaps those of [`sent_on`]. Its id
/// may be known already.
pub(crate) fn with_head<T>(text: &str, id: Option<String>, look: impl FnOnce(&Head<'_>) -> T) -> T {
    let mut lines = text.splitn(5, '\n');
    let (method, url) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let mut header = || lines.next().and_then(present);
    let (authorization, request_id) = (header(), header());
    let sent_on = lines.next().map_or_else(OnceCell::new, |lines| OnceCell::from(Cow::Borrowed(lines)));
    let headers = CurrentHeaders { authorization, request_id, sent_on };
    let id = id.map_or_else(|| RequestId::new(random_uuid), RequestId::known);
    look(&Head { method, url, headers: &headers, id: &id })
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

/// A version 4 UUID (RFC 9562 section 5.4).
fn random_uuid() -> String {
    portcullis::request::uuid(random())
}

/// Random bytes, which are fetched for many at a time.
pub(crate) fn random() -> [u8; 16] {
    const MANY: usize = 64;
    thread_local! {
        static POOL: RefCell<([[u8; 16]; MANY], usize)> = const { RefCell::new(([[0; 16]; MANY], MANY)) };
    }
    POOL.with_borrow_mut(|(pool, used)| {
        if *used >= MANY {
            fill_randomly(pool.as_flattened_mut());
            *used = 0;
        }
        *used += 1;
        pool.get(*used - 1).copied().unwrap_or_default()
    })
}

/// The time, which on Workers stands still between two I/O operations.
pub(crate) fn now() -> UnixTime {
    instant(js_sys::Date::now())
}

/// A time in JavaScript's milliseconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::as_conversions, reason = "saturates")]
pub(crate) const fn instant(milliseconds: f64) -> UnixTime {
    UnixTime::from_millis(milliseconds as u64)
}

/// Answers with a reply of the gateway's own. A status with a body that it cannot have would throw, so such bodies are left out.
pub(crate) fn respond(reply: &Reply, head: &Head<'_>) {
    let bodiless = head.method == "HEAD" || matches!(reply.status, 204 | 205 | 304);
    let headers = reply.headers.as_str();
    if bodiless {
        respond_with(reply.status, headers);
    } else {
        respond_with(reply.status, &[headers, "\n", &reply.body].concat());
    }
}
