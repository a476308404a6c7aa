//! Calls against a real HTTP server on loopback.

pub(crate) mod backend;
mod link;
