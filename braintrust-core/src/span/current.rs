//! Spans by way of what is current: asking for it, starting under it, carrying it along.

use std::borrow::Cow;

use super::{InSpan, Parent, Span, SpanBuilder};
use crate::SpanType;
use crate::active;
use crate::context::Context;
use crate::propagation::{Extractor, Injector};

/// The innermost span that is current here, or a no-op.
///
/// Inside a function under `#[traced]` this is the function's own span. The handle refers to the span; it does not keep
/// it open.
///
/// ```
/// use braintrust::{Event, current_span};
///
/// current_span().log(Event::new().tag("vip")); // does nothing where nothing is current
/// ```
#[must_use]
pub fn current_span() -> Span {
    if !active::enabled() {
        return Span::noop();
    }
    Span::referring(Context::current())
}

/// Begins a span under the current one; where there is none, a root of the process's default logger.
///
/// ```
/// use braintrust::{Event, start_span};
///
/// let span = start_span("rerank").input(["b", "a"]).start();
/// let best = span.in_scope(|| "a"); // what is traced in here is under `rerank`
/// span.log(Event::new().output(best).score("relevance", 0.8));
/// span.end(); // or the last handle drops
/// ```
pub fn start_span(name: impl Into<Cow<'static, str>>) -> SpanBuilder {
    SpanBuilder::new(name.into())
}

/// Begins a span that ignores what is current, and so starts a trace of its own.
pub fn root_span(name: impl Into<Cow<'static, str>>) -> SpanBuilder {
    start_span(name).parent(Parent::root())
}

/// Begins a span for a unit of application logic.
pub fn task_span(name: impl Into<Cow<'static, str>>) -> SpanBuilder {
    start_span(name).kind(SpanType::Task)
}

/// Begins a span for a tool that a model asked for.
pub fn tool_span(name: impl Into<Cow<'static, str>>) -> SpanBuilder {
    start_span(name).kind(SpanType::Tool)
}

/// Begins a span for one call of a language model, whose fields are logged by hand; [`llm`](crate::llm::llm) reads them from
/// the request and the answer.
pub fn llm_span(name: impl Into<Cow<'static, str>>) -> SpanBuilder {
    start_span(name).kind(SpanType::Llm)
}

/// Begins a span for a scorer, which judges an answer.
pub fn score_span(name: impl Into<Cow<'static, str>>) -> SpanBuilder {
    start_span(name).kind(SpanType::Score)
}

/// Gives a future or stream the span that it runs in, wherever it is polled.
///
/// ```
/// use braintrust::{Instrument, start_span};
///
/// # async fn work() {}
/// # fn spawn(_: impl Future + Send + 'static) {}
/// spawn(work().in_current_span());
/// spawn(work().in_span(&start_span("job").start()));
/// ```
///
/// An `async fn` that opens a stream can keep a span as long as the stream lives:
///
/// ```
/// use std::io;
///
/// use braintrust::{Instrument, start_span};
/// use futures::Stream;
///
/// # async fn open(_: &str) -> io::Result<impl Stream<Item = String>> {
/// #     Ok(futures::stream::iter(["yes".to_owned()]))
/// # }
/// async fn answer(question: &str) -> io::Result<impl Stream<Item = String>> {
///     let span = start_span("answer").input(question).start();
///     let words = span.run(open(question)).await?;
///     Ok(words.in_span(&span)) // ends when the stream has been dropped
/// }
/// ```
///
/// The crate `tracing` has a trait of this name, with an `in_current_span` too. Where both are imported, say
/// `.in_span(&current_span())`, which does the same and is ours alone.
pub trait Instrument: Sized {
    /// Runs in what is current now, instead of in what is current wherever it is polled. If nothing is current now, this
    /// changes nothing.
    fn in_current_span(self) -> InSpan<Self> {
        InSpan::new(self, current_span())
    }

    /// Runs in `span`, and keeps it open as long as it lives.
    fn in_span(self, span: &Span) -> InSpan<Self> {
        InSpan::new(self, span.clone())
    }
}

impl<T> Instrument for T {}

/// Writes a span to the headers of an outgoing request, a message or a stored job; see [`Span::inject`].
///
/// ```
/// use std::collections::HashMap;
/// use braintrust::{current_span, inject};
///
/// let mut headers: HashMap<String, String> = HashMap::new();
/// inject(&current_span(), &mut headers); // leaves them as they are where nothing is current
/// ```
pub fn inject(span: &Span, headers: &mut (impl Injector + ?Sized)) {
    span.inject(headers);
}

/// The parent that the headers of a request, a message or a stored job name; see [`Parent::from_headers`].
#[must_use]
pub fn extract(headers: &(impl Extractor + ?Sized)) -> Parent {
    Parent::from_headers(headers)
}
