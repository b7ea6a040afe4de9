//! JSON objects out of tokens and key sets: no member name twice, no deep nesting.
//!
//! RFC 7515 section 4 and RFC 7519 section 4 let a parser refuse repeated names. It must: two readers that disagree on which one counts
//! are two different tokens.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How deep objects and lists may nest. Real claims stay under 6 (Keycloak's `resource_access`, at 4, is the deepest in use).
const MAX_DEPTH: u8 = 16;

/// Reads a JSON object.
///
/// # Errors
/// Anything else than one object in UTF-8, a repeated member name at any depth, a number that no `f64` can hold, or nesting beyond 16.
pub fn object(bytes: &[u8]) -> Result<Map<String, Value>, serde_json::Error> {
    match serde_json::from_slice::<Strict>(bytes)?.0 {
        Value::Object(members) => Ok(members),
        _ => Err(serde_json::Error::custom("not an object")),
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        AtDepth(0).deserialize(deserializer).map(Strict)
    }
}

#[derive(Clone, Copy)]
struct AtDepth(u8);

impl AtDepth {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.0 >= MAX_DEPTH { Err(E::custom("nested too deep")) } else { Ok(Self(self.0 + 1)) }
    }
}

impl<'de> DeserializeSeed<'de> for AtDepth {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AtDepth {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without repeated names")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element_seed(inner)? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(inner)?;
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member name is repeated"));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_object_without_repeated_names_is_read() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(16), "]".repeat(16));
        for (name, text, good) in [
            ("object", r#"{"a":1,"b":{"a":[1.5,null,true,"x"]}}"#, true),
            ("empty object", "{}", true),
            ("surrounding space", " {} ", true),
            ("repeated", r#"{"a":1,"a":1}"#, false),
            ("repeated by escape", r#"{"a":1,"\u0061":1}"#, false),
            ("repeated inside", r#"{"a":[{"b":1,"b":2}]}"#, false),
            ("list", "[]", false),
            ("string", "\"a\"", false),
            ("trailing text", "{} x", false),
            ("two objects", "{}{}", false),
            ("huge number", r#"{"a":1e400}"#, false),
            ("not a number", r#"{"a":NaN}"#, false),
            ("nested too deep", &deep, false),
            ("empty", "", false),
        ] {
            assert_eq!(object(text.as_bytes()).is_ok(), good, "{name}");
        }
        assert!(object(b"{\"a\":\"\xff\"}").is_err(), "not UTF-8");
        assert!(object(b"\xef\xbb\xbf{}").is_err(), "byte order mark");
    }
}
