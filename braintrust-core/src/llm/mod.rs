//! Calls of language models, as they are on the wire: which API a request speaks, what it asked, what was answered, and
//! what it cost in tokens.
//!
//! No I/O: whoever makes the call shows its bytes to a [`ModelCall`].

mod ahead;
mod any_client;
mod api;
mod body;
mod call;
mod detect;
mod endpoint;
mod failure;
mod formats;
mod frames;
mod json;
mod metadata;
mod metrics;
mod normalise;
mod notes;
mod options;
mod reading;
mod shape;
mod stream;
mod transport;

pub use any_client::{Llm, LlmCall, LlmStream, llm};
pub use api::WireApi;
pub use call::ModelCall;
pub use detect::detect;
pub use endpoint::Endpoint;
pub use options::CallOptions;

/// Whether any logger exists: while none does, a wrapper need not look at a request at all.
#[must_use]
pub fn is_enabled() -> bool {
    crate::active::enabled()
}
