//! What is current on this thread: a stack of spans, of which the top is the innermost.
//!
//! The stack belongs to whatever frame or future runs; a future carries its own [`Context`] and puts it on the stack of
//! whichever thread polls it, for as long as the poll lasts.

mod current;
mod enter;
mod lineage;
mod list;
mod spot;

pub use enter::{Entered, InContext};
pub(crate) use lineage::{Heritage, Lineage, LineageNumber};
pub(crate) use spot::{SpanRef, Spot};

use std::sync::Arc;

use crate::active::{self, LoggerId};

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
    /// A span among spans of its own logger, of a trace that began here or whose lineage goes by its number.
    Plain(SpanRef),
    Rich(Arc<Rich>),
}

#[derive(Debug)]
struct Rich {
    innermost: Spot,
    /// The nearest span of each other logger, innermost first.
    others: Box<[Spot]>,
    /// Whether this is where the one call of a model is made that the innermost span is about.
    is_model_call: bool,
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
        let Some((spot, is_alone)) = current::top() else { return Self::none() };
        let here = if is_alone { Self::alone(spot) } else { Self::around(spot) };
        if current::is_model_call() { here.during_model_call() } else { here }
    }

    /// No span, but a logger: the next span is a root of that logger.
    pub(crate) fn of_logger(logger: LoggerId) -> Self {
        Self::around(Spot::logger_only(logger))
    }

    /// `innermost` as it is when entered from here: with the nearest span of every other logger kept in reach.
    pub(crate) fn around(innermost: Spot) -> Self {
        let others = current::nearest_of_others(innermost.span.logger);
        if others.is_empty() {
            return Self::alone(innermost);
        }
        Self(Repr::Rich(Arc::new(Rich { innermost, others: others.into(), is_model_call: false })))
    }

    /// `innermost` where no span of another logger is around.
    pub(crate) fn alone(innermost: Spot) -> Self {
        match innermost.lineage {
            None => Self(Repr::Plain(innermost.span)),
            Some(_) => Self(Repr::Rich(Arc::new(Rich { innermost, others: Box::default(), is_model_call: false }))),
        }
    }

    /// This context where the one call of a model is made that its innermost span is about.
    pub(crate) fn during_model_call(&self) -> Self {
        let Some(innermost) = self.spot() else { return Self::none() };
        Self(Repr::Rich(Arc::new(Rich { innermost, others: self.others().into(), is_model_call: true })))
    }

    fn is_model_call(&self) -> bool {
        matches!(&self.0, Repr::Rich(rich) if rich.is_model_call)
    }

    /// A span among spans of its own logger, whose trace hands down nothing but by number.
    #[inline]
    pub(crate) const fn of_plain(span: SpanRef) -> Self {
        Self(Repr::Plain(span))
    }

    /// The innermost span, or the logger where there is no span yet, if there is nothing else to this context.
    #[inline]
    pub(crate) fn plain(&self) -> Option<&SpanRef> {
        match &self.0 {
            Repr::Plain(span) => Some(span),
            Repr::None | Repr::Rich(_) => None,
        }
    }

    /// Whether there is neither a span nor a logger in this context.
    #[must_use]
    #[inline]
    pub fn is_none(&self) -> bool {
        matches!(self.0, Repr::None)
    }

    /// The innermost span, or the logger where there is no span yet.
    #[inline]
    pub(crate) fn innermost(&self) -> Option<SpanRef> {
        match &self.0 {
            Repr::None => None,
            Repr::Plain(span) => Some(*span),
            Repr::Rich(rich) => Some(rich.innermost.span),
        }
    }

    /// What the innermost span's trace hands down, where it does not go by its number.
    pub(crate) fn lineage(&self) -> Option<&Arc<Lineage>> {
        match &self.0 {
            Repr::None | Repr::Plain(_) => None,
            Repr::Rich(rich) => rich.innermost.lineage.as_ref(),
        }
    }

    /// What the innermost span has inherited.
    pub(crate) fn heritage(&self) -> Option<&Heritage> {
        let numbered = || self.innermost()?.lineage().known();
        self.lineage().map(|lineage| &**lineage).or_else(numbered).map(|lineage| &lineage.heritage)
    }

    /// The innermost span with what its trace hands down.
    pub(crate) fn spot(&self) -> Option<Spot> {
        self.innermost().map(|span| Spot { span, lineage: self.lineage().cloned() })
    }

    #[inline]
    fn others(&self) -> &[Spot] {
        match &self.0 {
            Repr::None | Repr::Plain(_) => &[],
            Repr::Rich(rich) => &rich.others,
        }
    }
}

/// Keeps other threads from changing what all threads have in common until it is dropped, for a fork.
#[cfg(all(unix, not(braintrust_loom)))]
pub(crate) fn hold() -> Box<dyn std::any::Any> {
    lineage::hold()
}

/// Where a new span goes that names neither parent nor logger, in the plain case: in a trace that began here, if in any,
/// and with no span of another logger around. `None` if there is more to it, or if nothing listens.
#[inline]
pub(crate) fn plain_place() -> Option<SpanRef> {
    match current::plain_top() {
        Ok(Some(top)) => Some(top),
        Ok(None) => {
            let default = active::default_logger();
            (!default.is_none()).then(|| SpanRef::of_logger(default))
        }
        Err(()) => None,
    }
}

/// Where a new span goes that names no logger, and whether no span of another logger is around. `None` if nothing
/// listens.
#[inline]
pub(crate) fn here() -> Option<(Spot, bool)> {
    current::top().or_else(|| {
        let default = active::default_logger();
        (!default.is_none()).then(|| (Spot::logger_only(default), true))
    })
}

