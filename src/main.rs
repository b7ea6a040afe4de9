//! The `portcullis` command: the library, for people and scripts.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
