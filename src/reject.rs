//! Every refusal: its status, its code, its words. Codes never change meaning.

use std::borrow::Cow;

use serde_json::Value;

use crate::challenge::{BEARER, Schemes};
use crate::config::wire::Detail;
use crate::jwt::error::TokenError;
use crate::lines::Lines;
use crate::reply::Reply;

/// Seconds that a client is asked to wait where nothing better is known.
const RETRY_AFTER_SECONDS: u64 = 5;

/// Bytes that the headers and the body of most refusals stay under.
const HEADERS_ROOM: usize = 256;
const BODY_ROOM: usize = 192;

/// What a refusal says beside its code.
#[derive(Clone, Debug, PartialEq, Eq)]
enum About {
    Nothing,
    /// The claim that is wrong.
    Claim(String),
    /// For 405: what the path can do.
    Allow(String),
    /// For 403: the scopes that are needed.
    Scope(String),
}

/// A request that is not let through, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    code: Code,
    about: About,
    /// Seconds after which trying again makes sense.
    retry_after: Option<u64>,
    /// What the operator should read; never sent to a client.
    internal: Option<String>,
    /// What would do instead of what was sent.
    schemes: Schemes,
}

macro_rules! codes {
    ($($variant:ident: $status:literal $error:literal $code:literal $message:literal;)*) => {
        /// What kind of refusal: one line of the table of answers.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = concat!($status, " `", $code, "`: ", $message, ".")] $variant,)*
        }

        impl Code {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// The kind of refusal, in one word.
            pub const fn error(self) -> &'static str {
                match self { $(Self::$variant => $error,)* }
            }

            /// The code that clients and operators search for.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The code in words.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$variant => $message,)* }
            }
        }
    };
}

codes! {
    InvalidPath: 400 "bad_request" "invalid_path" "Invalid path";
    PathTooLong: 400 "bad_request" "path_too_long" "Path too long";
    InvalidRequest: 400 "bad_request" "invalid_request" "Invalid request";
    MissingToken: 401 "unauthorized" "missing_token" "Missing bearer token";
    MalformedAuthorization: 401 "unauthorized" "malformed_authorization" "Malformed authorization";
    AmbiguousToken: 401 "unauthorized" "ambiguous_token" "Two different tokens";
    TokenTooLarge: 401 "unauthorized" "token_too_large" "Token too large";
    MalformedToken: 401 "unauthorized" "malformed_token" "Malformed token";
    UnsupportedAlgorithm: 401 "unauthorized" "unsupported_algorithm" "Unsupported algorithm";
    AlgorithmNotAllowed: 401 "unauthorized" "algorithm_not_allowed" "Algorithm not allowed";
    UnknownKey: 401 "unauthorized" "unknown_key" "Unknown key";
    InvalidSignature: 401 "unauthorized" "invalid_signature" "Invalid signature";
    TokenExpired: 401 "unauthorized" "token_expired" "Token expired";
    TokenNotYetValid: 401 "unauthorized" "token_not_yet_valid" "Token not yet valid";
    MissingClaim: 401 "unauthorized" "missing_claim" "Missing claim";
    InvalidClaim: 401 "unauthorized" "invalid_claim" "Invalid claim";
    InvalidIssuer: 401 "unauthorized" "invalid_issuer" "Invalid issuer";
    InvalidAudience: 401 "unauthorized" "invalid_audience" "Invalid audience";
    TokenTooOld: 401 "unauthorized" "token_too_old" "Token too old";
    LifetimeTooLong: 401 "unauthorized" "lifetime_too_long" "Token lifetime too long";
    TokenRevoked: 401 "unauthorized" "token_revoked" "Token revoked";
    UnknownCredential: 401 "unauthorized" "unknown_credential" "Unknown credential";
    InsufficientScope: 403 "forbidden" "insufficient_scope" "Insufficient scope";
    AccessDenied: 403 "forbidden" "access_denied" "Access denied";
    NotFound: 404 "not_found" "not_found" "Not found";
    MethodNotAllowed: 405 "method_not_allowed" "method_not_allowed" "Method not allowed";
    PayloadTooLarge: 413 "payload_too_large" "payload_too_large" "Payload too large";
    RateLimited: 429 "rate_limited" "rate_limited" "Too many requests";
    ConfigError: 500 "internal_error" "config_error" "Gateway configuration error";
    InternalError: 500 "internal_error" "internal_error" "Internal error";
    UpstreamUnreachable: 502 "bad_gateway" "upstream_unreachable" "Upstream unreachable";
    KeysUnavailable: 503 "unavailable" "keys_unavailable" "Signing keys unavailable";
    UpstreamTimeout: 504 "gateway_timeout" "upstream_timeout" "Upstream timed out";
}

