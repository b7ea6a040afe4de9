//! `gateway.json` as text and as wire types.
//!
//! [`source`] reads the text and remembers where everything stands, [`de`] turns it into the wire types of [`wire`] and gathers *all*
//! that does not fit, and [`problem`] says it to people. Meaning is [`crate::compile`]'s business.

pub mod de;
#[cfg(feature = "explain")]
pub mod env_file;
pub mod field;
pub mod files;
mod line_index;
pub mod nearest;
pub mod number;
pub mod problem;
pub mod reference;
pub mod source;
pub mod wire;
