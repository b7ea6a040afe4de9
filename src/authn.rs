//! Who is asking: the credentials of a request against the authorizers of a route.

use std::sync::Arc;

use crate::config::wire::Mode;
use crate::credential::{self, Found, Place};
use crate::jwks::{KeyRing, Look, Source, SourceId, Want};
use crate::jwt::claims::Claims;
use crate::jwt::compact::Compact;
use crate::jwt::error::TokenError;
use crate::jwt::keys::{Keys, Secret};
use crate::jwt::keyset::KeySet;
use crate::jwt::policy::{Admitted, Policy, Verified};
use crate::memory::{Entry, KeysUsed, Memo, Memory, TokenDigest};
use crate::reject::{Code, Reject};
use crate::request::Head;
use crate::time::UnixTime;

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
}

/// Who is asking, according to one authorizer.
#[derive(Clone, Debug)]
pub struct Identity<'g> {
    /// The authorizer that says so.
    pub authorizer: &'g Authorizer,
    /// Whether the signature was checked for a request before, not for this one.
    pub remembered: bool,
    verified: Arc<Verified>,
}

impl Authorizer {
    /// What logs call it.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or("default")
    }
}

impl Identity<'_> {
    /// What the token says of them.
    pub fn claims(&self) -> &Claims {
        self.verified.claims()
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
        ignored: Option<Reject>,
        /// What was verified just now, to be remembered.
        memo: Option<Memo>,
    },
    /// Keys are needed first. Asking again with them does not need the same ones twice.
    Needs(SourceId, Want),
    /// It may not.
    Refused(Reject),
}

