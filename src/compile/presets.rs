//! Presets: what the identity providers' own settings stand for.

mod table;

use super::Compiler;
use super::keys::key_places;
use crate::config::field::{At, Field};
use crate::config::reference::{Env, Piece, Resolved, has_reference, parse, resolve};
use crate::config::wire::{Authorizer, Jwt, OneOrMany, TokenFrom};
use crate::jwt::claims::ClaimRules;

use table::{Input, Kind, NONE, PRESETS, Preset};

/// What ends a host name in a URL, or stands before it.
const HOST_ENDS: [char; 5] = ['/', ':', '@', '?', '#'];

/// The settings of all providers.
const INPUTS: [&str; 10] =
    ["domain", "url", "project_id", "server", "region", "user_pool_id", "client_id", "tenant", "realm", "team"];

/// The settings that mean something to some types alone.
#[cfg(feature = "cli")]
pub(crate) fn provider_settings() -> impl Iterator<Item = &'static str> {
    INPUTS.into_iter().chain(["jwt_secret", "binding", "key_claim"])
}

/// The settings of a type, each with whether it must be written.
#[cfg(feature = "cli")]
pub(crate) fn settings_of(kind: &str) -> impl Iterator<Item = (&'static str, bool)> {
    let inputs = PRESETS.iter().find(|preset| preset.name == kind).map_or(NONE.inputs, |preset| preset.inputs);
    let more: &[&str] = match kind {
        "supabase" => &["jwt_secret"],
        "consumers" => &["binding", "key_claim"],
        _ => &[],
    };
    inputs.iter().map(|input| (input.name, input.default.is_none())).chain(more.iter().map(|name| (*name, false)))
}

/// A setting as written, with its place.
struct Setting {
    name: &'static str,
    text: At<String>,
}

impl Authorizer {
    /// What `auth` calls it.
    pub(super) fn name(&self) -> &Field<String> {
        match self {
            Self::ApiKey(key) => &key.name,
            Self::Basic(basic) => &basic.name,
            tokens => tokens.parts().map_or(&Field::Absent, |(_, jwt)| &jwt.name),
        }
    }

    /// `type`, with the fields that all types of tokens share; `None` for those whose credentials are no tokens.
    pub(super) fn parts(&self) -> Option<(&'static str, &Jwt)> {
        Some(match self {
            Self::ApiKey(_) | Self::Basic(_) => return None,
            Self::Consumers(jwt) => ("consumers", jwt),
            Self::Jwt(jwt) => ("jwt", jwt),
            Self::Auth0(jwt) => ("auth0", jwt),
            Self::Supabase(jwt) => ("supabase", jwt),
            Self::Firebase(jwt) => ("firebase", jwt),
            Self::Okta(jwt) => ("okta", jwt),
            Self::Cognito(jwt) => ("cognito", jwt),
            Self::Entra(jwt) => ("entra", jwt),
            Self::Google(jwt) => ("google", jwt),
            Self::Clerk(jwt) => ("clerk", jwt),
            Self::Keycloak(jwt) => ("keycloak", jwt),
            Self::CloudflareAccess(jwt) => ("cloudflare_access", jwt),
            Self::Oidc(jwt) => ("oidc", jwt),
        })
    }
}

