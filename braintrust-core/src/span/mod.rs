//! The handle of one unit of work.

mod builder;
mod current;
mod link;
mod open;
mod parent;
mod remote;
mod update;

pub use builder::SpanBuilder;
pub use current::{
    Instrument, current_span, extract, inject, llm_span, root_span, score_span, start_span, task_span, tool_span,
};
pub use open::{Opening, finish, log};
pub(crate) use open::{finish_late, open, start_plain};
pub use parent::Parent;
pub(crate) use remote::container_of;
pub use update::{Feedback, FeedbackSource, update_span};
pub(crate) use update::{log_feedback, pass_on_row, update_row};

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use serde::Serialize;

use crate::context::{Context, Entered, InContext, SpanRef};
use crate::event::{self, Event};
use crate::fields::{Field, Fields};
use crate::ids::{self, IdStyle, SpanId};
use crate::propagation::{self, Injector, ParentObject, RowIds, SlugVersion, SpanComponents, TraceContext};
use crate::{SpanType, active};

/// One unit of work in a trace: what went in, what came out, when, and under which parent.
///
/// A handle is cheap to clone and goes to any thread; all clones mean the same span. One that was made by
/// [`SpanBuilder::start`] keeps its span open: the span ends with [`end`](Self::end), or when the last clone is
/// dropped. One from [`current_span`] only refers to the span, which ends with the function or scope that opened it.
///
/// Where nothing listens, or a new span finds no room in memory ([`WhenFull`](crate::WhenFull)), a handle stands for no
/// span, and all its methods do nothing.
///
/// ```
/// use braintrust::{Event, SpanType, start_span};
///
/// let span = start_span("request").kind(SpanType::Task).input("ping").start();
/// let answer = span.in_scope(|| {
///     let step = start_span("step").start(); // a child of `request`
///     step.log(Event::new().metadata("attempt", 1));
///     "pong"
/// });
/// span.log(Event::new().output(answer));
/// span.end();
/// ```
#[derive(Clone)]
pub struct Span {
    context: Context,
    owner: Option<Arc<Owner>>,
}

/// What the clones of a handle that keeps its span open have in common.
struct Owner {
    context: Context,
    parents: Parents,
    ended: AtomicBool,
}

/// The parents that a span was started with.
#[derive(Debug)]
struct Parents {
    /// None for a root.
    first: SpanId,
    more: Vec<SpanId>,
    /// One that another process named otherwise than by 16 hex digits.
    foreign: Option<String>,
}

impl Owner {
    fn end(&self, at: Option<SystemTime>) {
        if !self.ended.swap(true, Ordering::Relaxed) {
            open::end(&self.context, at);
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.end(None);
    }
}

impl Span {
    /// The span that stands for none: everything done to it does nothing.
    #[must_use]
    pub const fn noop() -> Self {
        Self { context: Context::none(), owner: None }
    }

    /// Refers to the span that `context` is about, without keeping it open.
    pub(crate) fn referring(context: Context) -> Self {
        Self { context, owner: None }
    }

    /// Keeps the span that `context` is about open until the last clone is gone.
    fn owning(context: Context, parents: Parents) -> Self {
        let owner = Arc::new(Owner { context: context.clone(), parents, ended: AtomicBool::new(false) });
        Self { context, owner: Some(owner) }
    }

    fn reference(&self) -> Option<SpanRef> {
        self.context.innermost().filter(|at| !at.span.is_none())
    }

    /// The context in which this span is the innermost.
    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// Whether this handle stands for no span, because nothing listened when it was made, or memory was full.
    #[must_use]
    pub fn is_noop(&self) -> bool {
        self.reference().is_none()
    }

    /// Logs fields; later ones are merged into earlier ones by Braintrust's rules. Also after the end of the span.
    pub fn log(&self, event: Event) {
        log(&self.context, event.into_fields());
    }

    /// Ends the span now. Only the first end counts, while the span is kept open by this handle: the end of a function
    /// under `#[traced]` still moves the end of its span, if it comes long after one that [`current_span`] was asked for.
    pub fn end(&self) {
        self.end_with(None);
    }

    /// Ends the span at `time`. Only the first end counts, as far as that is so of [`end`](Self::end).
    pub fn end_at(&self, time: SystemTime) {
        self.end_with(Some(time));
    }

