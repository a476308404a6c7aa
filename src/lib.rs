//! Tracing for Rust programs that call language models.
//!
//! Write `#[traced]` over a function, and every call of it becomes a span: its arguments are the input, its return
//! value the output, its error the error, and its parent is whatever span is current, however many tasks share a client
//! and whatever threads they move between. The spans go to [Braintrust](https://www.braintrust.dev), or, without an
//! account, to a folder on disk. Nothing that is traced ever waits for the network, and nothing is lost in silence.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = std::env::temp_dir().join("braintrust-doc-front-page");
//! # let logger = braintrust::Logger::builder().project("My Project").local_folder(&folder).build()?;
//! # logger.install();
//! # /*
//! let logger = braintrust::init_logger("My Project")?; // settings from the environment
//! # */
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
//! answer("tracing")?;
//! logger.flush_blocking(std::time::Duration::from_secs(5))?;
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//!
//! | to | see |
//! |---|---|
//! | trace a function | [`traced`] |
//! | send spans somewhere | [`init_logger`], [`Logger`] |
//! | change a setting, by a variable or in code | [`settings`], [`LoggerBuilder`] |
//! | log more to the current span | [`current_span`], [`Event`] |
//! | open spans by hand | [`start_span`], [`Span`], [`SpanBuilder`], [`Parent`] |
//! | carry a span into tasks and threads | [`spawn`], [`spawn_blocking`], [`thread::spawn`], [`propagate`], [`Instrument`] |
//! | carry a span to another process | [`Span::export`], [`inject`], [`extract`], [`Parent::from_slug`] |
//! | trace the calls of a model client | `wrap_openai` (feature `async-openai`), `reqwest::Middleware` (feature `reqwest-middleware`) |
//! | trace the calls of any other client | [`llm()`], [`llm`](mod@llm) |
//! | trace several projects | [`register`], [`logger()`], `#[traced(project = "..")]` |
//! | change a row later, give feedback | [`update_span`], [`Logger::update_span`], [`Logger::log_feedback`] |
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
//! | `reqwest-middleware` | `reqwest::Middleware`, which traces the model calls of all that sends its requests through the crate `reqwest-middleware` 0.5 |
//! | `testing` | the test kit: scoped captures, a logger that writes to memory |

pub use braintrust_core::{
    Attachment, AttachmentCounts, Capture, Entered, Error, Event, ExternalAttachment, Extractor, Feedback,
    FeedbackSource, FlushReport, InContext, InSpan, Injector, Instrument, JsonAttachment, Logger, LoggerBuilder,
    LossReason, Losses, MaskedField, Number, Parent, Secret, Slot, Span, SpanBuilder, SpanType, Stats, TracedSpan,
    Traces, Tree, Verbosity, WhenFull, current_span, extract, init_logger, inject, llm, llm_span, logger, permalink,
    propagate, register, root_span, score_span, spawn, spawn_blocking, start_span, task_span, thread, tool_span,
    update_span,
};
pub use braintrust_macros::traced;

#[doc(inline)]
pub use braintrust_core::settings;

#[cfg(feature = "async-openai")]
pub use braintrust_openai::wrap_openai;

/// Tracing the clients of the crate `async-openai`; [`wrap_openai`] is all that most need.
#[cfg(feature = "async-openai")]
pub mod openai {
    pub use braintrust_openai::*;
}

/// Tracing the model calls that go through `reqwest`, whatever client makes them.
#[cfg(feature = "reqwest-middleware")]
pub mod reqwest {
    pub use braintrust_reqwest::*;
}

/// Importing traces from files, readers and the local folder.
pub mod import {
    pub use braintrust_core::import::*;
}

/// Reading the local folder.
pub mod local {
    pub use braintrust_core::local::*;
}

/// The test kit: scoped captures, and a logger that writes to memory.
#[cfg(feature = "testing")]
pub mod testing {
    pub use braintrust_core::testing::*;
}

/// What the code that `#[traced]` generates may name. Not for anyone else: it changes without notice.
#[doc(hidden)]
pub use braintrust_core::__private;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
