//! Reads the wire types out of a syntax tree and gathers all problems instead of stopping at the first.
//!
//! serde stops at the first error, and knows no places. So every field of a wire type is a [`super::field::Field`], which remembers its
//! place and is `Bad` where its value was wrong; the problem itself is already with the others then. Unknown and repeated members are
//! reported and passed over before serde sees them. An enum is an object whose member `type` names the variant.

mod error;
mod variant;

use std::cell::RefCell;

use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::Ranged;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use super::field::{FIELD, PLACE};
use super::nearest::quoted_with_suggestion;
use super::number::whole;
use super::problem::Finding;
use error::{Error, in_words};
use variant::{Named, Unnamed, type_of};

/// Names that are allowed, and say nothing, in every object.
pub(crate) const REMARKS: [&str; 3] = ["$schema", "title", "description"];

/// What JSON's kinds of value are called as variants of an enum.
pub(crate) const KINDS: [&str; 6] = ["null", "boolean", "number", "string", "list", "object"];

/// Reads a `T`, putting everything that is wrong into `findings`.
pub fn read<'t, T: Deserialize<'t>>(root: &'t Value<'t>, findings: &RefCell<Vec<Finding>>) -> Option<T> {
    report_repeated_names(root, findings);
    let node = Node { value: root, findings, hidden: None };
    T::deserialize(node).map_err(|error| error.report(root.start(), findings)).ok()
}

fn report_repeated_names(value: &Value<'_>, findings: &RefCell<Vec<Finding>>) {
    match value {
        Value::Object(object) => {
            let mut members: Vec<&ObjectProp<'_>> = object.properties.iter().collect();
            members.sort_by(|a, b| a.name.as_str().cmp(b.name.as_str()).then(a.start().cmp(&b.start())));
            for (first, second) in members.iter().zip(members.iter().skip(1)) {
                if first.name.as_str() == second.name.as_str() {
                    let message = format!("`{}` is written twice", second.name.as_str());
                    let (line_of, other) = (second.start(), first.start());
                    findings.borrow_mut().push(Finding::conflict(line_of, other, message));
                }
            }
            object.properties.iter().for_each(|member| report_repeated_names(&member.value, findings));
        }
        Value::Array(array) => array.elements.iter().for_each(|element| report_repeated_names(element, findings)),
        _ => {}
    }
}

fn kind_in_words(kind: &str) -> &'static str {
    match kind {
        "null" => "null",
        "boolean" => "true or false",
        "number" => "a number",
        "string" => "a text",
        "list" => "a list",
        _ => "an object",
    }
}

