//! Routes as they are written.

use serde::Deserialize;

use super::{Cors, List, Match, Mode, OneOrMany, Table};
use crate::config::field::{Field, Place};

/// One route, or several with one path.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(extend("required" = ["method", "path"])))]
#[cfg_attr(feature = "cli", schemars(transform = crate::schema::one_of(&["integration", "response"])))]
#[serde(default)]
pub struct Path {
    /// `GET`, a list, or `ANY`.
    #[cfg_attr(feature = "cli", schemars(schema_with = "crate::schema::methods"))]
    pub method: Field<OneOrMany>,
    /// The pattern.
    pub path: Field<String>,
    /// Who may.
    pub auth: Field<Auth>,
    /// What they may do.
    pub authorization: Field<Authorization>,
    /// Where it goes.
    pub integration: Field<Integration>,
    /// A fixed answer instead.
    pub response: Field<Place>,
    /// The status of the fixed answer.
    pub response_status: Field<u64>,
    /// The headers of the fixed answer.
    pub response_headers: Field<Table<String>>,
    /// What is set and removed on the way to the upstream and back.
    pub mapping: Field<Mapping>,
    /// What `$config.` stands for, before the file's own `variables`.
    pub variables: Field<Table<String>>,
    /// A Worker that is asked first.
    pub pre_process: Field<PreProcess>,
    /// How often a request may come.
    pub rate_limit: Field<RateLimits>,
    /// Cross-origin rules of this path alone.
    pub cors: Field<Cors>,
}

/// `auth` in its forms.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(untagged))]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// The same as `false`.
    Null,
    /// The default authorizer, or none.
    Boolean(bool),
    /// One authorizer.
    String(String),
    /// Several.
    List(List<String>),
    /// One or several, with settings for this path.
    Object(AuthSettings),
}

/// `auth` as an object.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct AuthSettings {
    /// Which; the default one if absent.
    pub authorizer: Field<OneOrMany>,
    /// In place of the authorizer's own.
    pub mode: Field<Mode>,
    /// Scopes that a token must grant.
    pub scopes: Field<OneOrMany>,
    /// Whether one scope is enough.
    pub scopes_match: Field<Match>,
    /// Roles, of which one is enough.
    pub roles: Field<OneOrMany>,
    /// The claim that lists roles.
    pub roles_claim: Field<String>,
}

/// Who may, of those whom `auth` lets pass.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(extend("required" = ["rules"])))]
#[serde(default)]
pub struct Authorization {
    /// Rules.
    pub rules: Field<List<Rule>>,
}

/// One rule: exactly one of these, an expression in CEL.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Rule {
    /// One such rule must be true.
    pub allow: Field<String>,
    /// None such may be true.
    pub deny: Field<String>,
    /// All such must be true.
    pub require: Field<String>,
}

/// Where a request goes.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(tag = "type"))]
pub enum Integration {
    /// An upstream over HTTP.
    #[serde(rename = "http_proxy", alias = "http")]
    HttpProxy(HttpProxy),
    /// Another Worker.
    #[serde(rename = "service_binding")]
    ServiceBinding(ServiceBinding),
}

/// `type: "http_proxy"`.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(extend("required" = ["server"])))]
#[serde(default)]
pub struct HttpProxy {
    /// The alias of a server.
    pub server: Field<String>,
    /// A template for the path below the server's base path.
    pub rewrite: Field<String>,
    /// How long the upstream may take to its response head, all attempts together.
    pub timeout_ms: Field<u64>,
    /// Asking again where that does no harm.
    pub retries: Field<Retries>,
}

/// `type: "service_binding"`.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(extend("required" = ["binding"])))]
#[serde(default)]
pub struct ServiceBinding {
    /// The alias of a service binding.
    pub binding: Field<String>,
    /// A template for the path.
    pub rewrite: Field<String>,
    /// How long the Worker may take to its response head, all attempts together.
    pub timeout_ms: Field<u64>,
    /// Asking again where that does no harm.
    pub retries: Field<Retries>,
    /// Known from other gateways, which call a function instead of `fetch`; refused with words of its own.
    #[cfg_attr(feature = "cli", schemars(schema_with = "crate::schema::refused"))]
    pub function: Field<String>,
}

/// When an upstream is asked again.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(extend("required" = ["attempts"])))]
#[serde(default)]
pub struct Retries {
    /// How many further times.
    pub attempts: Field<u64>,
    /// Statuses, and `unreachable`.
    pub on: Field<List<RetryOn>>,
}

/// What an upstream is asked again after.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(untagged))]
#[serde(rename_all = "lowercase")]
pub enum RetryOn {
    /// A status.
    Number(u64),
    /// `unreachable`.
    #[cfg_attr(feature = "cli", schemars(extend("const" = "unreachable")))]
    String(String),
}

/// What is set and removed: names with templates, or `null` to remove.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Mapping {
    /// Headers of the request.
    pub headers: Field<Table<Template>>,
    /// Query parameters.
    pub query: Field<Table<Template>>,
    /// Headers of the response.
    pub response_headers: Field<Table<Template>>,
}

/// A template, or `null`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(untagged))]
#[serde(rename_all = "lowercase")]
pub enum Template {
    /// Remove it.
    Null,
    /// Set it to this.
    String(String),
}

/// `pre_process` in its forms.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(untagged))]
#[serde(rename_all = "lowercase")]
pub enum PreProcess {
    /// The alias of a service binding.
    String(String),
    /// The same with settings.
    Object(Hook),
}

/// A Worker that is asked before the upstream.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(extend("required" = ["binding"])))]
#[serde(default)]
pub struct Hook {
    /// The alias of a service binding.
    pub binding: Field<String>,
    /// How long it may take.
    pub timeout_ms: Field<u64>,
    /// Known from other gateways, which call a function instead of `fetch`; refused with words of its own.
    #[cfg_attr(feature = "cli", schemars(schema_with = "crate::schema::refused"))]
    pub function: Field<String>,
}

/// `rate_limit` in its forms.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(untagged))]
#[serde(rename_all = "lowercase")]
pub enum RateLimits {
    /// One limit.
    Object(RateLimit),
    /// Several, all of which hold.
    List(List<RateLimit>),
}

/// How often a request may come.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(extend("required" = ["binding", "by"])))]
#[serde(default)]
pub struct RateLimit {
    /// The name of a rate limiting binding in wrangler.toml.
    pub binding: Field<String>,
    /// What is counted by.
    #[cfg_attr(feature = "cli", schemars(schema_with = "crate::schema::counted_by"))]
    pub by: Field<OneOrMany>,
    /// The period of the binding, for `Retry-After`.
    pub period_seconds: Field<u64>,
}
