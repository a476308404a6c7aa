//! Traces the calls of an [`async_openai::Client`]: [`wrap_openai`] gives back a client of the same type, whose every
//! call of a model is a span.
//!
//! It is part of the crate `braintrust`, as `braintrust::wrap_openai` and `braintrust::openai` behind the feature
//! `async-openai`.

mod layer;
mod request;
mod tracer;

pub use layer::{TraceLayer, TraceService};
pub use tracer::{OpenAiTracer, tracer, wrap_openai};

/// The snippets of the README, which are about clients too: this crate's tests have all that they need.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
