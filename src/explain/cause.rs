//! For each code: what is wrong, with what was seen, and what to do about it.

mod claims;
mod form;
mod grants;
mod key;
mod malformed;
mod parties;
mod path;
mod placement;
mod presented;
mod setup;
mod signature;
mod times;

use super::Question;
use super::evidence::Evidence;
use crate::reject::{Code, Reject};

use claims::{invalid_claim, missing_claim};
use form::malformed_token;
use grants::{denied, scope};
use key::{algorithm, unknown_key};
use malformed::malformed_authorization;
use parties::{audience, foreign, issuer};
use path::{invalid, method, not_found};
pub(super) use placement::{elsewhere, missing};
use presented::unknown_credential;
use setup::{config, unavailable};
use signature::signature;
use times::{expired, not_yet, too_long, too_old};

/// Why a request is refused, and what to do about it.
pub(super) struct Cause {
    pub(super) cause: String,
    pub(super) fix: String,
}

fn cause(cause: impl Into<String>, fix: impl Into<String>) -> Cause {
    Cause { cause: cause.into(), fix: fix.into() }
}

/// The cause of `reject`.
pub(super) fn of(question: Question<'_>, evidence: &Evidence<'_>, reject: &Reject) -> Cause {
    let told = of_code(question, evidence, reject);
    // Issuers are compared behind the signature, and another issuer's tokens fail before that: by its keys, its algorithm, its claims.
    let early = match reject.code() {
        Code::UnknownKey | Code::AlgorithmNotAllowed => true,
        // A spelling of the secret that fits says more.
        Code::InvalidSignature => told.cause.starts_with("another key"),
        Code::MissingClaim => reject.claim() == Some("exp"),
        _ => false,
    };
    match foreign(evidence).filter(|_| early) {
        Some(other) => cause(format!("{}: {}", other.cause, told.cause), other.fix),
        None => told,
    }
}

fn of_code(question: Question<'_>, evidence: &Evidence<'_>, reject: &Reject) -> Cause {
    let internal = || reject.internal().unwrap_or("the log says more").to_owned();
    match reject.code() {
        Code::InvalidPath => invalid(question),
        Code::PathTooLong => cause("the path is longer than `limits.max_path_bytes`", "shorten it, or raise the limit"),
        Code::InvalidRequest => cause(
            reject.internal().map_or_else(|| "the URL cannot be read".to_owned(), str::to_owned),
            "send what `rewrite` needs, or give the path a pattern that always has it",
        ),
        Code::NotFound => not_found(question),
        Code::MethodNotAllowed => method(question, reject),
        Code::MissingToken => missing(question, evidence),
        Code::MalformedAuthorization => malformed_authorization(question, evidence),
        Code::AmbiguousToken => cause(
            format!("two different tokens are in {}", evidence.places()),
            "send one: the gateway and the upstream could each believe another",
        ),
        Code::TokenTooLarge => cause(
            format!(
                "the token has {} bytes, more than {}",
                evidence.token.as_ref().map_or(0, String::len),
                question.gateway.max_token_bytes()
            ),
            "ask for fewer claims or groups in it, or raise `limits.max_token_bytes`",
        ),
        Code::MalformedToken => malformed_token(evidence),
        Code::UnsupportedAlgorithm => cause(
            format!(
                "`alg` is {}, which is no signature that the gateway knows",
                evidence.header("alg").unwrap_or("missing")
            ),
            "sign with HS, RS, PS or ES 256/384/512, or EdDSA; `none` proves nothing",
        ),
        Code::AlgorithmNotAllowed => algorithm(evidence),
        Code::TokenExpired => expired(question, evidence),
        Code::UnknownKey => unknown_key(question, evidence),
        Code::KeysUnavailable => unavailable(evidence, &internal()),
        Code::UnknownCredential => unknown_credential(question, evidence, internal()),
        Code::InvalidSignature => signature(question, evidence),
        Code::TokenNotYetValid => not_yet(question, evidence),
        Code::MissingClaim => missing_claim(evidence, reject.claim().unwrap_or("a claim")),
        Code::InvalidClaim => invalid_claim(evidence, reject.claim().unwrap_or("a claim")),
        Code::InvalidIssuer => issuer(evidence),
        Code::InvalidAudience => audience(evidence),
        Code::TokenTooOld => too_old(question, evidence),
        Code::LifetimeTooLong => too_long(evidence),
        Code::TokenRevoked => {
            cause("the token was taken back", "log in again; the records are in the KV namespace of `revocation`")
        }
        Code::InsufficientScope => scope(evidence, evidence.authorization),
        Code::AccessDenied => denied(evidence, evidence.authorization, &internal()),
        Code::PayloadTooLarge => {
            cause("the body is larger than `limits.max_body_bytes`", "send less, or raise the limit")
        }
        Code::RateLimited => {
            cause("a `rate_limit` leaves no room", "wait for the period to end, or raise the limit in wrangler.toml")
        }
        Code::ConfigError => config(question, &internal()),
        Code::InternalError => cause(internal(), "look for the request's id in the log"),
        Code::UpstreamUnreachable => cause(
            "the upstream refuses the connection or ends it",
            "see whether it runs, and whether the server's `url` is right",
        ),
        Code::UpstreamTimeout => {
            cause("the upstream sends no response head in time", "see why it is slow, or raise `timeout_ms`")
        }
    }
}
