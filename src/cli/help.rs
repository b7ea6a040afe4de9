//! What a shell and `man` want to know of the command.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Arguments, say, wrong_use};

/// `portcullis completions`.
pub(super) fn completions(shell: Shell) -> ExitCode {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "portcullis", &mut text);
    print(&text)
}

/// `portcullis man`: one page, in which the pages of all commands follow the first.
pub(super) fn man() -> ExitCode {
    let mut text = Vec::new();
    let mut root = Arguments::command();
    // Without it, clap has not yet given commands their full names.
    root.build();
    match pages(&root, &mut text) {
        Ok(()) => print(&text),
        Err(error) => wrong_use(&error.to_string()),
    }
}

fn pages(command: &clap::Command, text: &mut Vec<u8>) -> std::io::Result<()> {
    clap_mangen::Man::new(command.clone()).render(text)?;
    let shown = |command: &&clap::Command| command.get_name() != "help" && !command.is_hide_set();
    command.get_subcommands().filter(shown).try_for_each(|command| pages(command, text))
}

fn print(text: &[u8]) -> ExitCode {
    say::text(String::from_utf8_lossy(text));
    ExitCode::SUCCESS
}
