//! One place in a context: a span, or a logger that has no span yet.

use std::sync::Arc;

use super::lineage::{Descent, LineageNumber};
use super::{Heritage, Lineage};
use crate::active::{self, LoggerId};
use crate::ids::{SpanId, TraceId};

/// Which span is meant: all that a record needs to say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpanRef {
    pub(crate) span: SpanId,
    pub(crate) trace: TraceId,
    pub(crate) logger: LoggerId,
    /// What the trace hands down, if that goes by number.
    lineage: LineageNumber,
}

impl SpanRef {
    #[inline]
    pub(crate) const fn new(logger: LoggerId, trace: TraceId, span: SpanId) -> Self {
        Self { span, trace, logger, lineage: LineageNumber::NONE }
    }

    /// The same span where its trace hands down what is known by `number`.
    pub(crate) const fn with_lineage(self, number: LineageNumber) -> Self {
        Self { lineage: number, ..self }
    }

    /// What the trace hands down, by number.
    #[inline]
    pub(crate) fn lineage(&self) -> LineageNumber {
        self.lineage
    }

    /// No span yet, but the logger that takes the next root.
    pub(crate) const fn of_logger(logger: LoggerId) -> Self {
        Self::new(logger, NO_TRACE, SpanId::NONE)
    }

    /// Whether a new span here belongs to a trace that has begun. The parent's own id may be unknown.
    #[inline]
    pub(crate) fn has_trace(&self) -> bool {
        self.trace != NO_TRACE
    }

    /// A new span here: of this one's trace, or else of a trace that it begins.
    #[inline]
    pub(crate) fn child(&self) -> Self {
        let span = SpanId::random();
        let trace = if self.has_trace() { self.trace } else { TraceId::of_root(span, active::id_style()) };
        Self { span, trace, ..*self }
    }
}

/// The trace of a place without a span.
const NO_TRACE: TraceId = TraceId([0, 0]);

/// A span with its lineage.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    pub(crate) span: SpanRef,
    /// Where it does not go by its number.
    pub(crate) lineage: Option<Arc<Lineage>>,
}

impl Spot {
    pub(crate) const fn new(span: SpanRef) -> Self {
        Self { span, lineage: None }
    }

    /// Where a trace that began elsewhere goes on.
    pub(crate) fn with_heritage(span: SpanRef, heritage: Heritage) -> Self {
        match heritage.begin() {
            Descent::None => Self::new(span),
            Descent::Numbered(number) => Self::new(span.with_lineage(number)),
            Descent::Whole(lineage) => Self { span, lineage: Some(lineage) },
        }
    }

    /// No span yet, but the logger that takes the next root.
    pub(crate) const fn logger_only(logger: LoggerId) -> Self {
        Self::new(SpanRef::of_logger(logger))
    }
}
