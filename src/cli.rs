//! Arguments and dispatch. Exit codes: 0 good, 1 the answer is no, 2 wrong use.

mod answer;
mod check;
mod consumer;
mod debug;
mod directory;
mod explain;
mod files;
mod help;
mod infra;
mod jwt;
mod key;
mod known;
mod kv;
mod moment;
mod private_key;
mod revoke;
mod route;
mod routes;
mod say;
mod schema;
mod sign;
mod table;
mod token;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// An API gateway for Cloudflare's edge: checks gateway.json the way the Worker reads it.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say every problem and warning of a configuration, with line and column.
    Check(check::Arguments),
    /// Explain requests on a page in the browser. Nothing that is typed there leaves it.
    Debug(debug::Arguments),
    /// Say step by step why a request gets the answer that it gets. Nothing is sent anywhere.
    Explain(explain::Arguments),
    /// Show every route: who may use it, and where it goes.
    Routes(routes::Arguments),
    /// Add, list and remove routes: edits gateway.json, and leaves its order and layout as they are.
    #[command(subcommand)]
    Route(route::Command),
    /// Add, list and remove consumers.
    #[command(subcommand)]
    Consumer(consumer::Command),
    /// Make, list, rotate and remove the credentials of consumers.
    #[command(subcommand)]
    Jwt(jwt::Command),
    /// Take tokens back before their end.
    Revoke(revoke::Arguments),
    /// Say where the gateway is.
    #[command(subcommand)]
    Infra(infra::Command),
    /// Make keys, and put public ones into a key set.
    #[command(subcommand)]
    Key(key::Command),
    /// Print the JSON Schema of gateway.json, by which editors complete and check it.
    Schema,
    /// Look into a token, or hold it against an authorizer.
    #[command(subcommand)]
    Token(token::Command),
    /// Print a script that completes the command in a shell.
    #[command(hide = true)]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual, for `man -l -`.
    #[command(hide = true)]
    Man,
}

/// Runs the command that the process was called with.
pub(crate) fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(told) => {
            // Help and the version come this way too.
            say::hold(|| told.print());
            return say::finish(ExitCode::from(u8::try_from(told.exit_code()).unwrap_or(2)));
        }
    };
    say::finish(called(arguments.command))
}

fn called(command: Command) -> ExitCode {
    match command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Debug(arguments) => debug::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Routes(arguments) => routes::run(&arguments),
        Command::Route(command) => route::run(&command),
        Command::Consumer(command) => consumer::run(&command),
        Command::Jwt(command) => jwt::run(&command),
        Command::Revoke(arguments) => revoke::run(&arguments),
        Command::Infra(command) => infra::run(&command),
        Command::Key(command) => key::run(&command),
        Command::Schema => schema::run(),
        Command::Token(command) => token::run(&command),
        Command::Completions { shell } => help::completions(shell),
        Command::Man => help::man(),
    }
}

/// Wrong use, or a file that cannot be read: said on stderr.
fn wrong_use(message: &str) -> ExitCode {
    say::aside(format_args!("portcullis: {message}"));
    ExitCode::from(2)
}