impl Reject {
    /// A refusal that is said by its code alone.
    pub const fn new(code: Code) -> Self {
        Self { code, about: About::Nothing, retry_after: None, internal: None, schemes: Schemes::BEARER }
    }

    /// A path whose best pattern lacks the method; `allow` is what it has (RFC 9110 section 15.5.6).
    pub fn method_not_allowed(allow: String) -> Self {
        Self { about: About::Allow(allow), ..Self::new(Code::MethodNotAllowed) }
    }

    /// The gateway is not set up for this request; `internal` is for the log.
    pub fn config(internal: String) -> Self {
        Self { internal: Some(internal), ..Self::new(Code::ConfigError) }
    }

    /// The identity provider's keys cannot be had. Never a 401: the client did nothing wrong.
    pub fn keys_unavailable(retry_after_ms: u64, internal: String) -> Self {
        let retry_after = Some(retry_after_ms.div_ceil(1000).max(1));
        Self { retry_after, internal: Some(internal), ..Self::new(Code::KeysUnavailable) }
    }

    /// Too many requests; the count begins anew after so many seconds at most.
    pub fn rate_limited(period_seconds: u64) -> Self {
        Self { retry_after: Some(period_seconds), ..Self::new(Code::RateLimited) }
    }

    /// The token grants too little; `scope` is what is needed (RFC 6750 section 3.1).
    pub fn insufficient_scope(scope: String) -> Self {
        Self { about: About::Scope(scope), ..Self::new(Code::InsufficientScope) }
    }

    /// The same for a route that takes credentials of these kinds.
    #[must_use]
    pub fn at(self, schemes: Schemes) -> Self {
        Self { schemes, ..self }
    }

    /// The same with a line for the log.
    #[must_use]
    pub fn because(self, internal: String) -> Self {
        Self { internal: Some(internal), ..self }
    }

    /// Its line in the table of answers.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The claim it is about.
    pub const fn claim(&self) -> Option<&str> {
        match &self.about {
            About::Claim(claim) => Some(claim.as_str()),
            _ => None,
        }
    }

    /// The methods that the path has, where it lacks the request's.
    #[cfg(feature = "explain")]
    pub const fn allow(&self) -> Option<&str> {
        match &self.about {
            About::Allow(allow) => Some(allow.as_str()),
            _ => None,
        }
    }

    /// What the operator should read.
    pub fn internal(&self) -> Option<&str> {
        self.internal.as_deref()
    }

    /// The answer that the client gets: the one place where a refusal becomes bytes.
    pub fn reply(&self, detail: Detail, request_id: &str) -> Reply {
        let headers = Lines::with_capacity(HEADERS_ROOM);
        let mut reply = Reply { status: self.code.status(), headers, body: self.body(detail, request_id) };
        // The id comes first: the others are those of many an answer, and the Worker keeps them.
        reply.header("x-request-id", request_id);
        reply.header("content-type", "application/json");
        reply.header("cache-control", "no-store");
        if let Some(challenge) = self.challenge(detail) {
            reply.header("www-authenticate", &challenge);
        }
        if let About::Allow(allow) = &self.about {
            reply.header("allow", allow);
        }
        if matches!(self.code.status(), 429 | 503) {
            reply.header("retry-after", &self.retry_after.unwrap_or(RETRY_AFTER_SECONDS).to_string());
        }
        reply
    }

