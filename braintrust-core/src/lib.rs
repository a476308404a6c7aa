//! The runtime of the `braintrust` crate, which re-exports what users need of it.
//!
//! One module for each stage of a span's way: `context` and `span` decide whose child it is, `capture` turns values
//! into JSON, `record` keeps what happened in buffers of the threads, `export` joins that into rows, `sink` takes the
//! rows to where they go.

mod active;
mod api;
mod callsite;
mod capture;
mod clock;
mod config;
mod context;
mod diagnostics;
mod error;
mod event;
mod export;
mod fields;
mod ids;
mod instrument;
mod logger;
mod record;
mod report;
mod secret;
mod sink;
mod span;
mod span_type;
mod traces;

pub mod local;
#[cfg(feature = "testing")]
pub mod testing;

pub use capture::{Capture, Secret, Slot};
pub use context::{Entered, InContext};
pub use error::Error;
pub use event::{Event, Number};
pub use logger::{Logger, LoggerBuilder, init_logger};
pub use report::{FlushReport, LossReason, Losses};
pub use span::{
    InSpan, Instrument, Parent, Span, SpanBuilder, current_span, llm_span, root_span, score_span, start_span,
    task_span, tool_span,
};
pub use span_type::SpanType;
pub use traces::{TracedSpan, Traces, Tree};

/// What the code that `#[traced]` generates may name. Not for anyone else: it changes without notice.
#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
