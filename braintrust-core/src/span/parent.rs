//! Where a new span goes.

use std::sync::Arc;

use http::HeaderMap;

use super::Span;
use super::remote::Remote;
use crate::active::LoggerId;
use crate::context::{self, Context, Spot};
use crate::diagnostics;
use crate::error::Error;
use crate::ids::SpanId;
use crate::propagation::{self, Extractor, SpanComponents};

/// Where a new span goes in the tree.
///
/// ```
/// use braintrust::{Parent, start_span};
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
    Remote(Arc<Remote>),
}

/// A place that has been found: the logger and trace of the new span, and its parents.
#[derive(Debug)]
pub(super) struct Place {
    /// The first parent, which decides the trace; only a logger for a root.
    pub(super) spot: Spot,
    pub(super) more: Vec<SpanId>,
    /// The first parent's id where it is no number.
    pub(super) foreign_parent: Option<String>,
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

    /// The span or object that a slug names; see [`Span::export`].
    ///
    /// # Errors
    ///
    /// If `slug` is not one. The text names the version that was found, and what was wrong.
    pub fn from_slug(slug: &str) -> Result<Self, Error> {
        let components = SpanComponents::parse(slug).map_err(|error| Error::slug(error.to_string()))?;
        Ok(Self(Choice::Remote(Arc::new(Remote::of_slug(&components)))))
    }

    /// The span that the headers of a request, a message or a stored job name: `traceparent`, `tracestate`, and where
    /// the trace is kept, in `baggage`.
    ///
    /// Headers that are missing or malformed mean "as usual": the current span, or a root.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use braintrust::{Parent, start_span};
    ///
    /// let headers = HashMap::from([(
    ///     "traceparent".to_owned(),
    ///     "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
    /// )]);
    /// start_span("handle").parent(Parent::from_headers(&headers)).start();
    /// ```
    #[must_use]
    pub fn from_headers(headers: &(impl Extractor + ?Sized)) -> Self {
        let context = propagation::extract(headers);
        Self(context.map_or(Choice::Current, |context| Choice::Remote(Arc::new(Remote::of_headers(&context)))))
    }

    /// Finds the place for a span of `logger` (of any, if it is none). `None` if nothing listens.
    pub(super) fn place(&self, logger: LoggerId) -> Option<Place> {
        match &self.0 {
            Choice::Current => context::place(logger).map(Place::at),
            Choice::Root => context::place(logger).map(|at| Place::at(Spot::logger_only(at.span.logger))),
            Choice::Spans(spans) => {
                let mut spans = spans.iter().filter_map(Context::spot);
                let first = spans.next()?;
                Some(Place { more: spans.map(|spot| spot.span.span).collect(), ..Place::at(first) })
            }
            Choice::Remote(remote) => remote.place(logger),
        }
    }

    /// Whether the place is where it would be without being asked for.
    pub(super) fn is_current(&self) -> bool {
        matches!(self.0, Choice::Current)
    }
}

impl Place {
    pub(super) fn at(spot: Spot) -> Self {
        Self { spot, more: Vec::new(), foreign_parent: None }
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

/// A slug. An empty one means "as usual", and so does one that cannot be read, after a warning; to be told of it, use
/// [`Parent::from_slug`].
impl From<&str> for Parent {
    fn from(slug: &str) -> Self {
        if slug.is_empty() {
            return Self::current();
        }
        Self::from_slug(slug).unwrap_or_else(|error| {
            diagnostics::warn_once("slug", || format!("a parent was left out: {error}"));
            Self::current()
        })
    }
}

impl From<&String> for Parent {
    fn from(slug: &String) -> Self {
        Self::from(slug.as_str())
    }
}

impl From<String> for Parent {
    fn from(slug: String) -> Self {
        Self::from(slug.as_str())
    }
}

/// The span that headers name, as by [`Parent::from_headers`]: of a request, or of any [`Extractor`].
impl<E: Extractor + ?Sized> From<&E> for Parent {
    fn from(headers: &E) -> Self {
        Self::from_headers(headers)
    }
}

/// The span that the headers of a request name, as by [`Parent::from_headers`].
impl From<HeaderMap> for Parent {
    fn from(headers: HeaderMap) -> Self {
        Self::from_headers(&headers)
    }
}
