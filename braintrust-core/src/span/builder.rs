//! What a span is to be, before it starts.

use std::borrow::Cow;
use std::panic::Location;
use std::time::SystemTime;

use serde::Serialize;

use super::{Opening, Parent, Span};
use crate::SpanType;
use crate::active::LoggerId;
use crate::event::Event;

/// A span that has not started yet; [`start`](Self::start) begins it.
///
/// Made by [`start_span`](crate::start_span), [`Span::start_span`] and [`Logger::start_span`](crate::Logger::start_span).
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use braintrust::{Event, Parent, SpanType, start_span};
///
/// let span = start_span("nightly index")
///     .kind(SpanType::Task)
///     .parent(Parent::root()) // whatever is current
///     .start_time(SystemTime::now() - Duration::from_secs(2))
///     .event(Event::new().input(["a.md", "b.md"]).metadata("index", "docs"))
///     .start();
/// ```
#[derive(Clone, Debug)]
#[must_use = "a span begins with `.start()`"]
pub struct SpanBuilder {
    /// `None`: nothing may come of this builder, because its parent is a no-op.
    name: Option<Cow<'static, str>>,
    kind: Option<SpanType>,
    parent: Parent,
    logger: LoggerId,
    started: Option<SystemTime>,
    instrumentation: Option<Cow<'static, str>>,
    event: Event,
}

impl SpanBuilder {
    pub(crate) fn new(name: Cow<'static, str>) -> Self {
        Self { name: Some(name), ..Self::silent() }
    }

    /// A builder of which a no-op comes.
    pub(crate) fn silent() -> Self {
        Self {
            name: None,
            kind: None,
            parent: Parent::current(),
            logger: LoggerId::NONE,
            started: None,
            instrumentation: None,
            event: Event::new(),
        }
    }

    pub(crate) fn of_logger(mut self, logger: LoggerId) -> Self {
        self.logger = logger;
        self
    }

    /// The kind of the span. Without one, a root is a [`Task`](SpanType::Task) and a child has none.
    pub fn kind(mut self, kind: SpanType) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Where the span goes; under the current span by default.
    pub fn parent(mut self, parent: impl Into<Parent>) -> Self {
        self.parent = parent.into();
        self
    }

    /// What the span starts with: short for an [`event`](Self::event) with an input.
    pub fn input(mut self, input: impl Serialize) -> Self {
        self.event = self.event.input(input);
        self
    }

    /// An entry of the metadata that the span starts with: short for an [`event`](Self::event) with one.
    pub fn metadata(mut self, key: &str, value: impl Serialize) -> Self {
        self.event = self.event.metadata(key, value);
        self
    }

    /// Fields that the span starts with, merged over those given before.
    pub fn event(mut self, event: Event) -> Self {
        self.event = self.event.and(event);
        self
    }

    /// When the work began, if not now.
    pub fn start_time(mut self, time: SystemTime) -> Self {
        self.started = Some(time);
        self
    }

    /// Begins the span. Keep the handle: the span ends when the last clone of it is dropped, at the latest.
    #[track_caller]
    #[must_use = "the span ends when its last handle is dropped, so dropping this one ends it at once"]
    pub fn start(self) -> Span {
        self.start_from(Some(Location::caller()))
    }

    /// Says what makes the span, where it is neither the macro nor a hand.
    pub(crate) fn instrumentation(mut self, name: Cow<'static, str>) -> Self {
        self.instrumentation = Some(name);
        self
    }

    /// Begins the span, for code at `location` if that is known.
    pub(crate) fn start_from(self, location: Option<&Location<'_>>) -> Span {
        let Some(name) = self.name else { return Span::noop() };
        let Some(mut opening) = Opening::by_hand(&self.parent, self.logger) else {
            return Span::noop();
        };
        let parents = opening.parents();
        if let Some(location) = location {
            opening.set_location(location);
        }
        if let Some(instrumentation) = self.instrumentation {
            opening.set_instrumentation(&instrumentation);
        }
        opening.set_name(&name);
        if let Some(kind) = self.kind {
            opening.set_kind(kind);
        }
        if let Some(started) = self.started {
            opening.set_started(started);
        }
        opening.set_fields(self.event.into_fields());
        Span::owning(opening.start(), parents)
    }
}
