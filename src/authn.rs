//! Who is asking: the credentials of a request against the authorizers of a route.

mod presented;
mod reason;
mod tokens;
mod who;

use std::sync::Arc;

use crate::challenge::Schemes;
use crate::config::wire::Mode;
use crate::consumer::{Consumer, Credential, PasswordHash};
use crate::credential::Place;
use crate::forward::Asserted;
use crate::jwks::{KeyRing, Look, Source, SourceId, Want};
use crate::jwt::claims::Claims;
use crate::jwt::compact::Compact;
use crate::jwt::keys::{Keys, Secret};
use crate::jwt::keyset::KeySet;
use crate::jwt::policy::{Policy, Verified};
use crate::memory::{KeysUsed, Memo, Memory};
use crate::records::{RecordKey, Records};
use crate::reject::{Code, Reject};
use crate::request::Head;
use crate::revocation::{Revocation, Revoked};
use crate::time::UnixTime;

pub(crate) use who::Who;

/// What the default authorizer is called in logs, and in the keys of KV.
pub const DEFAULT: &str = "default";

/// One way to authenticate, compiled.
#[derive(Clone, Debug)]
pub struct Authorizer {
    /// Its place among the gateway's.
    pub number: usize,
    /// What the configuration calls it; the default one has no name.
    pub name: Option<String>,
    /// What becomes of a request without a good token.
    pub mode: Mode,
    /// Where tokens are.
    pub places: Vec<Place>,
    /// What a token must be.
    pub policy: Policy,
    /// What it is held against.
    pub keys: KeySource,
    /// Claims that become headers: claim, header.
    pub forward_claims: Vec<(String, String)>,
    /// The header that gets the whole payload.
    pub forward_payload: Option<String>,
    /// Whether the upstream gets the credential.
    pub forward_token: bool,
    /// Where tokens that were taken back are listed.
    pub revocation: Option<Revocation>,
}

/// Where an authorizer's keys are.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// In the configuration: shared secrets.
    Secrets(Vec<Secret>),
    /// In the configuration: public keys.
    Inline(KeySet),
    /// At a URL.
    Remote(SourceId),
    /// In KV: the key of the credential that a token names.
    Consumers(ConsumerStore),
    /// The credential is no token but an API key.
    ApiKeys(CredentialStore<()>),
    /// The credential is no token but a name and a password.
    Passwords(CredentialStore<PasswordHash>),
}

/// Consumers' credentials in KV.
#[derive(Clone, Debug)]
pub struct ConsumerStore {
    /// The KV namespace.
    pub binding: String,
    /// The claim, or else the header parameter, that names the credential.
    pub key_claim: String,
    /// How long a credential is remembered, in milliseconds.
    pub ttl_ms: u64,
}

/// Credentials that are no tokens.
#[derive(Clone, Debug)]
pub struct CredentialStore<T> {
    /// Those of the configuration: the hash of an API key or a user's name, with the credential.
    pub known: Arc<Vec<(String, Credential<T>)>>,
    /// The KV namespace of others.
    pub binding: Option<String>,
    /// How long one of these is remembered, in milliseconds.
    pub ttl_ms: u64,
}

/// Who is asking, according to one authorizer.
#[derive(Clone, Debug)]
pub struct Identity<'g> {
    /// The authorizer that says so.
    pub authorizer: &'g Authorizer,
    /// Whether the signature was checked for a request before, not for this one.
    pub remembered: bool,
    who: Arc<Who>,
}

impl Authorizer {
    /// What logs and the keys of KV call it.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(DEFAULT)
    }

    /// What is kept of `token` in memory, in bytes, by estimate: claims take about twice its length, and what the upstream is told of them as much
    /// again at most, for single claims and for the whole payload.
    fn kept_bytes(&self, token: &str) -> usize {
        let told = usize::from(!self.forward_claims.is_empty()) + usize::from(self.forward_payload.is_some());
        token.len() * (2 + told)
    }
}