    fn end_with(&self, at: Option<SystemTime>) {
        match &self.owner {
            Some(owner) => owner.end(at),
            None => open::end(&self.context, at),
        }
    }

    /// Has the caller end the span, rather than the last handle; `false` if it has ended already.
    pub(crate) fn take_over_end(&self) -> bool {
        self.owner.as_ref().is_some_and(|owner| !owner.ended.swap(true, Ordering::Relaxed))
    }

    /// Begins a span under this very one, whatever is current. A no-op if this span is one.
    pub fn start_span(&self, name: impl Into<Cow<'static, str>>) -> SpanBuilder {
        if self.is_noop() {
            return SpanBuilder::silent();
        }
        SpanBuilder::new(name.into()).parent(self)
    }

    /// Renames the span.
    pub fn set_name(&self, name: &str) -> &Self {
        self.set_attribute("name", name)
    }

    /// Changes the kind of the span.
    pub fn set_kind(&self, kind: SpanType) -> &Self {
        self.set_attribute("type", kind.as_str())
    }

    /// Sets an entry of the span's `span_attributes`.
    pub fn set_attribute(&self, key: &str, value: impl Serialize) -> &Self {
        if !self.is_noop() {
            let mut fields = Fields::new();
            fields.put(Field::Attributes, |out| event::write_entry(key, &value, out));
            log(&self.context, fields);
        }
        self
    }

    /// Makes the span current on this thread until the guard is dropped. For synchronous code.
    pub fn enter(&self) -> Entered {
        self.context.enter()
    }

    /// Runs `work` with the span current.
    ///
    /// ```
    /// # let (pages, read) = ([1, 2, 3], |page: &u32| page * 2);
    /// let span = braintrust::current_span();
    /// let read: Vec<u32> = pages.iter().map(|page| span.in_scope(|| read(page))).collect(); // or rayon's `par_iter`
    /// ```
    pub fn in_scope<R>(&self, work: impl FnOnce() -> R) -> R {
        self.context.scope(work)
    }

    /// Wraps `future` so that the span is current whenever it runs.
    pub fn run<F: Future>(&self, future: F) -> InSpan<F> {
        InSpan::new(future, self.clone())
    }

    /// The id of the span's row, by which Braintrust's API names it.
    ///
    /// Empty for a no-op, which is also what a span is that found no room in memory
    /// ([`WhenFull`](crate::WhenFull)): a row with that id cannot be updated or commented on, and trying does nothing.
    #[must_use]
    pub fn id(&self) -> String {
        self.written(|span, out| ids::write_row_id(span.trace, span.span, out))
    }

    /// The id of the span within its trace, 16 hex digits; empty for a no-op.
    #[must_use]
    pub fn span_id(&self) -> String {
        self.written(|span, out| span.span.write(active::id_style(), out))
    }

    /// The id of the trace: 32 hex digits, or whatever a process that began it elsewhere chose; empty for a no-op.
    #[must_use]
    pub fn root_span_id(&self) -> String {
        if let Some(root) = self.context.heritage().and_then(|heritage| heritage.root_span_id.as_ref()) {
            return root.clone();
        }
        self.written(|span, out| span.trace.write(active::id_style(), out))
    }

    /// The ids of the span's parents, several in a graph, none for a root or a no-op.
    ///
    /// `None` if this handle does not know: only handles that started their span do, and clones of those, not what
    /// [`current_span`] returns.
    #[must_use]
    pub fn parents(&self) -> Option<Vec<String>> {
        if self.is_noop() {
            return Some(Vec::new());
        }
        let Parents { first, more, foreign } = &self.owner.as_ref()?.parents;
        let numbered = Some(first).filter(|first| !first.is_none()).into_iter().chain(more);
        let written = numbered.map(|id| text(|out| id.write(active::id_style(), out)));
        Some(foreign.iter().cloned().chain(written).collect())
    }

    /// The span as a slug: a string that any process, in any of Braintrust's languages, can take as a parent
    /// ([`Parent::from_slug`]) or update ([`update_span`](crate::update_span)). Empty for a no-op.
    ///
    /// A slug is base64 with `+`, `/` and `=`: in JSON, headers and databases it goes as it is, in a URL it must be
    /// percent-encoded. It is no secret, and no proof of anything.
    #[must_use]
    pub fn export(&self) -> String {
        self.components().map_or_else(String::new, |components| components.to_slug(slug_version()))
    }

