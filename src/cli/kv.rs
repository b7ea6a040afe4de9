//! KV namespaces, through the project's own wrangler: it knows the account, and where `wrangler dev` keeps its data.

mod wrangler;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::files::Handed;
use wrangler::Wrangler;
pub(super) use wrangler::settings;

/// As many keys as one call may ask for, of those that the service gives.
const KEYS_A_CALL: usize = 100;

/// Where the namespace is.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct At {
    /// The configuration; wrangler.toml is looked for beside it.
    #[arg(long, value_name = "FILE", default_value = "gateway.json")]
    pub(super) config: PathBuf,
    /// On this machine, as `npm start` and `wrangler dev` have it; so unless --remote is given.
    #[arg(long, conflicts_with = "remote")]
    pub(super) local: bool,
    /// In the account, as the deployed Worker has it.
    #[arg(long)]
    pub(super) remote: bool,
    /// The name under which the namespace is bound; unless given, what the configuration says.
    #[arg(long, value_name = "NAME")]
    pub(super) binding: Option<String>,
    /// The environment of wrangler.toml.
    #[arg(long, value_name = "NAME")]
    pub(super) env: Option<String>,
    /// Print the result as JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// A namespace.
pub(super) struct Namespace {
    wrangler: Wrangler,
    binding: String,
    remote: bool,
    env: Option<String>,
}

/// A key that is there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) metadata: Option<Value>,
    /// Seconds since 1970.
    pub(super) expiration: Option<u64>,
}

/// What is to be put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Put {
    pub(super) key: String,
    pub(super) value: Value,
    /// What lists show without a look into the value: never anything secret.
    pub(super) metadata: Option<Value>,
    /// Seconds after which it is gone by itself.
    pub(super) ttl: Option<u64>,
}

impl Namespace {
    /// The namespace that is bound as `binding`.
    pub(super) fn open(at: &At, binding: &str) -> Result<Self, String> {
        let wrangler = Wrangler::beside(&at.config)?;
        Ok(Self { wrangler, binding: binding.to_owned(), remote: at.remote, env: at.env.clone() })
    }

    /// `CONSUMERS on this machine`, for people.
    pub(super) fn told(&self) -> String {
        format!("{} {}", self.binding, if self.remote { "of the account" } else { "on this machine" })
    }

    /// The keys that begin with `prefix`.
    pub(super) fn list(&self, prefix: &str) -> Result<Vec<Key>, String> {
        let prefix: &[&str] = if prefix.is_empty() { &[] } else { &["--prefix", prefix] };
        let told = self.patiently(|| self.run(&[&["key", "list"], prefix].concat(), Stdio::null()))?;
        read_keys(&told).ok_or_else(|| format!("wrangler listed no keys that can be read: {told}"))
    }

    /// The values of `keys`, of those that are there.
    pub(super) fn get(&self, keys: &[String]) -> Result<BTreeMap<String, String>, String> {
        let mut found = BTreeMap::new();
        for some in keys.chunks(KEYS_A_CALL) {
            let told = self.bulk("get", &json!(some).to_string(), &[])?;
            let values = read_values(&told);
            // What it told may be somebody's secret.
            found.extend(
                values.ok_or("wrangler gave no values that can be read: a newer one may, `npm install wrangler`")?,
            );
        }
        Ok(found)
    }

    /// Puts all of it. Values go by a file that nobody else can read and that has no name: arguments of programs are for all to see.
    pub(super) fn put(&self, all: &[Put]) -> Result<(), String> {
        self.bulk("put", &all.iter().map(Put::written).collect::<Value>().to_string(), &[]).map(drop)
    }

    /// Removes `keys`.
    pub(super) fn delete(&self, keys: &[String]) -> Result<(), String> {
        self.bulk("delete", &json!(keys).to_string(), &["--force"]).map(drop)
    }

    fn bulk(&self, what: &str, content: &str, more: &[&str]) -> Result<String, String> {
        self.patiently(|| {
            let mut handed = Handed::new(content)?;
            let input = handed.input.take().map_or_else(Stdio::null, Stdio::from);
            self.run(&[&["bulk", what, &handed.name], more].concat(), input)
        })
    }

    /// Does `work`, which may be done twice, and again where the namespace on this machine was busy: its file takes one program at a time, and
    /// says so with a 500.
    fn patiently<T>(&self, work: impl FnMut() -> Result<T, String>) -> Result<T, String> {
        let tries = if self.remote { 1 } else { TRIES };
        patiently(tries, PAUSE, work)
    }

    fn run(&self, arguments: &[&str], input: Stdio) -> Result<String, String> {
        let place = if self.remote { "--remote" } else { "--local" };
        let mut all = vec!["kv"];
        all.extend_from_slice(arguments);
        all.extend(["--binding", &self.binding, place]);
        all.extend(self.env.iter().flat_map(|env| ["--env", env]));
        self.wrangler.run(&all, input, self.remote).map_err(|why| self.advised(&why))
    }

