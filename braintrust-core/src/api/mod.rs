//! Braintrust's HTTP API as far as rows need it. Each call is one attempt; who calls decides about another.

mod client;
mod failure;
mod login;
mod logs3;
mod project;
mod retry;
mod version;

pub(crate) use client::{Api, http_client};
pub(crate) use failure::Failure;
pub(crate) use login::Session;
pub(crate) use logs3::{ENVELOPE, payload};
pub(crate) use retry::{Pacing, Remedy};
pub(crate) use version::max_request;
