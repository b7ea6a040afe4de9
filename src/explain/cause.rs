//! For each code: what is wrong, with what was seen, and what to do about it.

mod claims;
mod form;
mod key;
mod malformed;
mod path;
mod placement;
mod presented;

use super::evidence::Evidence;
use super::moment::duration;
use super::{KV_UNREAD, Question, path_of};
use crate::reject::{Code, Reject};

use claims::{audience, fix_of_missing, invalid_claim, issuer, not_yet, scope, skew};
use form::malformed_token;
use key::{algorithm, signature, unknown_key};
use malformed::malformed_authorization;
use path::not_found;
pub(super) use placement::elsewhere;
use placement::missing;
use presented::unknown_credential;

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
    let internal = || reject.internal().unwrap_or("the log says more").to_owned();
    match reject.code() {
        Code::InvalidPath => cause(
            format!("the path {} could be read as different paths", path_of(question.head)),
            "send it without `..`, `%2F`, `%5C`, `\\`, `#`, NUL, stray `%` and bytes that are not UTF-8",
        ),
        Code::PathTooLong => cause("the path is longer than `limits.max_path_bytes`", "shorten it, or raise the limit"),
        Code::InvalidRequest => cause(
            reject.internal().map_or_else(|| "the URL cannot be read".to_owned(), str::to_owned),
            "send what `rewrite` needs, or give the path a pattern that always has it",
        ),
        Code::NotFound => not_found(question),
        Code::MethodNotAllowed => cause(
            format!("the path is there, but not with {}", question.head.method),
            "add the method to the path, or send one that `Allow` names; a wider pattern is not tried",
        ),
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
        Code::TokenExpired => {
            let (exp, skew) = (evidence.seconds("exp").unwrap_or(0.0), skew(evidence));
            let ago = question.now.as_numeric_date() - exp;
            cause(
                format!("it expired {} ago; {skew:.0} s of skew are allowed", duration(ago)),
                "get a new token; if it is always so, compare the clocks of both sides",
            )
        }
        Code::UnknownKey => unknown_key(question, evidence),
        Code::KeysUnavailable if internal().starts_with(KV_UNREAD) => cause(
            internal(),
            "see what is there: `portcullis jwt ls NAME` for credentials, `portcullis revoke ls` for tokens that were taken back",
        ),
        Code::KeysUnavailable => cause(
            internal(),
            "give what the key URL serves with --jwks FILE; in production: see whether the provider answers",
        ),
        Code::UnknownCredential => unknown_credential(question, evidence, internal()),
        Code::InvalidSignature => signature(question, evidence),
        Code::TokenNotYetValid => not_yet(question, evidence),
        Code::MissingClaim => {
            let claim = reject.claim().unwrap_or("a claim");
            cause(format!("`{claim}` is not in the token"), fix_of_missing(claim))
        }
        Code::InvalidClaim => invalid_claim(evidence, reject.claim().unwrap_or("a claim")),
        Code::InvalidIssuer => issuer(evidence),
        Code::InvalidAudience => audience(evidence),
        Code::TokenTooOld => {
            cause("`iat` is further back than `max_age_seconds`", "get a new token, or raise `max_age_seconds`")
        }
        Code::LifetimeTooLong => cause(
            "`exp − iat` is more than `max_lifetime_seconds`",
            "have the provider issue shorter tokens, or raise the limit",
        ),
        Code::TokenRevoked => {
            cause("the token was taken back", "log in again; the records are in the KV namespace of `revocation`")
        }
        Code::InsufficientScope => cause(
            format!("the token grants {}, which is less than the path's `scopes`", scope(evidence)),
            "ask the provider for these scopes when getting the token",
        ),
        Code::AccessDenied => cause(internal(), "give the user what the rule asks for, or change the rule"),
        Code::PayloadTooLarge => {
            cause("the body is larger than `limits.max_body_bytes`", "send less, or raise the limit")
        }
        Code::RateLimited => {
            cause("a `rate_limit` leaves no room", "wait for the period to end, or raise the limit in wrangler.toml")
        }
        Code::ConfigError => cause(
            internal(),
            "bind what is missing: `npx wrangler secret put NAME`, [vars] in wrangler.toml, or .dev.vars and --env-file here",
        ),
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
