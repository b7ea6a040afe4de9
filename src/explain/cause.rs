//! For each code: what is wrong, with what was seen, and what to do about it.

use serde_json::Value;

use super::evidence::Evidence;
use super::{Question, Variant, path_of};
use crate::authn::{Authorizer, KeySource, verify_token};
use crate::credential::Place;
use crate::gateway::Gateway;
use crate::jwt::alg::Algorithm;
use crate::reject::{Code, Reject};

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
        Code::MalformedAuthorization => malformed_authorization(question),
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
        Code::KeysUnavailable => cause(
            internal(),
            "give what the key URL serves with --jwks FILE; in production: see whether the provider answers",
        ),
        Code::UnknownCredential => cause(internal(), "add the credential, or send one that is there and counts now"),
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

fn not_found(question: Question<'_>) -> Cause {
    let path = path_of(question.head);
    let other_case = path.to_ascii_lowercase();
    let url = question.head.url.replace(path, &other_case);
    let head = crate::request::Head { url: &url, ..*question.head };
    if other_case != path && question.gateway.route(&head).is_ok() {
        return cause(
            format!("no pattern fits {path}; one fits {other_case}"),
            "paths are compared letter for letter: use the case of the configuration",
        );
    }
    cause(
        format!("no pattern fits {path}"),
        "see `portcullis routes`; `{name}` takes one segment, `{.+}` at the end takes the rest",
    )
}

fn missing(question: Question<'_>, evidence: &Evidence<'_>) -> Cause {
    let looked: Vec<&Place> = evidence.authorizers.iter().flat_map(|authorizer| &authorizer.places).collect();
    let is_token = |text: &str| text.trim().starts_with("eyJ") && text.split('.').count() >= 3;
    for (name, value) in question.headers {
        let lower = name.to_ascii_lowercase();
        let word = value.split_whitespace().last().unwrap_or(value);
        if lower == "cookie" {
            if let Some((cookie, _)) =
                value.split(';').filter_map(|pair| pair.split_once('=')).find(|(_, value)| is_token(value))
            {
                let cookie = cookie.trim();
                return cause(
                    format!("a token is in the cookie `{cookie}`, but it is looked for in {}", evidence.places()),
                    format!("send it there, or add {{ \"cookie\": \"{cookie}\" }} to `token_from`"),
                );
            }
        } else if is_token(word)
            && !looked.iter().any(|place| matches!(place, Place::Header { name, .. } if *name == lower))
        {
            return cause(
                format!("a token is in the header `{lower}`, but it is looked for in {}", evidence.places()),
                format!("send it there, or add {{ \"header\": \"{lower}\" }} to `token_from`"),
            );
        }
    }
    let query = question.head.url.split_once('?').map_or("", |(_, query)| query);
    if let Some((name, _)) = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(_, value)| is_token(value))
    {
        return cause(
            format!("a token is in the query parameter `{name}`, but it is looked for in {}", evidence.places()),
            format!("send it there, or add {{ \"query\": \"{name}\" }} to `token_from`"),
        );
    }
    cause(
        format!("there is no credential in {}", evidence.places()),
        "send one: `Authorization: Bearer TOKEN` unless the authorizer says otherwise",
    )
}

fn malformed_authorization(question: Question<'_>) -> Cause {
    let value = question.head.headers.get("authorization").unwrap_or_default();
    let words: Vec<&str> = value.split_whitespace().collect();
    match words.as_slice() {
        [token] if token.contains('.') => {
            cause("`Bearer` is missing before the token", "send `Authorization: Bearer TOKEN`")
        }
        [scheme] => cause(
            format!("there is `{scheme}` and no token behind it"),
            "see whether the variable that holds the token is empty",
        ),
        [_, token, ..] if token.starts_with(['"', '\'']) => cause("the token is in quotes", "send it without them"),
        [scheme, _] => cause(
            format!("the scheme is `{scheme}`, and a token comes behind `Bearer`"),
            "send `Authorization: Bearer TOKEN`",
        ),
        [_, "Bearer" | "bearer", ..] => {
            cause("`Bearer` is there twice", "the client adds it already: give it the token alone")
        }
        _ => {
            cause("more than one word follows the scheme", "send the token alone behind `Bearer`, without line breaks")
        }
    }
}

