//! What makes spans of several processes one trace: slugs, and the W3C headers. Text in, plain values out; no I/O.
//!
//! | carrier | written by | read by |
//! |---|---|---|
//! | a slug: one opaque string that names a span or an object | [`SpanComponents::to_slug`] | [`SpanComponents::parse`] |
//! | headers: `traceparent`, `tracestate` and `baggage` | [`inject`] | [`extract`] |

mod baggage;
mod carrier;
mod parent_object;
mod percent;
mod slug;
#[cfg(test)]
mod tests;
mod trace_context;

pub use carrier::{Extractor, Injector};
pub(crate) use parent_object::ParentObject;
pub(crate) use slug::{JsonObject, ObjectRef, ObjectType, RowIds, SlugVersion, SpanComponents};
pub(crate) use trace_context::{SAMPLED, TraceContext, extract, inject};
