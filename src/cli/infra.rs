//! `portcullis infra`: where the gateway is.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use jsonc_parser::cst::CstRootNode;
use serde_json::{Value, json};

use super::answer::{No, Told, finish};
use super::kv::{folder, settings};

/// The port of `npm start`, unless wrangler.toml has another.
const PORT: u16 = 8787;

/// How long a dev server may take to answer at all.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Print the gateway's address: of the dev server that runs here, or with --remote of the deployed Worker.
    Endpoint(Endpoint),
}

#[derive(Debug, clap::Args)]
pub(super) struct Endpoint {
    /// The configuration; wrangler.toml is looked for beside it.
    #[arg(long, value_name = "FILE", default_value = "gateway.json")]
    config: PathBuf,
    /// The dev server's port; unless given, what wrangler.toml says, or 8787.
    #[arg(long, value_name = "PORT", conflicts_with = "remote")]
    port: Option<u16>,
    /// The deployed Worker's address.
    #[arg(long)]
    remote: bool,
    /// The environment of wrangler.toml.
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Print the address as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &Command) -> ExitCode {
    let Command::Endpoint(arguments) = command;
    finish(if arguments.remote { remote(arguments) } else { local(arguments) }, arguments.json)
}

fn local(arguments: &Endpoint) -> Result<Told, No> {
    let written = read_settings(&arguments.config).ok();
    let of_file = written.as_ref().and_then(|settings| settings.get("dev")?.get("port")?.as_u64());
    let port = arguments.port.or_else(|| of_file.and_then(|port| u16::try_from(port).ok())).unwrap_or(PORT);
    let address = format!("http://localhost:{port}");
    match probe(port) {
        Some(true) => Ok(told(&[address])),
        Some(false) => No::answer(format!(
            "something answers on {address}, but it is not this gateway: `npm start -- --port PORT` takes another"
        )),
        None => No::answer(format!(
            "nothing answers on {address}: `npm start` starts it; --port says another port, --remote asks for the deployed one"
        )),
    }
}

/// Whether a gateway answers there: every answer of its own has a request id. None where nothing answers.
fn probe(port: u16) -> Option<bool> {
    let addresses = ("localhost", port).to_socket_addrs().ok()?;
    let mut stream = addresses.into_iter().find_map(|address| TcpStream::connect_timeout(&address, PATIENCE).ok())?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    // A path that no request can have: the gateway says so itself, whatever its routes are, and no upstream is asked.
    let request = format!("GET /%2F HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    // What came before an end or a pause is enough.
    let _ = stream.take(16_384).read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).to_ascii_lowercase();
    answer.starts_with("http/1.1 ").then(|| answer.contains("\r\nx-request-id:"))
}

fn remote(arguments: &Endpoint) -> Result<Told, No> {
    let written = read_settings(&arguments.config)?;
    let addresses = addresses(&written, arguments.env.as_deref());
    if !addresses.is_empty() {
        return Ok(told(&addresses));
    }
    let own = arguments.env.as_ref().and_then(|env| written.get("env")?.get(env));
    let name = own.and_then(|own| own.get("name")).or_else(|| written.get("name")).and_then(Value::as_str);
    let name = match (name, &arguments.env) {
        (Some(name), Some(env)) if own.is_some_and(|own| own.get("name").is_none()) => format!("{name}-{env}"),
        (Some(name), _) => name.to_owned(),
        (None, _) => return No::answer("wrangler.toml has no `name`, so the Worker has no address"),
    };
    No::answer(format!(
        "the address cannot be known from here: wrangler.toml has no `route`, so it is https://{name}.SUBDOMAIN.workers.dev, and no command of \
         wrangler tells the account's subdomain but `npx wrangler deploy`, which prints the whole address"
    ))
}

fn told(addresses: &[String]) -> Told {
    Told {
        text: addresses.join("\n") + "\n",
        json: json!({ "endpoint": addresses.first(), "endpoints": addresses }),
        notes: Vec::new(),
    }
}