fn malformed_token(evidence: &Evidence<'_>) -> Cause {
    let token = evidence.token.as_deref().unwrap_or_default();
    let parts: Vec<&str> = token.split('.').collect();
    match parts.len() {
        1 => cause(
            "it is an opaque token, not a JSON Web Token: it has no dots",
            "ask the provider for a JWT access token; Auth0 gives one where the request names an `audience`",
        ),
        5 => cause(
            "it is encrypted (JWE), which only its addressee can read",
            "have the provider issue signed tokens (JWS)",
        ),
        3 if token.contains('=') => {
            cause("it is padded with `=`", "encode it as base64url without padding (RFC 7515 section 2)")
        }
        3 if token.contains(['+', '/']) => {
            cause("it is base64, not base64url", "write `-` for `+` and `_` for `/` (RFC 7515 section 2)")
        }
        3 if evidence.header.is_none() => {
            cause("its first part is no JSON object in base64url", "see whether it was cut off or changed on the way")
        }
        3 if evidence.header.as_ref().is_some_and(|header| header.contains_key("crit")) => {
            cause("its header has `crit`, and no extension is understood", "have the provider leave `crit` out")
        }
        3 if evidence.claims.is_none() => {
            cause("its second part is no JSON object in base64url", "see whether it was cut off or changed on the way")
        }
        3 => cause(
            "a part has stray bits, or a name is there twice",
            "compare it with what the provider issued, letter for letter",
        ),
        count => cause(
            format!("it has {count} parts, and a token has three"),
            "see whether it was cut off, or joined with another",
        ),
    }
}

fn algorithm(evidence: &Evidence<'_>) -> Cause {
    let alg = evidence.header("alg").unwrap_or_default();
    let secret = evidence.authorizer.is_some_and(|authorizer| matches!(authorizer.keys, KeySource::Secrets(_)));
    let allowed = evidence.authorizer.and_then(|authorizer| authorizer.policy.algorithms.as_ref());
    let allowed = allowed.map_or_else(
        || "those of its public keys".to_owned(),
        |list| list.iter().map(|alg| alg.name()).collect::<Vec<_>>().join(", "),
    );
    match (alg.starts_with("HS"), secret) {
        (false, true) => cause(
            format!(
                "the token is signed with {alg}, a provider's key pair, and the authorizer has a shared secret ({allowed})"
            ),
            "use an authorizer with the provider's `jwks_url` or `discovery` on this path",
        ),
        (true, false) => cause(
            format!("the token is signed with {alg}, a shared secret, and the authorizer has public keys ({allowed})"),
            "use an authorizer with `secret` on this path; a public key is never used as a secret",
        ),
        _ => cause(
            format!("the token is signed with {alg}, and the authorizer allows {allowed}"),
            "add it to `algorithms`, or sign with another",
        ),
    }
}

fn unknown_key(question: Question<'_>, evidence: &Evidence<'_>) -> Cause {
    let known = question.fetched.or(match evidence.authorizer.map(|authorizer| &authorizer.keys) {
        Some(KeySource::Inline(set)) => Some(set),
        _ => None,
    });
    let set = known.map(crate::jwt::keyset::KeySet::to_jwks);
    let kids: Vec<String> = set
        .iter()
        .flat_map(|set| set["keys"].as_array().cloned().unwrap_or_default())
        .map(|key| {
            let member = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
            format!("{} ({} {})", member("kid"), member("kty"), member("alg"))
        })
        .collect();
    let kid = evidence.header("kid");
    if let Some((_, why)) = known.and_then(|set| set.skipped().iter().find(|(skipped, _)| skipped.as_deref() == kid)) {
        return cause(
            format!("the key that the token names ({}) is not used: {why}", kid.unwrap_or("none")),
            "have the provider publish a usable key",
        );
    }
    let named = kid.map_or_else(|| "names no `kid`".to_owned(), |kid| format!("names `kid` {kid}"));
    cause(
        format!(
            "the token {named} with {}, and the set has {}",
            evidence.header("alg").unwrap_or("no `alg`"),
            if kids.is_empty() { "no key of use".to_owned() } else { kids.join(", ") }
        ),
        "see whether the token is from this issuer and environment, and whether --jwks is what the key URL serves now",
    )
}

