//! Variants of enums: by the string that names one, and what is lacking where nothing does.

use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::Ranged;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, VariantAccess, Visitor};

use super::Node;
use super::error::{Error, in_words};

/// The member of `object` that names a variant.
pub(super) fn type_of<'o, 't>(object: &'o Object<'t>) -> Option<&'o ObjectProp<'t>> {
    object.properties.iter().find(|member| member.name.as_str() == "type")
}

/// A variant named by a string, with the object that holds its fields.
pub(super) struct Named<'t, 'f> {
    pub(super) name: &'t str,
    pub(super) node: Node<'t, 'f>,
}

impl<'t> EnumAccess<'t> for Named<'t, '_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'t>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        Ok((seed.deserialize(self.name.into_deserializer())?, self))
    }
}

impl<'t> VariantAccess<'t> for Named<'t, '_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.node.value {
            Value::Object(_) => {
                Err(Error::custom(format_args!("a text is expected here, not an object")).at(self.node.value.start()))
            }
            _ => Ok(()),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'t>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self.node)
    }

    fn tuple_variant<V: Visitor<'t>>(self, _: usize, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("a list of fields is not a form this configuration has"))
    }

    fn struct_variant<V: Visitor<'t>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        self.node.deserialize_struct("", fields, visitor)
    }
}

/// A value that names no variant. serde asks for the first variant's fields all the same, which tells what is lacking: the name of a word,
/// or an object with a name.
pub(super) struct Unnamed<'t, 'f> {
    pub(super) name: &'static str,
    pub(super) variants: &'static [&'static str],
    pub(super) node: Node<'t, 'f>,
}

impl Unnamed<'_, '_> {
    fn known(&self) -> String {
        self.variants.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    }

    fn object_needed(&self) -> Error {
        if let Value::Object(object) = self.node.value
            && let Some(member) = type_of(object)
        {
            return Error::custom("`type` is to be a string").at(member.start());
        }
        Error::custom(format_args!("an object with a `type` is needed here (known: {})", self.known()))
    }
}

impl<'t> EnumAccess<'t> for Unnamed<'t, '_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'t>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        Ok((seed.deserialize(self.name.into_deserializer())?, self))
    }
}

impl<'t> VariantAccess<'t> for Unnamed<'t, '_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        let found = in_words(self.node.unexpected());
        Err(Error::custom(format_args!("a text is expected here, not {found} (known: {})", self.known())))
    }

    fn newtype_variant_seed<S: DeserializeSeed<'t>>(self, _: S) -> Result<S::Value, Error> {
        Err(self.object_needed())
    }

    fn tuple_variant<V: Visitor<'t>>(self, _: usize, _: V) -> Result<V::Value, Error> {
        Err(self.object_needed())
    }

    fn struct_variant<V: Visitor<'t>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Error> {
        Err(self.object_needed())
    }
}