    /// Its words. A code's own are those of tokens.
    const fn message(&self) -> &'static str {
        match self.code {
            Code::MissingToken => self.schemes.missing(),
            code => code.message(),
        }
    }

    /// The body, in the order in which people read it.
    fn body(&self, detail: Detail, request_id: &str) -> String {
        let code = self.code;
        let mut body = String::with_capacity(BODY_ROOM);
        // None of a code's own texts needs an escape.
        body.push_str("{\"error\":\"");
        body.push_str(code.error());
        if detail != Detail::None {
            body.push_str("\",\"code\":\"");
            body.push_str(code.code());
        }
        if detail == Detail::Full {
            body.push_str("\",\"message\":\"");
            body.push_str(self.message());
        }
        body.push_str("\",\"statusCode\":");
        body.push_str(&code.status().to_string());
        body.push_str(",\"requestId\":");
        push_quoted(&mut body, request_id);
        if let (About::Claim(claim), Detail::Full) = (&self.about, detail) {
            body.push_str(",\"details\":{\"claim\":");
            push_quoted(&mut body, claim);
            body.push('}');
        }
        body.push('}');
        body
    }

    /// `WWW-Authenticate` (RFC 6750 section 3): no `error` where no token was sent; with the needed scopes where they were lacking.
    fn challenge(&self, detail: Detail) -> Option<Cow<'static, str>> {
        let challenge = match (self.code.status(), self.code, detail) {
            (401, Code::MissingToken, _) => BEARER.into(),
            (401, code, Detail::Full) => {
                [BEARER, ", error=\"invalid_token\", error_description=\"", code.message(), "\""].concat().into()
            }
            (401, ..) => [BEARER, ", error=\"invalid_token\""].concat().into(),
            (403, Code::InsufficientScope, Detail::Full) => {
                let scope = match &self.about {
                    About::Scope(scope) => format!(", scope=\"{scope}\""),
                    _ => String::new(),
                };
                Cow::Owned(format!("{BEARER}, error=\"insufficient_scope\"{scope}"))
            }
            (403, Code::InsufficientScope, _) => [BEARER, ", error=\"insufficient_scope\""].concat().into(),
            _ => return None,
        };
        // What is too little is a token, whatever else would have done.
        Some(if self.code.status() == 401 { self.schemes.challenges(challenge) } else { challenge })
    }
}

/// Adds `text` as JSON has it. Nearly all of what a refusal says needs no escapes.
fn push_quoted(to: &mut String, text: &str) {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\') {
        for part in ["\"", text, "\""] {
            to.push_str(part);
        }
    } else {
        to.push_str(&Value::from(text).to_string());
    }
}

