//! One place in a context: a span, or a logger that has no span yet.

use std::sync::Arc;

use super::Lineage;
use crate::active::{self, LoggerId};
use crate::ids::{SpanId, TraceId};

/// Which span is meant: all that a record needs to say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpanRef {
    pub(crate) span: SpanId,
    pub(crate) trace: TraceId,
    pub(crate) logger: LoggerId,
    /// Also gives the compiler room for the other variants of a context's representation, which keeps it at 32 bytes. As
    /// wide as what it is copied with: a load that is wider than the store before it has to wait.
    pub(super) role: Role,
}

/// What is done under a span, as far as anyone has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Role {
    Any,
    /// The one call of a model that the span is about.
    ModelCall,
}

impl SpanRef {
    #[inline]
    pub(crate) const fn new(logger: LoggerId, trace: TraceId, span: SpanId) -> Self {
        Self { span, trace, logger, role: Role::Any }
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
        Self::new(self.logger, trace, span)
    }
}

/// The trace of a place without a span.
const NO_TRACE: TraceId = TraceId([0, 0]);

/// A span with its lineage.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    pub(crate) span: SpanRef,
    pub(crate) lineage: Option<Arc<Lineage>>,
}

impl Spot {
    pub(crate) const fn new(span: SpanRef) -> Self {
        Self { span, lineage: None }
    }

    /// No span yet, but the logger that takes the next root.
    pub(crate) const fn logger_only(logger: LoggerId) -> Self {
        Self::new(SpanRef::of_logger(logger))
    }
}
