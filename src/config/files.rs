//! Files that a configuration names: `"jwks": { "file": "keys.json" }`. The build reads them and puts their text in their place, so that
//! a Worker, which has no files, finds everything in the one text.

use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;

use super::problem::{Finding, Problem};
use super::source::Source;
use crate::jwt::keyset::KeySet;

/// A file that a configuration names.
struct Named {
    path: String,
    start: usize,
    end: usize,
}

/// The path of `{ "file": path }` at `offset`, if that is what stands there.
pub fn path_in(source: &Source<'_>, offset: usize) -> Option<String> {
    match source.value_at(offset)? {
        Value::Object(object) => match object.properties.as_slice() {
            [member] if member.name.as_str() == "file" => {
                Some(member.value.as_string_lit()?.value.clone().into_owned())
            }
            _ => None,
        },
        _ => None,
    }
}

/// The text with every named file in its place, as `read` gives it, and what is wrong with the files. White space of a file is taken out,
/// so that what stands behind it stays on its line.
pub fn inline(text: &str, read: &dyn Fn(&str) -> Result<String, String>) -> (String, Vec<Problem>) {
    let Ok(source) = Source::parse(text) else { return (text.to_owned(), Vec::new()) };
    let mut inlined = String::with_capacity(text.len());
    let mut problems = Vec::new();
    let mut done = 0;
    for named in named(&source) {
        match key_set(&named.path, read) {
            Ok(keys) => {
                inlined.push_str(text.get(done..named.start).unwrap_or_default());
                inlined.push_str(&keys);
                done = named.end;
            }
            Err(why) => {
                let finding = Finding::error(named.start, format!("the file `{}` cannot be used: {why}", named.path));
                problems.push(finding.locate(text, Some(&source)));
            }
        }
    }
    inlined.push_str(text.get(done..).unwrap_or_default());
    (inlined, problems)
}

fn key_set(path: &str, read: &dyn Fn(&str) -> Result<String, String>) -> Result<String, String> {
    let text = read(path)?;
    KeySet::parse(text.as_bytes()).map_err(|why| why.to_string())?;
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|why| why.to_string())?;
    // A dollar in a key set is a dollar.
    Ok(value.to_string().replace('$', "$$"))
}

/// The files of all authorizers, in the order of the text.
fn named(source: &Source<'_>) -> Vec<Named> {
    let mut authorizers = Vec::new();
    if let Value::Object(root) = source.root() {
        for member in &root.properties {
            match (member.name.as_str(), &member.value) {
                ("authorizer", Value::Object(one)) => authorizers.push(one),
                ("authorizers", Value::Array(list)) => {
                    authorizers.extend(list.elements.iter().filter_map(Value::as_object));
                }
                _ => {}
            }
        }
    }
    let members = authorizers.iter().flat_map(|authorizer| &authorizer.properties);
    let keys = members.filter(|member| member.name.as_str() == "jwks").map(|member| &member.value);
    keys.filter_map(|value| {
        let path = path_in(source, value.start())?;
        Some(Named { path, start: value.start(), end: value.end() })
    })
    .collect()
}
