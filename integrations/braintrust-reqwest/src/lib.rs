//! Traces the model calls that go through `reqwest`: [`Middleware`] for clients of the crate `reqwest-middleware` and all
//! that take one, and [`Tracer`] for those that send their requests in a way of their own.
//!
//! It is part of the crate `braintrust`, as `braintrust::reqwest` behind the feature `reqwest-middleware`.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod call;
#[cfg(feature = "middleware")]
mod middleware;
mod request_body;
mod tee;
mod tracer;

pub use braintrust_core::llm::{Endpoint, WireApi};
pub use call::Call;
#[cfg(feature = "middleware")]
pub use middleware::Middleware;
pub use tracer::Tracer;