/// The keys that are at hand, and the time.
#[derive(Clone, Copy)]
pub struct Context<'k> {
    /// The keys that this isolate has fetched.
    pub ring: &'k KeyRing,
    /// The tokens that it has verified.
    pub memory: &'k Memory,
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
    match check(authorizers, max_token_bytes, head, context) {
        Ok(Checked::Verified(identity, refresh, memo)) => {
            Outcome::Passed { identity: Some(identity), refresh, ignored: None, memo }
        }
        Ok(Checked::Needs(source, want)) => Outcome::Needs(source, want),
        Ok(Checked::NoToken | Checked::OtherScheme) if mode < Mode::Strict => {
            Outcome::Passed { identity: None, refresh: None, ignored: None, memo: None }
        }
        Ok(Checked::NoToken) => Outcome::Refused(Reject::new(Code::MissingToken)),
        Ok(Checked::OtherScheme) => Outcome::Refused(Reject::new(Code::MalformedAuthorization)),
        Err(reject) if mode == Mode::Permissive => {
            Outcome::Passed { identity: None, refresh: None, ignored: Some(reject), memo: None }
        }
        Err(reject) => Outcome::Refused(reject),
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
    Needs(SourceId, Want),
    Verified(Identity<'g>, Option<SourceId>, Option<Memo>),
}

/// One authorizer with the token that it finds on the request.
struct Claimant<'g, 't> {
    authorizer: &'g Authorizer,
    token: Compact<'t>,
}

fn check<'g>(
    authorizers: &[&'g Authorizer],
    max_token_bytes: usize,
    head: &Head<'_>,
    context: Context<'_>,
) -> Result<Checked<'g>, Reject> {
    let mut tokens: Vec<(&'g Authorizer, String)> = Vec::with_capacity(authorizers.len());
    let mut other_scheme = false;
    for authorizer in authorizers {
        match credential::find(&authorizer.places, head)? {
            Found::Nothing => {}
            Found::OtherScheme => other_scheme = true,
            Found::Token(token) if token.len() > max_token_bytes => return Err(Reject::new(Code::TokenTooLarge)),
            Found::Token(token) => tokens.push((authorizer, token)),
        }
    }
    if tokens.is_empty() {
        return Ok(if other_scheme { Checked::OtherScheme } else { Checked::NoToken });
    }
    let digest = digest(&tokens);
    if let Some((identity, refresh)) = digest.and_then(|digest| recall(&tokens, &digest, context)) {
        return Ok(Checked::Verified(identity, refresh, None));
    }
    let mut claimants = Vec::with_capacity(tokens.len());
    for (authorizer, token) in &tokens {
        claimants.push(Claimant { authorizer, token: Compact::parse(token)? });
    }
    match judge(&claimants, context)? {
        Judged::Needs(source, want) => Ok(Checked::Needs(source, want)),
        Judged::Verified(identity, refresh) => {
            let memo = digest.zip(tokens.first()).and_then(|(digest, (_, token))| {
                let Identity { authorizer, verified, .. } = &identity;
                let (keys, _) = authorizer.keys.at_hand(context)?;
                let entry = Entry { authorizer: authorizer.number, keys, verified: Arc::clone(verified) };
                Some(Memo::new(digest, token.len(), entry))
            });
            Ok(Checked::Verified(identity, refresh, memo))
        }
    }
}

/// The digest of the one token that all authorizers found; where they found different ones nothing is remembered.
fn digest(tokens: &[(&Authorizer, String)]) -> Option<TokenDigest> {
    let (_, token) = tokens.first()?;
    let same = tokens.iter().all(|(_, other)| other == token);
    same.then(|| TokenDigest::new(tokens.iter().map(|(authorizer, _)| authorizer.number), token))
}

/// A token that was verified before, with the same keys. All but its signature is judged again.
fn recall<'g>(
    tokens: &[(&'g Authorizer, String)],
    digest: &TokenDigest,
    context: Context<'_>,
) -> Option<(Identity<'g>, Option<SourceId>)> {
    let entry = context.memory.get(digest)?;
    let (authorizer, _) = tokens.iter().find(|(authorizer, _)| authorizer.number == entry.authorizer)?;
    let (keys, refresh) = authorizer.keys.at_hand(context)?;
    if keys != entry.keys {
        return None;
    }
    authorizer.policy.judge_again(&entry.verified, context.now).ok()?;
    Some((Identity { authorizer, remembered: true, verified: Arc::clone(&entry.verified) }, refresh))
}

impl KeySource {
    /// Whether the keys are fetched.
    pub const fn is_remote(&self) -> bool {
        matches!(self, Self::Remote(_))
    }

    /// The keys of the configuration, or the source that has them.
    fn configured(&self) -> Result<Keys<'_>, SourceId> {
        match self {
            Self::Secrets(secrets) => Ok(Keys::Secrets(secrets)),
            Self::Inline(set) => Ok(Keys::Public(set)),
            Self::Remote(id) => Err(*id),
        }
    }

    /// Which keys are at hand, and their source if it is to be asked for fresh ones. `None` where no token is to be remembered: there are
    /// no keys, or some count for a time alone.
    fn at_hand(&self, context: Context<'_>) -> Option<(KeysUsed, Option<SourceId>)> {
        match self {
            Self::Inline(_) => Some((KeysUsed::Configured, None)),
            Self::Secrets(secrets) => {
                secrets.iter().all(Secret::is_always_good).then_some((KeysUsed::Configured, None))
            }
            Self::Remote(id) => match context.ring.look(*id, context.sources.get(id.0)?, context.now) {
                Look::Keys { generation, refresh, .. } => {
                    Some((KeysUsed::Fetched(*id, generation), refresh.then_some(*id)))
                }
                Look::Nothing | Look::Failing { .. } => None,
            },
        }
    }
}

/// What the authorizers say of their tokens.
enum Judged<'g> {
    Needs(SourceId, Want),
    Verified(Identity<'g>, Option<SourceId>),
}

/// Tries the authorizers that the token's issuer leaves. The error of the one that got furthest is the one that is told.
fn judge<'g>(claimants: &[Claimant<'g, '_>], context: Context<'_>) -> Result<Judged<'g>, Reject> {
    let mut furthest: Option<TokenError> = None;
    let mut admitted: Vec<(&Claimant<'g, '_>, Admitted<'_, '_, '_>)> = Vec::with_capacity(claimants.len());
    // Where one names the token's issuer, those that name others have no say, in what is told neither.
    let picked = claimants.iter().any(Claimant::names_issuer);
    for claimant in claimants.iter().filter(|claimant| !picked || claimant.may_have_issued()) {
        match claimant.authorizer.policy.admit(&claimant.token, context.now) {
            Ok(token) => admitted.push((claimant, token)),
            Err(error) => furthest = furthest.max(Some(error)),
        }
    }
    if claimants.len() > 1 {
        // With one authorizer a wrong issuer is found behind the signature, where it belongs. With several it tells them apart first: no
        // keys are fetched from a provider that the token does not even name.
        let before = admitted.len();
        admitted.retain(|(claimant, _)| claimant.may_have_issued());
        if admitted.len() < before {
            furthest = Some(TokenError::InvalidIssuer);
        }
        // Those that the issuer names come before those that take any.
        admitted.sort_by_key(|(claimant, _)| claimant.authorizer.policy.rules.issuers.is_empty());
    }
    let mut told: Option<TokenError> = None;
    let mut unavailable: Option<Reject> = None;
    for (claimant, token) in &admitted {
        match claimant.verify(token, context) {
            Verdict::Good(verified, refresh) => {
                let authorizer = claimant.authorizer;
                let identity = Identity { authorizer, remembered: false, verified: Arc::new(verified) };
                return Ok(Judged::Verified(identity, refresh));
            }
            Verdict::Bad(error) => told = told.max(Some(error)),
            Verdict::Needs(source, want) => return Ok(Judged::Needs(source, want)),
            Verdict::Unavailable(reject) => unavailable = Some(reject),
        }
    }
    // That a key cannot be had is no proof against the token, whatever the others said.
    Err(unavailable
        .unwrap_or_else(|| told.or(furthest).map_or_else(|| Reject::new(Code::MalformedToken), Reject::from)))
}