/// Whether a call of a model that is made here is the one that the innermost span is about; for spans of `logger`, if one
/// is named.
pub(crate) fn is_during_model_call(logger: Option<LoggerId>) -> bool {
    let is_of = |logger| current::top().is_some_and(|(spot, _)| spot.span.logger == logger);
    current::is_model_call() && logger.is_none_or(is_of)
}

/// Where a new span of `logger` goes (of whichever logger is current, or else the process's default, if `logger` is
/// none): its logger, and its parent if it has one. `None` if nothing listens.
pub(crate) fn place(logger: LoggerId) -> Option<Spot> {
    if logger.is_none() {
        return here().map(|(spot, _)| spot);
    }
    Some(current::nearest_of(logger).unwrap_or_else(|| Spot::logger_only(logger)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{SpanId, TraceId};

    fn span(logger: u32, span: u64) -> Context {
        Context::around(Spot::new(SpanRef::new(LoggerId(logger), TraceId([1, 1]), SpanId(span))))
    }

    fn innermost() -> Option<u64> {
        current::top().map(|(at, _)| at.span.span.0)
    }

    fn nearest(logger: u32) -> Option<u64> {
        current::nearest_of(LoggerId(logger)).map(|at| at.span.span.0)
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
    fn the_call_that_a_span_is_about_is_known_wherever_it_is_carried_and_no_further_down() {
        let is_during = |logger| is_during_model_call(Some(LoggerId(logger)));
        assert!(!is_during_model_call(None));
        span(1, 1).scope(|| {
            assert!(!is_during_model_call(None));
            span(2, 2).during_model_call().scope(|| {
                let carried = Context::current();
                std::thread::scope(|threads| {
                    threads.spawn(|| {
                        carried.scope(|| {
                            assert!(is_during_model_call(None) && is_during(2) && !is_during(1));
                            assert_eq!(nearest(1), Some(1), "who is around is still known");
                        });
                    });
                });
                span(2, 3).scope(|| assert!(!is_during_model_call(None)));
                assert!(is_during(2));
            });
            assert!(!is_during_model_call(None));
        });
    }

    #[test]
    fn an_empty_context_hides_nothing_of_what_is_around_it() {
        span(1, 1).scope(|| Context::none().scope(|| assert_eq!(innermost(), Some(1))));
    }

    /// What the stack should be: of each entry its name and its spots, as logger and span, the innermost first.
    #[derive(Default)]
    struct Model {
        entries: Vec<(usize, Vec<(u32, u64)>)>,
        guards: Vec<(usize, Entered)>,
        made: usize,
    }

    impl Model {
        fn nearest(&self, logger: u32) -> Option<u64> {
            let mut spots = self.entries.iter().rev().flat_map(|(_, spots)| spots);
            spots.find(|spot| spot.0 == logger).map(|spot| spot.1)
        }

        fn check(&self) {
            assert_eq!(innermost(), self.entries.last().map(|(_, spots)| spots[0].1));
            if let Ok(plain) = current::plain_top() {
                assert_eq!(plain.map(|at| at.span.0), innermost());
            }
            for logger in 1..=LOGGERS {
                assert_eq!(nearest(logger), self.nearest(logger), "of logger {logger}");
            }
        }

        /// A new span, noted as current.
        fn push(&mut self, random: &mut fastrand::Rng) -> (usize, Context) {
            self.made += 1;
            // Mostly of one logger, as in most programs.
            let logger = if random.u8(..8) == 0 { random.u32(1..=LOGGERS) } else { 1 };
            let own = (logger, self.made as u64);
            let others = (1..=LOGGERS).filter(|other| *other != logger);
            let others = others.filter_map(|other| Some((other, self.nearest(other)?)));
            self.entries.push((self.made, [own].into_iter().chain(others).collect()));
            (self.made, span(own.0, own.1))
        }

        fn place(&self, name: usize) -> Option<usize> {
            self.entries.iter().position(|entry| entry.0 == name)
        }

        fn run(&mut self, random: &mut fastrand::Rng, levels: u32) {
            for _ in 0..random.u32(..6) {
                match random.u8(..4) {
                    0 | 1 if levels > 0 => {
                        let (name, context) = self.push(random);
                        let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                            context.scope(|| {
                                self.check();
                                self.run(random, levels - 1);
                                if random.u8(..8) == 0 {
                                    std::panic::resume_unwind(Box::new(Expected));
                                }
                            });
                        }));
                        if let Err(payload) = unwound
                            && !payload.is::<Expected>()
                        {
                            std::panic::resume_unwind(payload);
                        }
                        let place = self.place(name).expect("nothing but its end takes a scope's entry");
                        self.entries.truncate(place);
                    }
                    2 => {
                        let (name, context) = self.push(random);
                        self.guards.push((name, context.enter()));
                    }
                    _ if !self.guards.is_empty() => {
                        let (name, guard) = self.guards.swap_remove(random.usize(..self.guards.len()));
                        drop(guard);
                        if let Some(place) = self.place(name) {
                            self.entries.remove(place);
                        }
                    }
                    _ => {}
                }
                self.check();
            }
        }
    }

    const LOGGERS: u32 = 3;
    struct Expected;

    #[test]
    fn no_order_of_scopes_and_guards_leaves_a_wrong_span_current() {
        for seed in 0..if cfg!(miri) { 20 } else { 2_000 } {
            let mut model = Model::default();
            let finished = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                model.run(&mut fastrand::Rng::with_seed(seed), 6);
            }));
            assert!(finished.is_ok(), "with seed {seed}: see above");
            model.guards.clear();
            assert_eq!(innermost(), None, "with seed {seed}");
        }
    }
}
