//! Key sets for the isolate's ring: from KV, then from their source.
//!
//! A request never waits on a promise of another: the runtime cancels those with their request. Where another request is fetching
//! already, this one looks again every few milliseconds, on timers of its own, and fetches for itself if nothing comes of it.

use std::rc::Rc;
use std::time::Duration;

use futures_util::StreamExt;
use portcullis::discovery;
use portcullis::gateway::Gateway;
use portcullis::jwks::{FetchedKeys, MAX_DOCUMENT_BYTES, Source, SourceId, Want};
use portcullis::url::without_query;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::future_to_promise;
use worker::worker_sys::Context;
use worker::{AbortSignal, CacheMode, Delay, Env, Fetch, Request, RequestInit, RequestRedirect};

use crate::convert::now;
use crate::log;
use crate::state::State;

/// The KV namespace, as bound in wrangler.toml. Without it every isolate fetches for itself.
const NAMESPACE: &str = "JWKS_CACHE";

/// How many redirects of a key server are followed.
const MAX_REDIRECTS: usize = 3;

/// How often a request looks whether another one's fetch is done.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Gets keys of source `id` into the ring, or lets the ring know that they cannot be had. Says where they came from.
pub(crate) async fn load(state: &Rc<State>, id: SourceId, want: Want, env: &Env, ctx: &Context) -> &'static str {
    let Some(source) = state.gateway().and_then(|gateway| gateway.source(id)) else { return "nowhere" };
    if want == Want::Any && from_kv(state, id, source, env).await.is_some() {
        return "kv";
    }
    if state.change_ring(|ring| ring.lease(id, now(), source.timeout_ms)) {
        fetch(state, id, source, env, ctx).await;
        return "source";
    }
    while state.with_ring(|ring| ring.is_leased(id, now())) {
        Delay::from(LOOK_AGAIN).await;
    }
    "source"
}

/// Refreshes source `id` once the response is out. Old keys go on meanwhile.
pub(crate) fn refresh_later(state: &Rc<State>, id: SourceId, env: &Env, ctx: &Context) {
    let Some(timeout_ms) = state.gateway().and_then(|gateway| gateway.source(id)).map(|source| source.timeout_ms)
    else {
        return;
    };
    if !state.change_ring(|ring| ring.lease(id, now(), timeout_ms)) {
        return;
    }
    let (state, env) = (Rc::clone(state), env.clone());
    after_response(ctx, async move {
        let Some(source) = state.gateway().and_then(|gateway| gateway.source(id)) else { return };
        // Another isolate may have done it already.
        if from_kv(&state, id, source, &env).await == Some(true) {
            state.change_ring(|ring| ring.release(id));
            return;
        }
        fetch_and_keep(&state, id, source, &env).await;
    });
}

/// Refreshes every source into KV that would go stale before the next time, so that no request has to wait for it. The other isolates find
/// it there.
pub(crate) async fn refresh_all(state: &Rc<State>, env: &Env) {
    let sources = state.gateway().map(Gateway::sources).unwrap_or_default();
    for (number, source) in sources.iter().enumerate() {
        let id = SourceId(number);
        let due = stored(source, env).await.is_none_or(|keys| source.is_due(&keys, now()));
        if due && state.change_ring(|ring| ring.lease(id, now(), source.timeout_ms)) {
            fetch_and_keep(state, id, source, env).await;
        }
    }
}

/// Runs `work` once the response is out; the runtime gives it about 30 seconds.
fn after_response(ctx: &Context, work: impl Future<Output = ()> + 'static) {
    let work = future_to_promise(async {
        work.await;
        Ok(JsValue::UNDEFINED)
    });
    // It throws for a request that is over, and then there is nothing to wait for.
    let _ = ctx.wait_until(&work);
}

/// Keys from KV into the ring, if they may be used: whether they are fresh. Anything that is no such value is a miss, and so is a
/// namespace that is away.
async fn from_kv(state: &State, id: SourceId, source: &Source, env: &Env) -> Option<bool> {
    let keys = stored(source, env).await?;
    let fresh = source.freshness(&keys, now())?;
    state.change_ring(|ring| ring.store(id, keys));
    Some(fresh)
}

async fn stored(source: &Source, env: &Env) -> Option<FetchedKeys> {
    let text = env.kv(NAMESPACE).ok()?.get(&source.storage_key()).text().await.ok()??;
    FetchedKeys::from_stored(&text, now())
}