enum Verdict {
    Good(Verified, Option<SourceId>),
    Bad(TokenError),
    Needs(SourceId, Want),
    Unavailable(Reject),
}

impl Claimant<'_, '_> {
    fn names_issuer(&self) -> bool {
        let issuers = &self.authorizer.policy.rules.issuers;
        self.token.claimed_issuer().is_some_and(|issuer| issuers.iter().any(|known| known == issuer))
    }

    fn may_have_issued(&self) -> bool {
        self.authorizer.policy.rules.issuers.is_empty() || self.names_issuer()
    }

    fn verify(&self, token: &Admitted<'_, '_, '_>, context: Context<'_>) -> Verdict {
        let id = match self.authorizer.keys.configured() {
            Ok(keys) => return Verdict::of(token.verify(keys, context.now), None),
            Err(id) => id,
        };
        let Some(source) = context.sources.get(id.0) else {
            return Verdict::Unavailable(Reject::config(format!("there is no key source {}", id.0)));
        };
        match context.ring.look(id, source, context.now) {
            Look::Nothing => Verdict::Needs(id, Want::Any),
            Look::Failing { retry_after_ms } => {
                let reject = Reject::keys_unavailable(retry_after_ms, format!("no usable keys from {}", source.url));
                Verdict::Unavailable(reject)
            }
            Look::Keys { set, refresh, may_ask, .. } => match token.verify(Keys::Public(set), context.now) {
                Err(TokenError::UnknownKey) if may_ask => Verdict::Needs(id, Want::Newer),
                result => Verdict::of(result, refresh.then_some(id)),
            },
        }
    }
}

impl Verdict {
    fn of(result: Result<Verified, TokenError>, refresh: Option<SourceId>) -> Self {
        match result {
            Ok(verified) => Self::Good(verified, refresh),
            Err(error) => Self::Bad(error),
        }
    }
}
