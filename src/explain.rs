//! Why a request gets the answer that it gets: the very stages of the gateway, gone through offline, and for a refusal the cause and what to
//! do about it.
//!
//! For the operator, who may see everything: configured values are named here as they never are to a client.

mod cause;
pub mod curl;
pub mod decoded;
mod evidence;
pub mod inquiry;
mod moment;
mod origin;
mod variant;

use serde::Serialize;

use crate::authn::{Context, Identity, Need};
use crate::gateway::{Authn, Gateway, Routed, Then};
use crate::jwks::{FetchedKeys, KeyRing, SourceId};
use crate::jwt::keyset::KeySet;
use crate::limit::{Counted, Counters};
use crate::memory::Memory;
use crate::records::{RecordKey, Records};
use crate::reject::{Code, Reject};
use crate::request::Head;
use crate::revocation::is_revocation;
use crate::time::UnixTime;
use crate::url::{Target, without_query};

use cause::Cause;
use evidence::Evidence;
pub use variant::Variant;

/// Why a request that needs records cannot be explained to its end.
const KV_UNREAD: &str = "what KV holds is not read here";

/// Why one that needs keys from a URL cannot.
const KEYS_UNREAD: &str = "the keys of this authorizer are at";

/// What is asked about.
#[derive(Clone, Copy)]
pub struct Question<'q> {
    /// The configuration with its environment.
    pub gateway: &'q Gateway,
    /// The request.
    pub head: &'q Head<'q>,
    /// Its headers, to find a credential that is somewhere else.
    pub headers: &'q [(String, String)],
    /// The time.
    pub now: UnixTime,
    /// What key URLs serve.
    pub fetched: Option<&'q KeySet>,
    /// The same configuration with something about its secrets otherwise, to find out whether that is the fault.
    pub variant: &'q dyn Fn(Variant) -> Option<Gateway>,
}

/// One stage of a request's way.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Step {
    /// Its name.
    pub step: &'static str,
    /// Whether the request passes it.
    pub ok: bool,
    /// What was seen, and what was wanted.
    pub text: String,
}

/// The whole way, and how it ends.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Explanation {
    /// Each stage up to the one that ends it.
    pub steps: Vec<Step>,
    /// The status that a client would get from the gateway; none where the upstream answers.
    pub status: Option<u16>,
    /// The code of a refusal.
    pub code: Option<&'static str>,
    /// Whether that is so for lack of keys or records alone, which the gateway reads and which are not at hand here.
    pub unread: bool,
    /// Why it is refused.
    pub cause: Option<String>,
    /// What to do about it.
    pub fix: Option<String>,
}

/// The stages, in their order.
const STAGES: [&str; 10] =
    ["route", "credential", "token", "algorithm", "time", "key", "signature", "claims", "authorization", "answer"];

/// The place of `time` among them.
const TIME: usize = 4;

/// The place of `answer` among them, the last.
const ANSWER: usize = STAGES.len() - 1;

