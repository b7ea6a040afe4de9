//! `portcullis route add`.

use std::path::PathBuf;

use clap::builder::TypedValueParser;
use portcullis::outline::{Route, outline};
use serde_json::{Value, json};

use super::super::answer::{No, Told};
use super::super::infra::binds;
use super::edit::{Written, object};
use super::target::{Guard, Target, consumers, named, target};
use super::{File, method, pattern};

#[derive(Debug, clap::Args)]
pub(in super::super) struct Arguments {
    /// The path. `/app` is /app and all below it; one with `{name}` or `{.+}` is taken as it is written.
    path: String,
    /// Only this path, and nothing below it.
    #[arg(long)]
    exact: bool,
    /// A method; may be given several times. Unless given, all.
    #[arg(long = "method", value_name = "METHOD", value_delimiter = ',', value_parser = clap::builder::StringValueParser::new().map(|text| method(&text)))]
    methods: Vec<String>,
    /// Ask for a token of a consumer (`portcullis consumer add`, `portcullis jwt add`).
    #[arg(long, conflicts_with = "auth")]
    jwt: bool,
    /// Ask for what this authorizer of the configuration takes; `default` is the one that is called `authorizer`.
    #[arg(long, value_name = "NAME")]
    auth: Option<String>,
    /// Where it leads: a URL, or the alias of a server or service. Unless given, a new route has a fixed answer, to try it with.
    #[arg(long, value_name = "URL|ALIAS")]
    to: Option<String>,
    /// Change a route that is there.
    #[arg(long)]
    force: bool,
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = "gateway.json")]
    config: PathBuf,
    /// Print the result as JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// What is asked for, in terms of the file.