/// wrangler.toml, or wrangler.jsonc, as JSON.
fn read_settings(config: &Path) -> Result<Value, String> {
    let place = folder(config);
    let file = settings(&place).ok_or_else(|| {
        format!("no wrangler.toml is in {}: name the project's gateway.json with --config", place.display())
    })?;
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let told = |error: String| format!("{}: {error}", file.display());
    if file.extension().is_some_and(|extension| extension == "toml") {
        let document = text.parse::<toml_edit::DocumentMut>().map_err(|error| told(error.to_string()))?;
        return Ok(table(document.as_table()));
    }
    let root =
        CstRootNode::parse(&text, &jsonc_parser::ParseOptions::default()).map_err(|error| told(error.to_string()))?;
    Ok(root.value().map_or(Value::Null, |value| json_of(&value)))
}

/// Whether wrangler.toml binds a KV namespace by this name; none where that cannot be told.
pub(super) fn binds(config: &Path, name: &str) -> Option<bool> {
    let settings = read_settings(config).ok()?;
    let bound = settings.get("kv_namespaces").and_then(Value::as_array);
    Some(bound.is_some_and(|all| all.iter().any(|one| one.get("binding").and_then(Value::as_str) == Some(name))))
}

/// The addresses that `route` and `routes` say: patterns without their `*`.
fn addresses(written: &Value, env: Option<&str>) -> Vec<String> {
    let own = env.and_then(|env| written.get("env")?.get(env));
    let find = |name: &str| own.and_then(|own| own.get(name)).or_else(|| written.get(name));
    let many = find("routes").and_then(Value::as_array).into_iter().flatten();
    let pattern = |route: &Value| route.as_str().or_else(|| route.get("pattern")?.as_str()).map(str::to_owned);
    let patterns = find("route").into_iter().chain(many).filter_map(pattern);
    let address = |pattern: String| {
        let bare = pattern.split_once("://").map_or(pattern.as_str(), |(_, rest)| rest);
        let bare = bare.trim_start_matches("*.").trim_start_matches('*');
        format!("https://{}", bare.trim_end_matches('*').trim_end_matches('/'))
    };
    patterns.map(address).collect()
}

fn table(table: &dyn toml_edit::TableLike) -> Value {
    Value::Object(table.iter().map(|(name, item)| (name.to_owned(), item_of(item))).collect())
}

fn item_of(item: &toml_edit::Item) -> Value {
    if let Some(inner) = item.as_table_like() {
        return table(inner);
    }
    if let Some(tables) = item.as_array_of_tables() {
        return tables.iter().map(|inner| table(inner)).collect();
    }
    item.as_value().map_or(Value::Null, value_of)
}

fn value_of(value: &toml_edit::Value) -> Value {
    use toml_edit::Value as Toml;
    match value {
        Toml::String(text) => text.value().as_str().into(),
        Toml::Integer(number) => (*number.value()).into(),
        Toml::Boolean(truth) => (*truth.value()).into(),
        Toml::Array(list) => list.iter().map(value_of).collect(),
        Toml::InlineTable(inner) => table(inner),
        Toml::Float(_) | Toml::Datetime(_) => Value::Null,
    }
}

fn json_of(node: &jsonc_parser::cst::CstNode) -> Value {
    if let Some(object) = node.as_object() {
        let members = object.properties().into_iter().filter_map(|member| {
            Some((member.decoded_name()?, member.value().map_or(Value::Null, |value| json_of(&value))))
        });
        return Value::Object(members.collect());
    }
    if let Some(array) = node.as_array() {
        return array.elements().iter().map(json_of).collect();
    }
    if let Some(text) = node.as_string_lit() {
        return text.decoded_value().map_or(Value::Null, Value::from);
    }
    serde_json::from_str(&node.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_the_routes_of_wranglers_settings() {
        let toml = |text: &str| table(text.parse::<toml_edit::DocumentMut>().unwrap().as_table());
        for (name, text, env, expected) in [
            ("none", "name = \"a\"", None, &[][..]),
            ("a pattern", "route = \"api.example.com/*\"", None, &["https://api.example.com"]),
            (
                "a domain",
                "routes = [{ pattern = \"api.example.com\", custom_domain = true }]",
                None,
                &["https://api.example.com"],
            ),
            ("tables", "[[routes]]\npattern = \"https://example.com/api/*\"", None, &["https://example.com/api"]),
            (
                "an environment",
                "route = \"a.example/*\"\n[env.dev]\nroute = \"dev.a.example/*\"",
                Some("dev"),
                &["https://dev.a.example"],
            ),
        ] {
            assert_eq!(addresses(&toml(text), env), expected, "{name}");
        }
    }
}
