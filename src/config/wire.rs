//! The configuration as it is written: every object, its fields, their accepted spellings. No meaning yet.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::field::{At, Field, Place};

/// Fields of the language that this version does not have: said as such, since no other spelling would help.
pub const NOT_YET: [&str; 17] = [
    "authorization",
    "log",
    "mapping",
    "pre_process",
    "rate_limit",
    "retries",
    "rewrite",
    "roles",
    "roles_claim",
    "scopes",
    "scopes_match",
    "serviceBindings",
    "service_bindings",
    "servicesBindings",
    "services",
    "variables",
    "binding",
];

/// A list whose elements are judged one by one.
pub type List<T> = Vec<Field<T>>;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Upstreams, by alias.
    pub servers: Field<List<Server>>,
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
    /// Sizes that a request may not exceed.
    pub limits: Field<Limits>,
}

/// An upstream.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Server {
    /// The name that an integration uses.
    pub alias: Field<String>,
    /// Absolute http or https URL, with or without a base path.
    pub url: Field<String>,
}

/// One way to authenticate.
#[derive(Debug, Deserialize)]
pub enum Authorizer {
    /// JSON Web Tokens, everything written out.
    #[serde(rename = "jwt")]
    Jwt(Box<Jwt>),
    /// Auth0.
    #[serde(rename = "auth0")]
    Auth0(Box<Jwt>),
    /// Supabase.
    #[serde(rename = "supabase")]
    Supabase(Box<Jwt>),
    /// Firebase Authentication.
    #[serde(rename = "firebase")]
    Firebase(Box<Jwt>),
    /// Okta.
    #[serde(rename = "okta")]
    Okta(Box<Jwt>),
    /// Amazon Cognito.
    #[serde(rename = "cognito")]
    Cognito(Box<Jwt>),
    /// Microsoft Entra ID.
    #[serde(rename = "entra")]
    Entra(Box<Jwt>),
    /// Google sign-in.
    #[serde(rename = "google")]
    Google(Box<Jwt>),
    /// Clerk.
    #[serde(rename = "clerk")]
    Clerk(Box<Jwt>),
    /// Keycloak.
    #[serde(rename = "keycloak")]
    Keycloak(Box<Jwt>),
    /// Cloudflare Access.
    #[serde(rename = "cloudflare_access")]
    CloudflareAccess(Box<Jwt>),
    /// Any issuer with a discovery document.
    #[serde(rename = "oidc")]
    Oidc(Box<Jwt>),
}

/// `type: "jwt"`, and what the presets add to it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Jwt {
    /// The name that `auth` uses.
    pub name: Field<String>,
    /// What may sign.
    pub algorithm: Field<OneOrMany>,
    /// What may sign.
    pub algorithms: Field<OneOrMany>,
    /// The shared secret.
    pub secret: Field<String>,
    /// How `secret` and `secrets` are written.
    pub secret_encoding: Field<Encoding>,
    /// Shared secrets in rotation.
    pub secrets: Field<List<Secret>>,
    /// Where the public keys are.
    #[serde(alias = "jwksUrl", alias = "jwks_uri")]
    pub jwks_url: Field<String>,
    /// Public keys, written out.
    pub jwks: Field<Jwks>,
    /// One public key in PEM.
    pub public_key: Field<String>,
    /// Whether the issuer's discovery document says where the keys are.
    pub discovery: Field<bool>,
    /// Accepted `iss`, exactly.
    pub issuer: Field<OneOrMany>,
    /// Accepted `aud`.
    #[serde(alias = "audiences")]
    pub audience: Field<OneOrMany>,
    /// Whether one audience is enough.
    pub audience_match: Field<Match>,
    /// What becomes of a request without a good token.
    pub mode: Field<Mode>,
    /// Leeway for `exp`, `nbf` and `iat`.
    #[serde(alias = "clockSkewSeconds")]
    pub clock_skew_seconds: Field<u64>,
    /// Whether a token must end.
    pub require_exp: Field<bool>,
    /// The most that `exp - iat` may be.
    pub max_lifetime_seconds: Field<u64>,
    /// The most that `now - iat` may be.
    pub max_age_seconds: Field<u64>,
    /// Claims that must be there.
    pub required_claims: Field<List<String>>,
    /// Claims that must have one of some values.
    pub claims: Field<Table<Place>>,
    /// Accepted `typ` headers.
    pub token_types: Field<List<String>>,
    /// The header that holds the token.
    #[serde(alias = "headerName")]
    pub header_name: Field<String>,
    /// The scheme before the token.
    #[serde(alias = "tokenPrefix")]
    pub token_prefix: Field<String>,
    /// Several places for the token.
    pub token_from: Field<List<TokenFrom>>,
    /// Whether the upstream gets the credential.
    pub forward_token: Field<bool>,
    /// Claims that become headers.
    #[serde(alias = "forwardClaims")]
    pub forward_claims: Field<Table<String>>,
    /// The header that gets the whole payload.
    pub forward_payload_header: Field<String>,
    /// How long fetched keys are fresh.
    #[serde(alias = "jwksCacheTtlMs")]
    pub jwks_cache_ttl_ms: Field<u64>,
    /// How long a fetch of keys may take.
    #[serde(alias = "jwksTimeoutMs")]
    pub jwks_timeout_ms: Field<u64>,
    /// How long old keys may serve while their source is down.
    pub jwks_stale_ms: Field<u64>,
    /// Auth0, Okta: the host.
    pub domain: Field<String>,
    /// Supabase, Keycloak: the address.
    pub url: Field<String>,
    /// Firebase: the project.
    pub project_id: Field<String>,
    /// Okta: the authorization server.
    pub server: Field<String>,
    /// Cognito: the region.
    pub region: Field<String>,
    /// Cognito: the user pool.
    pub user_pool_id: Field<String>,
    /// Cognito, Google: the client.
    pub client_id: Field<String>,
    /// Entra: the tenant.
    pub tenant: Field<String>,
    /// Keycloak: the realm.
    pub realm: Field<String>,
    /// Cloudflare Access: the team.
    pub team: Field<String>,
    /// Supabase: the shared secret of older projects.
    pub jwt_secret: Field<String>,
}