/// Goes the way of a request.
pub fn explain(question: Question<'_>) -> Explanation {
    let Question { gateway, head, now, fetched, .. } = question;
    let ring = ring(gateway, fetched, now);
    let (memory, mut records) = (Memory::new([0; 16]), Records::default());
    let evidence = Evidence::gather(question);
    let mut matched = match gateway.route(head) {
        Ok(Routed::Matched(matched)) => matched,
        Ok(Routed::Answer(reply)) => return origin::preflight(&reply, head),
        Err(refusal) => return refused(question, &evidence, &refusal.reject),
    };
    let counted = match room(&matched.limits(head)) {
        Ok(counted) => counted,
        Err(reject) => return refused(question, &evidence, &reject),
    };
    let mut unless = None;
    let passed = loop {
        let context = Context { ring: &ring, memory: &memory, records: &records, sources: gateway.sources(), now };
        match matched.authenticate(head, context, counted) {
            Authn::Passed(passed) => break passed,
            Authn::Refused(refusal) => return refused(question, &evidence, &refusal.reject),
            Authn::Needs(_, Need::Keys(id, _)) => {
                let url = gateway.source(id).map_or("a URL", |source| without_query(&source.url));
                let why = format!("{KEYS_UNREAD} {url}, which is not asked here");
                return refused(question, &evidence, &Reject::keys_unavailable(0, why));
            }
            // The token is good. Nearly none is taken back, and what comes then is what people ask about.
            Authn::Needs(again, Need::Records(keys)) if unless.is_none() && keys.iter().all(is_revocation) => {
                unless = Some(named(&keys));
                for key in keys {
                    records.store(key, None, now);
                }
                matched = again;
            }
            Authn::Needs(_, Need::Records(keys)) => {
                let why = format!("{KV_UNREAD}: {}", named(&keys));
                return refused(question, &evidence, &Reject::keys_unavailable(0, why));
            }
        }
    };
    let unless = unless.map(|keys| Step {
        step: "revocation",
        ok: true,
        text: format!("good unless it was taken back, which is not read here: {keys}"),
    });
    let ignored = passed.ignored.clone();
    let passed = match passed.authorize(head) {
        Ok(passed) => passed,
        Err(refusal) => {
            let mut told = refused(question, &evidence, &refusal.reject);
            let before_last = told.steps.len().saturating_sub(1);
            if let Some(step) = unless {
                told.steps.insert(before_last, step);
            }
            return match (ignored, refusal.identity()) {
                // The mode let a bad token pass as nobody's: what is wrong with it comes first.
                (Some(reject), _) => nobodys(told, cause::of(question, &evidence, &reject)),
                (None, None) if evidence.token.is_none() => nobodys(told, cause::missing(question, &evidence)),
                _ => told,
            };
        }
    };
    let mut steps = admitted(question, &evidence, ignored.as_deref(), passed.identity());
    steps.extend(unless);
    let counted = match room(&passed.limits(head)) {
        Ok(counted) => counted,
        Err(reject) => return refused(question, &evidence, &reject),
    };
    let own = passed.cors_headers(head).ok().flatten();
    let withheld = own.and_then(|cors| origin::withheld(question, cors.get("access-control-allow-origin")));
    let action = match passed.action(head, counted) {
        Ok(action) => action,
        Err(refusal) => return at_last(steps, refused(question, &evidence, &refusal.reject)),
    };
    let (status, text) = match action.then {
        Then::Answer(reply) => (Some(reply.status), format!("the configuration's own answer, status {}", reply.status)),
        Then::Forward(outbound, _) => {
            let to = outbound.service.map_or_else(String::new, |service| format!(" (service binding {service})"));
            let names: Vec<&str> = outbound.edits.set.iter().map(|(name, _)| name).collect();
            (None, format!("sent on to {}{to}, with the headers {}", outbound.url, names.join(", ")))
        }
    };
    let hook = action.hook.and_then(|hook| hook.service);
    let first = hook.map_or_else(String::new, |service| format!("if the hook {service} agrees: "));
    steps.push(Step { step: "answer", ok: true, text: format!("{first}{text}") });
    let (cause, fix) = match withheld {
        Some((step, fix)) => {
            let cause = step.text.clone();
            steps.push(step);
            (Some(cause), Some(fix))
        }
        None => (None, None),
    };
    Explanation { steps, status, code: None, unread: false, cause, fix }
}

/// Records by their names and namespaces.
fn named(keys: &[RecordKey]) -> String {
    keys.iter().map(|key| format!("`{}` in {}", key.key, key.binding)).collect::<Vec<_>>().join(", ")
}

/// The stages of a request that is let pass, with what is known of who sent it.
fn admitted(
    question: Question<'_>,
    evidence: &Evidence<'_>,
    ignored: Option<&Reject>,
    identity: Option<&Identity<'_>>,
) -> Vec<Step> {
    let text = match (ignored, identity) {
        (Some(reject), _) => {
            let Cause { cause, .. } = cause::of(question, evidence, reject);
            format!("passed over, since the mode is permissive: {}, {cause}", reject.code().code())
        }
        (None, None) => {
            let elsewhere = cause::elsewhere(question, evidence).map(|elsewhere| format!("; {}", elsewhere.cause));
            evidence.anonymous() + &elsewhere.unwrap_or_default()
        }
        (None, Some(identity)) => format!("{} ({})", evidence.seen("credential"), who(identity)),
    };
    let mut steps = evidence.steps(ANSWER);
    // API keys and passwords have no parts to look at, and of a token that was passed over nothing was found to be good.
    if !identity.is_some_and(|identity| identity.authorizer.keys.are_for_tokens()) {
        steps.retain(|step| step.step == "route");
    }
    steps.retain(|step| step.step != "credential");
    let behind_route = steps.len().min(1);
    steps.insert(behind_route, Step { step: "credential", ok: true, text });
    steps
}

/// What is told of a request that is let pass and not answered: a refusal of the last stage comes behind all the others, as they were passed.
fn at_last(mut steps: Vec<Step>, mut told: Explanation) -> Explanation {
    if let Some(last) = told.steps.pop_if(|step| step.step == "answer") {
        steps.push(last);
        told.steps = steps;
    }
    told
}

