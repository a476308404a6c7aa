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
