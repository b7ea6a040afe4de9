//! `portcullis check`: what the build does, said to people.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use portcullis::compile::{Compiled, compile};
use portcullis::config::problem::{Problem, Severity};
use portcullis::config::reference::Env;
use portcullis::config::{env_file, files};
use serde_json::json;

use super::{say, wrong_use};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The configuration.
    #[arg(default_value = "gateway.json")]
    file: PathBuf,
    /// Variables and secrets, as in .dev.vars: finds names that are not bound.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Write a copy of a configuration without problems here: what the Worker is built with.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print problems as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let (text, inlined, file_problems) = match read_with_files(&arguments.file) {
        Ok(read) => read,
        Err(message) => return wrong_use(&message),
    };
    let mut compiled = match arguments.env_file.as_deref().map(read_env) {
        None => compile(&text, Env::Unknown),
        Some(Ok(names)) => compile(&text, Env::Judged(&|name| names.get(name).cloned())),
        Some(Err(message)) => return wrong_use(&message),
    };
    compiled.problems.extend(file_problems);
    if arguments.json {
        say::line(as_json(&arguments.file, &compiled));
    } else {
        print(&arguments.file, &compiled);
    }
    if !compiled.is_good() {
        return ExitCode::FAILURE;
    }
    match arguments.output.as_deref().map(|output| write(output, &inlined)) {
        None | Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(message)) => wrong_use(&message),
    }
}

/// A configuration as it is written, the same with the files that it names in their places, and what is wrong with those.
pub(super) fn read_with_files(file: &Path) -> Result<(String, String, Vec<Problem>), String> {
    let text = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let text = String::from_utf8(text).map_err(|_| format!("{} is not UTF-8", file.display()))?;
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    let read = |path: &str| fs::read_to_string(folder.join(path)).map_err(|error| error.to_string());
    let (inlined, problems) = files::inline(&text, &read);
    Ok((text, inlined, problems))
}

/// The names of an env file. What is odd about it goes to stderr: it is no answer to what was asked.
pub(super) fn read_env(file: &Path) -> Result<BTreeMap<String, String>, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let read = env_file::read(&text);
    for remark in read.remarks {
        say::aside(format_args!("{}:{}: warning: {}", file.display(), remark.line, remark.message));
    }
    Ok(read.names)
}

/// Writes `text` where it is not there yet: an unchanged file makes nobody reload.
fn write(file: &Path, text: &str) -> Result<(), String> {
    if fs::read_to_string(file).is_ok_and(|known| known == text) {
        return Ok(());
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.map_or(Ok(()), fs::create_dir_all).map_err(|error| format!("{}: {error}", file.display()))?;
    // In one step, so that nobody reads half a file.
    let beside = file.with_extension("json.new");
    fs::write(&beside, text)
        .and_then(|()| fs::rename(&beside, file))
        .map_err(|error| format!("{}: {error}", file.display()))
}

fn print(file: &Path, compiled: &Compiled) {
    for problem in &compiled.problems {
        say::line(format_args!("{}:{problem}", file.display()));
    }
    let (errors, warnings) = count(&compiled.problems);
    let of = |number: usize, what: &str| match number {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    };
    say::line(format_args!("{}: {}, {}", file.display(), of(errors, "problem"), of(warnings, "warning")));
}

fn as_json(file: &Path, compiled: &Compiled) -> serde_json::Value {
    let (errors, warnings) = count(&compiled.problems);
    json!({ "file": file.display().to_string(), "problems": errors, "warnings": warnings, "findings": compiled.problems })
}

fn count(problems: &[Problem]) -> (usize, usize) {
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    (errors, problems.len() - errors)
}