    /// What wrangler said, and what to do about the usual things.
    fn advised(&self, why: &str) -> String {
        let binding = &self.binding;
        let advice = if why.contains("was not found in the configured") || why.contains("No KV Namespaces configured") {
            format!("\nadd it to wrangler.toml:\n\n[[kv_namespaces]]\nbinding = \"{binding}\"")
        } else if why.contains("CLOUDFLARE_API_TOKEN") || why.contains("not authenticated") {
            "\n`npx wrangler login`, or set CLOUDFLARE_API_TOKEN; without --remote it is the namespace on this machine"
                .to_owned()
        } else if why.contains("No namespace ID found") || why.contains("This Worker does not exist") {
            format!(
                "\n`npx wrangler deploy` makes the namespace the first time, and it is found by that from then on; or put the id of \
                 `npx wrangler kv namespace create {binding}` into wrangler.toml"
            )
        } else {
            String::new()
        };
        format!("{why}{advice}")
    }
}

/// How often the namespace on this machine is asked, with what pause between.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(250);

#[expect(clippy::disallowed_methods, reason = "the command is no library")]
fn patiently<T>(tries: u32, pause: Duration, mut work: impl FnMut() -> Result<T, String>) -> Result<T, String> {
    for _ in 1..tries {
        match work() {
            Err(why) if why.contains("failed: 500") => thread::sleep(pause),
            done => return done,
        }
    }
    work()
}

impl Put {
    fn written(&self) -> Value {
        let mut put = json!({ "key": self.key, "value": self.value.to_string() });
        if let Some(members) = put.as_object_mut() {
            members.extend(self.metadata.clone().map(|metadata| ("metadata".to_owned(), metadata)));
            members.extend(self.ttl.map(|ttl| ("expiration_ttl".to_owned(), ttl.into())));
        }
        put
    }
}

/// The first JSON value in what wrangler printed: lines for people may stand around it.
fn first_json(told: &str) -> Option<Value> {
    let start = told.find(['[', '{'])?;
    serde_json::Deserializer::from_str(told.get(start..)?).into_iter().next()?.ok()
}

fn read_keys(told: &str) -> Option<Vec<Key>> {
    let listed = first_json(told)?;
    let key = |key: &Value| {
        Some(Key {
            name: key.get("name")?.as_str()?.to_owned(),
            metadata: key.get("metadata").filter(|metadata| !metadata.is_null()).cloned(),
            expiration: key.get("expiration").and_then(Value::as_u64),
        })
    };
    listed.as_array()?.iter().map(key).collect()
}

/// Newer versions wrap each value in an object, others give it as it is.
fn read_values(told: &str) -> Option<BTreeMap<String, String>> {
    let given = first_json(told)?;
    let value = |value: &Value| value.as_str().or_else(|| value.get("value")?.as_str()).map(str::to_owned);
    Some(given.as_object()?.iter().filter_map(|(key, found)| Some((key.clone(), value(found)?))).collect())
}

/// The folder that a file is in.
pub(super) fn folder(file: &Path) -> PathBuf {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new(".")).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_that_is_busy_is_asked_again_and_nothing_else_is() {
        let busy = "wrangler: KV GET failed: 500 Internal Server Error";
        for (name, answers, asked, expected) in [
            ("good", &[Ok(1)][..], 1, Ok(1)),
            ("busy once", &[Err(busy), Ok(2)], 2, Ok(2)),
            ("busy for ever", &[Err(busy); 3], 3, Err(busy)),
            ("another fault", &[Err("no such binding"), Ok(3)], 1, Err("no such binding")),
        ] {
            let mut count = 0;
            let told = patiently(3, Duration::ZERO, || {
                count += 1;
                answers[count - 1].map_err(str::to_owned)
            });
            assert_eq!((told, count), (expected.map_err(str::to_owned), asked), "{name}");
        }
    }

    #[test]
    fn what_wrangler_prints_is_read_whatever_stands_around_it() {
        let listed = "\n ⛅️ wrangler\n[\n  {\"name\": \"a\", \"metadata\": {\"x\": 1}},\n  {\"name\": \"b\", \"expiration\": 5}\n]\n";
        let keys = read_keys(listed).unwrap();
        assert_eq!(keys.first().unwrap().metadata, Some(json!({"x": 1})));
        assert_eq!(keys.get(1).unwrap().expiration, Some(5));
        assert_eq!(read_keys("[]"), Some(Vec::new()));
        assert_eq!(read_keys("nothing"), None);
        for given in [r#"{"a": {"value": "1"}, "b": {"value": null}}"#, "{\"a\": \"1\", \"b\": null}\n\nSuccess!\n"] {
            assert_eq!(read_values(given), Some([("a".to_owned(), "1".to_owned())].into()), "{given}");
        }
    }

    #[test]
    fn a_value_is_put_as_its_text_with_what_lists_show() {
        let put = Put { key: "k".into(), value: json!({"version": 1}), metadata: Some(json!({"m": 1})), ttl: Some(60) };
        let expected = json!({"key": "k", "value": "{\"version\":1}", "metadata": {"m": 1}, "expiration_ttl": 60});
        assert_eq!(put.written(), expected);
    }
}
