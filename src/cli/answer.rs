//! How commands that change something say what came of it.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::{say, wrong_use};

/// What was done, for people and for programs.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) text: String,
    pub(super) json: Value,
    /// What somebody should know besides; on stderr, so that what is piped on stays what it is.
    pub(super) notes: Vec<String>,
}

/// Why nothing was done.
#[derive(Debug)]
pub(super) enum No {
    /// The answer is no.
    Answer(String),
    /// Wrong use, or a file or program that does not do its part.
    Use(String),
}

impl From<String> for No {
    fn from(why: String) -> Self {
        Self::Use(why)
    }
}

impl No {
    pub(super) fn answer<T>(why: impl Into<String>) -> Result<T, Self> {
        Err(Self::Answer(why.into()))
    }
}

/// Says it, with the exit code that belongs to it.
pub(super) fn finish(result: Result<Told, No>, as_json: bool) -> ExitCode {
    match result {
        Ok(Told { mut json, notes, .. }) if as_json => {
            if let (Some(members), false) = (json.as_object_mut(), notes.is_empty()) {
                members.insert("notes".to_owned(), notes.into());
            }
            say::line(format_args!("{json:#}"));
            ExitCode::SUCCESS
        }
        Ok(told) => {
            say::text(told.text);
            told.notes.iter().for_each(|note| say::aside(format_args!("portcullis: {note}")));
            ExitCode::SUCCESS
        }
        Err(No::Answer(why)) => {
            if as_json {
                say::line(format_args!("{:#}", json!({ "error": why })));
            } else {
                say::aside(format_args!("portcullis: {why}"));
            }
            ExitCode::FAILURE
        }
        Err(No::Use(why)) => wrong_use(&why),
    }
}