impl Compiler<'_> {
    /// The authorizer with everything written out that its type stands for, and claims that its type insists on. What the configuration
    /// itself writes stays. `None` where a setting is missing or wrong; reported.
    pub(super) fn expand(&self, offset: usize, kind: &str, jwt: &Jwt) -> Option<(Jwt, Vec<(String, String)>)> {
        let preset = PRESETS.iter().find(|preset| preset.name == kind).unwrap_or(&NONE);
        self.refuse_others(kind, preset, jwt);
        if preset.name.is_empty() {
            return Some((jwt.clone(), Vec::new()));
        }
        let mut jwt = jwt.clone();
        if kind == "supabase" {
            supabase_forms(&mut jwt);
        }
        let settings: Vec<Option<Setting>> =
            preset.inputs.iter().map(|input| self.setting(offset, input, &jwt)).collect();
        let settings: Vec<Setting> = settings.into_iter().collect::<Option<_>>()?;
        let place = settings.first().map_or(offset, |setting| setting.text.offset);
        let written = |template: &str| At { value: fill(template, &settings), offset: place };
        if jwt.issuer.is_absent() || preset.inputs.iter().any(|input| input.name == "issuer") {
            let issuers = preset.issuers.iter().map(|issuer| Field::Good(written(issuer))).collect();
            jwt.issuer = Field::Good(At { value: OneOrMany::List(issuers), offset: place });
        }
        // `discovery: false` is a word about keys too.
        let has_keys = key_places(&jwt).iter().any(|(_, here)| *here) || !jwt.discovery.is_absent();
        if !has_keys && preset.jwks_url.is_empty() {
            jwt.discovery = Field::Good(At { value: true, offset: place });
        } else if !has_keys {
            jwt.jwks_url = Field::Good(written(preset.jwks_url));
        }
        if jwt.audience.is_absent() && !preset.audience.is_empty() {
            let At { value, offset } = written(preset.audience);
            jwt.audience = Field::Good(At { value: OneOrMany::String(value), offset });
        }
        if let (Some((header, cookie)), true, true) =
            (preset.token_from, jwt.token_from.is_absent(), jwt.header_name.is_absent())
        {
            jwt.token_from = Field::Good(At { value: header_or_cookie(header, cookie, place), offset: place });
        }
        let claims = preset.claims.iter().map(|(name, value)| ((*name).to_owned(), fill(value, &settings)));
        Some((jwt, claims.filter(|(_, value)| !value.is_empty()).collect()))
    }

    /// Adds the claims that the type insists on, unless the configuration says otherwise of them.
    pub(super) fn insist(&self, offset: usize, claims: Vec<(String, String)>, rules: &mut ClaimRules) -> Option<()> {
        for (name, value) in claims {
            let value = self.text(offset, &value)?;
            if !rules.fixed.iter().any(|(known, _)| *known == name) {
                rules.fixed.push((name, vec![value.into()]));
            }
        }
        Some(())
    }

    fn setting(&self, offset: usize, input: &Input, jwt: &Jwt) -> Option<Setting> {
        let mut text = match (input_of(jwt, input.name), input.default) {
            (Field::Bad, _) => return None,
            (Field::Absent, None) => {
                self.error(offset, format!("`{}` is missing", input.name));
                return None;
            }
            (Field::Absent, Some(default)) => At { value: default.to_owned(), offset },
            // What is written is never as good as nothing: an empty setting would take a check away.
            (Field::Good(at), _) if at.value.trim().is_empty() => {
                self.error(at.offset, format!("`{}` is empty", input.name));
                return None;
            }
            (Field::Good(at), _) => at,
        };
        let (judged, whole) = self.judged(&text.value);
        if whole && judged.trim().is_empty() && !text.value.is_empty() {
            self.error(text.offset, format!("`{}` is empty", input.name));
            return None;
        }
        let has = |odd: &[char]| judged.contains(odd);
        let odd = match input.kind {
            Kind::Host => has(&HOST_ENDS).then_some("it is the host name alone"),
            Kind::Id => (has(&HOST_ENDS) || has(&[' ', '\\'])).then_some("it is the identifier alone, no URL or path"),
            Kind::Label => {
                (has(&HOST_ENDS) || has(&['.', ' '])).then_some("it is the name alone, without the rest of the host")
            }
            Kind::Tenant => {
                if whole && jwt.issuer.is_absent() && !is_tenant_id(&judged) {
                    self.warn(
                        text.offset,
                        "tokens name their tenant by its id, a GUID: with anything else no token's `iss` fits",
                    );
                }
                has(&HOST_ENDS).then_some("it is the tenant's id alone")
            }
            Kind::Issuer => None,
            Kind::Url => {
                text.value.truncate(text.value.trim_end_matches('/').len());
                (whole && !judged.contains("://")).then_some("it is a whole URL, `https://…`")
            }
        };
        if let Some(why) = odd {
            self.error(text.offset, format!("`{}` is not as it should be: {why}", input.name));
            return None;
        }
        Some(Setting { name: input.name, text })
    }

    /// What a setting is judged by, and whether that is all of it: what it stands for where somebody asks for that, else what is written out.
    fn judged(&self, written: &str) -> (String, bool) {
        if let (Env::Judged(_), Ok(Resolved::Value(value))) = (self.env, resolve(written, self.env)) {
            return (value, true);
        }
        let Ok(pieces) = parse(written) else { return (String::new(), false) };
        let literals = pieces.iter().map(|piece| if let Piece::Literal(text) = piece { text } else { "" });
        (literals.collect(), !has_reference(written))
    }

    /// Settings of other providers, which would do nothing here.
    fn refuse_others(&self, kind: &str, preset: &Preset, jwt: &Jwt) {
        for name in INPUTS.iter().filter(|name| !preset.inputs.iter().any(|input| input.name == **name)) {
            if let Field::Good(at) = input_of(jwt, name) {
                let owners = PRESETS.iter().filter(|other| other.inputs.iter().any(|input| input.name == *name));
                let owners: Vec<String> = owners.map(|other| format!("`{}`", other.name)).collect();
                let message = format!("`{name}` means nothing to `{kind}`; it belongs to {}", owners.join(", "));
                self.error(at.offset, message);
            }
        }
        let place = |field: &Field<String>| field.good().map(|at| at.offset);
        let of_consumers = [
            ("binding", place(&jwt.binding)),
            ("key_claim", place(&jwt.key_claim)),
            ("cache_ttl_ms", jwt.cache_ttl_ms.good().map(|at| at.offset)),
        ];
        for (name, offset) in of_consumers {
            if let (Some(offset), false) = (offset, kind == "consumers") {
                self.error(offset, format!("`{name}` means nothing to `{kind}`; it belongs to `consumers`"));
            }
        }
        if let (Some(at), false) = (jwt.jwt_secret.good(), kind == "supabase") {
            self.error(at.offset, format!("`jwt_secret` means nothing to `{kind}`; it belongs to `supabase`"));
        }
    }
}

