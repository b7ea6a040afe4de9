//! What the page of `portcullis debug` asks, as the browser's half can ask it: a text in, JSON out. The page itself is in `page/`.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::compile::compile;
use crate::config::problem::Problem;
use crate::config::reference::Env;
use crate::config::{env_file, files};
use crate::explain::curl as curl_line;
use crate::explain::decoded::decoded;
use crate::explain::inquiry::{Inquiry, Setting, Unanswerable, header};
use crate::jwt::keyset::KeySet;
use crate::outline::{Route, outline};
use crate::time::UnixTime;

/// A configuration with what belongs to it.
#[derive(Debug, Deserialize)]
pub struct Setup {
    /// The text of gateway.json.
    config: String,
    /// The files that it names, by their paths.
    #[serde(default)]
    files: BTreeMap<String, File>,
    /// Variables and secrets, in the manner of `.dev.vars`.
    #[serde(default)]
    env: String,
}

/// A file that a configuration names.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum File {
    /// Its text.
    Text(String),
    /// Why it cannot be read.
    Error(String),
}

/// A request as it is in the page's fields.
#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(flatten)]
    setup: Setup,
    method: String,
    path: String,
    #[serde(default)]
    token: String,
    /// Lines of `Name: value`.
    #[serde(default)]
    headers: String,
    /// What key URLs serve.
    #[serde(default)]
    jwks: String,
    /// Seconds since 1970.
    now: u64,
}

/// The files that a configuration names, as `read` finds them. Only key sets are given out: whatever else a configuration may name is nobody's
/// business.
pub fn files_of(config: &str, read: &dyn Fn(&str) -> Result<String, String>) -> BTreeMap<String, File> {
    let found = std::cell::RefCell::new(BTreeMap::new());
    files::inline(config, &|path| {
        let text =
            read(path).and_then(|text| KeySet::parse(text.as_bytes()).map(|_| text).map_err(|why| why.to_string()));
        let file = text.clone().map_or_else(File::Error, File::Text);
        found.borrow_mut().insert(path.to_owned(), file);
        text
    });
    found.into_inner()
}

/// What a configuration holds: `problems` as `portcullis check` tells them, and, where there is none but warnings, `routes` and a picture.
pub fn configuration(setup: &str) -> String {
    let Ok(setup) = serde_json::from_str::<Setup>(setup) else { return unread() };
    let (_, file_problems) = setup.inlined();
    let names = env_file::parse(&setup.env);
    let judged = Env::Judged(&|name| names.get(name).cloned());
    let mut problems = compile(&setup.config, if names.is_empty() { Env::Unknown } else { judged }).problems;
    problems.extend(file_problems);
    let outline = outline(&setup.config).ok();
    let routes: Vec<Value> = outline.iter().flat_map(|outline| &outline.routes).map(shown).collect();
    json!({ "problems": problems, "routes": routes, "svg": outline.map(|outline| outline.svg()) }).to_string()
}

/// What becomes of a request: its `explanation`, or what is wrong with which `field`; and what is in its token.
pub fn answer(asked: &str) -> String {
    let Ok(asked) = serde_json::from_str::<Asked>(asked) else { return unread() };
    let now = UnixTime::from_seconds(asked.now);
    let (text, file_problems) = asked.setup.inlined();
    let names = env_file::parse(&asked.setup.env);
    let token = asked.token.trim();
    let mut inquiry = Inquiry { method: asked.method.clone(), path: asked.path.trim().to_owned(), headers: Vec::new() };
    for line in asked.headers.lines().filter(|line| !line.trim().is_empty()) {
        match header(line) {
            Some(header) => inquiry.headers.push(header),
            None => return refused("headers", &format!("`{}` is no header: `Name: value`", line.trim())),
        }
    }
    if !token.is_empty() {
        inquiry.bear(token);
    }
    let keys = match asked.jwks.trim() {
        "" => None,
        text => match KeySet::parse(text.as_bytes()) {
            Ok(keys) => Some(keys),
            Err(why) => return refused("jwks", &why.to_string()),
        },
    };
    let readable = inquiry.token().and_then(|token| decoded(token, now));
    match inquiry.answer(Setting { file: "gateway.json", text: &text, names: &names, keys: keys.as_ref(), now }) {
        Ok(explanation) => json!({ "explanation": explanation, "decoded": readable }).to_string(),
        Err(why) => {
            let told = why.to_string();
            let (field, problems) = match why {
                Unanswerable::Path => ("path", Vec::new()),
                Unanswerable::Method => ("method", Vec::new()),
                Unanswerable::Configuration(problems) => ("config", problems),
            };
            let problems: Vec<Problem> = file_problems.into_iter().chain(problems).collect();
            json!({ "field": field, "error": told, "problems": problems, "decoded": readable }).to_string()
        }
    }
}

/// The request of a curl line, as it goes into the page's fields, with `notes`; or an `error`.
pub fn curl(line: &str) -> String {
    let read = match curl_line::parse(line) {
        Ok(read) => read,
        Err(why) => return refused("curl", &why),
    };
    let Inquiry { method, path, headers } = read.inquiry;
    let mut token = String::new();
    let mut lines = String::new();
    for (name, value) in &headers {
        match value.split_once(' ') {
            // What is sent as the page sends its token, and nothing else, is the token.
            Some(("Bearer", word))
                if token.is_empty() && name.eq_ignore_ascii_case("authorization") && !word.contains(' ') =>
            {
                word.clone_into(&mut token);
            }
            _ => {
                let _ = writeln!(lines, "{name}: {value}");
            }
        }
    }
    json!({ "method": method, "path": path, "token": token, "headers": lines.trim_end(), "notes": read.notes })
        .to_string()
}

impl Setup {
    /// The text with the files in their places, and what is wrong with those.
    fn inlined(&self) -> (String, Vec<Problem>) {
        files::inline(&self.config, &|path| match self.files.get(path) {
            Some(File::Text(text)) => Ok(text.clone()),
            Some(File::Error(why)) => Err(why.clone()),
            None => Err("the page was not given this file: save gateway.json and load it again".to_owned()),
        })
    }
}

/// A route for a list to choose from and for a table.
fn shown(route: &Route) -> Value {
    let names: Vec<&str> = route.authorizers.iter().map(|authorizer| authorizer.name.as_str()).collect();
    let method = route.methods.first().filter(|method| *method != "ANY");
    let (upstream, behind) = route.upstream.told();
    json!({
        "methods": route.methods.join(","),
        "path": route.path,
        "who": if names.is_empty() { "open".to_owned() } else { names.join(" or ") },
        "mode": route.mode,
        "open": !route.needs_token,
        "demands": route.demands(),
        "upstream": behind.map_or_else(|| upstream.clone(), |behind| format!("{upstream} {behind}")),
        "try": { "method": method.map_or("GET", String::as_str), "path": sample(&route.path) },
    })
}

/// A path that fits a pattern.
fn sample(pattern: &str) -> String {
    let segment = |segment| match segment {
        "{.+}" => "anything",
        parameter if segment.starts_with('{') && parameter.ends_with('}') => "1",
        literal => literal,
    };
    pattern.split('/').map(segment).collect::<Vec<_>>().join("/")
}

fn refused(field: &str, why: &str) -> String {
    json!({ "field": field, "error": why }).to_string()
}

fn unread() -> String {
    refused("page", "the page and its program do not fit together: build both again")
}

#[cfg(test)]
mod tests;