impl Identity<'_> {
    /// Whose credential it was, where consumers have some.
    pub fn consumer(&self) -> Option<&Consumer> {
        self.who.consumer.as_ref()
    }

    /// What the token says of them.
    pub fn claims(&self) -> &Claims {
        self.who.verified.claims()
    }

    /// What the upstream is told of them.
    pub(crate) fn asserted(&self) -> &Asserted {
        self.who.asserted(|| Asserted::of(self))
    }
}

/// What came of looking.
#[derive(Debug)]
pub enum Outcome<'g> {
    /// The request may go on, as somebody or, where the mode says so, as nobody.
    Passed {
        /// Who, if anybody.
        identity: Option<Identity<'g>>,
        /// A source whose keys are no longer fresh: to be asked after the response.
        refresh: Option<SourceId>,
        /// Why a token was passed over, for the log.
        ignored: Option<Box<Reject>>,
        /// What was verified just now, to be remembered.
        memo: Option<Memo>,
    },
    /// Something is needed first. Asking again with it does not need the same twice.
    Needs(Need),
    /// It may not.
    Refused(Reject),
}

/// What must be had before a request can be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// Keys.
    Keys(SourceId, Want),
    /// Records in KV.
    Records(Vec<RecordKey>),
}

/// The keys that are at hand, and the time.
#[derive(Clone, Copy)]
pub struct Context<'k> {
    /// The keys that this isolate has fetched.
    pub ring: &'k KeyRing,
    /// The tokens that it has verified.
    pub memory: &'k Memory,
    /// The records of KV that it has read.
    pub records: &'k Records,
    /// The settings of each source.
    pub sources: &'k [Source],
    /// Now.
    pub now: UnixTime,
}

/// Authenticates a request for a route with these `authorizers`, in this order; `mode` takes the place of their own.
pub fn authenticate<'g>(
    authorizers: &[&'g Authorizer],
    mode: Option<Mode>,
    max_token_bytes: usize,
    head: &Head<'_>,
    context: Context<'_>,
) -> Outcome<'g> {
    // Of several modes the strictest counts.
    let mode = mode.or_else(|| authorizers.iter().map(|authorizer| authorizer.mode).max()).unwrap_or(Mode::Strict);
    let passed = |identity, refresh, ignored, memo| Outcome::Passed { identity, refresh, ignored, memo };
    let refused = |reject: Reject| Outcome::Refused(reject.at(schemes(authorizers)));
    match check(authorizers, max_token_bytes, head, context) {
        Ok(Checked::Verified(identity, refresh, memo)) => passed(Some(identity), refresh, None, memo),
        Ok(Checked::Needs(need)) => Outcome::Needs(need),
        Ok(Checked::NoToken | Checked::OtherScheme) if mode < Mode::Strict => passed(None, None, None, None),
        Ok(Checked::NoToken) => refused(Reject::new(Code::MissingToken)),
        Ok(Checked::OtherScheme) => refused(Reject::new(Code::MalformedAuthorization)),
        Err(reject) if mode == Mode::Permissive => {
            passed(None, None, Some(Box::new(reject.at(schemes(authorizers)))), None)
        }
        Err(reject) => refused(reject),
    }
}

/// What a request has to bring for one of these `authorizers`.
pub(crate) fn schemes(authorizers: &[&Authorizer]) -> Schemes {
    let any = |is: fn(&KeySource) -> bool| authorizers.iter().any(|authorizer| is(&authorizer.keys));
    Schemes {
        bearer: any(KeySource::are_for_tokens),
        api_key: any(|keys| matches!(keys, KeySource::ApiKeys(_))),
        basic: any(|keys| matches!(keys, KeySource::Passwords(_))),
    }
}

/// Holds one token against one authorizer, outside of any request; `fetched` are the keys of a remote source.
///
/// # Errors
/// The refusal that a request with this token would get.
pub fn verify_token(
    authorizer: &Authorizer,
    token: &str,
    max_token_bytes: usize,
    fetched: Option<&KeySet>,
    now: UnixTime,
) -> Result<Verified, Reject> {
    if token.len() > max_token_bytes {
        return Err(Reject::new(Code::TokenTooLarge));
    }
    let token = Compact::parse(token)?;
    let admitted = authorizer.policy.admit(&token, now)?;
    let keys = match (authorizer.keys.configured(), fetched) {
        (Ok(keys), _) => keys,
        (Err(_), Some(set)) => Keys::Public(set),
        (Err(_), None) => return Err(Reject::keys_unavailable(0, "no keys were given".into())),
    };
    Ok(admitted.verify(keys, now)?)
}

