//! What is current on this thread: a stack of spans, of which the top is the innermost.
//!
//! The stack belongs to whatever frame or future runs; a future carries its own [`Context`] and puts it on the stack of
//! whichever thread polls it, for as long as the poll lasts.

mod enter;
mod stack;

pub use enter::{Entered, InContext};

use std::sync::Arc;

use crate::active::{self, LoggerId};
use crate::ids::{SpanId, TraceId};

/// Which span is meant: all that a record needs to say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpanRef {
    pub(crate) span: SpanId,
    pub(crate) trace: TraceId,
    pub(crate) logger: LoggerId,
    /// Gives the compiler room for the other variants of [`Repr`], which keeps a context at 32 bytes.
    niche: Niche,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Niche {
    Occupied,
}

impl SpanRef {
    pub(crate) const fn new(logger: LoggerId, trace: TraceId, span: SpanId) -> Self {
        Self { span, trace, logger, niche: Niche::Occupied }
    }

    /// No span yet, but the logger that takes the next root.
    const fn logger_only(logger: LoggerId) -> Self {
        Self::new(logger, TraceId([0, 0]), SpanId::NONE)
    }
}

/// A span as something to be made current: 32 bytes, cheap to clone, free of allocation while one project is traced.
///
/// Beside the innermost span it knows the nearest span of every other project around it, so that each project sees
/// its own tree and no other.
#[derive(Clone, Debug, Default)]
pub struct Context(Repr);

#[derive(Clone, Debug, Default)]
enum Repr {
    #[default]
    None,
    Single(SpanRef),
    Mixed(Arc<Mixed>),
}

#[derive(Debug)]
struct Mixed {
    innermost: SpanRef,
    /// The nearest span of each other logger, innermost first.
    others: Box<[SpanRef]>,
}

impl Context {
    /// No span. Entering it changes nothing: what is current around it stays current.
    #[must_use]
    pub const fn none() -> Self {
        Self(Repr::None)
    }

    /// What is current on this thread now.
    #[must_use]
    pub fn current() -> Self {
        stack::innermost().map_or_else(Self::none, |innermost| Self::around(innermost))
    }

    /// No span, but a logger: the next span is a root of that logger.
    pub(crate) fn of_logger(logger: LoggerId) -> Self {
        Self::around(SpanRef::logger_only(logger))
    }

    /// `innermost` as it is when entered from here: with the nearest span of every other logger kept in reach.
    pub(crate) fn around(innermost: SpanRef) -> Self {
        let others = stack::nearest_of_others(innermost.logger);
        if others.is_empty() {
            return Self(Repr::Single(innermost));
        }
        Self(Repr::Mixed(Arc::new(Mixed { innermost, others: others.into() })))
    }

    /// Whether there is neither a span nor a logger in this context.
    #[must_use]
    pub fn is_none(&self) -> bool {
        matches!(self.0, Repr::None)
    }

    /// The innermost span, or the logger where there is no span yet.
    pub(crate) fn innermost(&self) -> Option<SpanRef> {
        match &self.0 {
            Repr::None => None,
            Repr::Single(span) => Some(*span),
            Repr::Mixed(mixed) => Some(mixed.innermost),
        }
    }

    fn others(&self) -> &[SpanRef] {
        match &self.0 {
            Repr::None | Repr::Single(_) => &[],
            Repr::Mixed(mixed) => &mixed.others,
        }
    }

    fn all(&self) -> impl Iterator<Item = SpanRef> + '_ {
        self.innermost().into_iter().chain(self.others().iter().copied())
    }
}

/// Where a new span of `logger` goes (of whichever logger is current, or else the process's default, if `logger` is
/// none): its logger, and its parent if it has one. `None` if nothing listens.
pub(crate) fn place(logger: LoggerId) -> Option<SpanRef> {
    if logger.is_none() {
        return stack::innermost().or_else(|| {
            let default = active::default_logger();
            (!default.is_none()).then_some(SpanRef::logger_only(default))
        });
    }
    Some(stack::nearest_of(logger).unwrap_or(SpanRef::logger_only(logger)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(logger: u32, span: u64) -> Context {
        Context::around(SpanRef::new(LoggerId(logger), TraceId([1, 1]), SpanId(span)))
    }

    fn innermost() -> Option<u64> {
        stack::innermost().map(|at| at.span.0)
    }

    fn nearest(logger: u32) -> Option<u64> {
        stack::nearest_of(LoggerId(logger)).map(|at| at.span.0)
    }

    #[test]
    fn a_context_is_small_and_goes_anywhere() {
        fn assert_free<T: Send + Sync + Unpin + 'static>() {}
        assert_free::<Context>();
        assert!(size_of::<Context>() <= 32, "{}", size_of::<Context>());
        assert!(size_of::<Option<Context>>() <= 32);
    }

    #[test]
    fn scopes_nest_and_end_on_every_way_out() {
        span(1, 10).scope(|| {
            let unwound = std::panic::catch_unwind(|| span(1, 11).scope(|| std::panic::panic_any(innermost())));
            assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&Some(11u64)));
            assert_eq!(innermost(), Some(10));
        });
        assert_eq!(innermost(), None);
    }

    #[test]
    fn guards_may_be_dropped_out_of_order() {
        let first = span(1, 1).enter();
        let second = span(1, 2).enter();
        drop(first);
        assert_eq!(innermost(), Some(2));
        let third = span(1, 3).enter();
        drop(second);
        assert_eq!(innermost(), Some(3));
        drop(third);
        assert_eq!(innermost(), None);
    }

    #[test]
    fn a_guard_that_outlives_its_scope_neither_leaks_nor_pops_another() {
        let mut kept = None;
        span(1, 1).scope(|| kept = Some(span(1, 2).enter()));
        assert_eq!(innermost(), None);
        span(1, 3).scope(|| {
            drop(kept.take());
            assert_eq!(innermost(), Some(3));
        });
        let outer = span(1, 4).enter();
        span(1, 5).scope(|| drop(outer));
        assert_eq!(innermost(), None);
    }

    #[test]
    fn each_logger_sees_its_own_nearest_span() {
        span(1, 10).scope(|| {
            span(2, 20).scope(|| {
                assert_eq!((innermost(), nearest(1), nearest(2), nearest(3)), (Some(20), Some(10), Some(20), None));
                let carried = span(1, 11);
                // A fresh thread has an empty stack: the carried context alone answers.
                std::thread::scope(|threads| {
                    threads.spawn(|| carried.scope(|| assert_eq!((nearest(1), nearest(2)), (Some(11), Some(20)))));
                });
            });
        });
    }

    #[test]
    fn nothing_current_hides_what_is_around_it() {
        span(1, 1).scope(|| Context::none().scope(|| assert_eq!(innermost(), Some(1))));
    }
}
