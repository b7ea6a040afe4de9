//! The Worker: fetches, stores and converts. Every decision is the library's.
//!
//! `worker/guard.js` calls the exports. They are plain functions, not `#[event(fetch)]`: that one makes every answer wait for a Rust
//! future, which costs more than all that is decided here. Only a request that has to wait for keys becomes one.

mod convert;
mod keys;
mod log;
mod state;
mod upstream;

use js_sys::Promise;
use portcullis::config::wire::Detail;
use portcullis::gateway::{Action, Authenticated, Authn, Gateway, Refused, Routed};
use portcullis::jwks::{SourceId, Want};
use portcullis::reject::{Code, Reject};
use portcullis::request::Head;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::Env;
use worker::worker_sys::Context;

use crate::convert::{JsHeaders, response};
use crate::state::State;

/// How often keys may be asked for on behalf of one request: from KV and from the source for each of a few authorizers. What the library
/// asks for changes with every answer, so this is never met; it is here so that nothing can go round in circles.
const MAX_KEY_LOADS: usize = 16;

/// What becomes of a request.
enum Decision {
    /// The gateway answers.
    Answer(web_sys::Response),
    /// The upstream will: a promise of its response.
    Forward(Promise),
    /// Keys are needed first.
    Needs(SourceId, Want),
}

/// One request: its response, a promise of it, or `undefined` where keys must be had first and [`fetch_waiting`] is to be called.
#[wasm_bindgen]
pub fn fetch(request: &web_sys::Request, env: &Env, ctx: &Context) -> JsValue {
    match decide(request, env, ctx) {
        Decision::Answer(answer) => answer.into(),
        Decision::Forward(promise) => promise.into(),
        Decision::Needs(..) => JsValue::UNDEFINED,
    }
}

/// The same for a request that has to wait for keys. Each time some have come it is decided anew, from its first byte.
#[wasm_bindgen]
pub async fn fetch_waiting(request: web_sys::Request, env: Env, ctx: Context) -> JsValue {
    let state = state::of(&env);
    for _ in 0..MAX_KEY_LOADS {
        match decide(&request, &env, &ctx) {
            Decision::Answer(answer) => return answer.into(),
            Decision::Forward(promise) => return promise.into(),
            Decision::Needs(source, want) => keys::load(&state, source, want, &env, &ctx).await,
        }
    }
    let reject = Reject::new(Code::InternalError).because("keys were asked for again and again".into());
    refuse(&request, &env, &reject).into()
}

/// The answer where the upstream gave none; `words` are for the log.
#[wasm_bindgen]
pub fn refuse_upstream(request: &web_sys::Request, env: &Env, timed_out: bool, words: &str) -> web_sys::Response {
    let code = if timed_out { Code::UpstreamTimeout } else { Code::UpstreamUnreachable };
    refuse(request, env, &Reject::new(code).because(words.to_owned()))
}

/// The cron trigger: key sets are fetched before they go stale.
#[wasm_bindgen]
pub async fn scheduled(env: Env) {
    keys::refresh_all(&state::of(&env), &env).await;
}

fn decide(request: &web_sys::Request, env: &Env, ctx: &Context) -> Decision {
    let state = state::of(env);
    with_head(request, |head| match state.gateway() {
        Some(gateway) => match pass(gateway, &state, request, head, env, ctx) {
            Ok(decision) => decision,
            Err(refused) => Decision::Answer(answer(head, &refused)),
        },
        None => Decision::Answer(refuse_all(head)),
    })
}

/// Route, authenticate, act: the whole way of a request.
fn pass<'g>(
    gateway: &'g Gateway,
    state: &std::rc::Rc<State>,
    request: &web_sys::Request,
    head: &Head<'_>,
    env: &Env,
    ctx: &Context,
) -> Result<Decision, Refused<'g>> {
    let matched = match gateway.route(head)? {
        Routed::Matched(matched) => matched,
        Routed::Answer(reply) => return Ok(Decision::Answer(response(&reply, head))),
    };
    let mut permitted = match state.with_context(gateway, |context| matched.authenticate(head, context)) {
        Authn::Passed(permitted) => permitted,
        Authn::Refused(refused) => return Err(refused),
        Authn::Needs(_, source, want) => return Ok(Decision::Needs(source, want)),
    };
    if let Some(memo) = permitted.memo.take() {
        state.remember(memo);
    }
    if let Some(source) = permitted.refresh {
        keys::refresh_later(state, source, env, ctx);
    }
    act(&permitted, request, head)
}

fn act<'g>(
    permitted: &Authenticated<'g, '_>,
    request: &web_sys::Request,
    head: &Head<'_>,
) -> Result<Decision, Refused<'g>> {
    match permitted.action(head)? {
        Action::Answer(reply) => Ok(Decision::Answer(response(&reply, head))),
        Action::Forward(outbound) => {
            log::left_out(&outbound);
            let cors = permitted.cors_headers(head)?;
            Ok(Decision::Forward(upstream::send(request, &outbound, cors.as_deref())))
        }
    }
}

/// A refusal from outside of the stages, with the cross-origin headers of the request's route.
fn refuse(request: &web_sys::Request, env: &Env, reject: &Reject) -> web_sys::Response {
    let state = state::of(env);
    with_head(request, |head| match state.gateway() {
        Some(gateway) => answer(head, &gateway.refuse_outright(head, reject.clone())),
        None => refuse_all(head),
    })
}

/// The answer to everything where the configuration is refused as a whole.
fn refuse_all(head: &Head<'_>) -> web_sys::Response {
    let reject = Reject::config("the configuration is refused as a whole; `portcullis check` says why".into());
    let id = request_id(head);
    log::refusal(&reject, &id);
    response(&reject.reply(Detail::Full, &id), head)
}

fn answer(head: &Head<'_>, refused: &Refused<'_>) -> web_sys::Response {
    let id = request_id(head);
    log::refusal(&refused.reject, &id);
    response(&refused.reply(head, &id), head)
}

fn with_head<T>(request: &web_sys::Request, look: impl FnOnce(&Head<'_>) -> T) -> T {
    let (method, url, headers) = (request.method(), request.url(), JsHeaders(request.headers()));
    look(&Head { method: &method, url: &url, headers: &headers })
}

/// The client's request id, or a new one.
fn request_id(head: &Head<'_>) -> String {
    head.request_id().unwrap_or_else(convert::random_uuid)
}
