//! The Worker: fetches, stores and converts. Every decision is the library's.
//!
//! `worker/guard.js` calls the exports. They are plain functions, not `#[event(fetch)]`: that one makes every answer wait for a Rust
//! future, which costs more than all that is decided here. Only a request that has to wait, for keys or for a rate limit, becomes one.

mod allocator;
mod answer;
mod convert;
mod decide;
mod keys;
mod limits;
mod log;
mod records;
mod state;
mod upstream;

use portcullis::authn::Need;
use portcullis::reject::{Code, Reject};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::Env;
use worker::worker_sys::Context;

use crate::convert::{attend, boxed, head, instant, now};
use crate::decide::{Asked, Decision, Progress, Wait};

/// How often one request may wait: for keys from KV and from the source for each of a few authorizers, for records, and for rate limits.
/// What the library asks for changes with every answer, so this is never met; it is here so that nothing can go round in circles.
const MAX_WAITS: usize = 100;

/// For the build, which keeps what memory holds after this: nothing here may ask JavaScript for anything.
#[wasm_bindgen]
pub fn prepare(text: &str) {
    allocator::clear_what_is_freed(true);
    state::prepare(text);
    allocator::clear_what_is_freed(false);
}

/// One request, of which `worker/src/current.js` has the rest: `head` is its first lines, `now` when it came in milliseconds. Its answer is
/// given there too; without one something must be waited for, and [`fetch_waiting`] is to be called.
#[wasm_bindgen]
pub fn fetch(head: &str, now: f64) {
    decide::decide(head, instant(now), &Progress::default());
}

/// The same for a request that has to wait. Each time something has come it is decided anew, from its first byte. Returns its answer
/// in a box.
#[wasm_bindgen]
pub async fn fetch_waiting(request: web_sys::Request, env: Env, ctx: Context) -> JsValue {
    let state = state::of(|| env.clone());
    let mut progress = Progress::default();
    for _ in 0..MAX_WAITS {
        attend(&request, &env, &ctx);
        let decision = decide::decide(&head(), now(), &progress);
        let answer = boxed();
        match decision {
            Decision::Made => return answer,
            Decision::Wait(Wait::Need(Need::Keys(source, want))) => {
                progress.keys = Some(keys::load(&state, source, want, &env, &ctx).await);
            }
            Decision::Wait(Wait::Need(Need::Records(wanted))) => {
                records::load(&state, wanted, &env).await;
                progress.keys.get_or_insert("kv");
            }
            Decision::Wait(Wait::Before(counters)) => {
                progress.before = Some(Asked(limits::ask(&counters, &env).await));
            }
            Decision::Wait(Wait::After(counters)) => {
                progress.after = Some(Asked(limits::ask(&counters, &env).await));
            }
        }
    }
    attend(&request, &env, &ctx);
    let reject = Reject::new(Code::InternalError).because("one request had to wait again and again".into());
    answer::refuse(&head(), &reject);
    boxed()
}

/// Answers where an upstream did not. `words` are for the log, whose `line` was begun when the request was sent; `id` is the request's.
#[wasm_bindgen]
pub fn refuse_upstream(head: &str, kind: &str, words: &str, id: Option<String>, line: Option<String>) {
    let code = match kind {
        "timeout" => Code::UpstreamTimeout,
        "too_large" => Code::PayloadTooLarge,
        "config" => Code::ConfigError,
        _ => Code::UpstreamUnreachable,
    };
    answer::refuse_sent(head, &Reject::new(code).because(words.to_owned()), id, line);
}

/// The cron trigger: key sets are fetched before they go stale.
#[wasm_bindgen]
pub async fn scheduled(env: Env) {
    keys::refresh_all(&state::of(|| env.clone()), &env).await;
}