struct Wanted {
    path: String,
    methods: Vec<String>,
    guard: Option<Guard>,
    target: Option<Target>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Told, No> {
    let mut file = File::read(&arguments.config)?;
    let (path, parsed) = pattern(&arguments.path, arguments.exact)?;
    let mut methods: Vec<String> = Vec::new();
    for method in &arguments.methods {
        if !methods.contains(method) {
            methods.push(method.clone());
        }
    }
    if methods.is_empty() {
        methods.push("ANY".to_owned());
    }
    let guard = match &arguments.auth {
        Some(name) => Some(named(&file.config, name)?),
        None => arguments.jwt.then(|| consumers(&file.config)).transpose()?,
    };
    let target = arguments.to.as_ref().map(|to| target(&file.config, to, &path)).transpose()?;
    let wanted = Wanted { path, methods, guard, target };

    let mut there = None;
    let mut beside = Vec::new();
    for (number, found) in file.paths().into_iter().enumerate() {
        let Some((pattern, known, written)) = found else { continue };
        let shares = known.iter().any(|method| wanted.methods.contains(method));
        let name = format!("{} {}", known.join(","), written.get("path").and_then(Value::as_str).unwrap_or_default());
        if pattern.fits_the_same(&parsed) && shares {
            if !same(&known, &wanted.methods) {
                return No::answer(format!(
                    "{name} is there, with other methods: change that one, or `portcullis route rm` takes methods away from it"
                ));
            }
            there = Some((number, written.clone()));
        } else if pattern.fits_the_same(&parsed) {
            let auth = written.get("auth").filter(|auth| !matches!(auth, Value::Null | Value::Bool(false)));
            let auth = auth.map_or_else(|| "is open".to_owned(), |auth| format!("has `auth` {auth}"));
            beside.push(format!("{name} stays as it is, and {auth}"));
        } else if !arguments.exact && arguments.path != wanted.path && is_exactly(&pattern, &parsed) {
            let path = &arguments.path;
            return No::answer(format!(
                "{name} is there, for exactly this path: --exact changes that one, and '{path}/{{.+}}' adds one for all that is below it",
                path = path.trim_end_matches('/')
            ));
        }
    }
    let (verb, changes) = match &there {
        None => ("added", Vec::new()),
        Some((_, known)) => {
            let changes = changes(known, &wanted);
            if changes.is_empty() {
                return Ok(report(&file.text, &wanted, "unchanged", arguments, Vec::new()));
            }
            if !arguments.force {
                return No::answer(format!(
                    "{} {} is there already, and this would change it:\n  {}\n--force changes it",
                    wanted.methods.join(","),
                    wanted.path,
                    changes.join("\n  ")
                ));
            }
            ("changed", changes)
        }
    };
    let edited = edit(&mut file, &wanted, there.as_ref().map(|(number, known)| (*number, known)));
    edited.ok_or_else(|| file.uneditable())?;
    let (text, warnings) = file.checked()?;
    file.write(&text)?;
    let mut notes = changes;
    notes.extend(beside);
    notes.extend(hints(&wanted, arguments, there.is_none()));
    notes.extend(warnings);
    Ok(report(&text, &wanted, verb, arguments, notes))
}

/// Whether `pattern` is `wanted` without its final `{.+}`.
fn is_exactly(pattern: &portcullis::route::pattern::Pattern, wanted: &portcullis::route::pattern::Pattern) -> bool {
    let mut sample = wanted.sample("");
    sample.pop();
    !pattern.has_rest() && pattern.is_literal() && wanted.has_rest() && pattern.sample("") == sample
}

fn same(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().all(|method| other.contains(method))
}

/// What would become other than it is, in words.
fn changes(known: &Value, wanted: &Wanted) -> Vec<String> {
    let mut told = Vec::new();
    let auth = known.get("auth").filter(|auth| !matches!(auth, Value::Null | Value::Bool(false)));
    match (auth, &wanted.guard) {
        (Some(now), None) => {
            told.push(format!("auth: {now} → nothing: OPEN, a request without a token passes"));
        }
        (None, Some(guard)) => told.push(format!("auth: nothing → {}, {}", guard.auth, guard.told)),
        (Some(now), Some(guard)) if *now != guard.auth => {
            told.push(format!("auth: {now} → {}, {}", guard.auth, guard.told));
        }
        _ => {}
    }
    if let Some(target) = &wanted.target {
        let (kind, alias) = &target.names;
        match leads(known) {
            Some(now) if now == (kind, alias.as_str()) => {}
            Some((_, now)) => told.push(format!("leads to: {now} → {alias}")),
            None => told.push(format!("leads to: a fixed answer → {alias}")),
        }
    }
    told
}

/// The type of a path's integration, and the alias that it names.
fn leads(known: &Value) -> Option<(&str, &str)> {
    let integration = known.get("integration")?;
    let text = |name: &str| integration.get(name).and_then(Value::as_str);
    match text("type")? {
        "http_proxy" | "http" => Some(("http_proxy", text("server")?)),
        kind => Some((kind, text("binding")?)),
    }
}

/// Edits the file; none where it has a form that cannot be edited.
fn edit(file: &mut File, wanted: &Wanted, there: Option<(usize, &Value)>) -> Option<()> {
    let document = &mut file.document;
    if let Some((alias, url)) = wanted.target.as_ref().and_then(|target| target.server.as_ref()) {
        document.append("servers", object(vec![("alias", alias.as_str().into()), ("url", url.as_str().into())]))?;
    }
    match wanted.guard.as_ref().and_then(|guard| guard.new.clone()) {
        Some((Some(member), authorizer)) => document.put_before_paths(member, &authorizer)?,
        Some((None, authorizer)) => document.append("authorizers", authorizer)?,
        None => {}
    }
    let auth = wanted.guard.as_ref().map(|guard| match &guard.auth {
        Value::String(name) => Written::String(name.clone()),
        _ => Written::Bool(true),
    });
    let Some((number, known)) = there else {
        let methods = match wanted.methods.as_slice() {
            [one] => one.as_str().into(),
            several => Written::from(several.to_vec()),
        };
        let mut members = vec![("method", methods), ("path", wanted.path.as_str().into())];
        members.extend(auth.map(|auth| ("auth", auth)));
        members.push(match &wanted.target {
            Some(target) => ("integration", target.integration.clone()),
            None => ("response", object(vec![("ok", true.into())])),
        });
        return document.append("paths", object(members));
    };
    let mut members = vec![("auth", auth)];
    if let Some(target) = &wanted.target
        && leads(known) != Some((target.names.0, &target.names.1))
    {
        for name in ["response", "response_status", "response_headers"] {
            members.push((name, None));
        }
        members.push(("integration", Some(target.integration.clone())));
    }
    document.change_path(number, members)
}

/// What somebody who has just added this should know.
fn hints(wanted: &Wanted, arguments: &Arguments, is_new: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(guard) = &wanted.guard {
        notes.extend(guard.note.clone());
        if guard.told.ends_with("(consumers)") {
            notes.extend(unbound(arguments));
            notes.push("`portcullis consumer add NAME` and `portcullis jwt add NAME` make credentials".to_owned());
        }
    }
    let rest = wanted.path.strip_suffix("/{.+}");
    match (&wanted.target, rest) {
        (Some(target), Some(prefix)) => {
            if let (Some(url), false) = (&target.url, prefix.is_empty() || prefix.contains('{')) {
                notes.push(format!(
                    "{prefix}/x goes to {}/x: `rewrite` of the integration says otherwise",
                    url.trim_end_matches('/')
                ));
            }
        }
        (None, _) if is_new => {
            notes.push(
                "the answer is fixed, to try it: the same command with `--to URL --force` sends requests on".to_owned(),
            );
        }
        _ => {}
    }
    notes
}

/// What to do where wrangler.toml does not bind the namespace that credentials are in.
fn unbound(arguments: &Arguments) -> Option<String> {
    let name = portcullis::consumer::NAMESPACE;
    (binds(&arguments.config, name) == Some(false)).then(|| {
        format!("wrangler.toml binds no {name}, without which the route answers 500: add [[kv_namespaces]] with binding = \"{name}\"")
    })
}

/// What has become of the route, as the outline of the file has it.
fn report(text: &str, wanted: &Wanted, verb: &str, arguments: &Arguments, notes: Vec<String>) -> Told {
    let routes = outline(text).map(|outline| outline.routes).unwrap_or_default();
    let is_it = |route: &&Route| route.path == wanted.path && same(&route.methods, &wanted.methods);
    let found = routes.iter().find(is_it);
    let who = found.map_or_else(String::new, |route| {
        let names: Vec<String> = route.authorizers.iter().map(|one| format!("{} ({})", one.name, one.kind)).collect();
        if names.is_empty() {
            "open: no token is needed".to_owned()
        } else {
            format!("authorizer {}", names.join(" or "))
        }
    });
    let whither = found.map_or_else(String::new, |route| {
        let (label, behind) = route.upstream.told();
        behind.map_or_else(|| label.clone(), |behind| format!("{label} {behind}"))
    });
    let name = format!("{} {}", wanted.methods.join(","), wanted.path);
    Told {
        text: format!("{verb} {name} in {}\n  who    {who}\n  where  {whither}\n", arguments.config.display()),
        json: json!({ "result": verb, "file": arguments.config.display().to_string(), "route": found }),
        notes,
    }
}