/// Supabase by its issuer instead of its URL, and with the shared secret of older projects.
fn supabase_forms(jwt: &mut Jwt) {
    if let (Field::Absent, Some(issuer)) = (&jwt.url, jwt.issuer.strings().first()) {
        let url = issuer.value.trim_end_matches('/').trim_end_matches("/auth/v1").to_owned();
        jwt.url = Field::Good(At { value: url, offset: issuer.offset });
    }
    if let Field::Good(at) = &mut jwt.url {
        // The address of the project, also where that of its authentication was pasted.
        at.value = at.value.trim_end_matches('/').trim_end_matches("/auth/v1").to_owned();
    }
    if !jwt.jwt_secret.is_absent() {
        jwt.secret = std::mem::take(&mut jwt.jwt_secret);
        if let (Field::Good(at), true, true) = (&jwt.secret, jwt.algorithm.is_absent(), jwt.algorithms.is_absent()) {
            let value = OneOrMany::String("HS256".to_owned());
            jwt.algorithm = Field::Good(At { value, offset: at.offset });
        }
    }
}

/// Whether it is a GUID.
fn is_tenant_id(text: &str) -> bool {
    let parts: Vec<usize> = text.split('-').map(str::len).collect();
    let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    digits && parts == [8, 4, 4, 4, 12]
}

fn header_or_cookie(header: &str, cookie: &str, offset: usize) -> Vec<Field<TokenFrom>> {
    let good = |value: &str| Field::Good(At { value: value.to_owned(), offset });
    let places = [
        TokenFrom { header: good(header), prefix: good(""), ..TokenFrom::default() },
        TokenFrom { cookie: good(cookie), ..TokenFrom::default() },
    ];
    places.into_iter().map(|value| Field::Good(At { value, offset })).collect()
}

fn input_of(jwt: &Jwt, name: &str) -> Field<String> {
    match name {
        "domain" => &jwt.domain,
        "url" => &jwt.url,
        "project_id" => &jwt.project_id,
        "server" => &jwt.server,
        "region" => &jwt.region,
        "user_pool_id" => &jwt.user_pool_id,
        "client_id" => &jwt.client_id,
        "tenant" => &jwt.tenant,
        "realm" => &jwt.realm,
        "team" => &jwt.team,
        _ => {
            // The issuer, of which these types have one.
            return match jwt.issuer.strings().as_slice() {
                [one] => Field::Good(At { value: one.value.to_owned(), offset: one.offset }),
                [] => Field::Absent,
                _ => Field::Bad,
            };
        }
    }
    .clone()
}

fn fill(template: &str, settings: &[Setting]) -> String {
    settings.iter().fold(template.to_owned(), |text, Setting { name, text: At { value, .. } }| {
        text.replace(&format!("{{{name}}}"), value)
    })
}

#[cfg(test)]
mod tests;