enum Checked<'g> {
    NoToken,
    OtherScheme,
    Needs(Need),
    Verified(Identity<'g>, Option<SourceId>, Option<Memo>),
}

/// Tokens first, then API keys and passwords: the first that fits says who is asking. Where none does, the token's fault is told, since it
/// says most.
fn check<'g>(
    authorizers: &[&'g Authorizer],
    max_token_bytes: usize,
    head: &Head<'_>,
    context: Context<'_>,
) -> Result<Checked<'g>, Reject> {
    let mut told = match tokens::check(authorizers, max_token_bytes, head, context) {
        Ok(Checked::Verified(identity, refresh, memo)) => return not_revoked(identity, refresh, memo, context),
        Ok(Checked::Needs(need)) => return Ok(Checked::Needs(need)),
        Ok(nothing) => Ok(nothing),
        Err(reject) => Err(reject),
    };
    for authorizer in authorizers {
        match presented::check(authorizer, head, context) {
            Ok(Checked::NoToken | Checked::OtherScheme) => {}
            Ok(found) => return Ok(found),
            Err(reject) if told.is_ok() => told = Err(reject),
            Err(_) => {}
        }
    }
    told
}

/// A good token, unless it was taken back since.
fn not_revoked<'g>(
    identity: Identity<'g>,
    refresh: Option<SourceId>,
    memo: Option<Memo>,
    context: Context<'_>,
) -> Result<Checked<'g>, Reject> {
    let revoked = match &identity.authorizer.revocation {
        Some(revocation) => {
            revocation.judge(identity.authorizer.label(), identity.claims(), context.records, context.now)?
        }
        None => Revoked::No,
    };
    Ok(match revoked {
        Revoked::No => Checked::Verified(identity, refresh, memo),
        Revoked::Needs(keys) => Checked::Needs(Need::Records(keys)),
    })
}

impl KeySource {
    /// Where the keys come from, if they do not have to be waited for.
    pub const fn place(&self) -> &'static str {
        match self {
            Self::Secrets(_) | Self::Inline(_) => "configuration",
            Self::Remote(_) | Self::Consumers(_) | Self::ApiKeys(_) | Self::Passwords(_) => "memory",
        }
    }

    /// Whether tokens are held against them.
    pub(crate) const fn are_for_tokens(&self) -> bool {
        !matches!(self, Self::ApiKeys(_) | Self::Passwords(_))
    }

    /// The keys of the configuration, or the source that has them, if a source has.
    fn configured(&self) -> Result<Keys<'_>, Option<SourceId>> {
        match self {
            Self::Secrets(secrets) => Ok(Keys::Secrets(secrets)),
            Self::Inline(set) => Ok(Keys::Public(set)),
            Self::Remote(id) => Err(Some(*id)),
            Self::Consumers(_) | Self::ApiKeys(_) | Self::Passwords(_) => Err(None),
        }
    }

    /// Which keys are at hand, and their source if it is to be asked for fresh ones. `None` where no token is to be remembered: there are
    /// no keys, or some count for a time alone.
    fn at_hand(&self, context: Context<'_>) -> Option<(KeysUsed, Option<SourceId>)> {
        match self {
            Self::Inline(_) => Some((KeysUsed::Configured, None)),
            Self::Secrets(secrets) => {
                secrets.iter().all(|secret| secret.window.is_always()).then_some((KeysUsed::Configured, None))
            }
            Self::Remote(id) => match context.ring.look(*id, context.sources.get(id.0)?, context.now) {
                Look::Keys { generation, refresh, .. } => {
                    Some((KeysUsed::Fetched(*id, generation), refresh.then_some(*id)))
                }
                Look::Nothing | Look::Failing { .. } => None,
            },
            Self::Consumers(_) | Self::ApiKeys(_) | Self::Passwords(_) => None,
        }
    }
}
