//! What the gateway itself lacks: configuration, variables, keys, records.

use super::signature::ENCODINGS;
use super::{Cause, cause};
use crate::authn::KeySource;
use crate::explain::evidence::Evidence;
use crate::explain::{KEYS_UNREAD, KV_UNREAD, Question, Variant};

pub(super) fn config(question: Question<'_>, why: &str) -> Cause {
    if why.contains("is not bound") {
        return cause(
            why,
            "bind what is missing: `npx wrangler secret put NAME`, [vars] in wrangler.toml, or .dev.vars and --env-file here",
        );
    }
    if why.contains("is not written in its `secret_encoding`") {
        let readable = ENCODINGS.into_iter().find(|encoding| {
            let gateway = (question.variant)(Variant::Encoding(encoding));
            gateway.is_some_and(|gateway| gateway.faults().count() < question.gateway.faults().count())
        });
        return match readable.filter(|encoding| *encoding != "utf8") {
            Some(encoding) => cause(
                format!("{why}; it can be read as {encoding}"),
                format!("write \"secret_encoding\": \"{encoding}\", or put the secret into the one that is written"),
            ),
            None => cause(why, "put the secret into that encoding, or write the encoding that it is in"),
        };
    }
    if why.contains("the secret is empty") {
        return cause(
            why,
            "set the secret: `npx wrangler secret put NAME`, or .dev.vars; a variable of this name has no value",
        );
    }
    cause(why, "correct it at the place that is named; `portcullis check --env-file .dev.vars` finds it beforehand")
}

pub(super) fn unavailable(evidence: &Evidence<'_>, why: &str) -> Cause {
    if why.starts_with(KV_UNREAD) {
        let consumers = matches!(evidence.authorizer.map(|authorizer| &authorizer.keys), Some(KeySource::Consumers(_)));
        return cause(
            why,
            match (consumers, why.contains("`revoked:")) {
                (true, false) => {
                    "see whether it is there and counts: `portcullis jwt ls NAME`, with --remote for the deployed Worker's"
                }
                (_, true) => "all else is good; see whether it was taken back: `portcullis revoke ls`",
                _ => "see what is there: `npx wrangler kv key get --binding BINDING KEY`",
            },
        );
    }
    if let Some(url) = why.strip_prefix(KEYS_UNREAD).and_then(|rest| rest.split([' ', ',']).nth(1)) {
        let fix = if url.ends_with("/.well-known/openid-configuration") {
            format!("give what the `jwks_uri` of that document serves: `--jwks FILE` (curl {url})")
        } else {
            format!("give what it serves: `curl -o keys.json {url}`, then `--jwks keys.json`")
        };
        return cause(why, fix);
    }
    cause(why, "see whether the provider answers, and whether its key URL is the configured one")
}
