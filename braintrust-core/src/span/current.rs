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

/// Begins a span for one call of a language model.
pub fn llm_span(name: impl Into<Cow<'static, str>>) -> SpanBuilder {
    start_span(name).kind(SpanType::Llm)
}

/// Begins a span for a scorer.
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
