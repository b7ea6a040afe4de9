//! What can be known of those whom a path lets pass, by the authorizers that it names.

use super::paths::AuthorizerName;
use crate::config::wire::{self, Auth};

/// What is known of them.
#[derive(Clone, Copy)]
pub(super) struct Callers {
    /// Something: the path has an authorizer.
    pub(super) known: bool,
    /// Claims, which only tokens have.
    pub(super) claims: bool,
    /// A consumer.
    pub(super) consumers: bool,
}

impl Callers {
    /// Of those who call `path`, which names the authorizers `numbers`; `None` where that is wrong, and told already.
    pub(super) fn of(path: &wire::Path, authorizers: &[AuthorizerName], numbers: Option<&[usize]>) -> Self {
        let known = !matches!(path.auth.value(), None | Some(Auth::Null | Auth::Boolean(false)));
        let any = |is: fn(&AuthorizerName) -> bool| {
            numbers.is_none_or(|numbers| authorizers.iter().any(|one| is(one) && numbers.contains(&one.number)))
        };
        Self { known, claims: known && any(|one| one.has_claims), consumers: any(|one| one.has_consumers) }
    }

    /// Why there are no claims, where there are none.
    pub(super) const fn without_claims(self) -> Option<&'static str> {
        match self {
            Self { claims: true, .. } => None,
            Self { known: true, .. } => Some("API keys and passwords have no claims"),
            Self { .. } => Some("the path has no authorizer"),
        }
    }
}
