//! What a good credential says of its owner, and what the upstream is told of that.

use std::sync::OnceLock;

use crate::consumer::Consumer;
use crate::forward::Asserted;
use crate::jwt::policy::Verified;

/// Who is asking, by one credential that one authorizer accepted.
#[derive(Debug)]
#[cfg_attr(test, derive(Default))]
pub(crate) struct Who {
    /// The claims of a token; none of what is no token.
    pub(crate) verified: Verified,
    /// Whose credential it was, where consumers have some.
    pub(crate) consumer: Option<Consumer>,
    /// Made once, for this request and for others with the same token or password, while that is remembered.
    asserted: OnceLock<Asserted>,
}

impl Who {
    /// Whoever the claims say, or the consumer whose credential it was.
    pub(crate) const fn new(verified: Verified, consumer: Option<Consumer>) -> Self {
        Self { verified, consumer, asserted: OnceLock::new() }
    }

    /// What the upstream is told; `make` makes it if this is the first time.
    pub(crate) fn asserted(&self, make: impl FnOnce() -> Asserted) -> &Asserted {
        self.asserted.get_or_init(make)
    }
}
