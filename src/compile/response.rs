//! Fixed answers: any JSON of the configuration, its strings with their references looked up, written without white space.

use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;

use super::Compiler;
use crate::config::field::{At, Field, Place};
use crate::config::wire;
use crate::forward::breaks_header;
use crate::reply::Reply;

/// Statuses that a fixed answer may have: those below 200 are not answers yet (RFC 9110 section 15.2).
const STATUSES: std::ops::RangeInclusive<u64> = 200..=599;

impl Compiler<'_> {
    pub(super) fn response(&self, place: &At<Place>, path: &wire::Path) -> Option<Reply> {
        let mut body = String::new();
        let mut known = match self.source.value_at(place.value.0) {
            Some(value) => self.write(value, &mut body),
            None => false,
        };
        let status = self.status(&path.response_status);
        let mut headers: Vec<(String, String)> = Vec::new();
        for (name, at) in path.response_headers.members() {
            // Each is gone through before any of them can end this, so that every problem is told.
            let (name, value) = (self.header_name(at.offset, name), self.text(at.offset, &at.value));
            let value = value.filter(|value| {
                let good = !breaks_header(value);
                if !good {
                    self.error(at.offset, "a header's value has no control characters");
                }
                good
            });
            let (Some(name), Some(value)) = (name, value) else {
                known = false;
                continue;
            };
            if headers.iter().any(|(other, _)| *other == name) {
                self.error(at.offset, format!("`{name}` is there twice, in two spellings"));
            }
            headers.push((name, value));
        }
        let mut reply = Reply::json(status?, body);
        for (name, value) in headers {
            reply.replace(&name, Some(&value));
        }
        known.then_some(reply)
    }

    /// The value at `offset` with its references looked up.
    pub(super) fn json(&self, offset: usize) -> Option<serde_json::Value> {
        let mut text = String::new();
        let known = self.source.value_at(offset).is_some_and(|value| self.write(value, &mut text));
        if known { serde_json::from_str(&text).ok() } else { None }
    }

    fn status(&self, field: &Field<u64>) -> Option<u16> {
        match field {
            Field::Absent => Some(200),
            Field::Bad => None,
            Field::Good(at) if STATUSES.contains(&at.value) => u16::try_from(at.value).ok(),
            Field::Good(at) => {
                self.error(at.offset, format!("{} is no status of an answer: 200 to 599 are", at.value));
                None
            }
        }
    }

    /// Writes `value`; `false` where a string of it is not known. All of it is gone through, so that every problem is told.
    fn write(&self, value: &Value<'_>, out: &mut String) -> bool {
        match value {
            Value::StringLit(literal) => match self.text(literal.start(), &literal.value) {
                Some(text) => {
                    out.push_str(&quoted(&text));
                    true
                }
                None => false,
            },
            Value::NumberLit(number) => {
                out.push_str(number.value);
                true
            }
            Value::BooleanLit(literal) => {
                out.push_str(if literal.value { "true" } else { "false" });
                true
            }
            Value::NullKeyword(_) => {
                out.push_str("null");
                true
            }
            Value::Array(array) => {
                out.push('[');
                let mut known = true;
                for (index, element) in array.elements.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    known &= self.write(element, out);
                }
                out.push(']');
                known
            }
            Value::Object(object) => {
                out.push('{');
                let mut known = true;
                for (index, member) in object.properties.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    out.push_str(&quoted(member.name.as_str()));
                    out.push(':');
                    known &= self.write(&member.value, out);
                }
                out.push('}');
                known
            }
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
