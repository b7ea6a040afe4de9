//! The text of a configuration, parsed as strict JSON (RFC 8259) with the place of every value.

use std::cell::OnceCell;

use jsonc_parser::ast::{Array, NullKeyword, Object, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::line_index::LineIndex;

/// A configuration's text and its syntax tree.
pub struct Source<'t> {
    text: &'t str,
    root: Value<'t>,
    /// Made for the first problem: a good file needs none.
    lines: OnceCell<LineIndex>,
}

/// Why a text is not JSON: a phrase, and the byte offset where reading stopped.
#[derive(Debug)]
pub struct InvalidJson {
    /// Byte offset into the text.
    pub offset: usize,
    /// A lowercase phrase.
    pub reason: String,
}

const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

impl<'t> Source<'t> {
    /// Parses `text`.
    pub fn parse(text: &'t str) -> Result<Self, InvalidJson> {
        let parsed = parse_to_ast(text, &CollectOptions::default(), &STRICT).map_err(|error| InvalidJson {
            offset: error.range().start,
            reason: lower_first(&error.kind().to_string()),
        })?;
        match parsed.value {
            Some(root) => Ok(Self { text, root, lines: OnceCell::new() }),
            None => Err(InvalidJson { offset: 0, reason: "the file is empty".into() }),
        }
    }

    /// The whole document.
    pub fn root(&self) -> &Value<'t> {
        &self.root
    }

    /// The text it was read from.
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// Line and column of a byte offset, both counted from one.
    pub fn line_and_column(&self, offset: usize) -> (usize, usize) {
        self.lines.get_or_init(|| LineIndex::new(self.text)).line_and_column(self.text, offset)
    }

    /// The value that starts at `offset`, if one does.
    pub fn value_at(&self, offset: usize) -> Option<&Value<'t>> {
        let mut value = &self.root;
        loop {
            if value.start() == offset {
                return Some(value);
            }
            value = child_at(value, offset)?.1;
        }
    }

    /// Drops the values that start at `offsets`; their places stay.
    pub fn forget(&mut self, offsets: &[usize]) {
        for &offset in offsets {
            if let Some(value) = self.value_at_mut(offset) {
                *value = Value::NullKeyword(NullKeyword { range: value.range() });
            }
        }
    }

    fn value_at_mut(&mut self, offset: usize) -> Option<&mut Value<'t>> {
        let mut value = &mut self.root;
        while value.start() != offset {
            value = match value {
                Value::Object(object) => {
                    let index = member_at(object, offset)?;
                    &mut object.properties.get_mut(index)?.value
                }
                Value::Array(array) => {
                    let index = element_at(array, offset)?;
                    array.elements.get_mut(index)?
                }
                _ => return None,
            };
        }
        Some(value)
    }

    /// The JSON pointer (RFC 6901) of the innermost value or member that `offset` lies in.
    pub fn pointer_at(&self, offset: usize) -> String {
        let mut pointer = String::new();
        let mut value = &self.root;
        while value.start() != offset {
            let Some((step, child)) = child_at(value, offset) else { break };
            pointer.push('/');
            match step {
                Step::Member(name) => pointer.push_str(&name.replace('~', "~0").replace('/', "~1")),
                Step::Element(index) => pointer.push_str(&index.to_string()),
            }
            value = child;
        }
        pointer
    }
}

/// The step from a value to one of its children.
enum Step<'a> {
    Member(&'a str),
    Element(usize),
}

/// The child of `parent` whose member or element covers `offset`.
fn child_at<'a, 't>(parent: &'a Value<'t>, offset: usize) -> Option<(Step<'a>, &'a Value<'t>)> {
    match parent {
        Value::Object(object) => {
            let member = object.properties.get(member_at(object, offset)?)?;
            Some((Step::Member(member.name.as_str()), &member.value))
        }
        Value::Array(array) => {
            let index = element_at(array, offset)?;
            Some((Step::Element(index), array.elements.get(index)?))
        }
        _ => None,
    }
}

/// The number of the member that covers `offset`. Children stand in the order of the text, so it is looked up by halves: a file with ten
/// thousand paths is asked for each of them.
fn member_at(object: &Object<'_>, offset: usize) -> Option<usize> {
    let index = object.properties.partition_point(|member| member.start() <= offset).checked_sub(1)?;
    object.properties.get(index).filter(|member| offset < member.end()).map(|_| index)
}

/// The number of the element that covers `offset`.
fn element_at(array: &Array<'_>, offset: usize) -> Option<usize> {
    let index = array.elements.partition_point(|element| element.start() <= offset).checked_sub(1)?;
    array.elements.get(index).filter(|element| offset < element.end()).map(|_| index)
}

fn lower_first(phrase: &str) -> String {
    let mut chars = phrase.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_strict_json_is_read() {
        for (name, text) in [
            ("comment", "{} // no"),
            ("trailing comma", r#"{"a": 1,}"#),
            ("missing comma", r#"{"a": 1 "b": 2}"#),
            ("single quotes", "{'a': 1}"),
            ("bare name", "{a: 1}"),
            ("hexadecimal", r#"{"a": 0x10}"#),
            ("plus sign", r#"{"a": +1}"#),
            ("bare point", r#"{"a": .5}"#),
            ("not a number", r#"{"a": NaN}"#),
            ("two values", "{} {}"),
            ("empty", ""),
            ("lone surrogate", r#"{"a": "\ud800"}"#),
        ] {
            assert!(Source::parse(text).is_err(), "{name}");
        }
    }

    #[test]
    fn pointers_name_the_innermost_value() {
        let text = r#"{"a/b": [{"c": "é", "d~": 2}]}"#;
        let source = Source::parse(text).unwrap();
        assert_eq!(source.pointer_at(0), "");
        assert_eq!(source.pointer_at(text.find('2').unwrap()), "/a~1b/0/d~0");
        assert_eq!(source.pointer_at(text.find("\"d~\"").unwrap()), "/a~1b/0/d~0");
        assert_eq!(source.pointer_at(text.find("{\"c").unwrap()), "/a~1b/0");
    }
}
