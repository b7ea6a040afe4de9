//! Times of a token that are past, ahead, or no times.

use super::{Cause, cause};
use crate::explain::Question;
use crate::explain::evidence::Evidence;
use crate::explain::moment::{are_millis, duration};

/// Ten years: an end before 1980 is a duration that somebody forgot to add to the time.
const LONGEST_DURATION: f64 = 315_360_000.0;

pub(super) fn expired(question: Question<'_>, evidence: &Evidence<'_>) -> Cause {
    let exp = evidence.seconds("exp").unwrap_or(0.0);
    if exp > 0.0 && exp < LONGEST_DURATION {
        return cause(
            format!("`exp` is {exp}, a time in 1970 or soon after: it reads like a duration"),
            format!("have the signer write the time of the end in seconds since 1970: now + {exp}"),
        );
    }
    let ago = question.now.as_numeric_date() - exp;
    cause(
        format!("it expired {} ago; {:.0} s of skew are allowed", duration(ago), skew(evidence)),
        "get a new token; if it is always so, compare the clocks of both sides",
    )
}

pub(super) fn not_yet(question: Question<'_>, evidence: &Evidence<'_>) -> Cause {
    let (now, skew) = (question.now.as_numeric_date(), skew(evidence));
    let late = |name: &&str| evidence.seconds(name).is_some_and(|time| time > now + skew);
    let name = ["nbf", "iat"].into_iter().find(late).unwrap_or("nbf");
    let time = evidence.seconds(name).unwrap_or(now);
    if are_millis(time) {
        return in_millis(name, time);
    }
    let fix = if time - now <= 600.0 {
        "compare the clocks of both sides; up to 600 s can be allowed by `clock_skew_seconds`"
    } else {
        "compare the clocks of both sides: one is wrong by that much, or writes its local time as if it were UTC"
    };
    cause(format!("`{name}` is {} ahead; {skew:.0} s of skew are allowed", duration(time - now)), fix)
}

pub(super) fn too_old(question: Question<'_>, evidence: &Evidence<'_>) -> Cause {
    let most = evidence.authorizer.and_then(|authorizer| authorizer.policy.rules.max_age).unwrap_or_default();
    let age = question.now.as_numeric_date() - evidence.seconds("iat").unwrap_or_default();
    cause(
        format!("`iat` is {} ago, further back than `max_age_seconds` ({})", duration(age), duration(most)),
        "get a new token, or raise `max_age_seconds`",
    )
}

pub(super) fn too_long(evidence: &Evidence<'_>) -> Cause {
    let most = evidence.authorizer.and_then(|authorizer| authorizer.policy.rules.max_lifetime).unwrap_or_default();
    let exp = evidence.seconds("exp").unwrap_or_default();
    if are_millis(exp) {
        return in_millis("exp", exp);
    }
    let lifetime = exp - evidence.seconds("iat").unwrap_or_default();
    cause(
        format!(
            "it lives for {} (`exp − iat`), which is more than `max_lifetime_seconds` ({})",
            duration(lifetime),
            duration(most)
        ),
        "have the provider issue shorter tokens, or raise the limit",
    )
}

fn in_millis(name: &str, time: f64) -> Cause {
    cause(
        format!("`{name}` is {time}: milliseconds, and a time is in seconds (RFC 7519 section 2)"),
        format!("have the signer divide by 1000: {:.0}", (time / 1000.0).floor()),
    )
}

fn skew(evidence: &Evidence<'_>) -> f64 {
    evidence.authorizer.map_or(0.0, |authorizer| authorizer.policy.rules.skew)
}
