//! Where a new span goes.

use super::Span;
use crate::context::{self, Context, SpanRef};
use crate::active::LoggerId;
use crate::ids::SpanId;

/// Where a new span goes in the tree.
///
/// ```
/// use braintrust_core::{Parent, start_span};
///
/// let (left, right) = (start_span("left").start(), start_span("right").start());
/// start_span("merge").parent(Parent::spans([&left, &right])).start(); // a trace is a graph, not only a tree
/// start_span("fresh").parent(Parent::root()).start();
/// ```
#[derive(Clone, Debug, Default)]
pub struct Parent(Choice);

#[derive(Clone, Debug, Default)]
enum Choice {
    #[default]
    Current,
    Root,
    Spans(Vec<Context>),
}

/// A place that has been found: the logger and trace of the new span, and its parents.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) logger: LoggerId,
    /// The span that decides the trace; none for a root.
    pub(super) first: Option<SpanRef>,
    pub(super) more: Vec<SpanId>,
}

impl Parent {
    /// The span that is current where the new one starts; a root if there is none. This is the default.
    #[must_use]
    pub fn current() -> Self {
        Self(Choice::Current)
    }

    /// No parent: the span begins a trace of its own.
    #[must_use]
    pub fn root() -> Self {
        Self(Choice::Root)
    }

    /// Several parents. The first decides the trace; no-op spans among them are passed over.
    #[must_use]
    pub fn spans<'a>(spans: impl IntoIterator<Item = &'a Span>) -> Self {
        let contexts: Vec<_> =
            spans.into_iter().filter(|span| !span.is_noop()).map(|span| span.context().clone()).collect();
        if contexts.is_empty() { Self::current() } else { Self(Choice::Spans(contexts)) }
    }

    /// Finds the place for a span of `logger` (of any, if it is none). `None` if nothing listens.
    pub(super) fn place(&self, logger: LoggerId) -> Option<Place> {
        match &self.0 {
            Choice::Current => context::place(logger).map(Place::under),
            Choice::Root => context::place(logger).map(|at| Place { logger: at.logger, first: None, more: Vec::new() }),
            Choice::Spans(spans) => {
                let mut spans = spans.iter().filter_map(Context::innermost);
                let first = spans.next()?;
                Some(Place { more: spans.map(|span| span.span).collect(), ..Place::under(first) })
            }
        }
    }
}

impl Place {
    fn under(at: SpanRef) -> Self {
        Self { logger: at.logger, first: Some(at).filter(|at| !at.span.is_none()), more: Vec::new() }
    }
}

impl From<&Span> for Parent {
    fn from(span: &Span) -> Self {
        Self::spans([span])
    }
}

impl From<Span> for Parent {
    fn from(span: Span) -> Self {
        Self::from(&span)
    }
}

/// `None` means "as usual": the current span, or a root.
impl<P: Into<Parent>> From<Option<P>> for Parent {
    fn from(parent: Option<P>) -> Self {
        parent.map_or_else(Self::current, Into::into)
    }
}
