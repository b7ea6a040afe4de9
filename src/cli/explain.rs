//! `portcullis explain`: one request through the whole gateway, offline, step by step.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use portcullis::explain::inquiry::{Inquiry, Setting, Unanswerable, header};
use portcullis::explain::{Explanation, curl};
use portcullis::time::UnixTime;

use super::check::{read_env, read_with_files};
use super::token::{clock, read_keys};
use super::{say, wrong_use};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = "gateway.json")]
    config: PathBuf,
    /// The request's method.
    #[arg(long, default_value = "GET")]
    method: String,
    /// Its path, with the query if there is one.
    #[arg(long, value_name = "PATH", required_unless_present = "curl")]
    path: Option<String>,
    /// A curl line, in quotes: its method, path and headers are the request's.
    #[arg(long, value_name = "LINE", conflicts_with_all = ["method", "path"])]
    curl: Option<String>,
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
    match inquiry(arguments).and_then(|inquiry| Ok((explained(&inquiry, arguments)?, inquiry))) {
        Ok((explanation, inquiry)) => {
            print(&explanation, &inquiry, arguments.json);
            if explanation.cause.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(message) => wrong_use(&message),
    }
}

fn inquiry(arguments: &Arguments) -> Result<Inquiry, String> {
    let mut inquiry = match &arguments.curl {
        Some(line) => {
            let read = curl::parse(line).map_err(|why| format!("the curl line: {why}"))?;
            for note in read.notes {
                say::aside(format_args!("portcullis: the curl line: {note}"));
            }
            read.inquiry
        }
        None => Inquiry {
            method: arguments.method.clone(),
            path: arguments.path.clone().unwrap_or_default(),
            headers: Vec::new(),
        },
    };
    for line in &arguments.headers {
        let header = header(line).ok_or_else(|| format!("`{line}` is no header: `Name: value`"))?;
        inquiry.headers.push(header);
    }
    if let Some(token) = &arguments.token {
        inquiry.bear(token);
    }
    Ok(inquiry)
}

fn explained(inquiry: &Inquiry, arguments: &Arguments) -> Result<Explanation, String> {
    let file = &arguments.config;
    let (_, text, problems) = read_with_files(file)?;
    let names = arguments.env_file.as_deref().map_or_else(|| Ok(BTreeMap::new()), read_env)?;
    let keys = arguments.jwks.as_deref().map(read_keys).transpose()?;
    let now = arguments.now.map_or_else(clock, UnixTime::from_seconds);
    let name = file.display().to_string();
    let setting = Setting { file: &name, text: &text, names: &names, keys: keys.as_ref(), now };
    inquiry.answer(setting).map_err(|why| match why {
        Unanswerable::Configuration(more) => {
            let told = problems.iter().chain(&more).map(|problem| format!("\n{}:{problem}", file.display()));
            format!("the configuration cannot be used{}", told.collect::<String>())
        }
        other => other.to_string(),
    })
}

fn print(explanation: &Explanation, inquiry: &Inquiry, json: bool) {
    if json {
        say::line(serde_json::to_string_pretty(explanation).unwrap_or_default());
        return;
    }
    say::line(format_args!("{} {}", inquiry.method, inquiry.path));
    for step in &explanation.steps {
        say::line(format_args!("{} {:<14}{}", if step.ok { "✔" } else { "✘" }, step.step, step.text));
    }
    match (explanation.status, explanation.code) {
        (Some(status), Some(code)) if explanation.unread => {
            say::line(format_args!("→ not known here; {status} {code} where the gateway cannot read it either"));
        }
        (Some(status), Some(code)) => say::line(format_args!("→ {status} {code}")),
        (Some(status), None) => say::line(format_args!("→ {status}")),
        (None, _) => say::line("→ the upstream's answer"),
    }
    if let Some(fix) = &explanation.fix {
        say::line(format_args!("  {fix}"));
    }
}
