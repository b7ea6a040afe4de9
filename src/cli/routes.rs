//! `portcullis routes`: what is open, who may use the rest, and where it goes.

use std::fmt::Write;
use std::io::{IsTerminal, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use portcullis::outline::{Outline, Route, outline};
use serde_json::json;

use super::check::read_with_files;
use super::{say, wrong_use};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The configuration.
    #[arg(default_value = "gateway.json")]
    file: PathBuf,
    /// Only what can be had without a token.
    #[arg(long)]
    open: bool,
    /// Print the routes as JSON.
    #[arg(long, conflicts_with = "svg")]
    json: bool,
    /// Print a picture: routes, authorizers, upstreams.
    #[arg(long)]
    svg: bool,
}

impl Arguments {
    pub(super) fn of(file: &Path, open: bool, json: bool) -> Self {
        Self { file: file.to_owned(), open, json, svg: false }
    }
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    // The files that it names hold keys, which are not shown here.
    let text = match read_with_files(&arguments.file) {
        Ok((text, ..)) => text,
        Err(message) => return wrong_use(&message),
    };
    let outline = match outline(&text) {
        Ok(outline) if arguments.open => outline.open(),
        Ok(outline) => outline,
        Err(problems) => {
            for problem in problems {
                say::aside(format_args!("{}:{problem}", arguments.file.display()));
            }
            return ExitCode::FAILURE;
        }
    };
    if arguments.json {
        say::line(format_args!("{:#}", json!(outline)));
    } else if arguments.svg {
        say::text(outline.svg());
    } else {
        say::text(table(&outline, stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()));
    }
    ExitCode::SUCCESS
}

const HEADINGS: [&str; 6] = ["METHOD", "PATH", "AUTHORIZER", "MODE", "DEMANDS", "UPSTREAM"];

const BOLD: &str = "1";
const YELLOW: &str = "33";

fn table(outline: &Outline, coloured: bool) -> String {
    let rows: Vec<[String; 6]> = outline.routes.iter().map(cells).collect();
    let mut widths = HEADINGS.map(str::len);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |cells: &[String], colour: Option<&str>| {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        match colour.filter(|_| coloured) {
            Some(colour) => format!("\u{1b}[{colour}m{}\u{1b}[0m\n", line.trim_end()),
            None => format!("{}\n", line.trim_end()),
        }
    };
    let mut told = String::new();
    if !rows.is_empty() {
        told.push_str(&line(&HEADINGS.map(str::to_owned), Some(BOLD)));
    }
    for (row, route) in rows.iter().zip(&outline.routes) {
        told.push_str(&line(row, (!route.needs_token).then_some(YELLOW)));
    }
    let open = outline.routes.iter().filter(|route| !route.needs_token).count();
    let routes = match rows.len() {
        0 => "no routes".to_owned(),
        1 => "1 route".to_owned(),
        number => format!("{number} routes"),
    };
    let _ = writeln!(told, "{routes}, {open} without a token");
    told
}

fn cells(route: &Route) -> [String; 6] {
    let names: Vec<&str> = route.authorizers.iter().map(|authorizer| authorizer.name.as_str()).collect();
    let or_dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    let (label, behind) = route.upstream.told();
    [
        route.methods.join(","),
        route.path.clone(),
        if names.is_empty() { "open".to_owned() } else { names.join(" or ") },
        route.mode.unwrap_or("-").to_owned(),
        or_dash(route.demands().join("; ")),
        behind.map_or_else(|| label.clone(), |behind| format!("{label} {behind}")),
    ]
    .map(|cell| cell.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect())
}
