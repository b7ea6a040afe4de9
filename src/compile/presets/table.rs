//! The table of identity providers; a provider is a row.

/// What a provider's settings stand for. `{name}` in a text is the setting of that name.
pub(super) struct Preset {
    /// `type` in the configuration.
    pub(super) name: &'static str,
    pub(super) inputs: &'static [Input],
    /// Accepted `iss`.
    pub(super) issuers: &'static [&'static str],
    /// Where the keys are; empty: the issuer's discovery document says.
    pub(super) jwks_url: &'static str,
    /// Accepted `aud`; empty: the configuration says.
    pub(super) audience: &'static str,
    /// Claims that must have this value.
    pub(super) claims: &'static [(&'static str, &'static str)],
    /// Header and cookie of the token, where it is not `Authorization`.
    pub(super) token_from: Option<(&'static str, &'static str)>,
}

/// A setting of a provider.
pub(super) struct Input {
    pub(super) name: &'static str,
    /// What it is if it is not written; none: it must be.
    pub(super) default: Option<&'static str>,
    pub(super) kind: Kind,
}

#[derive(PartialEq)]
pub(super) enum Kind {
    /// A host name alone.
    Host,
    /// A URL, whose last slash means nothing.
    Url,
    /// An identifier: one part of a path or of a name.
    Id,
    /// The identifier of a tenant, which tokens name.
    Tenant,
    /// One label of a host name.
    Label,
    /// An issuer, letter for letter.
    Issuer,
}

pub(super) const fn host(name: &'static str) -> Input {
    Input { name, default: None, kind: Kind::Host }
}

pub(super) const fn id(name: &'static str) -> Input {
    Input { name, default: None, kind: Kind::Id }
}

pub(super) const fn id_or(name: &'static str, default: &'static str) -> Input {
    Input { name, default: Some(default), kind: Kind::Id }
}

pub(super) const fn label(name: &'static str) -> Input {
    Input { name, default: None, kind: Kind::Label }
}

pub(super) const fn url(name: &'static str) -> Input {
    Input { name, default: None, kind: Kind::Url }
}

/// What a row leaves out.
pub(super) const NONE: Preset =
    Preset { name: "", inputs: &[], issuers: &[], jwks_url: "", audience: "", claims: &[], token_from: None };

pub(super) const PRESETS: [Preset; 11] = [
    Preset {
        name: "auth0",
        inputs: &[host("domain")],
        issuers: &["https://{domain}/"],
        jwks_url: "https://{domain}/.well-known/jwks.json",
        ..NONE
    },
    Preset {
        name: "supabase",
        inputs: &[url("url")],
        issuers: &["{url}/auth/v1"],
        jwks_url: "{url}/auth/v1/.well-known/jwks.json",
        audience: "authenticated",
        ..NONE
    },
    Preset {
        name: "firebase",
        inputs: &[id("project_id")],
        issuers: &["https://securetoken.google.com/{project_id}"],
        jwks_url: "https://www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com",
        audience: "{project_id}",
        ..NONE
    },
    Preset {
        name: "okta",
        inputs: &[host("domain"), id_or("server", "default")],
        issuers: &["https://{domain}/oauth2/{server}"],
        jwks_url: "https://{domain}/oauth2/{server}/v1/keys",
        ..NONE
    },
    Preset {
        name: "cognito",
        inputs: &[label("region"), id("user_pool_id"), id_or("client_id", "")],
        issuers: &["https://cognito-idp.{region}.amazonaws.com/{user_pool_id}"],
        jwks_url: "https://cognito-idp.{region}.amazonaws.com/{user_pool_id}/.well-known/jwks.json",
        // Access tokens, which name the client here and have no `aud`; ID tokens are for the client itself.
        claims: &[("token_use", "access"), ("client_id", "{client_id}")],
        ..NONE
    },
    Preset {
        name: "entra",
        inputs: &[Input { name: "tenant", default: None, kind: Kind::Tenant }],
        // An API gets tokens of the older form unless its registration asks for the newer.
        issuers: &["https://login.microsoftonline.com/{tenant}/v2.0", "https://sts.windows.net/{tenant}/"],
        jwks_url: "https://login.microsoftonline.com/{tenant}/discovery/v2.0/keys",
        ..NONE
    },
    Preset {
        name: "google",
        inputs: &[id("client_id")],
        issuers: &["https://accounts.google.com", "accounts.google.com"],
        jwks_url: "https://www.googleapis.com/oauth2/v3/certs",
        audience: "{client_id}",
        ..NONE
    },
    Preset {
        name: "clerk",
        inputs: &[url("issuer")],
        issuers: &["{issuer}"],
        jwks_url: "{issuer}/.well-known/jwks.json",
        ..NONE
    },
    Preset {
        name: "keycloak",
        inputs: &[url("url"), id("realm")],
        issuers: &["{url}/realms/{realm}"],
        jwks_url: "{url}/realms/{realm}/protocol/openid-connect/certs",
        ..NONE
    },
    Preset {
        name: "cloudflare_access",
        inputs: &[label("team")],
        issuers: &["https://{team}.cloudflareaccess.com"],
        jwks_url: "https://{team}.cloudflareaccess.com/cdn-cgi/access/certs",
        token_from: Some(("cf-access-jwt-assertion", "CF_Authorization")),
        ..NONE
    },
    // Its issuer is written out, slash and all, as the tokens have it.
    Preset {
        name: "oidc",
        inputs: &[Input { name: "issuer", default: None, kind: Kind::Issuer }],
        issuers: &["{issuer}"],
        ..NONE
    },
];
