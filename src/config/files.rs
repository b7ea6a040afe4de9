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
/// so that what stands behind it stays on its line. A byte order mark stays where it is.
pub fn inline(text: &str, read: &dyn Fn(&str) -> Result<String, String>) -> (String, Vec<Problem>) {
    let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Ok(source) = Source::parse(bare) else { return (text.to_owned(), Vec::new()) };
    let mut inlined = String::with_capacity(text.len());
    inlined.push_str(text.strip_suffix(bare).unwrap_or_default());
    let mut problems = Vec::new();
    let mut done = 0;
    for named in named(&source) {
        match key_set(&named.path, read) {
            Ok(keys) => {
                inlined.push_str(bare.get(done..named.start).unwrap_or_default());
                inlined.push_str(&keys);
                done = named.end;
            }
            Err(why) => {
                let finding = Finding::error(named.start, format!("the file `{}` cannot be used: {why}", named.path));
                problems.push(finding.locate(bare, Some(&source)));
            }
        }
    }
    inlined.push_str(bare.get(done..).unwrap_or_default());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_behind_a_byte_order_mark_too() {
        let text = r#"{"authorizer":{"jwks":{"file":"keys.json"}}}"#;
        let keys = r#"{"keys":[{"crv":"Ed25519","kty":"OKP","x":"xAQSLV9jNP89B1Nm6u-Fn3KjimDb78UObYXIYJy-AJg"}]}"#;
        for mark in ["", "\u{feff}"] {
            let text = format!("{mark}{text}");
            let (inlined, problems) = inline(&text, &|_| Ok(keys.to_owned()));
            assert_eq!(problems, Vec::new(), "{mark:?}");
            assert_eq!(inlined, format!(r#"{mark}{{"authorizer":{{"jwks":{keys}}}}}"#), "{mark:?}");
            let (_, problems) = inline(&text, &|_| Err("it is gone".to_owned()));
            let places: Vec<_> = problems.iter().map(|problem| (problem.line, problem.column)).collect();
            assert_eq!(places, [(1, 23)], "{mark:?}");
        }
    }
}