/// The keys that key URLs serve, for every source alike.
fn ring(gateway: &Gateway, fetched: Option<&KeySet>, now: UnixTime) -> KeyRing {
    let mut ring = KeyRing::new(gateway.sources().len());
    for number in 0..gateway.sources().len() {
        if let Some(set) = fetched {
            let keys = FetchedKeys { set: set.clone(), fetched_at: now, max_age_ms: None };
            ring.store_fetched(SourceId(number), keys);
        }
    }
    ring
}

fn who(identity: &Identity<'_>) -> String {
    let subject = identity.claims().get("sub").and_then(serde_json::Value::as_str);
    match (identity.consumer(), subject) {
        (Some(consumer), _) => format!("consumer {}", consumer.username),
        (None, Some(subject)) => format!("subject {subject}"),
        (None, None) => "no subject".to_owned(),
    }
}

/// Limits are not counted here: each is said to leave room.
fn room<Stage>(counters: &Counters<'_, Stage>) -> Result<Counted<Stage>, Reject> {
    counters.judge(&vec![true; counters.list().len()])
}

fn refused(question: Question<'_>, evidence: &Evidence<'_>, reject: &Reject) -> Explanation {
    let code = reject.code();
    let Cause { cause, fix } = cause::of(question, evidence, reject);
    // `exp` and `typ` are judged before the signature, and so is the issuer where it picks one of several authorizers.
    let (stage, passed) = match (code, reject.claim()) {
        (Code::MissingClaim | Code::InvalidClaim, Some("exp")) => (TIME, TIME),
        (Code::InvalidClaim, Some("typ")) => (TIME - 1, TIME - 1),
        (Code::InvalidIssuer, _) if evidence.authorizers.len() > 1 => (stage(code), TIME + 1),
        // The gateway itself fails before it looks at anybody, unless its caller knows better (`at_last`): an authorizer cannot be used, or
        // the rules for a preflight.
        _ if stage(code) == ANSWER => (ANSWER, usize::from(evidence.route.is_some())),
        _ => (stage(code), stage(code)),
    };
    let mut steps = evidence.steps(passed);
    let name = STAGES.get(stage).copied().unwrap_or("answer");
    steps.push(Step { step: name, ok: false, text: cause.clone() });
    let unread = code == Code::KeysUnavailable;
    Explanation {
        steps,
        status: Some(code.status()),
        code: Some(code.code()),
        unread,
        cause: Some(cause),
        fix: Some(fix),
    }
}

/// What is told where nobody may do what a request asks for, and why it is nobody's.
fn nobodys(mut told: Explanation, why: Cause) -> Explanation {
    let text = format!("{}; the mode lets the request pass as nobody's, who may not do this", why.cause);
    if let Some(mut last) = told.steps.pop() {
        last.text.clone_from(&text);
        told.steps.retain(|step| step.step == "route");
        told.steps.push(last);
    }
    Explanation { cause: Some(text), fix: Some(why.fix), ..told }
}

/// The stage that a refusal ends, by its place among [`STAGES`].
const fn stage(code: Code) -> usize {
    match code {
        Code::InvalidPath | Code::PathTooLong | Code::InvalidRequest | Code::NotFound | Code::MethodNotAllowed => 0,
        Code::MissingToken | Code::MalformedAuthorization | Code::AmbiguousToken | Code::RateLimited => 1,
        Code::TokenTooLarge | Code::MalformedToken => 2,
        Code::UnsupportedAlgorithm | Code::AlgorithmNotAllowed => 3,
        Code::TokenExpired => 4,
        Code::UnknownKey | Code::KeysUnavailable | Code::UnknownCredential => 5,
        Code::InvalidSignature => 6,
        Code::TokenNotYetValid
        | Code::MissingClaim
        | Code::InvalidClaim
        | Code::InvalidIssuer
        | Code::InvalidAudience
        | Code::TokenTooOld
        | Code::LifetimeTooLong
        | Code::TokenRevoked => 7,
        Code::InsufficientScope | Code::AccessDenied => 8,
        Code::PayloadTooLarge
        | Code::ConfigError
        | Code::InternalError
        | Code::UpstreamUnreachable
        | Code::UpstreamTimeout => 9,
    }
}

/// The path of a request, for words.
fn path_of<'h>(head: &Head<'h>) -> &'h str {
    Target::parse(head.url).map_or("", |target| target.path)
}

#[cfg(test)]
mod tests;