async fn to_kv(source: &Source, stored: &str, env: &Env) {
    let Ok(namespace) = env.kv(NAMESPACE) else { return };
    // KV drops it when nobody could use it any more; the least that KV takes is a minute.
    let seconds = (source.kept_ms() / 1000).max(60);
    let written = match namespace.put(&source.storage_key(), stored) {
        Ok(put) => put.expiration_ttl(seconds).execute().await,
        Err(error) => Err(error),
    };
    if let Err(error) = written {
        log::error(&format!("keys of {} could not be kept in KV: {error}", without_query(&source.url)));
    }
}

/// Asks the source for a request that waits, and lets KV wait until that is answered.
async fn fetch(state: &Rc<State>, id: SourceId, source: &Source, env: &Env, ctx: &Context) {
    if let Some(stored) = fetch_into_ring(state, id, source).await {
        let (source, env) = (source.clone(), env.clone());
        after_response(ctx, async move { to_kv(&source, &stored, &env).await });
    }
}

/// Asks the source, where no request waits for the answer.
async fn fetch_and_keep(state: &State, id: SourceId, source: &Source, env: &Env) {
    if let Some(stored) = fetch_into_ring(state, id, source).await {
        to_kv(source, &stored, env).await;
    }
}

/// Asks the source. Returns what KV is to keep.
async fn fetch_into_ring(state: &State, id: SourceId, source: &Source) -> Option<String> {
    match ask(source).await {
        Ok(keys) => {
            for (kid, why) in keys.set.skipped() {
                log::error(&format!("{}: key {kid:?} is not used: {why}", without_query(&source.url)));
            }
            let stored = keys.to_stored();
            state.change_ring(|ring| ring.store_fetched(id, keys));
            Some(stored)
        }
        Err(why) => {
            log::error(&format!("keys from {} could not be had: {why}", without_query(&source.url)));
            state.change_ring(|ring| ring.failed(id, now()));
            None
        }
    }
}

/// Asks for the keys; for an issuer, first where they are.
async fn ask(source: &Source) -> Result<FetchedKeys, String> {
    let timeout = u32::try_from(source.timeout_ms).unwrap_or(u32::MAX);
    let signal = AbortSignal::from(web_sys::AbortSignal::timeout_with_u32(timeout));
    let url = match &source.issuer {
        None => source.url.clone(),
        Some(issuer) => {
            let (document, _) = get(&source.url, &signal).await?;
            discovery::keys_url(&document, issuer).map_err(|why| format!("{why:?}"))?
        }
    };
    let (body, cache_control) = get(&url, &signal).await?;
    FetchedKeys::fetched(&body, cache_control.as_deref(), now()).map_err(|why| why.to_string())
}

/// One document: status 200 alone, redirects within the source's own origin, a bounded body. Returns it with `Cache-Control`.
async fn get(url: &str, signal: &AbortSignal) -> Result<(Vec<u8>, Option<String>), String> {
    let words = |error: worker::Error| error.to_string();
    let mut at = url.to_owned();
    for _ in 0..=MAX_REDIRECTS {
        let mut init = RequestInit::new();
        // The gateway keeps keys itself. What the cache of a zone has may be older than the key that is looked for.
        init.with_redirect(RequestRedirect::Manual).with_cache(CacheMode::NoStore);
        let request = Request::new_with_init(&at, &init).map_err(words)?;
        let mut response = Fetch::Request(request).send_with_signal(signal).await.map_err(words)?;
        let status = response.status_code();
        if matches!(status, 301 | 302 | 303 | 307 | 308) {
            let location = response.headers().get("location").map_err(words)?.unwrap_or_default();
            at = within_origin(&at, &location)
                .ok_or_else(|| format!("{} redirects away from its origin", without_query(&at)))?;
            continue;
        }
        if status != 200 {
            return Err(format!("status {status} from {}", without_query(&at)));
        }
        let cache_control = response.headers().get("cache-control").map_err(words)?;
        let mut chunks = response.stream().map_err(words)?;
        let mut body = Vec::new();
        while let Some(chunk) = chunks.next().await {
            body.extend_from_slice(&chunk.map_err(words)?);
            if body.len() > MAX_DOCUMENT_BYTES {
                return Err(format!("more than {MAX_DOCUMENT_BYTES} bytes from {}", without_query(&at)));
            }
        }
        return Ok((body, cache_control));
    }
    Err(format!("more than {MAX_REDIRECTS} redirects from {}", without_query(url)))
}

/// Where `location` leads from `url`, if that is the same scheme, host and port: no other server speaks for this one's keys.
fn within_origin(url: &str, location: &str) -> Option<String> {
    let from = web_sys::Url::new(url).ok()?;
    let to = web_sys::Url::new_with_base(location, url).ok()?;
    (!location.is_empty() && from.origin() == to.origin() && to.username().is_empty()).then(|| to.href())
}
