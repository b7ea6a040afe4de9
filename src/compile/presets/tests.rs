use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{PRESETS, Preset};
use crate::authn::{Authorizer, KeySource};
use crate::compile::{Compiled, compile};
use crate::config::reference::Env;
use crate::credential::Place;
use crate::jwt::alg::Algorithm;

fn compiled(authorizer: &Value) -> Compiled {
    let config =
        json!({ "authorizer": authorizer, "paths": [{ "method": "GET", "path": "/", "auth": true, "response": {} }] });
    let lookup = |name: &str| (name == "TENANT").then(|| "tenant.example.com".to_owned());
    compile(&config.to_string(), Env::Judged(&lookup))
}

/// The one authorizer, with the URL that its keys come from.
fn good(authorizer: &Value) -> (Authorizer, Option<String>) {
    let gateway = compiled(authorizer).gateway.unwrap();
    let authorizer = gateway.authorizers[0].as_ref().unwrap_or_else(|fault| panic!("{fault:?}")).clone();
    let url = match authorizer.keys {
        KeySource::Remote(id) => Some(gateway.sources[id.0].url.clone()),
        _ => None,
    };
    (authorizer, url)
}

#[test]
fn each_preset_stands_for_its_providers_issuer_keys_and_audience() {
    for (authorizer, issuers, keys, audiences) in [
        (
            json!({"type": "auth0", "domain": "acme.eu.auth0.com", "audience": "api"}),
            vec!["https://acme.eu.auth0.com/"],
            "https://acme.eu.auth0.com/.well-known/jwks.json",
            vec!["api"],
        ),
        (
            json!({"type": "supabase", "url": "https://abc.supabase.co/"}),
            vec!["https://abc.supabase.co/auth/v1"],
            "https://abc.supabase.co/auth/v1/.well-known/jwks.json",
            vec!["authenticated"],
        ),
        (
            json!({"type": "supabase", "issuer": "https://abc.supabase.co/auth/v1"}),
            vec!["https://abc.supabase.co/auth/v1"],
            "https://abc.supabase.co/auth/v1/.well-known/jwks.json",
            vec!["authenticated"],
        ),
        (
            json!({"type": "firebase", "project_id": "shop"}),
            vec!["https://securetoken.google.com/shop"],
            "https://www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com",
            vec!["shop"],
        ),
        (
            json!({"type": "okta", "domain": "acme.okta.com", "audience": "api://default"}),
            vec!["https://acme.okta.com/oauth2/default"],
            "https://acme.okta.com/oauth2/default/v1/keys",
            vec!["api://default"],
        ),
        (
            json!({"type": "okta", "domain": "acme.okta.com", "server": "aus1", "audience": ["a", "b"]}),
            vec!["https://acme.okta.com/oauth2/aus1"],
            "https://acme.okta.com/oauth2/aus1/v1/keys",
            vec!["a", "b"],
        ),
        (
            json!({"type": "cognito", "region": "eu-west-1", "user_pool_id": "eu-west-1_Ab"}),
            vec!["https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab"],
            "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab/.well-known/jwks.json",
            vec![],
        ),
        (
            json!({"type": "entra", "tenant": "t-1", "audience": "api://a"}),
            vec!["https://login.microsoftonline.com/t-1/v2.0", "https://sts.windows.net/t-1/"],
            "https://login.microsoftonline.com/t-1/discovery/v2.0/keys",
            vec!["api://a"],
        ),
        (
            json!({"type": "google", "client_id": "1.apps.googleusercontent.com"}),
            vec!["https://accounts.google.com", "accounts.google.com"],
            "https://www.googleapis.com/oauth2/v3/certs",
            vec!["1.apps.googleusercontent.com"],
        ),
        (
            json!({"type": "clerk", "issuer": "https://clerk.acme.com"}),
            vec!["https://clerk.acme.com"],
            "https://clerk.acme.com/.well-known/jwks.json",
            vec![],
        ),
        (
            json!({"type": "keycloak", "url": "https://sso.acme.com", "realm": "shop", "audience": "api"}),
            vec!["https://sso.acme.com/realms/shop"],
            "https://sso.acme.com/realms/shop/protocol/openid-connect/certs",
            vec!["api"],
        ),
        (
            json!({"type": "cloudflare_access", "team": "acme", "audience": "tag"}),
            vec!["https://acme.cloudflareaccess.com"],
            "https://acme.cloudflareaccess.com/cdn-cgi/access/certs",
            vec!["tag"],
        ),
        (
            json!({"type": "oidc", "issuer": "https://idp.acme.com/", "audience": "api"}),
            vec!["https://idp.acme.com/"],
            "https://idp.acme.com/.well-known/openid-configuration",
            vec!["api"],
        ),
        (
            json!({"type": "auth0", "domain": "$env.TENANT", "audience": "api"}),
            vec!["https://tenant.example.com/"],
            "https://tenant.example.com/.well-known/jwks.json",
            vec!["api"],
        ),
    ] {
        let (compiled, url) = good(&authorizer);
        assert_eq!(compiled.policy.rules.issuers, issuers, "{authorizer}");
        assert_eq!(url.as_deref(), Some(keys), "{authorizer}");
        assert_eq!(compiled.policy.rules.audiences, audiences, "{authorizer}");
    }
}