fn signature(question: Question<'_>, evidence: &Evidence<'_>) -> Cause {
    let Some(token) = evidence.token.as_deref() else {
        return cause("the signature does not fit", "sign with the configured key");
    };
    let name = evidence.authorizer.and_then(|authorizer| authorizer.name.as_deref());
    let verifies = |gateway: &Gateway| match gateway.authorizer(name) {
        Some(Ok(authorizer)) => {
            let verdict =
                verify_token(authorizer, token, question.gateway.max_token_bytes(), question.fetched, question.now);
            !matches!(verdict, Err(reject) if reject.code() == Code::InvalidSignature)
        }
        _ => false,
    };
    for encoding in ["base64", "base64url", "hex", "utf8"] {
        if (question.variant)(Variant::Encoding(encoding)).is_some_and(|gateway| verifies(&gateway)) {
            return cause(
                format!("the signature fits if the secret is read as {encoding}"),
                format!("write \"secret_encoding\": \"{encoding}\" beside the secret"),
            );
        }
    }
    if (question.variant)(Variant::Trimmed).is_some_and(|gateway| verifies(&gateway)) {
        return cause(
            "the signature fits if white space around the secret is taken off",
            "set the secret again without the line break at its end",
        );
    }
    let wanted = evidence.header("alg").and_then(Algorithm::named);
    let length = token.rsplit('.').next().map_or(0, |part| part.len() * 3 / 4);
    if let (Some(algorithm), true) = (wanted, evidence.header("alg").is_some_and(|alg| alg.starts_with("HS")))
        && length != algorithm.hash().bytes()
    {
        return cause(
            format!("the signature has {length} bytes, and {} gives {}", algorithm.name(), algorithm.hash().bytes()),
            "see whether the token was cut off",
        );
    }
    let secret = matches!(evidence.authorizer.map(|authorizer| &authorizer.keys), Some(KeySource::Secrets(_)));
    let fix = if secret {
        "see whether both sides have the same secret; base64, hex and white space were tried"
    } else {
        "see whether the token is from this issuer and environment, and was not changed on the way"
    };
    cause("another key signed the token, or it was changed on the way", fix)
}

fn not_yet(question: Question<'_>, evidence: &Evidence<'_>) -> Cause {
    let now = question.now.as_numeric_date();
    let ahead = |name: &str| evidence.seconds(name).map(|time| time - now).filter(|ahead| *ahead > 0.0);
    let (name, by) = match (ahead("nbf"), ahead("iat")) {
        (Some(by), _) => ("nbf", by),
        (None, Some(by)) => ("iat", by),
        (None, None) => ("nbf", 0.0),
    };
    cause(
        format!("`{name}` is {} ahead; {:.0} s of skew are allowed", duration(by), skew(evidence)),
        "compare the clocks of both sides; up to 600 s can be allowed by `clock_skew_seconds`",
    )
}

fn invalid_claim(evidence: &Evidence<'_>, claim: &str) -> Cause {
    match claim {
        "typ" => cause(
            format!(
                "the header's `typ` is {}, and the authorizer allows {}",
                evidence.header("typ").unwrap_or("missing"),
                types(evidence)
            ),
            "send an access token; add the type to `token_types` if this one is right",
        ),
        "exp" | "nbf" | "iat" => cause(
            format!(
                "`{claim}` is {}, and a time is a number of seconds (RFC 7519 section 2)",
                shown(evidence.claim(claim))
            ),
            "write it as a number: seconds since 1970, not milliseconds, no text",
        ),
        _ => cause(
            format!(
                "`{claim}` is {}, and the authorizer's `claims` ask for {}",
                shown(evidence.claim(claim)),
                fixed(evidence, claim)
            ),
            "get a token with that value, or change `claims`",
        ),
    }
}

