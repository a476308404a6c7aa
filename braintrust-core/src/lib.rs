//! The runtime of the `braintrust` crate, which re-exports what users need of it.
//!
//! One module for each stage of a span's way: `context` and `span` decide whose child it is, `capture` turns values
//! into JSON, `record` keeps what happened in buffers of the threads, `export` joins that into rows, `sink` takes the
//! rows to where they go.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod active;
mod api;
mod attachment;
mod buffer;
mod callsite;
mod capture;
mod clock;
mod config;
mod container;
mod context;
mod diagnostics;
mod error;
mod event;
mod export;
mod fields;
mod ids;
mod instrument;
mod ledger;
pub mod llm;
mod logger;
mod mask;
mod needles;
mod open_row;
mod owner_only;
mod panic_site;
mod propagation;
mod record;
mod registry;
mod report;
mod secret;
mod sections;
mod sink;
mod span;
mod span_type;
mod spool;
mod tasks;
mod traces;

pub mod import;
pub mod local;
#[cfg(feature = "testing")]
pub mod testing;

#[doc = include_str!("settings.md")]
pub mod settings {}

pub use attachment::{Attachment, ExternalAttachment, JsonAttachment};
pub use capture::{Capture, Secret, Slot};
pub use config::WhenFull;
pub use context::{Entered, InContext};
pub use diagnostics::Verbosity;
pub use error::Error;
pub use event::{Event, Number};
pub use llm::llm;
pub use logger::{Logger, LoggerBuilder, init_logger, logger, permalink, register};
pub use mask::MaskedField;
pub use propagation::{Extractor, Injector};
pub use report::{AttachmentCounts, FlushReport, LossReason, Losses, Stats};
pub use span::{
    Feedback, FeedbackSource, InSpan, Instrument, Parent, Span, SpanBuilder, current_span, extract, inject, llm_span,
    root_span, score_span, start_span, task_span, tool_span, update_span,
};
pub use span_type::SpanType;
pub use tasks::{propagate, spawn, spawn_blocking, thread};
pub use traces::{TracedSpan, Traces, Tree};

/// What the code that `#[traced]` generates may name. Not for anyone else: it changes without notice.
#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
