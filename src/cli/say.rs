//! What the command prints. A pipe that its reader has closed ends nothing: who asked for less than all has it, the work is done to its end,
//! and the exit code is what it would have been. Anything else that cannot be written is told, with exit code 2.

use std::fmt::Display;
use std::io::{Error, ErrorKind, Write, stderr, stdout};
use std::process::ExitCode;
use std::sync::OnceLock;

use super::wrong_use;

/// Why standard output takes no more; then nothing else is tried.
static FAILED: OnceLock<Error> = OnceLock::new();

/// A line on standard output.
pub(super) fn line(told: impl Display) {
    text(format_args!("{told}\n"));
}

/// A text on standard output, with the line ends that it has.
pub(super) fn text(told: impl Display) {
    hold(|| stdout().write_all(told.to_string().as_bytes()));
}

/// A line on stderr. Where that cannot be written, there is nobody to tell.
pub(super) fn aside(told: impl Display) {
    let _ = stderr().write_all(format!("{told}\n").as_bytes());
}

/// The exit code: `code`, unless what was printed could not be written.
pub(super) fn finish(code: ExitCode) -> ExitCode {
    hold(|| stdout().flush());
    match FAILED.get() {
        Some(error) if error.kind() != ErrorKind::BrokenPipe => wrong_use(&format!("standard output: {error}")),
        _ => code,
    }
}

/// Writes, unless that has failed before.
pub(super) fn hold(write: impl FnOnce() -> std::io::Result<()>) {
    if FAILED.get().is_none()
        && let Err(error) = write()
    {
        let _ = FAILED.set(error);
    }
}
