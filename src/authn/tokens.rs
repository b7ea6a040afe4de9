//! Tokens: which authorizer a token is for, and what that says of it.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Authorizer, Checked, ConsumerStore, Context, Identity, KeySource, Need, Who, reason};
use crate::consumer::Credential;
use crate::credential::{self, Found};
use crate::jwks::{Look, SourceId, Want};
use crate::jwt::compact::Compact;
use crate::jwt::error::TokenError;
use crate::jwt::keys::Keys;
use crate::jwt::policy::{Admitted, Verified};
use crate::memory::{Entry, KeysUsed, Memo, Memory, TokenDigest};
use crate::records::{Looked, RecordKey};
use crate::reject::{Code, Reject};
use crate::request::Head;
use crate::url::without_query;

/// One authorizer with the token that it finds on the request.
struct Claimant<'g, 't> {
    authorizer: &'g Authorizer,
    token: Compact<'t>,
}

/// What an authorizer says of a token that it accepts.
struct Accepted<'g> {
    identity: Identity<'g>,
    refresh: Option<SourceId>,
    /// What it was verified with; none: it is not to be remembered.
    keys: Option<KeysUsed>,
}

/// Judges the tokens that `authorizers` find on the request.
pub(super) fn check<'g>(
    authorizers: &[&'g Authorizer],
    max_token_bytes: usize,
    head: &Head<'_>,
    context: Context<'_>,
) -> Result<Checked<'g>, Reject> {
    let mut tokens: Vec<(&'g Authorizer, Cow<'_, str>)> = Vec::with_capacity(authorizers.len());
    let mut other_scheme = false;
    for authorizer in authorizers.iter().filter(|authorizer| authorizer.keys.are_for_tokens()) {
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
    let digest = digest(&tokens, context.memory);
    if let Some(digest) = &digest
        && let Some((identity, refresh)) = recall(&tokens, digest, context)
    {
        return Ok(Checked::Verified(identity, refresh, None));
    }
    let mut claimants = Vec::with_capacity(tokens.len());
    for (authorizer, token) in &tokens {
        claimants.push(Claimant { authorizer, token: Compact::parse(token)? });
    }
    match judge(&claimants, context)? {
        Judged::Needs(need) => Ok(Checked::Needs(need)),
        Judged::Accepted(Accepted { identity, refresh, keys }) => {
            let memo = digest.zip(keys).zip(tokens.first()).map(|((digest, keys), (_, token))| {
                let Identity { authorizer, who, .. } = &identity;
                let entry = Entry { authorizer: authorizer.number, keys, who: Arc::clone(who) };
                Memo::new(digest, authorizer.kept_bytes(token), entry)
            });
            Ok(Checked::Verified(identity, refresh, memo))
        }
    }
}

