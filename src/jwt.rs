//! One JSON Web Token against one policy: RFC 7515 for the form, RFC 7519 for the claims.
//!
//! The order is fixed, cheapest and safest first, and each step consumes the one before: [`compact::Compact::parse`] splits and decodes,
//! [`policy::Policy::admit`] judges the header and the clock, [`policy::Admitted::verify`] needs keys and judges the signature, and only
//! what it returns can be asked for claims.

pub mod alg;
pub mod claims;
pub mod compact;
pub mod error;
mod header;
pub mod json;
pub mod jws;
pub mod key;
pub mod keys;
pub mod keyset;
pub mod pem;
pub mod policy;
