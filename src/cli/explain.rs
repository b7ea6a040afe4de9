//! `portcullis explain`: one request through the whole gateway, offline, step by step.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use portcullis::compile::compile;
use portcullis::config::reference::Env;
use portcullis::explain::{Explanation, Question, Variant, explain};
use portcullis::gateway::Gateway;
use portcullis::request::{Head, RequestId};
use portcullis::time::UnixTime;
use serde_json::Value;

use super::check::{read_env, read_with_files};
use super::token::{clock, read_keys};
use super::wrong_use;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = "gateway.json")]
    config: PathBuf,
    /// The request's method.
    #[arg(long, default_value = "GET")]
    method: String,
    /// Its path, with the query if there is one.
    #[arg(long, value_name = "PATH")]
    path: String,
    /// A token, to be sent as `Authorization: Bearer`.
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
    /// A header, `Name: value`; may be given several times.
    #[arg(long = "header", short = 'H', value_name = "HEADER")]
    headers: Vec<String>,
    /// What key URLs serve: a key set, or a map of key ids to certificates.
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// The time to explain for, in seconds since 1970; without it, now.
    #[arg(long, value_name = "SECONDS")]
    now: Option<u64>,
    /// Variables and secrets, as in .dev.vars.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Print the steps as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match explained(arguments) {
        Ok(explanation) => {
            print(&explanation, arguments);
            if explanation.cause.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(message) => wrong_use(&message),
    }
}

fn explained(arguments: &Arguments) -> Result<Explanation, String> {
    let file = &arguments.config;
    let (_, text, problems) = read_with_files(file)?;
    let names = arguments.env_file.as_deref().map_or_else(|| Ok(BTreeMap::new()), read_env)?;
    let compiled = compile(&text, Env::Known(&|name| names.get(name).cloned()));
    let told = || problems.iter().chain(&compiled.problems).map(|problem| format!("\n{}:{problem}", file.display()));
    let gateway = compiled
        .gateway
        .as_ref()
        .ok_or_else(|| format!("the configuration cannot be used{}", told().collect::<String>()))?;
    let keys = arguments.jwks.as_deref().map(read_keys).transpose()?;
    let mut headers = Vec::new();
    for header in &arguments.headers {
        let (name, value) = header.split_once(':').ok_or_else(|| format!("`{header}` is no header: `Name: value`"))?;
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    if let Some(token) = &arguments.token {
        headers.push(("authorization".to_owned(), format!("Bearer {}", token.trim())));
    }
    let url = format!("https://gateway.example{}", arguments.path);
    let id = RequestId::new(|| "offline".to_owned());
    let head = Head { method: &arguments.method, url: &url, headers: &headers, id: &id };
    let variant = |variant: Variant| varied(&text, &names, variant);
    Ok(explain(Question {
        gateway,
        head: &head,
        headers: &headers,
        now: arguments.now.map_or_else(clock, UnixTime::from_seconds),
        fetched: keys.as_ref(),
        variant: &variant,
    }))
}

/// The configuration with its secrets read in another way.
fn varied(text: &str, names: &BTreeMap<String, String>, variant: Variant) -> Option<Gateway> {
    let mut config: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    if let Variant::Encoding(encoding) = variant {
        let default = config.get_mut("authorizer").into_iter().collect::<Vec<_>>();
        for authorizer in default {
            put_encoding(authorizer, encoding);
        }
        for authorizer in config.get_mut("authorizers").and_then(Value::as_array_mut).into_iter().flatten() {
            put_encoding(authorizer, encoding);
        }
    }
    let trim = variant == Variant::Trimmed;
    let lookup = |name: &str| names.get(name).map(|value| if trim { value.trim().to_owned() } else { value.clone() });
    compile(&config.to_string(), Env::Known(&lookup)).gateway
}

fn put_encoding(authorizer: &mut Value, encoding: &str) {
    if let Some(members) = authorizer.as_object_mut()
        && (members.contains_key("secret") || members.contains_key("secrets"))
    {
        members.insert("secret_encoding".to_owned(), encoding.into());
    }
}

fn print(explanation: &Explanation, arguments: &Arguments) {
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(explanation).unwrap_or_default());
        return;
    }
    println!("{} {}", arguments.method, arguments.path);
    for step in &explanation.steps {
        println!("{} {:<14}{}", if step.ok { "✔" } else { "✘" }, step.step, step.text);
    }
    match (explanation.status, explanation.code) {
        (Some(status), Some(code)) => println!("→ {status} {code}"),
        (Some(status), None) => println!("→ {status}"),
        (None, _) => println!("→ the upstream's answer"),
    }
    if let Some(fix) = &explanation.fix {
        println!("  {fix}");
    }
}