fn kind(value: &Value<'_>) -> &'static str {
    match value {
        Value::NullKeyword(_) => "null",
        Value::BooleanLit(_) => "boolean",
        Value::NumberLit(_) => "number",
        Value::StringLit(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

/// One value of the tree, to be read.
#[derive(Clone, Copy)]
struct Node<'t, 'f> {
    value: &'t Value<'t>,
    findings: &'f RefCell<Vec<Finding>>,
    /// A member that was read already: the `type` of an enum.
    hidden: Option<&'static str>,
}

impl<'t, 'f> Node<'t, 'f> {
    fn of(self, value: &'t Value<'t>) -> Self {
        Node { value, hidden: None, ..self }
    }

    /// A number is [`Unexpected::Other`], as it is written.
    fn unexpected(self) -> Unexpected<'t> {
        match self.value {
            Value::StringLit(text) => Unexpected::Str(&text.value),
            Value::NumberLit(number) => Unexpected::Other(number.value),
            Value::BooleanLit(literal) => Unexpected::Bool(literal.value),
            Value::Object(_) => Unexpected::Map,
            Value::Array(_) => Unexpected::Seq,
            Value::NullKeyword(_) => Unexpected::Unit,
        }
    }

    /// The members that a type with these `fields` can read; the others are reported.
    fn known_members(self, object: &'t Object<'t>, fields: &'static [&'static str]) -> Members<'t, 'f> {
        let mut members: Vec<&'t ObjectProp<'t>> = Vec::new();
        for member in &object.properties {
            let name = member.name.as_str();
            if fields.contains(&name) {
                if !members.iter().any(|known| known.name.as_str() == name) {
                    members.push(member);
                }
            } else if !REMARKS.contains(&name) && self.hidden != Some(name) {
                let message = format!("unknown field {}", quoted_with_suggestion(name, fields.iter().copied()));
                self.findings.borrow_mut().push(Finding::error(member.start(), message));
            }
        }
        Members { node: self, rest: members.into_iter(), current: None }
    }
}

impl<'t> Deserializer<'t> for Node<'t, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        let read = match self.value {
            Value::StringLit(text) => visitor.visit_borrowed_str(&text.value),
            Value::NumberLit(number) => visit_number(number.value, visitor),
            Value::BooleanLit(literal) => visitor.visit_bool(literal.value),
            Value::NullKeyword(_) => visitor.visit_unit(),
            Value::Array(array) => visitor.visit_seq(Elements { node: self, rest: array.elements.iter() }),
            Value::Object(object) => {
                let members = object.properties.iter().collect::<Vec<_>>().into_iter();
                visitor.visit_map(Members { node: self, rest: members, current: None })
            }
        };
        read.map_err(|error| error.at(self.value.start()))
    }

    fn deserialize_struct<V: Visitor<'t>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let start = self.value.start();
        let Value::Object(object) = self.value else {
            return Err(Error::invalid_type(self.unexpected(), &"an object").at(start));
        };
        let mut members = self.known_members(object, fields);
        let read = visitor.visit_map(&mut members);
        read.map_err(|error| error.at(members.current.map_or(start, Ranged::start)))
    }

    /// Which variant it is, says a string itself, and an object in its member `type`. An enum whose variants are called after JSON's own
    /// kinds (`string`, `list`, …) takes the variant of the kind that is there.
    fn deserialize_enum<V: Visitor<'t>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let start = self.value.start();
        if variants.iter().all(|variant| KINDS.contains(variant)) {
            let kind = kind(self.value);
            return if variants.contains(&kind) {
                visitor.visit_enum(Named { name: kind, node: self }).map_err(|error| error.at(start))
            } else {
                let expected = variants.iter().map(|kind| kind_in_words(kind)).collect::<Vec<_>>().join(" or ");
                let found = in_words(self.unexpected());
                Err(Error::custom(format_args!("{expected} is expected here, not {found}")).at(start))
            };
        }
        let named = match self.value {
            Value::StringLit(text) => Some((&text.value, start, self)),
            Value::Object(object) => match type_of(object).map(|member| &member.value) {
                Some(Value::StringLit(text)) => {
                    Some((&text.value, text.start(), Node { hidden: Some("type"), ..self }))
                }
                _ => None,
            },
            _ => None,
        };
        if let Some((name, offset, node)) = named {
            return visitor.visit_enum(Named { name, node }).map_err(|error| error.at(offset));
        }
        let name = variants.first().copied().unwrap_or_default();
        visitor.visit_enum(Unnamed { name, variants, node: self }).map_err(|error| error.at(start))
    }

    fn deserialize_newtype_struct<V: Visitor<'t>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        match name {
            FIELD => visitor.visit_seq(Placed { node: self, step: 0 }),
            PLACE => visitor.visit_u64(u64::try_from(self.value.start()).map_err(Error::custom)?),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_option<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::NullKeyword(_) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    forward_to_deserialize_any! {
        <V: Visitor<'t>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map
        identifier ignored_any
    }
}

fn visit_number<'t, V: Visitor<'t>>(text: &str, visitor: V) -> Result<V::Value, Error> {
    match whole(text) {
        Ok(number) => visitor.visit_u64(number),
        // No field takes another.
        Err(_) => Err(Error::invalid_type(Unexpected::Other(text), &visitor)),
    }
}

/// The members of an object, in the order of the file.
struct Members<'t, 'f> {
    node: Node<'t, 'f>,
    rest: std::vec::IntoIter<&'t ObjectProp<'t>>,
    current: Option<&'t ObjectProp<'t>>,
}

impl<'t> MapAccess<'t> for Members<'t, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'t>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.current = self.rest.next();
        match self.current {
            Some(member) => seed
                .deserialize(member.name.as_str().into_deserializer())
                .map(Some)
                .map_err(|error: Error| error.at(member.start())),
            None => Ok(None),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<S::Value, Error> {
        match self.current {
            Some(member) => seed.deserialize(self.node.of(&member.value)),
            None => Err(Error::custom("a value without a name")),
        }
    }
}

struct Elements<'t, 'f> {
    node: Node<'t, 'f>,
    rest: std::slice::Iter<'t, Value<'t>>,
}

impl<'t> SeqAccess<'t> for Elements<'t, '_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        self.rest.next().map(|value| seed.deserialize(self.node.of(value))).transpose()
    }
}

/// What a field is read from: first its offset, then its value, whose error ends here.
struct Placed<'t, 'f> {
    node: Node<'t, 'f>,
    step: u8,
}

impl<'t> SeqAccess<'t> for Placed<'t, '_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        self.step += 1;
        let offset = self.node.value.start();
        if self.step == 1 {
            return seed.deserialize(u64::try_from(offset).map_err(Error::custom)?.into_deserializer()).map(Some);
        }
        match seed.deserialize(self.node) {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                error.report(offset, self.node.findings);
                Ok(None)
            }
        }
    }
}
