//! What a client may send to be let in, as `WWW-Authenticate` says it (RFC 9110 section 11.6.1).

use std::borrow::Cow;

/// RFC 6750 section 3.
pub const BEARER: &str = "Bearer realm=\"portcullis\"";

/// No RFC's, since there is none for API keys, and a 401 must have a challenge; the name is what others use.
const API_KEY: &str = "ApiKey realm=\"portcullis\"";

/// RFC 7617 section 2. A browser that reads this asks its user for a password.
const BASIC: &str = "Basic realm=\"portcullis\", charset=\"UTF-8\"";

/// The kinds of credential that would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schemes {
    /// Tokens.
    pub bearer: bool,
    /// API keys.
    pub api_key: bool,
    /// Names with passwords.
    pub basic: bool,
}

impl Schemes {
    /// Tokens alone.
    pub const BEARER: Self = Self { bearer: true, api_key: false, basic: false };

    /// A challenge for each kind; that for tokens is `bearer`, which says what is wrong with the one that was sent.
    pub fn challenges(self, bearer: Cow<'static, str>) -> Cow<'static, str> {
        if self == Self::BEARER {
            return bearer;
        }
        let known = [(self.bearer, &*bearer), (self.api_key, API_KEY), (self.basic, BASIC)];
        let wanted: Vec<&str> = known.into_iter().filter_map(|(wanted, text)| wanted.then_some(text)).collect();
        wanted.join(", ").into()
    }

    /// What a request without any of them is told.
    pub const fn missing(self) -> &'static str {
        match self {
            Self { bearer: true, .. } => "Missing bearer token",
            Self { api_key: true, basic: false, .. } => "Missing API key",
            Self { api_key: false, basic: true, .. } => "Missing password",
            Self { .. } => "Missing credential",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_credential_that_would_do_has_its_challenge_and_no_other_has() {
        let token = || format!("{BEARER}, error=\"invalid_token\"").into();
        for (name, [bearer, api_key, basic], expected, missing) in [
            ("tokens", [true, false, false], "Bearer…", "Missing bearer token"),
            ("keys", [false, true, false], "ApiKey…", "Missing API key"),
            ("passwords", [false, false, true], "Basic…", "Missing password"),
            ("keys or passwords", [false, true, true], "ApiKey… Basic…", "Missing credential"),
            ("all", [true, true, true], "Bearer… ApiKey… Basic…", "Missing bearer token"),
        ] {
            let schemes = Schemes { bearer, api_key, basic };
            let told = schemes.challenges(token());
            let expected = expected
                .replace("Bearer…", r#"Bearer realm="portcullis", error="invalid_token","#)
                .replace("ApiKey…", r#"ApiKey realm="portcullis","#)
                .replace("Basic…", r#"Basic realm="portcullis", charset="UTF-8","#);
            assert_eq!(told, expected.trim_end_matches(','), "{name}");
            assert_eq!(schemes.missing(), missing, "{name}");
        }
    }
}
