//! Where a new route leads, and who may use it: names of gateway.json, or what has to be added to it for them.

use portcullis::authn::DEFAULT;
use portcullis::config::reference::has_reference;
use serde_json::Value;

use super::super::answer::No;
use super::super::known::{Authorizer, CONSUMERS, authorizers};
use super::edit::{Written, object};

/// Types that take no tokens.
const WITHOUT_TOKENS: [&str; 2] = ["api_key", "basic"];

/// Who may use a route.
pub(super) struct Guard {
    /// What `auth` says.
    pub(super) auth: Value,
    /// For people.
    pub(super) told: String,
    /// What is to be added: the member of the file or the element of `authorizers`.
    pub(super) new: Option<(Option<&'static str>, Written)>,
    pub(super) note: Option<String>,
}

fn told(known: &Authorizer) -> String {
    format!("{} ({})", known.label(), known.kind)
}

/// `--auth NAME`.
pub(super) fn named(config: &Value, name: &str) -> Result<Guard, No> {
    let known = authorizers(config);
    let by_name = known.iter().find(|known| known.name.as_deref() == Some(name));
    let found = by_name.or_else(|| known.iter().find(|known| known.is_default && name == DEFAULT));
    let Some(found) = found else {
        let names: Vec<&str> = known.iter().map(Authorizer::label).collect();
        let names = if names.is_empty() { "it has none".to_owned() } else { names.join(", ") };
        return No::answer(format!("there is no authorizer `{name}` in the configuration: {names}"));
    };
    Ok(Guard { auth: found.reference(), told: told(found), new: None, note: None })
}

/// `--jwt`: tokens of consumers. A file without an authorizer for them gets one: as the default where there is none.
pub(super) fn consumers(config: &Value) -> Result<Guard, No> {
    let known = authorizers(config);
    let fitting: Vec<&Authorizer> = known.iter().filter(|known| known.kind == CONSUMERS).collect();
    match fitting.as_slice() {
        // The default one comes first.
        [one] => return Ok(Guard { auth: one.reference(), told: told(one), new: None, note: None }),
        [one, ..] if one.is_default => {
            return Ok(Guard { auth: one.reference(), told: told(one), new: None, note: None });
        }
        [] => {}
        several => {
            let names: Vec<&str> = several.iter().map(|one| one.label()).collect();
            return No::answer(format!(
                "several authorizers take tokens of consumers, say which: --auth {}",
                names.join(" or --auth ")
            ));
        }
    }
    let body = vec![("type", CONSUMERS.into()), ("binding", portcullis::consumer::NAMESPACE.into())];
    let what = "tokens of consumers, whose credentials are in the KV namespace CONSUMERS";
    let Some(default) = known.iter().find(|known| known.is_default) else {
        let note = Some(format!("the default authorizer was added: {what}"));
        return Ok(Guard {
            auth: true.into(),
            told: format!("default ({CONSUMERS})"),
            new: Some((Some("authorizer"), object(body))),
            note,
        });
    };
    let name = unused(CONSUMERS, |name| known.iter().any(|known| known.label() == name));
    let mut members = vec![("name", name.as_str().into())];
    members.extend(body);
    let mut note = format!("the authorizer `{name}` was added: {what}");
    if !WITHOUT_TOKENS.contains(&default.kind.as_str()) {
        note = format!(
            "{note}. The default authorizer ({}) takes other tokens: for those, `--auth {}`",
            default.kind,
            default.label()
        );
    }
    let new = object(members);
    Ok(Guard {
        auth: name.as_str().into(),
        told: format!("{name} ({CONSUMERS})"),
        new: Some((None, new)),
        note: Some(note),
    })
}

/// Where a route leads.
pub(super) struct Target {
    /// What `integration` says.
    pub(super) integration: Written,
    /// Its `type`, and the alias of the server or service.
    pub(super) names: (&'static str, String),
    /// A server that is to be added.
    pub(super) server: Option<(String, String)>,
    /// The URL behind it, where it is a server's.
    pub(super) url: Option<String>,
}

/// `--to`: an alias, or a URL, which gets one.
pub(super) fn target(config: &Value, to: &str, path: &str) -> Result<Target, No> {
    let servers = pairs(config, &["servers"], "url");
    let services = pairs(config, &["service_bindings", "serviceBindings", "servicesBindings"], "binding");
    let proxy = |alias: &str, url: &str, is_new: bool| Target {
        integration: object(vec![("type", "http_proxy".into()), ("server", alias.into())]),
        names: ("http_proxy", alias.to_owned()),
        server: is_new.then(|| (alias.to_owned(), url.to_owned())),
        url: Some(url.to_owned()),
    };
    let same = |url: &str| url.trim_end_matches('/') == to.trim_end_matches('/');
    if let Some((alias, url)) = servers.iter().find(|(alias, url)| alias == to || same(url)) {
        return Ok(proxy(alias, url, false));
    }
    if services.iter().any(|(alias, _)| alias == to) {
        return Ok(Target {
            integration: object(vec![("type", "service_binding".into()), ("binding", to.into())]),
            names: ("service_binding", to.to_owned()),
            server: None,
            url: None,
        });
    }
    if !to.contains("://") && !has_reference(to) {
        let aliases: Vec<&str> = servers.iter().chain(&services).map(|(alias, _)| alias.as_str()).collect();
        let known = if aliases.is_empty() { "it has none".to_owned() } else { aliases.join(", ") };
        return Err(No::Use(format!(
            "there is no server `{to}` in the configuration ({known}); a URL begins with https:// or http://"
        )));
    }
    let alias = unused(&alias_for(to, path), |name| servers.iter().chain(&services).any(|(known, _)| known == name));
    Ok(proxy(&alias, to, true))
}

/// The aliases of lists, each with another member.
fn pairs(config: &Value, lists: &[&str], member: &str) -> Vec<(String, String)> {
    let all = lists.iter().filter_map(|list| config.get(list)?.as_array()).flatten();
    all.filter_map(|one| Some((one.get("alias")?.as_str()?.to_owned(), one.get(member)?.as_str()?.to_owned())))
        .collect()
}

/// `orders` for `https://orders.example.com`, else the first word of the path: addresses and `localhost` say nothing.
fn alias_for(url: &str, path: &str) -> String {
    let host = url.split_once("://").map_or("", |(_, rest)| rest).split(['/', ':', '?']).next().unwrap_or_default();
    let label = host.split('.').find(|label| *label != "www" && *label != "api").unwrap_or_default();
    let is_name = host.contains('.') && label.starts_with(|letter: char| letter.is_ascii_alphabetic());
    let of_path =
        path.split('/').find(|segment| !segment.is_empty() && !segment.contains(['{', '%'])).unwrap_or("upstream");
    if is_name { label.to_owned() } else { of_path.to_owned() }
}

/// `name`, or the first of `name-2`, `name-3`, … that is free.
fn unused(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|number: u32| format!("{name}-{number}"));
    std::iter::once(name.to_owned()).chain(numbered).find(|name| !is_taken(name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_is_what_people_would_call_the_server() {
        for (url, path, alias) in [
            ("https://orders.example.com/v2", "/app/{.+}", "orders"),
            ("https://api.orders.example.com", "/app", "orders"),
            ("https://www.example.com", "/", "example"),
            ("http://localhost:3000", "/app/{.+}", "app"),
            ("http://10.0.0.1:3000", "/{tenant}/app", "app"),
            ("http://localhost", "/{.+}", "upstream"),
            ("$env.APP_URL", "/app/{.+}", "app"),
        ] {
            assert_eq!(alias_for(url, path), alias, "{url}");
        }
        assert_eq!(unused("a", |name| ["a", "a-2"].contains(&name)), "a-3");
    }
}
