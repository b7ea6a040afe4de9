//! `portcullis token`: what is in a token, and what an authorizer makes of it. No request is sent anywhere.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis::authn::{Authorizer, KeySource, verify_token};
use portcullis::compile::compile_file;
use portcullis::config::reference::Env;
use portcullis::explain::inquiry::bare;
use portcullis::gateway::Gateway;
use portcullis::jwt::compact::Compact;
use portcullis::jwt::json;
use portcullis::jwt::keyset::KeySet;
use portcullis::reject::Reject;
use portcullis::time::UnixTime;
use serde_json::Value;

use super::check::{read_env, read_with_files};
use super::{say, sign, wrong_use};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Print header and claims. Nothing is verified.
    Decode {
        /// The token. A `Bearer` before it is taken off.
        token: String,
    },
    /// Say whether an authorizer accepts a token, and if not, why.
    Verify(Verify),
    /// Sign a token, to try a gateway with.
    Sign(sign::Sign),
}

#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = "gateway.json")]
    config: PathBuf,
    /// The authorizer's name; without it, the default one.
    #[arg(long, value_name = "NAME")]
    authorizer: Option<String>,
    /// The token. A `Bearer` before it is taken off.
    #[arg(long, value_name = "TOKEN", required_unless_present = "token_file", conflicts_with = "token_file")]
    token: Option<String>,
    /// A file that holds the token.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The time to verify for, in seconds since 1970; without it, now.
    #[arg(long, value_name = "SECONDS")]
    now: Option<u64>,
    /// What the authorizer's key URL serves: a key set, or a map of key ids to certificates.
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// Variables and secrets, as in .dev.vars.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &Command) -> ExitCode {
    match command {
        Command::Decode { token } => decode(token),
        Command::Verify(arguments) => verify(arguments).unwrap_or_else(|message| wrong_use(&message)),
        Command::Sign(arguments) => {
            let done = sign::run(arguments, || clock().as_millis() / 1000);
            done.map_or_else(|message| wrong_use(&message), |()| ExitCode::SUCCESS)
        }
    }
}

fn decode(token: &str) -> ExitCode {
    let token = bare(token);
    let mut parts = token.split('.');
    let mut object = || {
        let bytes = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
        json::object(&bytes).ok()
    };
    if let (Some(header), Some(claims)) = (object(), object()) {
        say::line(format_args!("{:#}", serde_json::json!({ "header": header, "claims": claims })));
    }
    // What a gateway would say of its form comes with it.
    match Compact::parse(token) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            print(Err(&Reject::from(error)), false);
            ExitCode::FAILURE
        }
    }
}

fn verify(arguments: &Verify) -> Result<ExitCode, String> {
    let gateway = gateway(&arguments.config, arguments.env_file.as_deref())?;
    let authorizer = authorizer(&gateway, arguments.authorizer.as_deref())?;
    let keys = arguments.jwks.as_deref().map(read_keys).transpose()?;
    match &authorizer.keys {
        KeySource::Remote(_) if keys.is_none() => {
            return Err("this authorizer's keys are at a URL: give what it serves with --jwks FILE".to_owned());
        }
        KeySource::Consumers(_) => {
            return Err("this authorizer's credentials are in KV, which this command does not read".to_owned());
        }
        KeySource::ApiKeys(_) | KeySource::Passwords(_) => {
            return Err("this authorizer has no tokens: its credentials are API keys or passwords".to_owned());
        }
        KeySource::Remote(_) | KeySource::Secrets(_) | KeySource::Inline(_) => {}
    }
    let token = match (&arguments.token, &arguments.token_file) {
        (Some(token), _) => token.clone(),
        (None, Some(file)) => read(file)?,
        (None, None) => String::new(),
    };
    let now = arguments.now.map_or_else(clock, UnixTime::from_seconds);
    let verdict = verify_token(authorizer, bare(&token), gateway.max_token_bytes(), keys.as_ref(), now);
    let claims = verdict.map(|verified| Value::Object(verified.claims().members().clone()));
    print(claims.as_ref(), arguments.json);
    Ok(if claims.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The compiled configuration; whatever is wrong with it is said where it matters.
fn gateway(file: &Path, env_file: Option<&Path>) -> Result<Gateway, String> {
    let (_, text, problems) = read_with_files(file)?;
    let names = env_file.map_or_else(|| Ok(BTreeMap::new()), read_env)?;
    let compiled = compile_file(&file.display().to_string(), &text, Env::Known(&|name| names.get(name).cloned()));
    let told = || problems.iter().chain(&compiled.problems).map(|problem| format!("\n{}:{problem}", file.display()));
    compiled.gateway.ok_or_else(|| format!("the configuration cannot be used{}", told().collect::<String>()))
}

fn authorizer<'g>(gateway: &'g Gateway, name: Option<&str>) -> Result<&'g Authorizer, String> {
    match (gateway.authorizer(name), name) {
        (Some(Ok(authorizer)), _) => Ok(authorizer),
        (Some(Err(fault)), _) => Err(format!("the authorizer cannot be used: {}", fault.0.join("; "))),
        (None, Some(name)) => Err(format!("there is no authorizer `{name}`")),
        (None, None) => Err("there is no default authorizer: name one with --authorizer".to_owned()),
    }
}

fn print(verdict: Result<&Value, &Reject>, as_json: bool) {
    match verdict {
        Ok(claims) if as_json => say::line(serde_json::json!({ "accepted": true, "claims": claims })),
        Ok(claims) => say::line(format_args!("accepted\n{claims:#}")),
        Err(reject) => {
            let code = reject.code();
            if as_json {
                let told = serde_json::json!({ "accepted": false, "status": code.status(), "code": code.code(), "message": code.message(), "claim": reject.claim() });
                say::line(&told);
            } else {
                let claim = reject.claim().map_or_else(String::new, |claim| format!(" (`{claim}`)"));
                say::line(format_args!("refused: {}: {}{claim}", code.code(), code.message()));
            }
        }
    }
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
}

pub(super) fn read_keys(file: &Path) -> Result<KeySet, String> {
    let text = read(file)?;
    KeySet::parse(text.as_bytes()).map_err(|why| {
        let more = KeySet::why_refused(text.as_bytes()).map_or_else(String::new, |more| format!(": {more}"));
        format!("{}: {why}{more}", file.display())
    })
}

/// The one clock of the project: a person's terminal has one.
#[expect(clippy::disallowed_methods, reason = "the command is native, and its user may leave --now out")]
pub(super) fn clock() -> UnixTime {
    UnixTime::from_seconds(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}
