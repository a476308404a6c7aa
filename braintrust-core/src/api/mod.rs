//! Braintrust's HTTP API as far as rows and links need it. Each call is one attempt; who calls decides about another.

mod address;
mod client;
mod failure;
mod link;
mod login;
mod logs3;
mod project;
mod retry;
mod shared;
mod version;

pub(crate) use client::Api;
pub(crate) use failure::Failure;
pub(crate) use link::{LinkParts, resolve_link};
pub(crate) use login::Session;
pub(crate) use logs3::{ENVELOPE, Row, payload};
pub(crate) use retry::{Pacing, Remedy};
pub(crate) use shared::http_client;
pub(crate) use version::max_request;

#[cfg(test)]
pub(crate) mod tests;
