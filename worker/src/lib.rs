//! The Worker: fetches, stores and converts. Every decision is the library's.

mod convert;
mod keys;
mod log;
mod state;
mod upstream;

use std::rc::Rc;

use portcullis::authn::Context as Known;
use portcullis::config::wire::Detail;
use portcullis::gateway::{Action, Authn, Gateway, Matched, Refused, Routed};
use portcullis::reject::{Code, Reject};
use portcullis::reply::Reply;
use portcullis::request::Head;
use worker::{Context, Env, event};

use crate::convert::{JsHeaders, now, response};
use crate::state::State;

/// How often keys may be asked for on behalf of one request: from KV and from the source for each of a few authorizers. What the library
/// asks for changes with every answer, so this is never met; it is here so that nothing can go round in circles.
const MAX_KEY_LOADS: usize = 16;

/// One request. Infallible: whatever happens becomes an answer.
#[event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, ctx: Context) -> worker::Result<web_sys::Response> {
    let (method, url) = (request.method(), request.url());
    let headers = JsHeaders(request.headers());
    let head = Head { method: &method, url: &url, headers: &headers };
    let exchange = Exchange { request: &request, head, env: &env, ctx: &ctx, state: state::of(&env) };
    Ok(match exchange.state.gateway() {
        Some(gateway) => exchange.answer(gateway).await,
        None => {
            let reject = Reject::config("the configuration is refused as a whole; `portcullis check` says why".into());
            let id = exchange.id();
            log::refusal(&reject, &id);
            exchange.respond(&reject.reply(Detail::Full, &id))
        }
    })
}

/// A request with what is at hand for it.
struct Exchange<'x> {
    request: &'x web_sys::Request,
    head: Head<'x>,
    env: &'x Env,
    ctx: &'x Context,
    state: Rc<State>,
}

impl Exchange<'_> {
    async fn answer(&self, gateway: &Gateway) -> web_sys::Response {
        match self.pass(gateway).await {
            Ok(response) => response,
            Err(refused) => {
                let id = self.id();
                log::refusal(&refused.reject, &id);
                self.respond(&refused.reply(&self.head, &id))
            }
        }
    }

    /// Route, authenticate, act: the whole way of a request.
    async fn pass<'g>(&self, gateway: &'g Gateway) -> Result<web_sys::Response, Refused<'g>> {
        let matched = match gateway.route(&self.head)? {
            Routed::Matched(matched) => matched,
            Routed::Answer(reply) => return Ok(self.respond(&reply)),
        };
        let permitted = self.authenticate(gateway, matched).await?;
        if let Some(source) = permitted.refresh {
            keys::refresh_later(&self.state, source, self.env, self.ctx);
        }
        match permitted.action(&self.head)? {
            Action::Answer(reply) => Ok(self.respond(&reply)),
            Action::Forward(outbound) => {
                log::left_out(&outbound);
                let cors = permitted.cors_headers(&self.head)?;
                upstream::send(self.request, &outbound, cors.as_deref())
                    .await
                    .map_err(|reject| permitted.refuse(reject))
            }
        }
    }

    /// Authenticates, getting keys where they are asked for.
    async fn authenticate<'g, 'r>(
        &self,
        gateway: &'g Gateway,
        mut matched: Matched<'g, 'r>,
    ) -> Result<portcullis::gateway::Authenticated<'g, 'r>, Refused<'g>> {
        for _ in 0..MAX_KEY_LOADS {
            let outcome = self.state.with_ring(|ring| {
                matched.authenticate(&self.head, Known { ring, sources: gateway.sources(), now: now() })
            });
            match outcome {
                Authn::Passed(authenticated) => return Ok(authenticated),
                Authn::Refused(refused) => return Err(refused),
                Authn::Needs(again, source, want) => {
                    keys::load(&self.state, source, want, self.env, self.ctx).await;
                    matched = again;
                }
            }
        }
        Err(matched.refuse(Reject::new(Code::InternalError).because("keys were asked for again and again".into())))
    }

    fn respond(&self, reply: &Reply) -> web_sys::Response {
        response(reply, self.head.method == "HEAD")
    }

    /// The client's `x-request-id` where it is one that a log can hold, else a new one.
    fn id(&self) -> String {
        let fits = |id: &String| {
            (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:/+=".contains(&b))
        };
        self.head.headers.get("x-request-id").filter(fits).unwrap_or_else(convert::random_uuid)
    }
}