impl From<TokenError> for Reject {
    fn from(error: TokenError) -> Self {
        let about = |code, claim: &str| Self { about: About::Claim(claim.to_owned()), ..Self::new(code) };
        match error {
            TokenError::Malformed => Self::new(Code::MalformedToken),
            TokenError::UnsupportedAlgorithm => Self::new(Code::UnsupportedAlgorithm),
            TokenError::AlgorithmNotAllowed => Self::new(Code::AlgorithmNotAllowed),
            TokenError::WrongType => about(Code::InvalidClaim, "typ"),
            TokenError::Expired => Self::new(Code::TokenExpired),
            TokenError::UnknownKey => Self::new(Code::UnknownKey),
            TokenError::InvalidSignature => Self::new(Code::InvalidSignature),
            TokenError::NotYetValid => Self::new(Code::TokenNotYetValid),
            TokenError::TooOld => Self::new(Code::TokenTooOld),
            TokenError::LifetimeTooLong => Self::new(Code::LifetimeTooLong),
            TokenError::MissingClaim(claim) => about(Code::MissingClaim, &claim),
            TokenError::InvalidClaim(claim) => about(Code::InvalidClaim, &claim),
            TokenError::InvalidIssuer => about(Code::InvalidIssuer, "iss"),
            TokenError::InvalidAudience => about(Code::InvalidAudience, "aud"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn codes_are_all_different_and_a_bad_token_is_never_a_5xx() {
        for (index, code) in Code::ALL.iter().enumerate() {
            assert!(Code::ALL.iter().skip(index + 1).all(|other| other.code() != code.code()), "{}", code.code());
        }
        let errors = [TokenError::Malformed, TokenError::UnknownKey, TokenError::InvalidClaim("exp".into())];
        assert!(errors.into_iter().all(|error| Reject::from(error).code().status() == 401));
    }

    #[test]
    fn every_body_is_json_in_every_detail() {
        for code in Code::ALL {
            for (detail, members) in [(Detail::None, 3), (Detail::Code, 4), (Detail::Full, 5)] {
                let body = Reject::new(*code).reply(detail, "id-1").body;
                let body: Value = serde_json::from_str(&body).unwrap();
                assert_eq!(body.as_object().unwrap().len(), members, "{body}");
                assert_eq!((&body["error"], &body["requestId"]), (&code.error().into(), &"id-1".into()), "{body}");
                assert!(body.get("code").is_none_or(|told| *told == code.code()), "{body}");
                assert!(body.get("message").is_none_or(|told| *told == code.message()), "{body}");
            }
        }
    }

    #[test]
    fn a_401_says_what_is_wrong_in_body_and_challenge() {
        let reply = Reject::from(TokenError::Expired).reply(Detail::Full, "r-1");
        assert_eq!(reply.status, 401);
        assert_eq!(
            serde_json::from_slice::<Value>(reply.body.as_bytes()).unwrap(),
            json!({"error": "unauthorized", "code": "token_expired", "message": "Token expired", "statusCode": 401, "requestId": "r-1"})
        );
        let challenge = r#"Bearer realm="portcullis", error="invalid_token", error_description="Token expired""#;
        assert_eq!(reply.get("www-authenticate"), Some(challenge));
        assert_eq!(reply.get("cache-control"), Some("no-store"));
        assert_eq!(reply.get("x-request-id"), Some("r-1"));
    }

    #[test]
    fn a_missing_token_is_challenged_without_an_error() {
        let reply = Reject::new(Code::MissingToken).reply(Detail::Full, "r");
        assert_eq!(reply.get("www-authenticate"), Some(r#"Bearer realm="portcullis""#));
    }

    #[test]
    fn a_refusal_is_json_whatever_its_words_are() {
        for claim in
            ["tier", "https://example.com/roles", "with \"quotes\"", "back\\slash", "line\nend", "é", "\u{7f}", ""]
        {
            let body = Reject::from(TokenError::InvalidClaim(claim.into())).reply(Detail::Full, "r-1").body;
            let expected = json!({
                "error": "unauthorized", "code": "invalid_claim", "message": "Invalid claim", "statusCode": 401,
                "requestId": "r-1", "details": {"claim": claim},
            });
            assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), expected, "{claim:?}");
        }
    }

    #[test]
    fn internal_text_never_reaches_a_client() {
        let reply = Reject::config("JWT_SECRET is not bound".into()).reply(Detail::Full, "r");
        assert!(!reply.body.contains("JWT_SECRET"));
    }

    #[test]
    fn detail_narrows_what_is_told() {
        let reject = Reject::from(TokenError::InvalidClaim("tier".into()));
        let full = reject.reply(Detail::Full, "r").body;
        assert!(full.contains(r#""details":{"claim":"tier"}"#) && full.contains("invalid_claim"));
        let code = reject.reply(Detail::Code, "r").body;
        assert!(code.contains("invalid_claim") && !code.contains("tier") && !code.contains("message"));
        let none = reject.reply(Detail::None, "r");
        assert!(!none.body.contains("invalid_claim") && !none.get("www-authenticate").unwrap().contains("description"));
    }
}
