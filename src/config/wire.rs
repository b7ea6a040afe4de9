//! The configuration as it is written: every object, its fields, their accepted spellings. No meaning yet.

mod authorizer;
mod path;

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::field::{At, Field};

pub use authorizer::*;
pub use path::*;

/// A list whose elements are judged one by one.
pub type List<T> = Vec<Field<T>>;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(extend("required" = ["paths"])))]
#[serde(default)]
pub struct Config {
    /// Upstreams, by alias.
    pub servers: Field<List<Server>>,
    /// Other Workers, by alias.
    #[serde(alias = "serviceBindings", alias = "servicesBindings")]
    pub service_bindings: Field<List<Service>>,
    /// What `$config.` stands for.
    pub variables: Field<Table<String>>,
    /// Cross-origin rules for all paths.
    pub cors: Field<Cors>,
    /// What `auth: true` means.
    pub authorizer: Field<Authorizer>,
    /// Further authorizers, by name.
    pub authorizers: Field<List<Authorizer>>,
    /// The routes.
    pub paths: Field<List<Path>>,
    /// How much a refusal tells.
    pub errors: Field<Errors>,
    /// What is written of each request.
    pub log: Field<Log>,
    /// Sizes that a request may not exceed.
    pub limits: Field<Limits>,
}

/// An upstream.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(extend("required" = ["alias", "url"])))]
#[serde(default)]
pub struct Server {
    /// The name that an integration uses.
    pub alias: Field<String>,
    /// Absolute http or https URL, with or without a base path.
    pub url: Field<String>,
}

/// Another Worker.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(extend("required" = ["alias", "binding"])))]
#[serde(default)]
pub struct Service {
    /// The name that integrations and hooks use.
    pub alias: Field<String>,
    /// The name of the service binding in wrangler.toml.
    pub binding: Field<String>,
}

/// Cross-origin rules.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(extend("required" = ["allow_origins"])))]
#[serde(default)]
pub struct Cors {
    /// Exact origins, or with `*` for one label, or `*`.
    pub allow_origins: Field<List<String>>,
    /// What the path's own methods are narrowed to.
    #[cfg_attr(feature = "cli", schemars(schema_with = "crate::schema::cors_methods"))]
    pub allow_methods: Field<List<String>>,
    /// Request headers.
    pub allow_headers: Field<List<String>>,
    /// Response headers.
    pub expose_headers: Field<List<String>>,
    /// Cookies and the like.
    pub allow_credentials: Field<bool>,
    /// Seconds.
    pub max_age: Field<u64>,
}

/// How much a refusal tells the client.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Errors {
    /// All, the code, or neither.
    pub detail: Field<Detail>,
}

/// How much a refusal tells the client.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Detail {
    /// Code, message and the claim it is about.
    #[default]
    Full,
    /// The code.
    Code,
    /// The kind of refusal alone.
    None,
}

/// What is written of each request.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Log {
    /// Which requests get a line.
    pub level: Field<Level>,
    /// How a line names who asked.
    pub subject: Field<Subject>,
    /// Whether answers carry `Server-Timing`.
    pub server_timing: Field<bool>,
    /// The Analytics Engine binding that counts answers.
    pub analytics: Field<String>,
}

/// Which requests get a line.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// None.
    Off,
    /// Those that end in a 5xx.
    Error,
    /// Refused ones too.
    Warn,
    /// All.
    #[default]
    Info,
}

/// How a line names who asked.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// Not at all.
    #[default]
    None,
    /// By the first half of the SHA-256 of `iss` and `sub`: lines of one user can be found, the user cannot.
    Hash,
    /// By `sub` as it is.
    Plain,
}

/// Sizes that a request may not exceed.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Limits {
    /// Bytes of a token.
    pub max_token_bytes: Field<u64>,
    /// Bytes of a request's path.
    pub max_path_bytes: Field<u64>,
    /// Bytes of a request's body.
    pub max_body_bytes: Field<u64>,
}

/// A string or a list of them.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(untagged))]
#[serde(rename_all = "lowercase")]
pub enum OneOrMany {
    /// One.
    String(String),
    /// Any number.
    List(List<String>),
}

impl Field<OneOrMany> {
    /// The strings with their places.
    pub fn strings(&self) -> Vec<At<&str>> {
        match self.good() {
            Some(At { value: OneOrMany::String(text), offset }) => vec![At { value: text, offset: *offset }],
            Some(At { value: OneOrMany::List(list), .. }) => list
                .iter()
                .filter_map(Field::good)
                .map(|at| At { value: at.value.as_str(), offset: at.offset })
                .collect(),
            None => Vec::new(),
        }
    }
}

/// An object whose names are the user's own, in the order of the file.
#[derive(Clone, Debug)]
pub struct Table<T>(pub Vec<(String, Field<T>)>);

impl<T> Field<Table<T>> {
    /// The good members; none where the table is absent.
    pub fn members(&self) -> impl Iterator<Item = (&str, &At<T>)> {
        let members = self.value().map(|table| table.0.iter());
        members.into_iter().flatten().filter_map(|(name, value)| Some((name.as_str(), value.good()?)))
    }
}

impl<'t, T: Deserialize<'t>> Deserialize<'t> for Table<T> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct TableVisitor<T>(PhantomData<T>);

        impl<'t, T: Deserialize<'t>> Visitor<'t> for TableVisitor<T> {
            type Value = Table<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Table<T>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Table(members))
            }
        }

        deserializer.deserialize_map(TableVisitor(PhantomData))
    }
}
