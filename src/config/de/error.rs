//! Errors of reading, in the words of JSON, not of Rust.

use std::cell::RefCell;
use std::fmt;

use serde::de::{Expected, Unexpected};

use crate::config::nearest::quoted_with_suggestion;
use crate::config::number::{NotWhole, whole};
use crate::config::problem::Finding;

/// A value of the wrong kind, as a person would call it. Texts are not repeated: this one may be a secret in the wrong place.
pub(super) fn in_words(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => value.to_string(),
        Unexpected::Unsigned(number) => format!("the number {number}"),
        // As it is written: nothing else is given to serde like this.
        Unexpected::Other(number) => format!("the number {number}"),
        Unexpected::Str(_) => "a text".to_owned(),
        Unexpected::Unit => "null".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "an object".to_owned(),
        other => other.to_string(),
    }
}

/// An error on its way up to the nearest field.
#[derive(Debug)]
pub(super) struct Error {
    message: String,
    offset: Option<usize>,
}

impl Error {
    pub(super) fn at(mut self, offset: usize) -> Self {
        self.offset.get_or_insert(offset);
        self
    }

    pub(super) fn report(self, offset: usize, findings: &RefCell<Vec<Finding>>) {
        findings.borrow_mut().push(Finding::error(self.offset.unwrap_or(offset), self.message));
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { message: message.to_string(), offset: None }
    }

    /// Of one name twice in the same spelling `report_repeated_names` tells.
    fn duplicate_field(field: &'static str) -> Self {
        Self::custom(format_args!("`{field}` is written twice, in two spellings"))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        if let ("u64", Unexpected::Other(number)) = (expected.as_str(), found)
            && whole(number) == Err(NotWhole::TooLarge)
        {
            return Self::custom(format_args!("the number {number} is out of range"));
        }
        // In the words of JSON, not of Rust.
        let expected = match expected.as_str() {
            "u64" => "a whole number from 0 on".to_owned(),
            "a boolean" => "true or false".to_owned(),
            "a sequence" => "a list".to_owned(),
            "a map" => "an object".to_owned(),
            "a string" => "a text".to_owned(),
            other => other.to_owned(),
        };
        Self::custom(format_args!("{expected} is expected here, not {}", in_words(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let known = expected.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let name = quoted_with_suggestion(variant, expected.iter().copied());
        Self::custom(format_args!("unknown value {name} (known: {known})"))
    }
}