    fn components(&self) -> Option<SpanComponents> {
        let span = self.reference()?;
        let heritage = self.context.heritage();
        let (object_type, object) = remote::object_of(span.logger, heritage)?;
        let row = RowIds { row_id: self.id(), span_id: self.span_id(), root_span_id: self.root_span_id() };
        let components = SpanComponents::new(object_type, object).and_then(|slug| slug.with_row(row)).ok()?;
        Some(match heritage.and_then(|heritage| heritage.propagated_event.clone()) {
            Some(event) => components.with_propagated_event(event.into()),
            None => components,
        })
    }

    /// Writes the span to the headers of an outgoing request, a message or a stored job: `traceparent`, the
    /// `tracestate` that came with the trace, and in `baggage` where the trace is kept.
    ///
    /// Nothing is written for a no-op, nor for a trace whose id is not 32 hex digits.
    pub fn inject(&self, headers: &mut (impl Injector + ?Sized)) {
        let Some(span) = self.reference() else { return };
        let heritage = self.context.heritage();
        let foreign = heritage.is_some_and(|heritage| heritage.root_span_id.is_some());
        if foreign || active::id_style() == IdStyle::Uuid {
            return;
        }
        let object = remote::object_of(span.logger, heritage);
        let parent = object.and_then(|(kind, object)| ParentObject::of_object(kind, &object));
        let mut context = TraceContext::new(span.trace, span.span, parent);
        if let Some(heritage) = heritage {
            context.tracestate.clone_from(&heritage.trace_state);
            context.flags = heritage.trace_flags.unwrap_or(context.flags);
        }
        propagation::inject(&context, headers);
    }

    /// The address of the span in Braintrust's application, from what is known without asking.
    ///
    /// Where something is missing (the organisation before the first delivery, unless `BRAINTRUST_ORG_NAME` names it)
    /// the address is of a page that says what, by a `msg`. So it is where rows go to a local folder, which has no page:
    /// `rows-are-kept-locally`; [`local::read`](crate::local::read) shows them.
    #[must_use]
    pub fn link(&self) -> String {
        link::link(self)
    }

    fn written(&self, write: impl FnOnce(SpanRef, &mut Vec<u8>)) -> String {
        self.reference().map_or_else(String::new, |span| text(|out| write(span, out)))
    }
}

/// What `write` writes, which is ASCII.
fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// How slugs are written in this process: in the older form with legacy ids, for readers that know no other.
fn slug_version() -> SlugVersion {
    match active::id_style() {
        IdStyle::Hex => SlugVersion::V4,
        IdStyle::Uuid => SlugVersion::V3,
    }
}

/// A no-op.
impl Default for Span {
    fn default() -> Self {
        Self::noop()
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_noop() {
            return f.write_str("Span(noop)");
        }
        f.debug_struct("Span").field("span_id", &self.span_id()).field("root_span_id", &self.root_span_id()).finish()
    }
}

/// A future or stream with a span of its own: current whenever it runs, and kept open as long as it lives.
#[pin_project::pin_project]
#[derive(Debug)]
#[must_use = "futures and streams do nothing unless polled"]
pub struct InSpan<T> {
    #[pin]
    inner: InContext<T>,
    /// Dropped after `inner`, whose destructors may still log to it.
    span: Span,
}

impl<T> InSpan<T> {
    pub(crate) fn new(inner: T, span: Span) -> Self {
        Self { inner: InContext::new(inner, span.context.clone()), span }
    }

    /// `inner` is the call of a model that `span` is about, so that whoever watches it below need not make another span.
    pub(crate) fn during_model_call(inner: T, span: Span) -> Self {
        Self { inner: InContext::new(inner, span.context.during_model_call()), span }
    }
}

impl<F: Future> Future for InSpan<F> {
    type Output = F::Output;

    fn poll(self: std::pin::Pin<&mut Self>, task: &mut std::task::Context<'_>) -> std::task::Poll<F::Output> {
        self.project().inner.poll(task)
    }
}

impl<S: futures::Stream> futures::Stream for InSpan<S> {
    type Item = S::Item;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        task: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<S::Item>> {
        self.project().inner.poll_next(task)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}