fn issuer(evidence: &Evidence<'_>) -> Cause {
    let seen = evidence.claim("iss").and_then(Value::as_str).unwrap_or_default();
    let known: Vec<&String> =
        evidence.authorizers.iter().flat_map(|authorizer| &authorizer.policy.rules.issuers).collect();
    if let Some(near) = known.iter().find(|known| known.trim_end_matches('/') == seen.trim_end_matches('/')) {
        let (with, without) =
            if seen.ends_with('/') { ("the token's", "the configured") } else { ("the configured", "the token's") };
        return cause(
            format!("a slash: {with} issuer ends with one, {without} does not ({seen} and {near})"),
            format!("write \"issuer\": \"{seen}\": issuers are compared letter for letter"),
        );
    }
    if let Some(near) = known
        .iter()
        .find(|known| known.eq_ignore_ascii_case(seen) || known.split("://").nth(1) == seen.split("://").nth(1))
    {
        return cause(
            format!("the issuers differ in case or scheme ({seen} and {near})"),
            format!("write \"issuer\": \"{seen}\""),
        );
    }
    let known: Vec<&str> = known.iter().map(|known| known.as_str()).collect();
    cause(
        format!("the token is from {seen}, and {} is accepted", known.join(", ")),
        "see whether the token is from another tenant, environment or provider",
    )
}

fn audience(evidence: &Evidence<'_>) -> Cause {
    let wanted = evidence.authorizer.map(|authorizer| authorizer.policy.rules.audiences.join(", ")).unwrap_or_default();
    let seen = evidence.claim("aud");
    let is_id_token =
        evidence.claim("nonce").is_some() || evidence.claim("at_hash").is_some() || evidence.claim("c_hash").is_some();
    let client = evidence.claim("azp").or_else(|| evidence.claim("client_id"));
    let holds =
        |value: &Value| seen == Some(value) || seen.and_then(Value::as_array).is_some_and(|list| list.contains(value));
    if is_id_token || client.is_some_and(holds) {
        return cause(
            format!("it is an ID token: its audience {} is the client, and the API is {wanted}", shown(seen)),
            "send the access token instead, and ask the provider for one with the API's audience",
        );
    }
    let slash =
        seen.and_then(Value::as_str).is_some_and(|seen| wanted.trim_end_matches('/') == seen.trim_end_matches('/'));
    if slash {
        return cause(
            format!("a slash: the audiences are {} and {wanted}", shown(seen)),
            "write `audience` as the token has it, letter for letter",
        );
    }
    cause(
        format!("the token is for {}, and {wanted} is wanted", shown(seen)),
        "ask the provider for a token with this audience, or add the token's to `audience`",
    )
}

fn scope(evidence: &Evidence<'_>) -> String {
    match evidence.claim("scope").or_else(|| evidence.claim("scp")) {
        None => "no scope".to_owned(),
        claim => shown(claim),
    }
}

fn fix_of_missing(claim: &str) -> &'static str {
    match claim {
        "exp" => "have the provider set an end, or write \"require_exp\": false",
        "aud" => {
            "ask the provider for a token with the API's audience; Cognito's access tokens have `client_id` instead"
        }
        "iss" => "have the signer set `iss`, or leave `issuer` out where the keys are the configuration's own",
        _ => "have the provider add it, or take it off `required_claims` or `claims`",
    }
}

fn types(evidence: &Evidence<'_>) -> String {
    evidence.authorizer.map(|authorizer| authorizer.policy.types.join(", ")).unwrap_or_default()
}

fn fixed(evidence: &Evidence<'_>, claim: &str) -> String {
    let rules = evidence.authorizer.map(|authorizer: &Authorizer| &authorizer.policy.rules.fixed);
    let values = rules.into_iter().flatten().find(|(name, _)| name == claim);
    values.map_or_else(
        || "another value".to_owned(),
        |(_, values)| values.iter().map(Value::to_string).collect::<Vec<_>>().join(" or "),
    )
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "missing".to_owned(), Value::to_string)
}

fn skew(evidence: &Evidence<'_>) -> f64 {
    evidence.authorizer.map_or(0.0, |authorizer| authorizer.policy.rules.skew)
}

/// Seconds in words.
pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} h", s / 3600.0),
        s => format!("{:.0} days", s / 86_400.0),
    }
}
