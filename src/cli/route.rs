//! `portcullis route`: routes of gateway.json, added and removed without an editor.

mod add;
mod edit;
mod remove;
mod target;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use portcullis::compile::compile;
use portcullis::config::files;
use portcullis::config::problem::{Problem, Severity};
use portcullis::config::reference::Env;
use portcullis::route::pattern::Pattern;
use serde_json::Value;

use super::answer::{No, finish};
use super::files::{replace, turn};
use super::kv::folder;
use super::routes;
use edit::Document;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Add a route, or change the one that is there.
    Add(add::Arguments),
    /// Show every route: who may use it, and where it goes. The same as `portcullis routes`.
    Ls(List),
    /// Remove a route.
    Rm(remove::Arguments),
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = "gateway.json")]
    config: PathBuf,
    /// Only what can be had without a token.
    #[arg(long)]
    open: bool,
    /// Print the routes as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &Command) -> ExitCode {
    match command {
        Command::Add(arguments) => finish(add::run(arguments), arguments.json),
        Command::Ls(List { config, open, json }) => routes::run(&routes::Arguments::of(config, *open, *json)),
        Command::Rm(arguments) => finish(remove::run(arguments), arguments.json),
    }
}

/// A configuration that is about to be edited.
struct File {
    path: PathBuf,
    document: Document,
    /// As it was.
    text: String,
    config: Value,
    /// Nobody else edits it as long as this is kept.
    _turn: Option<std::fs::File>,
}

impl File {
    fn read(path: &Path) -> Result<Self, No> {
        let turn = turn(path);
        let told = |why: &str| format!("{}: {why}", path.display());
        let text = match std::fs::read(path) {
            Ok(bytes) => String::from_utf8(bytes).map_err(|_| told("it is not UTF-8"))?,
            Err(error) => {
                return Err(No::Use(told(&format!(
                    "{error}: run this in the project, or name the file with --config"
                ))));
            }
        };
        // One that is no JSON, or has a name twice, cannot be edited by halves.
        let config = serde_json::from_str(text.trim_start_matches('\u{feff}'));
        match (config, Document::parse(&text)) {
            (Ok(config), Some(document)) => Ok(Self { path: path.to_owned(), document, text, config, _turn: turn }),
            _ => No::answer(problems(path, &checked(path, &text))),
        }
    }

    /// The paths as they are written, each with its pattern and methods; none for what cannot be read.
    fn paths(&self) -> Vec<Option<(Pattern, Vec<String>, &Value)>> {
        let read = |path: &'_ Value| {
            let pattern = Pattern::parse(path.get("path")?.as_str()?).ok()?;
            let methods = match path.get("method")? {
                Value::String(one) => vec![one.clone()],
                Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
                _ => return None,
            };
            Some((pattern, methods))
        };
        let all = self.config.get("paths").and_then(Value::as_array).into_iter().flatten();
        all.map(|path| read(path).map(|(pattern, methods)| (pattern, methods, path))).collect()
    }

    /// The text as it has become, if it passes the check, and what the check has to say that it had not to say before.
    fn checked(&self) -> Result<(String, Vec<String>), No> {
        let text = self.document.text();
        let (before, after) = (checked(&self.path, &self.text), checked(&self.path, &text));
        if after.iter().any(|problem| problem.severity == Severity::Error) {
            let why = problems(&self.path, &after);
            return No::answer(format!("nothing was written, since the check would not pass:\n{why}"));
        }
        let is_new = |problem: &&Problem| !before.iter().any(|known| known.message == problem.message);
        let warnings = after.iter().filter(is_new).map(|problem| format!("{}:{problem}", self.path.display()));
        Ok((text, warnings.collect()))
    }

    /// Why an edit has no place in it: what is wrong with the file, or else that its form is not known.
    fn uneditable(&self) -> No {
        let mut known = checked(&self.path, &self.text);
        known.retain(|problem| problem.severity == Severity::Error);
        if known.is_empty() {
            return No::Use("the file has a form that this command does not edit".to_owned());
        }
        No::Use(format!("nothing was written, since the file cannot be edited:\n{}", problems(&self.path, &known)))
    }

    fn write(&self, text: &str) -> Result<(), No> {
        Ok(replace(&self.path, text)?)
    }
}

/// What `portcullis check` finds in `text`.
fn checked(path: &Path, text: &str) -> Vec<Problem> {
    let folder = folder(path);
    let read = |path: &str| std::fs::read_to_string(folder.join(path)).map_err(|error| error.to_string());
    let mut found = compile(text, Env::Unknown).problems;
    found.extend(files::inline(text, &read).1);
    found
}

fn problems(path: &Path, problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(|problem| format!("{}:{problem}", path.display())).collect();
    lines.join("\n")
}

/// A pattern as it is written: one without braces stands for itself and all that is below it, unless it is to be exact.
fn pattern(path: &str, exact: bool) -> Result<(String, Pattern), No> {
    let bare = path.strip_suffix('/').unwrap_or(path);
    let written = match () {
        // An empty one, as of a variable of the shell that is not set, is no path: `/` has to be meant to stand for everything.
        () if exact || path.is_empty() || path.contains(['{', '}']) => path.to_owned(),
        () => format!("{bare}/{{.+}}"),
    };
    let parsed = Pattern::parse(&written).map_err(|why| No::Use(format!("`{path}`: {why}")))?;
    Ok((written, parsed))
}

/// Methods are case-sensitive, and nobody means `get`.
fn method(text: &str) -> String {
    text.to_ascii_uppercase()
}
