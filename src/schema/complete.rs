//! What schemars does not know of the wire types.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::probe;
use crate::compile::{provider_settings, settings_of};
use crate::config::de::{KINDS, REMARKS};
use crate::config::wire::Config;

/// Completes the file itself, and what is left to say of several definitions together.
pub(super) fn root(schema: &mut Value) {
    for object in probe::objects::<Config>() {
        add_spellings(schema, &object.fields);
        set(schema, "additionalProperties", false);
    }
    set(schema, "title", "gateway.json");
    // Only the default authorizer needs no name.
    if let Some(named) = schema.pointer_mut("/properties/authorizers/items") {
        *named = json!({ "allOf": [named.take()], "required": ["name"] });
    }
    if let Some(definitions) = schema.get_mut("$defs") {
        move_provider_settings(definitions);
    }
}

/// Completes what `T` has among the definitions.
pub(super) fn definitions<T: JsonSchema + DeserializeOwned>(definitions: &mut Map<String, Value>) {
    let variants = probe::variants::<T>();
    let is_told_by_type = variants.iter().any(|variant| !KINDS.contains(variant));
    for object in probe::objects::<T>() {
        if let Some(definition) = definitions.get_mut(object.name) {
            add_spellings(definition, &object.fields);
            // Beside a `type`, the alternative closes the object.
            if !is_told_by_type {
                set(definition, "additionalProperties", false);
            }
        }
    }
    if let (true, Some(definition)) = (is_told_by_type, definitions.get_mut(&*T::schema_name())) {
        add_types::<T>(definition, variants);
    }
}

/// Other spellings of fields, and the remarks that may stand in every object.
fn add_spellings(schema: &mut Value, fields: &[(&'static str, &'static str)]) {
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    for (spelling, own) in fields {
        let Some(mut field) = properties.get(*own).cloned() else { continue };
        set(&mut field, "description", format!("The same as `{own}`."));
        properties.entry(*spelling).or_insert(field);
    }
    for remark in REMARKS {
        properties.entry(remark).or_insert(true.into());
    }
}

/// Completes an enum that is told apart by `type`: nothing beside it and the fields, and `type` in all its spellings.
fn add_types<T: DeserializeOwned>(schema: &mut Value, variants: &'static [&'static str]) {
    for (kind, alternative) in alternatives(schema) {
        let Some(own) = variants.iter().find(|variant| **variant == kind) else { continue };
        let spellings: Vec<_> = variants.iter().filter(|variant| probe::is_same_variant::<T>(own, variant)).collect();
        if let (true, Some(kind)) = (spellings.len() > 1, alternative.pointer_mut("/properties/type")) {
            *kind = json!({ "enum": spellings });
        }
        set(alternative, "unevaluatedProperties", false);
        // Some editors take a `$ref` for the whole of the schema that it stands in, so it stands alone.
        let reference = alternative.as_object_mut().and_then(|alternative| alternative.remove("$ref"));
        if let Some(reference) = reference {
            set(alternative, "allOf", json!([{ "$ref": reference }]));
        }
    }
}

/// Puts the settings of providers where they mean something: into the alternatives of their types.
fn move_provider_settings(definitions: &mut Value) {
    let mut settings = Map::new();
    if let Some(Value::Object(fields)) = definitions.pointer_mut("/Jwt/properties") {
        settings.extend(provider_settings().filter_map(|name| Some((name.to_owned(), fields.remove(name)?))));
    }
    let Some(authorizer) = definitions.get_mut("Authorizer") else { return };
    for (kind, alternative) in alternatives(authorizer) {
        for (name, is_required) in settings_of(&kind) {
            if let (Some(setting), Some(fields)) = (settings.get(name), alternative.get_mut("properties")) {
                set(fields, name, setting.clone());
            }
            // Supabase's project is known by its address or its issuer.
            if kind == "supabase" && is_required {
                set(alternative, "anyOf", json!([{ "required": [name] }, { "required": ["issuer"] }]));
            } else if let (true, Some(Value::Array(required))) = (is_required, alternative.get_mut("required")) {
                required.push(name.into());
            }
        }
    }
}

/// The alternatives of an enum that is told apart by `type`, each with it.
fn alternatives(schema: &mut Value) -> impl Iterator<Item = (String, &mut Value)> {
    let alternatives = schema.get_mut("oneOf").and_then(Value::as_array_mut);
    alternatives.into_iter().flatten().filter_map(|alternative| {
        let kind = alternative.pointer("/properties/type/const")?.as_str()?.to_owned();
        Some((kind, alternative))
    })
}

fn set(schema: &mut Value, name: &str, value: impl Into<Value>) {
    if let Value::Object(members) = schema {
        members.insert(name.to_owned(), value.into());
    }
}
