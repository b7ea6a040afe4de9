//! Why a token is refused.

/// Why a token is refused, in the order in which the checks come. `Ord` says how far a token got.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TokenError {
    /// Not three parts, not base64url, not JSON, a `crit` header, a repeated name.
    Malformed,
    /// An `alg` that the gateway does not know; `none` too.
    UnsupportedAlgorithm,
    /// A known `alg` that this authorizer does not allow.
    AlgorithmNotAllowed,
    /// A header `typ` that this authorizer does not allow.
    WrongType,
    /// `exp` is past.
    Expired,
    /// No key that fits is known.
    UnknownKey,
    /// The signature does not fit.
    InvalidSignature,
    /// `nbf` or `iat` lies ahead.
    NotYetValid,
    /// `iat` is too long ago.
    TooOld,
    /// `exp - iat` is too much.
    LifetimeTooLong,
    /// A claim that must be there is not.
    MissingClaim(String),
    /// A claim has the wrong type or value.
    InvalidClaim(String),
    /// `iss` is another.
    InvalidIssuer,
    /// `aud` is another.
    InvalidAudience,
}
