//! Which route a request is for.

pub mod path;
pub mod pattern;
pub mod router;
