//! What makes spans of several processes one trace: slugs, and the W3C headers. Text in, plain values out; no I/O.
//!
//! | carrier | made by | read by |
//! |---|---|---|
//! | a slug: one opaque string that names a span, a logger or an experiment | [`SpanComponents::to_slug`] | [`SpanComponents::parse`] |
//! | headers: `traceparent`, `tracestate`, and `braintrust.parent` within `baggage` | [`inject`] | [`extract`] |

mod baggage;
mod carrier;
mod parent_object;
mod percent;
pub(crate) mod slug;
#[cfg(test)]
mod tests;
mod trace_context;

pub use carrier::{Extractor, Injector};
pub(crate) use parent_object::ParentObject;
pub(crate) use slug::{JsonObject, ObjectRef, ObjectType, RowIds, SlugError, SlugVersion, SpanComponents};
pub(crate) use trace_context::{TraceContext, extract, inject};
