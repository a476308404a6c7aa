//! Watching one call of a model, whatever client makes it.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::ahead::Ahead;
use super::body::Body;
use super::frames::Framing;
use super::reading::{self, Conclusion, Response};
use super::{CallOptions, Endpoint, transport};
use crate::clock::Timestamp;
use crate::context;
use crate::export;
use crate::record::bound::Held;
use crate::span::{self, Span, llm_span};

/// Watches one call of a model: gives it an `llm` span, and is shown the bytes of the request and of the response.
///
/// It costs the caller next to nothing: chunks are kept by reference or by a short copy, with their times; what they
/// mean is found out later, on the exporter's thread. However the call goes, the span ends: with
/// [`finish`](Self::finish), with [`fail`](Self::fail), or with the drop, which tells of a response that was read to its
/// last event from one that was abandoned. The span's end is the moment of that call, not of the reading.
///
/// ```
/// use braintrust::llm::{CallOptions, ModelCall, detect};
/// use bytes::Bytes;
///
/// # let (send, request) = (|_: &Bytes| (200, [Bytes::from_static(b"{}")]), Bytes::from_static(b"{}"));
/// let endpoint = detect("api.openai.com", "/v1/chat/completions").expect("a model's address");
/// let mut call = ModelCall::begin(endpoint, request.clone(), &CallOptions::new("my-http-client"));
/// let (status, body) = call.span().in_scope(|| send(&request));
/// call.respond(status, Some("application/json"));
/// for chunk in body {
///     call.chunk(&chunk); // and on it goes to whoever asked
/// }
/// call.finish();
/// ```
#[must_use = "dropping the call ends its span"]
pub struct ModelCall(Option<Box<Watched>>);

struct Watched {
    span: Span,
    endpoint: Arc<Endpoint>,
    started: Timestamp,
    status: Option<u16>,
    content_type: Option<String>,
    body: Body,
    reading: Reading,
}

/// When a body is read.
#[derive(Default)]
enum Reading {
    /// Not much has come of it.
    #[default]
    Undecided,
    /// At its end.
    Late,
    /// While it arrives, on the exporter's thread.
    Ahead(Arc<Mutex<Ahead>>),
}

static NOOP: Span = Span::noop();

impl ModelCall {
    /// Opens an `llm` span for a call that is about to be made, under what is current here, and notes the time.
    ///
    /// `request` is the body that will be sent; empty where there is none. While no logger exists, nothing is done; nor
    /// where the call is part of one that has its span already, by [`llm`](super::llm()).
    pub fn begin(endpoint: Endpoint, request: Bytes, options: &CallOptions) -> Self {
        if !super::is_enabled() {
            return Self(None);
        }
        let logger = options.logger().map(|logger| logger.id());
        if context::is_during_model_call(logger) {
            return Self(None);
        }
        let started = Timestamp::now();
        let name = options.name.clone();
        let name = name.unwrap_or_else(|| endpoint.api().span_name(endpoint.streams() == Some(true)).into());
        let mut builder = llm_span(name).instrumentation(options.instrumentation.clone());
        if let Some(logger) = logger {
            builder = builder.of_logger(logger);
        }
        let span = builder.start_from(options.location);
        if span.is_noop() {
            return Self(None);
        }
        let endpoint = Arc::new(endpoint);
        read_later(&span, Arc::clone(&endpoint), request, options.name.is_some());
        let (status, content_type) = (None, None);
        let (body, reading) = (Body::default(), Reading::default());
        Self(Some(Box::new(Watched { span, endpoint, started, status, content_type, body, reading })))
    }

    /// The span of the call; a no-op if nothing listens.
    #[must_use]
    pub fn span(&self) -> &Span {
        self.0.as_ref().map_or(&NOOP, |watched| &watched.span)
    }

    /// Takes note of the response's head. Called again, for a retry, it begins the response anew.
    pub fn respond(&mut self, status: u16, content_type: Option<&str>) {
        if let Some(watched) = &mut self.0 {
            watched.status = Some(status);
            watched.content_type = content_type.map(str::to_owned);
            watched.body = Body::default();
            watched.reading = Reading::default();
        }
    }

