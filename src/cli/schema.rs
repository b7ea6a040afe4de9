//! `portcullis schema`: what an editor needs to help with gateway.json.

use std::process::ExitCode;

pub(super) fn run() -> ExitCode {
    print!("{}", portcullis::schema::text());
    ExitCode::SUCCESS
}
