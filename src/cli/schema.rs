//! `portcullis schema`: what an editor needs to help with gateway.json.

use std::process::ExitCode;

use super::say;

pub(super) fn run() -> ExitCode {
    say::text(portcullis::schema::text());
    ExitCode::SUCCESS
}