    /// Takes note of a piece of the response's body, and of when it came.
    pub fn chunk(&mut self, bytes: &Bytes) {
        if let Some(watched) = &mut self.0 {
            watched.body.add(bytes);
            if watched.body.has_unread() {
                watched.read_ahead();
            }
        }
    }

    /// The call of a program that nobody listens to.
    pub(super) fn off() -> Self {
        Self(None)
    }

    /// Whether nothing that this call is shown goes anywhere.
    pub(super) fn is_off(&self) -> bool {
        self.0.is_none()
    }

    /// The body is complete.
    pub fn finish(mut self) {
        self.conclude(Conclusion::Complete);
    }

    /// The call failed before its response was complete.
    pub fn fail(self, error: &dyn Error) {
        if self.0.is_some() {
            self.fail_with(transport::describe(error));
        }
    }

    /// The call failed, with this text.
    pub(super) fn fail_with(mut self, error: String) {
        self.conclude(Conclusion::Failed(error));
    }

    fn conclude(&mut self, conclusion: Conclusion) {
        if let Some(watched) = self.0.take() {
            watched.conclude(conclusion);
        }
    }
}

impl Drop for ModelCall {
    fn drop(&mut self) {
        self.conclude(Conclusion::Dropped);
    }
}

impl Watched {
    /// Has the exporter's thread read what has come of a stream, once that is much: many streams at once, or a long one,
    /// then take the memory of what they say, and not of the many times as much in which they say it.
    fn read_ahead(&mut self) {
        if matches!(self.reading, Reading::Undecided) {
            self.decide();
        }
        let Reading::Ahead(ahead) = &self.reading else { return };
        let ahead = Arc::clone(ahead);
        let (parts, held) = self.body.take_unread();
        export::defer(held, move || ahead.lock().unwrap_or_else(PoisonError::into_inner).read(&parts));
    }

    /// Decides when to read the body, once much has come of it. What is so strange that this does not tell its framing
    /// is read when all of it tells.
    fn decide(&mut self) {
        let beginning = self.body.beginning(Framing::TOLD_BY);
        let framing = Framing::of(self.endpoint.api(), self.content_type.as_deref(), &beginning);
        let is_ahead = framing.is_stream() && beginning.len() == Framing::TOLD_BY;
        self.reading = match is_ahead {
            true => Reading::Ahead(Arc::new(Mutex::new(Ahead::new(&self.endpoint, framing)))),
            false => Reading::Late,
        };
    }

    fn conclude(self, conclusion: Conclusion) {
        let ended = Timestamp::now();
        let Self { span, endpoint, started, status, content_type, mut body, reading } = self;
        let is_open = span.take_over_end();
        let context = span.context().clone();
        export::defer(body.take_held(), move || {
            let mut arrived = body.into_arrived();
            // Deferred work is done in its order, so nobody else holds it any more.
            let ahead = match reading {
                Reading::Ahead(ahead) => Arc::into_inner(ahead),
                Reading::Undecided | Reading::Late => None,
            };
            arrived.ahead = ahead.map(|ahead| ahead.into_inner().unwrap_or_else(PoisonError::into_inner));
            let fields = reading::response(&endpoint, Response { status, content_type, arrived, started, conclusion });
            if is_open {
                span::finish_late(&context, ended, fields);
            } else {
                span::log(&context, fields);
            }
        });
    }
}

/// Has the request read on the exporter's thread.
fn read_later(span: &Span, endpoint: Arc<Endpoint>, request: Bytes, is_named: bool) {
    let mut held = Held::default();
    // Where memory is short, the span goes without what was asked rather than the program without memory.
    if !held.grow(request.len()) {
        return;
    }
    let context = span.context().clone();
    export::defer(held, move || span::log(&context, reading::request(&endpoint, &request, is_named)));
}

impl fmt::Debug for ModelCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelCall").field("span", self.span()).finish_non_exhaustive()
    }
}
