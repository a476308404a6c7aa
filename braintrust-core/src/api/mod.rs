//! Braintrust's HTTP API as far as rows and links need it. Each call is one attempt; who calls decides about another.

mod address;
mod attachment;
mod client;
mod distrust;
mod failure;
mod link;
mod login;
mod logs3;
mod overflow;
mod project;
mod retry;
mod shared;
mod unanswered;
mod version;

pub(crate) use attachment::AttachmentFacts;
pub(crate) use client::Api;
pub(crate) use failure::Failure;
pub(crate) use link::{LinkParts, resolve_link};
pub(crate) use login::Session;
#[cfg(test)]
pub(crate) use logs3::ENVELOPE;
pub(crate) use logs3::{Envelope, Row};
pub(crate) use retry::{Backoff, Pacing, Remedy};
pub(crate) use shared::{HttpClient, http_client};
pub(crate) use version::max_request;

#[cfg(test)]
pub(crate) mod tests;
