//! The upstream: the client's own request with the library's edits, and the answer with its.

use std::borrow::Cow;
use std::cell::RefCell;

use portcullis::forward::{Edits, Outbound};
use portcullis::lines::Lines;
use serde_json::{Map, Value, json};
use wasm_bindgen::prelude::wasm_bindgen;

// Of the request that is decided on.
#[wasm_bindgen(raw_module = "../worker/src/upstream.js")]
extern "C" {
    fn remember(index: u32, names: &str);

    fn forward(
        ms: u32,
        removed: u32,
        private: bool,
        target: &str,
        cors: Option<&str>,
        line: Option<&str>,
        extras: Option<&str>,
    );

    fn answer_after(cors: Option<&str>, line: Option<&str>, extras: &str);

    /// Counts an answer of the gateway's own through Analytics Engine.
    pub(crate) fn count_own(binding: &str, route: &str, code: &str, method: &str, status: u16);
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
        let hook = json!({ "service": service, "url": url, "ms": timeout_ms, "remove": joined(edits), "set": edits.set.as_str() });
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

/// Sends the request on as `outbound` says; `cors` are the headers that take the place of an upstream's own, `line` is the log's line so far.
/// Bodies stream through the runtime in both directions and are never read here.
pub(crate) fn send(outbound: &Outbound, cors: Option<&Lines>, line: Option<&str>, mut extras: Extras) {
    let Outbound { url, service, edits, private, timeout_ms, retries } = outbound;
    if let Some(service) = service {
        extras.put("service", service.as_str());
    }
    if let Some(retries) = retries {
        let portcullis::forward::Retries { attempts, statuses, unreachable } = retries;
        extras.put("retries", json!({ "attempts": attempts, "statuses": statuses, "unreachable": unreachable }));
    }
    let target = [url, "\n", edits.set.as_str()].concat();
    forward(*timeout_ms, list(edits), *private, &target, cors.map(Lines::as_str), line, extras.text().as_deref());
}

/// Asks the hook in `extras` before the answer goes out that was given.
pub(crate) fn ask_first(cors: Option<&Lines>, line: Option<&str>, extras: Extras) {
    answer_after(cors.map(Lines::as_str), line, &extras.text().unwrap_or_default());
}

/// Where JavaScript has the list of what these edits remove. Most requests of an isolate have one of a few, which differ by what they do not
/// have in common.
fn list(edits: &Edits) -> u32 {
    const MAX_LISTS: usize = 16;
    thread_local! {
        static LISTS: RefCell<Vec<Vec<Cow<'static, str>>>> = const { RefCell::new(Vec::new()) };
    }
    LISTS.with_borrow_mut(|lists| {
        let known = lists.iter().position(|known| *known == edits.remove);
        let index = known.unwrap_or_else(|| {
            // Clients can make new ones through `Connection`, so they are not kept for ever.
            if lists.len() >= MAX_LISTS {
                lists.clear();
            }
            remember(u32::try_from(lists.len()).unwrap_or(0), &joined(edits));
            lists.push(edits.remove.clone());
            lists.len() - 1
        });
        u32::try_from(index).unwrap_or(0)
    })
}

/// All that these edits remove, as lines.
fn joined(edits: &Edits) -> String {
    edits.removed().collect::<Vec<_>>().join("\n")
}
