//! Refusals, as answers and as lines of the log.

use portcullis::config::wire::Detail;
use portcullis::gateway::Refused;
use portcullis::record::{LogRules, Record};
use portcullis::reject::Reject;
use portcullis::request::Head;
use portcullis::url::Target;

use crate::convert::{environment, respond, with_head};
use crate::log;
use crate::state::{self, State};

/// Answers a request that is refused.
pub(crate) fn refused(state: &State, head: &Head<'_>, refused: &Refused<'_>) {
    let reply = refused.reply(head);
    let record = Record { identity: refused.identity(), ..refusal(head, &refused.reject, refused.route()) };
    log::count_answer(state.analytics(), &record);
    log::write(&record, head, refused.log());
    respond(&reply, head);
}

/// A refusal from outside of the stages, with the cross-origin headers of the request's route.
pub(crate) fn refuse(head: &str, reject: &Reject) {
    let state = state::of(environment);
    with_head(head, None, |head| match state.gateway() {
        Some(gateway) => refused(&state, head, &gateway.refuse_outright(head, reject.clone())),
        None => refuse_all(head),
    });
}

/// The same for a request that was sent on already, with the `line` that the log has of it and its `id`.
pub(crate) fn refuse_sent(head: &str, reject: &Reject, id: Option<String>, line: Option<String>) {
    let state = state::of(environment);
    with_head(head, id, |head| match state.gateway() {
        Some(gateway) => {
            let refused = gateway.refuse_outright(head, reject.clone());
            log::count_answer(state.analytics(), &refusal(head, reject, refused.route()));
            if let Some(line) = line {
                log::write_failure(&line, reject, gateway.log());
            }
            respond(&refused.reply(head), head);
        }
        None => refuse_all(head),
    });
}

/// The answer to everything where the configuration is refused as a whole.
pub(crate) fn refuse_all(head: &Head<'_>) {
    let reject = Reject::config("the configuration is refused as a whole; `portcullis check` says why".into());
    log::write(&refusal(head, &reject, None), head, &LogRules::default());
    respond(&reject.reply(Detail::Full, head.request_id()), head);
}

fn refusal<'r>(head: &Head<'r>, reject: &'r Reject, route: Option<&'r str>) -> Record<'r> {
    Record { route, reject: Some(reject), ..record(head, reject.code().status()) }
}

/// What is known of any request that is answered here.
pub(crate) fn record<'r>(head: &Head<'r>, status: u16) -> Record<'r> {
    let path = Target::parse(head.url).map_or("", |target| target.path);
    Record { method: head.method, path, status: Some(status), ..Record::default() }
}
