//! The fields of wire types: values with their places, and what is left of one that was wrong.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};

/// The names under which [`Field`] and [`Place`] ask for more than plain serde offers.
pub(super) const FIELD: &str = "$portcullis::Field";
pub(super) const PLACE: &str = "$portcullis::Place";

/// A value with the place where it stands.
#[derive(Clone, Debug)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Byte offset into the text.
    pub offset: usize,
}

/// A member of an object, or an element of a list, as written.
#[derive(Clone, Debug, Default)]
pub enum Field<T> {
    /// Not written.
    #[default]
    Absent,
    /// Written, but not as it should be; already reported.
    Bad,
    /// Written as it should be.
    Good(At<T>),
}

/// Any JSON value; only its place is kept, and [`super::source::Source::value_at`] finds it again.
#[derive(Clone, Copy, Debug)]
pub struct Place(pub usize);

impl<T> Field<T> {
    /// The value with its place, if it was written as it should be.
    pub fn good(&self) -> Option<&At<T>> {
        match self {
            Self::Good(at) => Some(at),
            Self::Absent | Self::Bad => None,
        }
    }

    /// The value alone, if it was written as it should be.
    pub fn value(&self) -> Option<&T> {
        self.good().map(|at| &at.value)
    }

    /// Whether what was written is not as it should be.
    pub const fn is_bad(&self) -> bool {
        matches!(self, Self::Bad)
    }

    /// Whether nothing was written.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl<T> Field<Vec<Field<T>>> {
    /// Whether the list, or an element of it, is not as it should be.
    pub fn has_bad(&self) -> bool {
        self.is_bad() || self.value().is_some_and(|list| list.iter().any(Field::is_bad))
    }

    /// The good elements of a list; none where it is absent.
    pub fn elements(&self) -> impl Iterator<Item = &At<T>> {
        self.value().into_iter().flatten().filter_map(Field::good)
    }

    /// Drops the elements that stand at `offsets`, which are in the order of the file.
    pub fn forget(&mut self, offsets: &[usize]) {
        if let Self::Good(list) = self {
            list.value.retain(|element| element.good().is_none_or(|at| offsets.binary_search(&at.offset).is_err()));
            list.value.shrink_to_fit();
        }
    }
}

impl<'t, T: Deserialize<'t>> Deserialize<'t> for Field<T> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldVisitor<T>(PhantomData<T>);

        impl<'t, T: Deserialize<'t>> Visitor<'t> for FieldVisitor<T> {
            type Value = Field<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_seq<A: SeqAccess<'t>>(self, mut placed: A) -> Result<Field<T>, A::Error> {
                let offset = placed.next_element::<usize>()?.unwrap_or(0);
                Ok(placed.next_element()?.map_or(Field::Bad, |value| Field::Good(At { value, offset })))
            }
        }

        deserializer.deserialize_newtype_struct(FIELD, FieldVisitor(PhantomData))
    }
}

impl<'t> Deserialize<'t> for Place {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct PlaceVisitor;

        impl Visitor<'_> for PlaceVisitor {
            type Value = Place;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any JSON value")
            }

            fn visit_u64<E: serde::de::Error>(self, offset: u64) -> Result<Place, E> {
                usize::try_from(offset).map(Place).map_err(E::custom)
            }
        }

        deserializer.deserialize_newtype_struct(PLACE, PlaceVisitor)
    }
}
