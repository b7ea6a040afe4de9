//! Portcullis: an API gateway for Cloudflare's edge, as a pure library.
//!
//! A configuration is compiled once ([`compile::compile`]) into a [`gateway::Gateway`], which decides on requests:
//!
//! ```text
//! Head ──route──▶ Matched ──authenticate──▶ Authenticated ──authorize──▶ Authorized ──action──▶ Outbound or Reply
//!         │       limits └─▶ Needs (keys, records; then again)          limits     any stage ──▶ Refused ──▶ Reply
//!         └─▶ Reply (preflight)
//! ```
//!
//! Each stage consumes the value of the one before, so none can be skipped. There is no clock, no randomness, no I/O and no async here:
//! time, keys and configuration are arguments, and what is lacking is asked for by returning. The Worker (`worker/`) fetches, stores and
//! converts; the command (`portcullis`) is the same library for people.

#![forbid(unsafe_code)]

pub mod authn;
pub mod authorization;
pub mod challenge;
pub mod compile;
pub mod config;
pub mod consumer;
pub mod cors;
pub mod credential;
pub mod digest;
pub mod discovery;
#[cfg(feature = "explain")]
pub mod explain;
pub mod forward;
pub mod gateway;
pub mod jwks;
pub mod jwt;
pub mod limit;
pub mod lines;
pub mod memory;
#[cfg(feature = "explain")]
pub mod outline;
#[cfg(feature = "explain")]
pub mod page;
pub mod record;
pub mod records;
pub mod reject;
pub mod reply;
pub mod request;
pub mod revocation;
pub mod route;
pub mod rules;
#[cfg(feature = "cli")]
pub mod schema;
pub mod template;
#[cfg(test)]
mod testing;
pub mod time;
pub mod url;
