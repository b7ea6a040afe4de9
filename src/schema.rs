//! The JSON Schema of gateway.json, for editors: `gateway.schema.json`.
//!
//! schemars reads the wire types with their comments; [`complete`] adds what it does not know: other spellings, remarks, and that nothing
//! else may stand in an object. The schema is the coarser of the two: what `portcullis check` accepts is valid, but not all that is
//! valid has a meaning.

mod complete;
mod probe;

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::compile::{METHODS, WORDS, named_methods};
use crate::config::field::{Field, Place};
use crate::config::wire::{Config, Table};
use crate::jwt::alg::{Algorithm, ED25519};

/// The schema, as the file has it.
pub fn text() -> String {
    // `format` names Rust's types, which tell an editor nothing and a strict validator that it lacks something.
    let plain = RecursiveTransform(|schema: &mut Schema| drop(schema.remove("format")));
    let settings = SchemaSettings::draft2020_12().with_transform(plain);
    let mut schema = settings.into_generator().into_root_schema_for::<Config>().to_value();
    complete::root(&mut schema);
    // The same file whatever features of serde_json a build has switched on.
    schema.sort_all_objects();
    format!("{schema:#}\n")
}

impl<T: JsonSchema + DeserializeOwned> JsonSchema for Field<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let schema = generator.subschema_for::<T>();
        complete::definitions::<T>(generator.definitions_mut());
        schema
    }
}

impl JsonSchema for Place {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Any".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        Schema::default()
    }
}

impl<T: JsonSchema + DeserializeOwned> JsonSchema for Table<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("TableOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<Field<T>>();
        json_schema!({ "type": "object", "additionalProperties": value })
    }
}

/// `method`.
pub(crate) fn methods(_: &mut SchemaGenerator) -> Schema {
    one_or_many(&json!({ "enum": METHODS }))
}

/// `allow_methods` of cross-origin rules.
pub(crate) fn cors_methods(_: &mut SchemaGenerator) -> Schema {
    let known: Vec<&str> = named_methods().chain(["*"]).collect();
    json_schema!({ "type": "array", "items": { "enum": known }, "minItems": 1 })
}

/// `algorithm`.
pub(crate) fn algorithms(_: &mut SchemaGenerator) -> Schema {
    let names: Vec<&str> = Algorithm::names().chain([ED25519]).collect();
    one_or_many(&json!({ "enum": names }))
}

/// `by` of a rate limit.
pub(crate) fn counted_by(_: &mut SchemaGenerator) -> Schema {
    one_or_many(&json!({ "anyOf": [{ "enum": WORDS }, { "type": "string", "pattern": "^(claim|header):." }] }))
}

/// A field that is known, and refused.
pub(crate) fn refused(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "not": {} })
}

/// An object that has one of these fields, and no other of them.
pub(crate) fn one_of(fields: &'static [&'static str]) -> impl FnMut(&mut Schema) {
    let alternatives: Vec<Value> = fields.iter().map(|field| json!({ "required": [field] })).collect();
    move |schema| drop(schema.insert("oneOf".to_owned(), alternatives.clone().into()))
}

fn one_or_many(one: &Value) -> Schema {
    json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
}
