//! Claims that differ from what is wanted, and grants that are too few.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::answered;
use crate::explain::Explanation;
use crate::explain::inquiry::Inquiry;
use crate::testing::{SECONDS, SECRET, headers, hs};

/// What is told of a token with these claims, where the authorizer and the path have these members too.
fn told(authorizer: &Value, path: &Value, more: &Value) -> Explanation {
    let merge = |mut into: Value, more: &Value| {
        for (name, value) in more.as_object().unwrap() {
            into[name] = value.clone();
        }
        into
    };
    let jwt = json!({"type": "jwt", "secret": SECRET, "algorithm": "HS256", "issuer": "https://id.example/", "audience": "api"});
    let config = json!({
        "authorizer": merge(jwt, authorizer),
        "paths": [merge(json!({"method": "GET", "path": "/me", "auth": true, "response": {}}), path)],
    });
    let claims =
        json!({"iss": "https://id.example/", "aud": "api", "sub": "u", "iat": SECONDS - 10, "exp": SECONDS + 300});
    let token = hs(SECRET, &json!({"alg": "HS256"}), &merge(claims, more));
    let inquiry = Inquiry {
        method: "GET".into(),
        path: "/me".into(),
        headers: headers(&[("authorization", &format!("Bearer {token}"))]),
    };
    answered(&inquiry, &config, &BTreeMap::new(), None)
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn claims_are_told_by_how_they_differ() {
    let client = json!({"audience": "client", "issuer": "https://accounts.google.com"});
    for (name, authorizer, claims, cause) in [
        ("iat in milliseconds", json!({}), json!({"iat": SECONDS * 1000}), "`iat` is 1700000000000: milliseconds"),
        ("exp as a duration", json!({}), json!({"exp": 3600}), "`exp` is 3600, a time in 1970"),
        (
            "too old",
            json!({"max_age_seconds": 60}),
            json!({"iat": SECONDS - 600}),
            "`iat` is 10 min ago, further back than `max_age_seconds` (60 s)",
        ),
        (
            "too long",
            json!({"max_lifetime_seconds": 60}),
            json!({"iat": SECONDS}),
            "it lives for 5 min (`exp − iat`), which is more than `max_lifetime_seconds` (60 s)",
        ),
        (
            "too long in milliseconds",
            json!({"max_lifetime_seconds": 60}),
            json!({"exp": SECONDS * 1000}),
            "`exp` is 1700000000000: milliseconds",
        ),
        (
            "an issuer with a space",
            json!({}),
            json!({"iss": "https://id.example/ "}),
            "the issuers differ in white space at an end",
        ),
        ("an issuer in capitals", json!({}), json!({"iss": "https://ID.example/"}), "the issuers differ in case"),
        (
            "an issuer without scheme and slash",
            json!({}),
            json!({"iss": "id.example"}),
            "the issuers differ in the scheme, which one lacks",
        ),
        ("an empty issuer", json!({}), json!({"iss": ""}), "`iss` is empty"),
        (
            "an issuer as a list",
            json!({}),
            json!({"iss": ["https://id.example/"]}),
            "`iss` is [\"https://id.example/\"], and it is a text",
        ),
        (
            "a document as issuer",
            json!({"issuer": "https://other.example/.well-known/openid-configuration"}),
            json!({}),
            "the configured issuer https://other.example/.well-known/openid-configuration is the address of a document",
        ),
        (
            "a key of Supabase",
            json!({}),
            json!({"iss": "supabase", "role": "anon"}),
            "it is the project's API key (role \"anon\")",
        ),
        (
            "a custom token",
            json!({}),
            json!({"iss": "a@b", "aud": "https://identitytoolkit.googleapis.com/x"}),
            "it is a custom token of Firebase",
        ),
        ("no audience in the list", json!({}), json!({"aud": []}), "`aud` is an empty list"),
        (
            "an audience with a slash in a list",
            json!({"audience": "https://api"}),
            json!({"aud": ["x", "https://api/"]}),
            "a slash: the audiences differ",
        ),
        ("an audience in capitals", json!({}), json!({"aud": "API"}), "the audiences differ in case"),
        ("audiences in one text", json!({}), json!({"aud": "x api"}), "`aud` is one text that names several"),
        (
            "one of two",
            json!({"audience": ["a", "b"], "audience_match": "all"}),
            json!({"aud": "a"}),
            "the token is for \"a\", and lacks b",
        ),
        (
            "Graph",
            json!({}),
            json!({"aud": "00000003-0000-0000-c000-000000000000"}),
            "it is a token for Microsoft Graph",
        ),
        (
            "the application's id alone",
            json!({"audience": "api://1-2"}),
            json!({"aud": "1-2"}),
            "the token names the application by its id alone",
        ),
        ("a person's data", json!({}), json!({"aud": "c", "email": "a@b"}), "it is an ID token"),
        (
            "an access token of the client",
            json!({}),
            json!({"aud": "c", "azp": "c", "scope": "x"}),
            "the token is for \"c\", and api is wanted",
        ),
        (
            "Google's for another client",
            client,
            json!({"iss": "https://accounts.google.com", "aud": "other", "azp": "other", "email": "a@b"}),
            "the token is for \"other\", and client is wanted",
        ),
        (
            "the other of Cognito",
            json!({"claims": {"token_use": "access"}}),
            json!({"token_use": "id"}),
            "it is an ID token (`token_use` is \"id\")",
        ),
        (
            "another case of a name",
            json!({"required_claims": ["email"]}),
            json!({"Email": "a@b"}),
            "`email` is not in the token; `Email` is",
        ),
    ] {
        let told = told(&authorizer, &json!({}), &claims);
        let first = told.cause.as_deref().unwrap_or_default();
        assert!(first.starts_with(cause), "{name}: {first}");
        assert!(told.fix.is_some_and(|fix| fix.len() > 10), "{name} has a fix");
    }
    let passed = told(&json!({}), &json!({}), &json!({"exp": SECONDS * 1000}));
    let time = passed.steps.iter().find(|step| step.step == "time").unwrap();
    assert!(time.ok && time.text.ends_with("Milliseconds?"), "it passes, with a word: {}", time.text);
}

#[test]
fn grants_are_told_by_what_is_lacking_and_where_it_is() {
    let scopes = |scopes: Value| json!({"auth": {"scopes": scopes}});
    let roles = json!({"auth": {"roles": ["admin"], "roles_claim": "roles"}});
    for (name, path, claims, cause, fix) in [
        (
            "no scope",
            scopes(json!(["a", "b"])),
            json!({}),
            "the token grants no scope, and the path's `scopes` ask for a, b too",
            "ask the provider for the scope a, b",
        ),
        (
            "one of two",
            scopes(json!(["a", "b"])),
            json!({"scope": "a"}),
            "the token grants \"a\", and the path's `scopes` ask for b too",
            "ask the provider for the scope b",
        ),
        (
            "commas",
            scopes(json!(["a"])),
            json!({"scope": "a,b"}),
            "the token grants \"a,b\", and the path's `scopes` ask for a too: there are commas",
            "have the signer put spaces there",
        ),
        (
            "capitals",
            scopes(json!(["read"])),
            json!({"scope": "Read"}),
            "the token grants \"Read\", and the path's `scopes` ask for read too; `Read` differs in case",
            "use the same letters",
        ),
        (
            "permissions",
            scopes(json!(["a"])),
            json!({"permissions": ["a"]}),
            "the token grants no scope, and the path's `scopes` ask for a too; it has that in `permissions`",
            "ask for it as a role: \"roles\": [\"a\"], \"roles_claim\": \"permissions\"",
        ),
        (
            "several permissions",
            scopes(json!(["a", "b"])),
            json!({"permissions": ["a", "b"]}),
            "the token grants no scope, and the path's `scopes` ask for a, b too; it has that in",
            "ask for each by a rule",
        ),
        (
            "no role",
            roles.clone(),
            json!({}),
            "`roles` is not in the token, and the path asks for the role admin there",
            "give the user that role",
        ),
        (
            "another role",
            roles.clone(),
            json!({"roles": ["user"]}),
            "`roles` is [\"user\"], and the path asks for the role admin",
            "give the user that role",
        ),
        (
            "the role elsewhere",
            roles,
            json!({"realm_access": {"roles": ["admin"]}}),
            "`roles` is not in the token, and the path asks for the role admin there; `realm_access.roles` has it",
            "write \"roles_claim\": \"realm_access.roles\"",
        ),
    ] {
        let told = told(&json!({}), &path, &claims);
        let (first, advice) = (told.cause.as_deref().unwrap_or_default(), told.fix.as_deref().unwrap_or_default());
        assert!(first.starts_with(cause), "{name}: {first}");
        assert!(advice.starts_with(fix), "{name}: {advice}");
    }
    let past = told(&json!({"mode": "permissive"}), &scopes(json!(["a"])), &json!({"exp": SECONDS - 600}));
    assert_eq!(
        past.cause.as_deref(),
        Some(
            "it expired 10 min ago; 30 s of skew are allowed; the mode lets the request pass as nobody's, who may not do this"
        )
    );
    assert_eq!(
        past.steps.iter().map(|step| (step.step, step.ok)).collect::<Vec<_>>(),
        [("route", true), ("time", false)]
    );
    assert_eq!((past.status, past.code), (Some(401), Some("token_expired")));
    let ruled = json!({"authorization": {"rules": [{"require": "jwt.org == 'acme'"}]}});
    let told = told(&json!({}), &ruled, &json!({"org": "other"}));
    assert_eq!(
        told.cause.as_deref(),
        Some("rule 1 (require jwt.org == 'acme') is not true; in the token `org` is \"other\"")
    );
}

#[test]
fn what_comes_after_revocations_is_told_and_that_they_are_not_read_here() {
    let revocable = json!({"revocation": {}});
    let scopes = json!({"auth": {"scopes": "a"}});
    for (name, path, more, status, last) in [
        ("good", json!({}), json!({"jti": "j"}), 200, "answer"),
        ("without the scope", scopes.clone(), json!({}), 403, "authorization"),
        ("past", scopes, json!({"exp": SECONDS - 600}), 401, "time"),
    ] {
        let told = told(&revocable, &path, &more);
        assert_eq!((told.status, told.unread), (Some(status), false), "{name}");
        assert_eq!(told.steps.last().map(|step| step.step), Some(last), "{name}");
        let unless: Vec<&str> =
            told.steps.iter().filter(|step| step.step == "revocation").map(|step| step.text.as_str()).collect();
        assert_eq!(unless.len(), usize::from(status != 401), "{name}");
        for text in unless {
            assert!(text.starts_with("good unless it was taken back, which is not read here: `revoked:"), "{text}");
        }
    }
}
