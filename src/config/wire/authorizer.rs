//! Authorizers as they are written.

use serde::Deserialize;

use super::{List, OneOrMany, Table};
use crate::config::field::{Field, Place};

/// One way to authenticate.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(tag = "type"))]
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
    /// Tokens of consumers whose credentials are in KV.
    #[serde(rename = "consumers")]
    Consumers(Box<Jwt>),
    /// API keys.
    #[serde(rename = "api_key")]
    ApiKey(Box<ApiKey>),
    /// Names with passwords.
    #[serde(rename = "basic")]
    Basic(Box<Basic>),
}

/// `type: "jwt"`, and what the presets add to it.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Jwt {
    /// The name that `auth` uses.
    pub name: Field<String>,
    /// What may sign.
    #[cfg_attr(feature = "cli", schemars(schema_with = "crate::schema::algorithms"))]
    pub algorithm: Field<OneOrMany>,
    /// What may sign.
    #[cfg_attr(feature = "cli", schemars(schema_with = "crate::schema::algorithms"))]
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
    /// Where tokens that were taken back are listed.
    pub revocation: Field<Revocation>,
    /// Consumers: the KV namespace of their credentials.
    pub binding: Field<String>,
    /// Consumers: the claim, or else the header parameter, that names the credential.
    pub key_claim: Field<String>,
    /// Consumers: how long a credential is remembered.
    pub cache_ttl_ms: Field<u64>,
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

/// `type: "api_key"`.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ApiKey {
    /// The name that `auth` uses.
    pub name: Field<String>,
    /// What becomes of a request without a good key.
    pub mode: Field<Mode>,
    /// The header that holds the key.
    #[serde(alias = "headerName")]
    pub header_name: Field<String>,
    /// The scheme before the key.
    #[serde(alias = "tokenPrefix")]
    pub token_prefix: Field<String>,
    /// Several places for the key.
    pub token_from: Field<List<TokenFrom>>,
    /// Whether the upstream gets the key.
    pub forward_token: Field<bool>,
    /// Keys by their hashes.
    pub keys: Field<List<KnownKey>>,
    /// The KV namespace of further keys.
    pub binding: Field<String>,
    /// How long a key from KV is remembered.
    pub cache_ttl_ms: Field<u64>,
}

/// `type: "basic"`.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Basic {
    /// The name that `auth` uses.
    pub name: Field<String>,
    /// What becomes of a request without a good password.
    pub mode: Field<Mode>,
    /// Whether the upstream gets the password.
    pub forward_token: Field<bool>,
    /// Users with the hashes of their passwords.
    pub users: Field<List<KnownUser>>,
    /// The KV namespace of further users.
    pub binding: Field<String>,
    /// How long a user from KV is remembered.
    pub cache_ttl_ms: Field<u64>,
}

/// An API key, by its hash.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(extend("required" = ["sha256", "consumer"])))]
#[serde(default)]
pub struct KnownKey {
    /// SHA-256 of the key, in 64 hexadecimal digits.
    pub sha256: Field<String>,
    /// Whose it is.
    pub consumer: Field<String>,
    /// The consumer's id; the name unless written.
    pub consumer_id: Field<String>,
    /// Seconds since the epoch from which on it counts.
    pub not_before: Field<u64>,
    /// Seconds since the epoch at which it stops.
    pub not_after: Field<u64>,
}

/// A user, with the hash of the password.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(extend("required" = ["username", "password_hash"])))]
#[serde(default)]
pub struct KnownUser {
    /// The name.
    pub username: Field<String>,
    /// `sha256:…` or `pbkdf2-sha256:…`.
    pub password_hash: Field<String>,
    /// The consumer's id; the name unless written.
    pub consumer_id: Field<String>,
    /// Seconds since the epoch from which on it counts.
    pub not_before: Field<u64>,
    /// Seconds since the epoch at which it stops.
    pub not_after: Field<u64>,
}

/// Where tokens that were taken back are listed.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Revocation {
    /// The KV namespace.
    pub binding: Field<String>,
    /// What becomes of tokens while it cannot be read.
    pub fail: Field<Fail>,
    /// How long a record is remembered.
    pub cache_ttl_ms: Field<u64>,
}

/// What becomes of tokens while revocations cannot be read.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Fail {
    /// They are refused.
    Closed,
    /// They pass.
    Open,
}

/// `jwks` in its forms.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(untagged))]
#[serde(rename_all = "lowercase")]
pub enum Jwks {
    /// The text of a key set.
    String(String),
    /// The key set, or `{ "file": path }`.
    #[cfg_attr(feature = "cli", schemars(extend("type" = "object")))]
    Object(Place),
}

/// One of several shared secrets.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(extend("required" = ["secret"])))]
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
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(transform = crate::schema::one_of(&["header", "cookie", "query"])))]
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
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Match {
    /// One is enough.
    Any,
    /// All are needed.
    All,
}

/// What becomes of a request without a good token.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It passes; a token that fails is as good as none.
    Permissive,
    /// It passes without a token; a token that fails is refused.
    Optional,
    /// It is refused.
    Strict,
}
