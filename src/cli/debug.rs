//! `portcullis debug`: a page on this machine, in which the library runs as wasm. This half gives out the page's files, the configuration as
//! it is on disk, and the names of `--env-file`; it is asked nothing else, since what people type stays in the browser.

mod server;

use std::fs;
use std::io::{IsTerminal, stdout};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use portcullis::page::files_of;
use serde_json::{Value, json};

use self::server::{Content, serve};
use super::check::read_env;
use super::{say, wrong_use};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = "gateway.json")]
    config: PathBuf,
    /// Variables and secrets, as in .dev.vars. The page gets them, and any program on this machine could ask for them there.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// The port on 127.0.0.1; 0 takes any that is free.
    #[arg(long, default_value = "8789")]
    port: u16,
    /// Do not open a browser.
    #[arg(long)]
    no_open: bool,
}

/// The page's files: what is asked for, the file, its type. Nothing else is ever read for a request.
const FILES: [(&str, &str, &str); 9] = [
    ("/", "index.html", "text/html; charset=utf-8"),
    ("/style.css", "style.css", "text/css; charset=utf-8"),
    ("/app.js", "app.js", "text/javascript; charset=utf-8"),
    ("/element.js", "element.js", "text/javascript; charset=utf-8"),
    ("/picture.js", "picture.js", "text/javascript; charset=utf-8"),
    ("/result.js", "result.js", "text/javascript; charset=utf-8"),
    ("/tabs.js", "tabs.js", "text/javascript; charset=utf-8"),
    ("/portcullis.js", "portcullis.js", "text/javascript; charset=utf-8"),
    ("/portcullis_bg.wasm", "portcullis_bg.wasm", "application/wasm"),
];

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match start(arguments) {
        Ok(never) => never,
        Err(message) => wrong_use(&message),
    }
}

fn start(arguments: &Arguments) -> Result<ExitCode, String> {
    let folder = folder()?;
    // Said now, where somebody looks, and not in the page later.
    let file = &arguments.config;
    fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    arguments.env_file.as_deref().map(read_env).transpose()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, arguments.port)).map_err(|error| {
        format!("127.0.0.1:{} cannot be listened on: {error}; another port: --port 0", arguments.port)
    })?;
    let port = listener.local_addr().map_err(|error| error.to_string())?.port();
    // By its number: `localhost` may be another program's on ::1.
    let address = format!("http://127.0.0.1:{port}/");
    say::line(format_args!("{address} explains requests to {}; Ctrl-C ends it", arguments.config.display()));
    if arguments.env_file.is_none() {
        say::line("Without --env-file, secrets are not known: the page asks for them where they matter");
    }
    if !arguments.no_open && stdout().is_terminal() {
        open(&address);
    }
    let (config, env_file) = (arguments.config.clone(), arguments.env_file.clone());
    serve(&listener, port, move |path| content(path, &folder, &config, env_file.as_deref()));
    Ok(ExitCode::SUCCESS)
}

/// Where the page's files are: beside the program, else where the checkout that it was compiled in builds them.
fn folder() -> Result<PathBuf, String> {
    let beside = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.join("page")));
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("build/page");
    let is_whole = |folder: &PathBuf| FILES.iter().all(|(_, file, _)| folder.join(file).is_file());
    beside.into_iter().chain([built]).find(is_whole).ok_or_else(|| {
        "the page is not built yet; in the checkout, `npm run debug` builds and starts it, and `node scripts/build-page.mjs` builds it alone"
            .to_owned()
    })
}

fn content(path: &str, folder: &Path, config: &Path, env_file: Option<&Path>) -> Option<Content> {
    if path == "/setup.json" {
        let body = setup(config, env_file).unwrap_or_else(|why| json!({ "error": why }));
        return Some(Content { kind: "application/json", body: body.to_string().into_bytes() });
    }
    let (_, file, kind) = FILES.iter().find(|(known, _, _)| *known == path)?;
    Some(Content { kind, body: fs::read(folder.join(file)).ok()? })
}

/// The configuration and what belongs to it, as it is on disk now.
fn setup(config: &Path, env_file: Option<&Path>) -> Result<Value, String> {
    let read = |file: &Path| fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()));
    let text = read(config)?;
    let beside = config.parent().unwrap_or(Path::new(""));
    let files = files_of(&text, &|path| fs::read_to_string(beside.join(path)).map_err(|error| error.to_string()));
    let env = env_file.map(read).transpose()?;
    let name = |file: &Path| file.display().to_string();
    Ok(
        json!({ "config": text, "file": name(config), "files": files, "env": env, "envFile": env_file.map(name), "version": env!("CARGO_PKG_VERSION") }),
    )
}

/// Shows the page in a browser, where there is one.
fn open(address: &str) {
    let (program, arguments): (&str, &[&str]) = match std::env::consts::OS {
        "macos" => ("open", &[]),
        "windows" => ("cmd", &["/C", "start", ""]),
        _ => ("xdg-open", &[]),
    };
    let mut command = Command::new(program);
    command.args(arguments).arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Whoever has no browser has the address.
    let _ = command.spawn();
}