/// `jwks` in its forms.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Jwks {
    /// The text of a key set.
    String(String),
    /// The key set, or `{ "file": path }`.
    Object(Place),
}

/// One of several shared secrets.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Secret {
    /// The key id of tokens signed with it.
    pub kid: Field<String>,
    /// The secret itself.
    pub secret: Field<String>,
    /// Seconds since the epoch from which on it counts.
    pub not_before: Field<u64>,
    /// Seconds since the epoch at which it stops.
    pub not_after: Field<u64>,
}

/// One place where a token may be.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct TokenFrom {
    /// A header.
    pub header: Field<String>,
    /// The scheme before the token in that header.
    pub prefix: Field<String>,
    /// A cookie.
    pub cookie: Field<String>,
    /// A query parameter.
    pub query: Field<String>,
}

/// How a secret is written.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Its characters are its bytes.
    Utf8,
    /// RFC 4648 section 4.
    Base64,
    /// RFC 4648 section 5.
    Base64url,
    /// Two digits a byte.
    Hex,
}

/// Whether one of several is enough.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Match {
    /// One is enough.
    Any,
    /// All are needed.
    All,
}

/// What becomes of a request without a good token.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It passes; a token that fails is as good as none.
    Permissive,
    /// It passes without a token; a token that fails is refused.
    Optional,
    /// It is refused.
    Strict,
}

/// One route, or several with one path.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Path {
    /// `GET`, a list, or `ANY`.
    pub method: Field<OneOrMany>,
    /// The pattern.
    pub path: Field<String>,
    /// Who may.
    pub auth: Field<Auth>,
    /// Where it goes.
    pub integration: Field<Integration>,
    /// A fixed answer instead.
    pub response: Field<Place>,
    /// The status of the fixed answer.
    pub response_status: Field<u64>,
    /// The headers of the fixed answer.
    pub response_headers: Field<Table<String>>,
    /// Cross-origin rules of this path alone.
    pub cors: Field<Cors>,
}

/// `auth` in its forms.
#[derive(Debug, Deserialize)]
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
#[serde(default)]
pub struct AuthSettings {
    /// Which; the default one if absent.
    pub authorizer: Field<OneOrMany>,
    /// In place of the authorizer's own.
    pub mode: Field<Mode>,
}

/// Where a request goes.
#[derive(Debug, Deserialize)]
pub enum Integration {
    /// An upstream over HTTP.
    #[serde(rename = "http_proxy", alias = "http")]
    HttpProxy(HttpProxy),
}

/// `type: "http_proxy"`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct HttpProxy {
    /// The alias of a server.
    pub server: Field<String>,
    /// How long the upstream may take to its response head.
    pub timeout_ms: Field<u64>,
}

/// Cross-origin rules.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Cors {
    /// Exact origins, or with `*` for one label, or `*`.
    pub allow_origins: Field<List<String>>,
    /// What the path's own methods are narrowed to.
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
#[serde(default)]
pub struct Errors {
    /// All, the code, or neither.
    pub detail: Field<Detail>,
}

/// How much a refusal tells the client.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
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

/// Sizes that a request may not exceed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Bytes of a token.
    pub max_token_bytes: Field<u64>,
    /// Bytes of a request's path.
    pub max_path_bytes: Field<u64>,
}

/// A string or a list of them.
#[derive(Clone, Debug, Deserialize)]
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
