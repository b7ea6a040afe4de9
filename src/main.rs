//! The `portcullis` command: the library, for people and scripts.

// println! and its kind panic where nobody reads: `cli/say.rs` prints.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
