//! Tracing for Rust programs that call language models.
//!
//! Write `#[traced]` over a function, and every call of it becomes a span: its arguments are the input, its return
//! value the output, its error the error, and its parent is whatever span is current, however many tasks share a client
//! and whatever threads they move between. The spans go to [Braintrust](https://www.braintrust.dev), or, without an
//! account, to a folder on disk. Nothing that is traced ever waits for the network, and nothing is lost in silence.
//!
//! ```
//! use std::time::Duration;
//!
//! use braintrust::{Event, current_span, traced};
//!
//! #[traced(type = "tool")]
//! fn search(query: &str) -> Result<Vec<String>, std::io::Error> {
//!     current_span().log(Event::new().metadata("index", "docs"));
//!     Ok(vec![format!("a page about {query}")])
//! }
//!
//! #[traced("answer question", type = "task")]
//! fn answer(question: &str) -> Result<String, std::io::Error> {
//!     let pages = search(question)?; // a child span of "answer question"
//!     Ok(pages.concat())
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #   let scratch = tempfile::tempdir().unwrap();
//! #   let folder = scratch.path().join("traces");
//! #   let logger = braintrust::Logger::builder().project("My Project").local_folder(&folder).build()?;
//! #   logger.install();
//! #   /*
//!     let logger = braintrust::init_logger("My Project")?; // settings from the environment
//! #   */
//!     println!("{}", answer("tracing")?);
//!     match logger.flush_blocking(Duration::from_secs(5)) {
//!         Ok(report) => println!("{report}"), // 2 delivered, none lost
//!         Err(error) => eprintln!("{error}"), // what was not delivered, and why
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # Where to look
//!
//! | to | see |
//! |---|---|
//! | trace a function | [`traced`] |
//! | send spans somewhere | [`init_logger`], [`Logger`] |
//! | change a setting, by a variable or in code | [`settings`], [`LoggerBuilder`] |
//! | know what was delivered, what waits, and what was lost and why | [`Logger::flush`], [`FlushReport`], [`Logger::stats`], [`Stats`] |
//! | know what the end of a process sends | [process exit](fn@init_logger#process-exit) |
//! | say what happens when memory is full | [`WhenFull`] |
//! | log more to the current span | [`current_span`], [`Event`] |
//! | open spans by hand | [`start_span`], [`Span`], [`SpanBuilder`], [`Parent`] |
//! | carry a span into tasks and threads | [`spawn`], [`spawn_blocking`], [`thread::spawn`], [`propagate`], [`Instrument`] |
//! | carry a span to another process | [`Span::export`], [`inject`], [`extract`], [`Parent::from_slug`] |
//! | trace the calls of a model client | `wrap_openai` (feature `async-openai`), `reqwest::Middleware` (feature `reqwest-middleware`) |
//! | trace the calls of any other client | [`llm()`], [`llm`](mod@llm) |
//! | trace several projects | [`register`], [`logger()`], `#[traced(project = "..")]` |
//! | change a row later, give feedback | [`update_span`], [`Logger::update_span`], [`Logger::log_feedback`] |
//! | say how a type is shown | [`Capture`] |
//! | keep a value out of traces | [`Secret`], `#[traced(redact(..))]` |
//! | keep secrets, and what else you say, out of all that is sent | [`LoggerBuilder::mask_secrets`], [`mask_fields`](LoggerBuilder::mask_fields), [`mask`](LoggerBuilder::mask) |
//! | log images, recordings, documents | [`Attachment`], [`JsonAttachment`], [`ExternalAttachment`] |
//! | read the local folder | [`local::read`], [`Traces`] |
//! | send traces from files, or from the local folder | [`import::Import`], [`Traces::write_jsonl`] |
//! | assert on traces in tests | `testing` (feature `testing`) |
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `async-openai` | `wrap_openai`, which traces the calls of a client of the crate `async-openai` 0.43 |
//! | `reqwest-middleware` | `reqwest::Middleware`, which traces the model calls of all that sends its requests through the crate `reqwest-middleware` 0.5 (`reqwest` 0.13) |
//! | `testing` | the test kit: scoped captures, a logger that writes to memory |
//!
//! A library uses `#[traced]` and leaves the logger to the program: while there is none, nothing is traced, and a call
//! costs next to nothing more.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub use braintrust_core::llm::llm;
pub use braintrust_core::{
    Attachment, AttachmentCounts, Capture, Entered, Error, Event, ExternalAttachment, Extractor, Feedback,
    FeedbackSource, FlushReport, InContext, InSpan, Injector, Instrument, JsonAttachment, Logger, LoggerBuilder,
    LossReason, Losses, MaskedField, Number, Parent, Secret, Slot, Span, SpanBuilder, SpanType, Stats, TracedSpan,
    Traces, Tree, Verbosity, WhenFull, current_span, extract, init_logger, inject, llm_span, logger, permalink,
    propagate, register, root_span, score_span, spawn, spawn_blocking, start_span, task_span, tool_span, update_span,
};
pub use braintrust_macros::traced;

#[cfg(feature = "async-openai")]
pub use braintrust_openai::wrap_openai;

#[doc(inline)]
pub use braintrust_core::settings;

/// Tracing the clients of the crate `async-openai`; [`wrap_openai`] is all that most need.
#[cfg(feature = "async-openai")]
pub mod openai {
    pub use braintrust_openai::{OpenAiTracer, TraceLayer, TraceService, tracer, wrap_openai};
}

/// Tracing the model calls that go through `reqwest`, whatever client makes them.
///
/// [`Middleware`](reqwest::Middleware) is for clients of the crate `reqwest-middleware` and all that take one, and
/// [`Tracer`](reqwest::Tracer) for those that send their requests in a way of their own.
#[cfg(feature = "reqwest-middleware")]
pub mod reqwest {
    pub use braintrust_reqwest::{Call, Endpoint, Middleware, Tracer, WireApi};
}

/// Calls of language models, as they are on the wire.
///
/// [`llm()`] traces the calls of any client. The rest is what the integrations are made of, for clients that have none:
/// [`detect`](llm::detect) tells which API a request speaks, and a [`ModelCall`](llm::ModelCall) is shown its bytes. There
/// is no I/O here: whoever makes the call sends and receives them.
pub mod llm {
    pub use braintrust_core::llm::{
        CallOptions, Endpoint, Llm, LlmCall, LlmStream, ModelCall, WireApi, detect, is_enabled, llm,
    };
}

/// Threads that carry on in the span that is current where they are made.
pub mod thread {
    pub use braintrust_core::thread::spawn;
}

/// Importing traces from files, readers and the local folder; [`Import`](import::Import) tells which formats.
pub mod import {
    pub use braintrust_core::import::{Import, ImportReport, Problem, Progress};
}

/// Reading the local folder, where traces go without an API key.
pub mod local {
    pub use braintrust_core::local::read;
}

/// The test kit: scoped captures, and a logger that writes to memory.
#[cfg(feature = "testing")]
pub mod testing {
    pub use braintrust_core::testing::{
        MemoryRows, capture, capture_blocking, capture_blocking_with_output, capture_with_output, memory_logger,
    };
}

/// What the code that `#[traced]` generates may name. Not for anyone else: it changes without notice.
#[doc(hidden)]
pub use braintrust_core::__private;
