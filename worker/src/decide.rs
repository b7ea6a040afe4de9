//! The whole way of a request: route, limits, authenticate, limits, act.

use std::rc::Rc;

use portcullis::authn::{self, Need};
use portcullis::config::wire::Level;
use portcullis::gateway::{Action, Authn, Authorized, Gateway, Refused, Routed, Then};
use portcullis::limit::{Counted, Counters};
use portcullis::record::Record;
use portcullis::reject::Reject;
use portcullis::request::Head;
use portcullis::time::UnixTime;

use crate::convert::{self, environment, respond, with_head};
use crate::state::State;
use crate::upstream::{self, Extras};
use crate::{answer, keys, log, state};

/// What becomes of a request.
pub(crate) enum Decision {
    /// Its answer is given, or will be.
    Made,
    /// Something must be had first.
    Wait(Wait),
}

/// What a request waits for.
pub(crate) enum Wait {
    /// Keys, or records in KV.
    Need(Need),
    /// The platform's word on limits, before authentication: binding and key of each.
    Before(Vec<(String, String)>),
    /// The same after it.
    After(Vec<(String, String)>),
}

/// What a request has waited for already.
#[derive(Default)]
pub(crate) struct Progress {
    /// The limits before authentication.
    pub(crate) before: Option<Asked>,
    /// The limits after it.
    pub(crate) after: Option<Asked>,
    /// Where its keys came from.
    pub(crate) keys: Option<&'static str>,
}

/// What the platform said of some counters, in their order.
pub(crate) struct Asked(pub(crate) Result<Vec<bool>, Reject>);

/// One request, with the stages that it passes.
struct Passage<'p> {
    gateway: &'p Gateway,
    state: &'p Rc<State>,
    head: &'p Head<'p>,
    now: UnixTime,
    progress: &'p Progress,
}

/// Decides on the request with this `head`, which came or goes on `now`, with what there is.
pub(crate) fn decide(head: &str, now: UnixTime, progress: &Progress) -> Decision {
    let state = state::of(environment);
    with_head(head, None, |head| {
        let Some(gateway) = state.gateway() else {
            answer::refuse_all(head);
            return Decision::Made;
        };
        let passage = Passage { gateway, state: &state, head, now, progress };
        passage.pass().unwrap_or_else(|refused| {
            answer::refused(&state, head, &refused);
            Decision::Made
        })
    })
}