/// The digest of the one token that all authorizers found; where they found different ones nothing is remembered.
fn digest(tokens: &[(&Authorizer, Cow<'_, str>)], memory: &Memory) -> Option<TokenDigest> {
    let (_, token) = tokens.first()?;
    let same = tokens.iter().all(|(_, other)| other == token);
    same.then(|| memory.digest(tokens.iter().map(|(authorizer, _)| authorizer.number), token))
}

/// A token that was verified before, with the same keys, by the same rules. What time changes is judged again.
fn recall<'g>(
    tokens: &[(&'g Authorizer, Cow<'_, str>)],
    digest: &TokenDigest,
    context: Context<'_>,
) -> Option<(Identity<'g>, Option<SourceId>)> {
    let entry = context.memory.get(digest)?;
    let (authorizer, _) = tokens.iter().find(|(authorizer, _)| authorizer.number == entry.authorizer)?;
    let refresh = match (&authorizer.keys, &entry.who.consumer) {
        (KeySource::Consumers(store), Some(consumer)) => {
            let Looked::Text(_, generation) =
                context.records.look(&store.record(&consumer.credential), store.ttl_ms, context.now)
            else {
                return None;
            };
            (entry.keys == KeysUsed::Record(generation)).then_some(None)?
        }
        (keys, _) => {
            let (keys, refresh) = keys.at_hand(context)?;
            (keys == entry.keys).then_some(refresh)?
        }
    };
    authorizer.policy.judge_again(&entry.who.verified, context.now).ok()?;
    Some((Identity { authorizer, remembered: true, who: Arc::clone(&entry.who) }, refresh))
}

/// What the authorizers say of their tokens.
enum Judged<'g> {
    Needs(Need),
    Accepted(Accepted<'g>),
}

/// Tries the authorizers that the token's issuer leaves. The error of the one that got furthest is the one that is told.
fn judge<'g>(claimants: &[Claimant<'g, '_>], context: Context<'_>) -> Result<Judged<'g>, Reject> {
    let mut furthest: Option<Told<'_, 'g, '_>> = None;
    let mut admitted: Vec<(&Claimant<'g, '_>, Admitted<'_, '_, '_>)> = Vec::with_capacity(claimants.len());
    // Where one names the token's issuer, those that name others have no say, in what is told neither.
    let picked = claimants.iter().any(Claimant::names_issuer);
    // A consumer signs whatever it likes, so where another authorizer is the issuer's, its word on who issued a token counts for nothing.
    let has_say = |claimant: &&Claimant<'_, '_>| {
        !picked || (claimant.may_have_issued() && (claimant.names_issuer() || !claimant.is_consumers()))
    };
    for claimant in claimants.iter().filter(has_say) {
        match claimant.authorizer.policy.admit(&claimant.token, context.now) {
            Ok(token) => admitted.push((claimant, token)),
            Err(error) => furthest = further(furthest, error, claimant),
        }
    }
    if claimants.len() > 1 {
        // With one authorizer a wrong issuer is found behind the signature, where it belongs. With several it tells them apart first: no
        // keys are fetched from a provider that the token does not even name.
        let before = admitted.len();
        admitted.retain(|(claimant, _)| claimant.may_have_issued());
        if admitted.len() < before {
            furthest = claimants.first().map(|claimant| (TokenError::InvalidIssuer, claimant));
        }
        // Those that the issuer names come before those that take any.
        admitted.sort_by_key(|(claimant, _)| claimant.authorizer.policy.rules.issuers.is_empty());
    }
    let mut told: Option<Told<'_, 'g, '_>> = None;
    let mut unknown: Option<Reject> = None;
    let mut unavailable: Option<Reject> = None;
    for (claimant, token) in &admitted {
        match claimant.verify(token, context) {
            Verdict::Good { who, refresh, keys } => {
                let who = Arc::new(who);
                let identity = Identity { authorizer: claimant.authorizer, remembered: false, who };
                return Ok(Judged::Accepted(Accepted { identity, refresh, keys }));
            }
            Verdict::Bad(error) => told = further(told, error, claimant),
            Verdict::Needs(need) => return Ok(Judged::Needs(need)),
            Verdict::Unknown(reject) => unknown = Some(reject),
            Verdict::Unavailable(reject) => unavailable = Some(reject),
        }
    }
    // That a key cannot be had is no proof against the token, whatever the others said.
    let in_words = |(error, claimant): Told<'_, '_, '_>| {
        let Claimant { authorizer, token } = claimant;
        let reason = reason::of(&error, token, authorizer, context.now);
        let reject = Reject::from(error);
        match (reason, claimants.len()) {
            (Some(reason), 1) => reject.because(reason),
            (Some(reason), _) => reject.because(format!("authorizer {}: {reason}", authorizer.label())),
            (None, 1) => reject,
            (None, _) => reject.because(format!("authorizer {}", authorizer.label())),
        }
    };
    let told = told.map(in_words).or(unknown).or_else(|| furthest.map(in_words));
    Err(unavailable.or(told).unwrap_or_else(|| Reject::new(Code::MalformedToken)))
}

/// What is wrong with a token, and for whom.
type Told<'c, 'g, 't> = (TokenError, &'c Claimant<'g, 't>);

/// The one of two errors that comes later in the order of checks.
fn further<'c, 'g, 't>(
    told: Option<Told<'c, 'g, 't>>,
    error: TokenError,
    claimant: &'c Claimant<'g, 't>,
) -> Option<Told<'c, 'g, 't>> {
    told.filter(|(known, _)| *known > error).or(Some((error, claimant)))
}

enum Verdict {
    Good {
        who: Who,
        refresh: Option<SourceId>,
        keys: Option<KeysUsed>,
    },
    Bad(TokenError),
    Needs(Need),
    /// The credential that the token names is not one.
    Unknown(Reject),
    Unavailable(Reject),
}

impl Claimant<'_, '_> {
    fn is_consumers(&self) -> bool {
        matches!(self.authorizer.keys, KeySource::Consumers(_))
    }