#[test]
fn what_the_configuration_writes_itself_comes_before_the_preset() {
    let (authorizer, url) = good(&json!({
        "type": "auth0", "domain": "a.auth0.com", "audience": "api", "issuer": "https://login.acme.com/",
        "jwks_url": "https://login.acme.com/keys", "clock_skew_seconds": 5, "forward_claims": {"sub": "x-user"}
    }));
    assert_eq!(authorizer.policy.rules.issuers, ["https://login.acme.com/"]);
    assert_eq!(url.as_deref(), Some("https://login.acme.com/keys"));
    assert_eq!(authorizer.forward_claims, [("sub".to_owned(), "x-user".to_owned())]);
}

#[test]
fn older_supabase_projects_share_a_secret() {
    let secret = "0123456789abcdef0123456789abcdef";
    let (authorizer, url) = good(&json!({"type": "supabase", "url": "https://abc.supabase.co", "jwt_secret": secret}));
    assert_eq!(url, None);
    assert!(matches!(authorizer.keys, KeySource::Secrets(_)));
    assert_eq!(authorizer.policy.algorithms, Some(vec![Algorithm::Hs256]));
}

#[test]
fn cognito_takes_access_tokens_of_its_client() {
    let with = |client: Value| {
        let mut authorizer = json!({"type": "cognito", "region": "r-1", "user_pool_id": "r-1_x"});
        if !client.is_null() {
            authorizer["client_id"] = client;
        }
        good(&authorizer).0.policy.rules.fixed
    };
    let access = ("token_use".to_owned(), vec![json!("access")]);
    assert_eq!(with(Value::Null).as_slice(), std::slice::from_ref(&access));
    assert_eq!(with(json!("c-1")), [access, ("client_id".to_owned(), vec![json!("c-1")])]);
}

#[test]
fn cloudflare_access_sends_its_token_in_a_header_of_its_own_or_a_cookie() {
    let (authorizer, _) = good(&json!({"type": "cloudflare_access", "team": "acme", "audience": "tag"}));
    let header = Place::Header { name: "cf-access-jwt-assertion".into(), scheme: String::new() };
    assert_eq!(authorizer.places, [header, Place::Cookie("CF_Authorization".into())]);
}

#[test]
fn settings_that_are_missing_wrong_or_of_another_provider_are_problems() {
    for (authorizer, expected) in [
        (json!({"type": "auth0", "audience": "a"}), "`domain` is missing"),
        (json!({"type": "auth0", "audience": "a", "domain": "https://a.auth0.com"}), "it is the host name alone"),
        (json!({"type": "keycloak", "audience": "a", "url": "sso.acme.com", "realm": "r"}), "it is a whole URL"),
        (json!({"type": "keycloak", "audience": "a", "url": "https://sso.acme.com"}), "`realm` is missing"),
        (json!({"type": "oidc", "audience": "a"}), "`issuer` is missing"),
        (
            json!({"type": "jwt", "domain": "a", "issuer": "i", "audience": "a", "jwks_url": "https://a/"}),
            "`domain` means nothing to `jwt`; it belongs to `auth0`, `okta`",
        ),
        (json!({"type": "google", "client_id": "c", "jwt_secret": "x"}), "`jwt_secret` means nothing to `google`"),
        (json!({"type": "auht0", "domain": "a"}), "did you mean `auth0`?"),
    ] {
        let problems = compiled(&authorizer).problems;
        assert!(problems.iter().any(|problem| problem.message.contains(expected)), "{authorizer}: {problems:?}");
        assert!(!compiled(&authorizer).is_good(), "{authorizer}");
    }
}