impl<'p> Passage<'p> {
    fn pass(&self) -> Result<Decision, Refused<'p>> {
        let matched = match self.gateway.route(self.head)? {
            Routed::Matched(matched) => matched,
            Routed::Answer(reply) => {
                log::write(&answer::record(self.head, reply.status), self.head, self.gateway.log());
                respond(&reply, self.head);
                return Ok(Decision::Made);
            }
        };
        let limits = matched.limits(self.head);
        let asked = self.progress.before.as_ref();
        let Some(counted) = counted(&limits, asked).map_err(|reject| matched.refuse(reject))? else {
            return Ok(Decision::Wait(Wait::Before(questions(&limits))));
        };
        let context = |context: authn::Context<'_>| matched.authenticate(self.head, context, counted);
        let mut permitted = match self.state.with_context(self.gateway, self.now, context) {
            Authn::Passed(permitted) => permitted,
            Authn::Refused(refused) => return Err(refused),
            Authn::Needs(_, need) => return Ok(Decision::Wait(Wait::Need(need))),
        };
        if let Some(memo) = permitted.memo.take() {
            self.state.remember(memo);
        }
        if let Some(source) = permitted.refresh {
            keys::refresh_later(self.state, source, &environment(), &convert::context());
        }
        let permitted = permitted.authorize(self.head)?;
        let limits = permitted.limits(self.head);
        let asked = self.progress.after.as_ref();
        let Some(counted) = self::counted(&limits, asked).map_err(|reject| permitted.refuse(reject))? else {
            return Ok(Decision::Wait(Wait::After(questions(&limits))));
        };
        self.act(&permitted, permitted.action(self.head, counted)?)?;
        Ok(Decision::Made)
    }

    fn act(&self, permitted: &Authorized<'p, '_>, action: Action) -> Result<(), Refused<'p>> {
        let Action { hook, then } = action;
        let mut extras = Extras::default();
        if let Some(hook) = &hook {
            extras.hook(hook);
        }
        match then {
            Then::Answer(reply) => {
                respond(&reply, self.head);
                if hook.is_none() {
                    self.over(permitted, reply.status);
                    return Ok(());
                }
                let cors = permitted.cors_headers(self.head)?;
                let line = self.begin_line(permitted, &[], &mut extras);
                upstream::ask_first(cors.as_ref(), line.as_deref(), extras);
            }
            Then::Forward(outbound, response_headers) => {
                extras.response_headers(&response_headers);
                if let Some(limit) = self.gateway.max_body_bytes() {
                    extras.put("maxBody", limit);
                }
                if self.gateway.log().server_timing {
                    extras.put("timing", true);
                }
                let line = self.begin_line(permitted, &outbound.edits.left_out, &mut extras);
                let cors = permitted.cors_headers(self.head)?;
                upstream::send(&outbound, cors.as_ref(), line.as_deref(), extras);
            }
        }
        Ok(())
    }

    /// The log's line of a request that goes on, to be ended where its answer is known. None where no line is wanted at all.
    fn begin_line(&self, permitted: &Authorized<'_, '_>, left_out: &[String], extras: &mut Extras) -> Option<String> {
        let rules = self.gateway.log();
        if let Some(binding) = self.state.analytics() {
            extras.put(
                "analytics",
                serde_json::json!({ "binding": binding, "route": permitted.route(), "method": self.head.method }),
            );
        }
        if rules.level == Level::Off {
            return None;
        }
        let id = self.head.request_id();
        let record = Record { time: self.now.rfc3339(), id, left_out, ..self.record(permitted) };
        if record.level() == Level::Warn {
            extras.put("level", 2);
        }
        if rules.level < Level::Info {
            extras.put("log", if rules.level == Level::Warn { 2 } else { 1 });
        }
        Some(record.line(rules))
    }

    /// Writes the line of a request that the configuration itself has answered.
    fn over(&self, permitted: &Authorized<'_, '_>, status: u16) {
        let record = Record { status: Some(status), ..self.record(permitted) };
        log::count_answer(self.state.analytics(), &record);
        log::write(&record, self.head, self.gateway.log());
    }

    fn record<'r>(&self, permitted: &'r Authorized<'_, '_>) -> Record<'r>
    where
        'p: 'r,
    {
        let place = permitted.identity().map(|identity| identity.authorizer.keys.place());
        let keys = place.map(|place| self.progress.keys.filter(|_| place == "memory").unwrap_or(place));
        Record {
            method: self.head.method,
            path: permitted.path(),
            route: Some(permitted.route()),
            identity: permitted.identity(),
            ignored: permitted.ignored(),
            keys,
            ..Record::default()
        }
    }
}

/// Proof that there is room, a refusal, or nothing where the platform is to be asked first.
fn counted<Stage>(limits: &Counters<'_, Stage>, asked: Option<&Asked>) -> Result<Option<Counted<Stage>>, Reject> {
    match (limits.none(), asked) {
        (Some(counted), _) => Ok(Some(counted)),
        (None, None) => Ok(None),
        (None, Some(Asked(Ok(answers)))) => limits.judge(answers).map(Some),
        (None, Some(Asked(Err(reject)))) => Err(reject.clone()),
    }
}

fn questions<Stage>(limits: &Counters<'_, Stage>) -> Vec<(String, String)> {
    limits.list().iter().map(|counter| (counter.limit.binding.clone(), counter.key.clone())).collect()
}
