//! What serde knows of a type, asked of serde itself: the names of its fields and variants, with every spelling of each.
//!
//! serde's derived code tells a deserializer the names it takes, aliases too. This deserializer has no input; it listens.

use std::cell::RefCell;
use std::fmt;
use std::mem::discriminant;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

/// An object that a type is read from, or a variant of it.
pub(super) struct Object {
    /// The name of the struct.
    pub(super) name: &'static str,
    /// Each spelling of a field, with the field's own name.
    pub(super) fields: Vec<(&'static str, &'static str)>,
}

/// The objects that a `T` is read from: its own, or those of its variants.
pub(super) fn objects<'t, T: Deserialize<'t>>() -> Vec<Object> {
    let variants = variants::<T>();
    if variants.is_empty() {
        return object::<T>(None).into_iter().collect();
    }
    variants.iter().filter_map(|variant| object::<T>(Some(variant))).collect()
}

/// The variants of a `T` that is an enum, in all their spellings.
pub(super) fn variants<'t, T: Deserialize<'t>>() -> &'static [&'static str] {
    ask::<T>(None, None).0.variants
}

/// Whether two spellings are those of one variant.
pub(super) fn is_same_variant<'t, T: Deserialize<'t>>(one: &'static str, other: &'static str) -> bool {
    let read = |variant| ask::<T>(Some(variant), None).1.ok();
    matches!((read(one), read(other)), (Some(one), Some(other)) if discriminant(&one) == discriminant(&other))
}

fn object<'t, T: Deserialize<'t>>(variant: Option<&'static str>) -> Option<Object> {
    let (name, spellings) = ask::<T>(variant, None).0.object?;
    // A field that is there twice is refused by its own name, whatever its spelling.
    let own = |spelling| match ask::<T>(variant, Some(spelling)).1 {
        Err(Error::Twice(field)) => field,
        _ => spelling,
    };
    Some(Object { name, fields: spellings.iter().map(|spelling| (*spelling, own(spelling))).collect() })
}

/// What was heard while a `T` was read: as `variant`, from an object with the field `twice` in it twice, or from an empty one.
fn ask<'t, T: Deserialize<'t>>(
    variant: Option<&'static str>,
    twice: Option<&'static str>,
) -> (Heard, Result<T, Error>) {
    let heard = RefCell::default();
    let read = T::deserialize(Probe { heard: &heard, variant, twice });
    (heard.into_inner(), read)
}

#[derive(Default)]
struct Heard {
    object: Option<(&'static str, &'static [&'static str])>,
    variants: &'static [&'static str],
}

#[derive(Debug)]
enum Error {
    Twice(&'static str),
    Other,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Error {}

impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Other
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::Twice(field)
    }
}

#[derive(Clone, Copy)]
struct Probe<'h> {
    heard: &'h RefCell<Heard>,
    variant: Option<&'static str>,
    twice: Option<&'static str>,
}

impl IntoDeserializer<'_, Error> for Probe<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'t> Deserializer<'t> for Probe<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'t>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("no input"))
    }

    fn deserialize_struct<V: Visitor<'t>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.heard.borrow_mut().object = Some((name, fields));
        let members = self.twice.into_iter().flat_map(|field| [(field, self), (field, self)]);
        visitor.visit_map(MapDeserializer::new(members))
    }

    fn deserialize_enum<V: Visitor<'t>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.heard.borrow_mut().variants = variants;
        match self.variant {
            Some(variant) => visitor.visit_enum(Variant(variant, Probe { variant: None, ..self })),
            None => Err(Error::custom("no input")),
        }
    }

    /// A [`crate::config::field::Field`] takes nothing for a value that was wrong, so fields of all types can be read.
    fn deserialize_newtype_struct<V: Visitor<'t>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(SeqDeserializer::new(std::iter::empty::<u64>()))
    }

    forward_to_deserialize_any! {
        <V: Visitor<'t>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple tuple_struct
        map identifier ignored_any
    }
}

struct Variant<'h>(&'static str, Probe<'h>);

impl<'t, 'h> EnumAccess<'t> for Variant<'h> {
    type Error = Error;
    type Variant = Probe<'h>;

    fn variant_seed<S: DeserializeSeed<'t>>(self, seed: S) -> Result<(S::Value, Probe<'h>), Error> {
        Ok((seed.deserialize(self.0.into_deserializer())?, self.1))
    }
}

impl<'t> VariantAccess<'t> for Probe<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'t>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'t>>(self, _: usize, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("no input"))
    }

    fn struct_variant<V: Visitor<'t>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Error> {
        Err(Error::custom("no input"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::wire::{Auth, Authorizer, Integration, Jwt, OneOrMany};

    #[test]
    fn every_spelling_of_a_field_leads_to_its_own_name() {
        let found = objects::<Jwt>();
        let [Object { name: "Jwt", fields }] = found.as_slice() else { panic!("one object is expected") };
        for (spelling, own) in [
            ("jwksUrl", "jwks_url"),
            ("jwks_uri", "jwks_url"),
            ("jwks_url", "jwks_url"),
            ("audiences", "audience"),
            ("headerName", "header_name"),
            ("secret", "secret"),
        ] {
            assert!(fields.contains(&(spelling, own)), "{spelling}: {fields:?}");
        }
    }

    #[test]
    fn variants_are_told_with_their_objects_and_spellings() {
        assert_eq!(variants::<OneOrMany>(), ["string", "list"]);
        assert!(objects::<OneOrMany>().is_empty());
        assert_eq!(objects::<Auth>().iter().map(|object| object.name).collect::<Vec<_>>(), ["AuthSettings"]);
        assert!(objects::<Authorizer>().iter().all(|object| !object.fields.is_empty()));
        assert!(is_same_variant::<Integration>("http", "http_proxy"));
        assert!(!is_same_variant::<Integration>("http", "service_binding"));
    }
}