#[test]
fn settings_in_variables_are_judged_by_what_they_hold_and_never_quote_it() {
    let acme = json!({"type": "auth0", "audience": "a", "domain": "$env.V"});
    let team = json!({"type": "cloudflare_access", "audience": "a", "team": "$env.V"});
    let keycloak = json!({"type": "keycloak", "audience": "a", "url": "$env.V", "realm": "r"});
    let supabase = json!({"type": "supabase", "url": "$env.V"});
    let tenant = json!({"type": "entra", "audience": "a", "tenant": "$env.V"});
    let pool = json!({"type": "cognito", "region": "$env.V", "user_pool_id": "eu-west-1_x", "client_id": "c"});
    let oidc = json!({"type": "oidc", "audience": "a", "issuer": "$env.V"});
    let client = json!({"type": "cognito", "region": "r-1", "user_pool_id": "r-1_x", "client_id": "$env.V"});
    for (authorizer, value, expected) in [
        (&acme, "acme.auth0.com", None),
        (&acme, "https://acme.auth0.com", Some("error: `domain` is not as it should be: it is the host name alone")),
        (&acme, "acme.auth0.com/x", Some("error: `domain` is not as it should be: it is the host name alone")),
        (&acme, "", Some("error: `domain` is empty")),
        (&team, "acme", None),
        (&team, "acme.cloudflareaccess.com", Some("error: `team` is not as it should be")),
        (&keycloak, "https://id.example.com/auth", None),
        (&keycloak, "https://id.example.com/realms/r", Some("warning: `/realms/` and the `realm` are added")),
        (&keycloak, "id.example.com", Some("error: `url` is not as it should be: it is a whole URL")),
        (&supabase, "https://abc.supabase.co", None),
        (&supabase, "https://abc.supabase.co/auth/v1", Some("warning: what `$env.V` stands for ends in `/auth/v1`")),
        (&client, "c", None),
        (&client, " ", Some("error: `client_id` is empty")),
        (&tenant, "11111111-2222-3333-4444-555555555555", None),
        (&tenant, "acme.onmicrosoft.com", Some("warning: tokens name their tenant by its id")),
        (&pool, "eu-west-1", None),
        (&pool, "eu-west-2", Some("warning: a user pool's id begins with its `region`")),
        (&oidc, "https://i.example", None),
        (&oidc, "https://i.example ", Some("warning: what `$env.V` stands for has white space at an end")),
    ] {
        let text = json!({ "authorizer": authorizer, "paths": [{ "method": "GET", "path": "/", "auth": true, "response": {} }] });
        let lookup = |_: &str| Some(value.to_owned());
        let problems = compile(&text.to_string(), Env::Judged(&lookup)).problems;
        let lines: Vec<String> = problems.iter().map(|one| format!("{}: {}", one.severity, one.message)).collect();
        let told = expected.is_none_or(|expected| lines.iter().any(|line| line.starts_with(expected)));
        assert!(told && lines.is_empty() == expected.is_none(), "{authorizer} {value}: {lines:?}");
        assert_eq!(compile(&text.to_string(), Env::Unknown).problems, [], "{authorizer}: nothing is known of it");
    }
}

fn pages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/providers")
}

/// A section of a preset's page.
fn section(preset: &Preset, heading: &str) -> String {
    let page = fs::read_to_string(pages().join(preset.name.replace('_', "-")).with_extension("md")).unwrap();
    let (_, rest) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    rest.split("\n## ").next().unwrap().to_owned()
}

#[test]
fn every_preset_has_its_page_and_every_page_its_preset() {
    let stems = fs::read_dir(pages()).unwrap().map(|entry| entry.unwrap().path().file_stem().unwrap().to_owned());
    let mut pages: Vec<String> =
        stems.map(|stem| stem.into_string().unwrap()).filter(|stem| stem != "README").collect();
    let mut presets = PRESETS.map(|preset| preset.name.replace('_', "-"));
    pages.sort();
    presets.sort();
    assert_eq!(pages, presets);
}

/// Where the table of presets has `{domain}` the page has `DOMAIN`.
#[test]
fn each_page_says_what_its_preset_stands_for_and_nothing_else() {
    for preset in &PRESETS {
        let section = section(preset, "What the preset stands for").to_lowercase();
        let rows: Vec<(&str, &str)> = section
            .lines()
            .filter_map(|line| line.strip_prefix("| ")?.split_once(" | "))
            .filter(|(name, _)| name.chars().all(char::is_alphabetic))
            .collect();
        let mut expected = vec![("issuer", preset.issuers.to_vec())];
        expected.push(("keys", vec![preset.jwks_url]));
        expected.push(("audience", vec![preset.audience]));
        if !preset.claims.is_empty() {
            expected.push(("claims", preset.claims.iter().flat_map(|(name, value)| [*name, *value]).collect()));
        }
        expected.extend(preset.token_from.map(|(header, cookie)| ("token", vec![header, cookie])));
        let names: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
        assert_eq!(rows.iter().map(|(name, _)| *name).collect::<Vec<_>>(), names, "{}", preset.name);
        for ((name, told), (_, templates)) in rows.iter().zip(expected) {
            for template in templates {
                let written = preset
                    .inputs
                    .iter()
                    .fold(template.to_owned(), |text, input| text.replace(&format!("{{{}}}", input.name), input.name));
                let good = match (*name, written.as_str()) {
                    ("keys", "") => told.starts_with("by discovery"),
                    ("audience", "") => told.starts_with("none"),
                    (_, written) => told.contains(&format!("`{}`", written.to_lowercase())),
                };
                assert!(good, "{}: {name}: {template} in {told}", preset.name);
            }
        }
    }
}

#[test]
fn each_page_tells_where_every_setting_is_found() {
    for preset in &PRESETS {
        let section = section(preset, "Where the values are");
        for input in preset.inputs {
            assert!(section.contains(&format!("| `{}` | ", input.name)), "{}: {}", preset.name, input.name);
        }
    }
}