    fn names_issuer(&self) -> bool {
        let issuers = &self.authorizer.policy.rules.issuers;
        self.token.claimed_issuer().is_some_and(|issuer| issuers.iter().any(|known| known == issuer))
    }

    fn may_have_issued(&self) -> bool {
        self.authorizer.policy.rules.issuers.is_empty() || self.names_issuer()
    }

    fn verify(&self, token: &Admitted<'_, '_, '_>, context: Context<'_>) -> Verdict {
        let source = match (&self.authorizer.keys, self.authorizer.keys.configured()) {
            (KeySource::Consumers(store), _) => return self.verify_credential(store, token, context),
            (_, Err(source)) => source,
            (keys, Ok(configured)) => {
                let used = keys.at_hand(context).map(|(used, _)| used);
                return Verdict::of(token.verify(configured, context.now), None, used);
            }
        };
        let Some((id, source)) = source.and_then(|id| Some((id, context.sources.get(id.0)?))) else {
            return Verdict::Unavailable(Reject::config("this authorizer has no keys".to_owned()));
        };
        match context.ring.look(id, source, context.now) {
            Look::Nothing => Verdict::Needs(Need::Keys(id, Want::Any)),
            Look::Failing { retry_after_ms } => {
                let reject = Reject::keys_unavailable(
                    retry_after_ms,
                    format!("no usable keys from {}", without_query(&source.url)),
                );
                Verdict::Unavailable(reject)
            }
            Look::Keys { set, generation, refresh, may_ask } => match token.verify(Keys::Public(set), context.now) {
                Err(TokenError::UnknownKey) if may_ask => Verdict::Needs(Need::Keys(id, Want::Newer)),
                result => Verdict::of(result, refresh.then_some(id), Some(KeysUsed::Fetched(id, generation))),
            },
        }
    }

    /// Holds the token against the one credential that it names.
    fn verify_credential(&self, store: &ConsumerStore, token: &Admitted<'_, '_, '_>, context: Context<'_>) -> Verdict {
        let unknown = |why: String| Verdict::Unknown(Reject::new(Code::UnknownCredential).because(why));
        let Some(name) = self.token.names_credential(&store.key_claim) else {
            let claim = store.key_claim.clone();
            let is_there = self.token.has_claim(&claim);
            return Verdict::Bad(if is_there {
                TokenError::InvalidClaim(claim)
            } else {
                TokenError::MissingClaim(claim)
            });
        };
        let key = store.record(name);
        let (text, generation) = match context.records.look(&key, store.ttl_ms, context.now) {
            Looked::Text(text, generation) => (text, generation),
            Looked::Absent => return unknown(format!("there is no `{}` in {}", key.key, key.binding)),
            Looked::Unknown => return Verdict::Needs(Need::Records(vec![key])),
            Looked::Unbound => return Verdict::Unavailable(key.unbound()),
            Looked::Failing => return Verdict::Unavailable(key.unreadable("credentials")),
        };
        let credential = match Credential::signing_key(text, name) {
            Ok(credential) if credential.window.holds(context.now) => credential,
            Ok(_) => return unknown(format!("`{}` counts at another time", key.key)),
            Err(why) => return unknown(format!("`{}` in {} cannot be used: {why}", key.key, key.binding)),
        };
        if token.algorithm() != credential.proof.algorithm {
            return Verdict::Bad(TokenError::AlgorithmNotAllowed);
        }
        // One that counts for a time alone is looked at anew for each request.
        let keys = credential.window.is_always().then_some(KeysUsed::Record(generation));
        match token.verify(credential.proof.keys(), context.now) {
            Ok(verified) => Verdict::Good { who: Who::new(verified, Some(credential.consumer)), refresh: None, keys },
            Err(error) => Verdict::Bad(error),
        }
    }
}

impl ConsumerStore {
    /// Where the credential that is called `name` is.
    fn record(&self, name: &str) -> RecordKey {
        RecordKey::new(&self.binding, format!("credential:{name}"))
    }
}

impl Verdict {
    fn of(result: Result<Verified, TokenError>, refresh: Option<SourceId>, keys: Option<KeysUsed>) -> Self {
        match result {
            Ok(verified) => Self::Good { who: Who::new(verified, None), refresh, keys },
            Err(error) => Self::Bad(error),
        }
    }
}
