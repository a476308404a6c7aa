//! The static facts of an instrumented function, registered once and then named by a number.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock};

use crate::SpanType;

/// What the macro knows of a function: made as a `static` beside it.
#[derive(Debug)]
pub struct Callsite {
    /// Place in the registry plus one; zero until the first span.
    number: AtomicU32,
    pub(crate) name: &'static str,
    pub(crate) kind: SpanType,
    pub(crate) file: &'static str,
    pub(crate) line: u32,
    pub(crate) function: &'static str,
}

static REGISTRY: RwLock<Vec<&'static Callsite>> = RwLock::new(Vec::new());

/// Keeps other threads from the registry until it is dropped, for a fork.
#[cfg(all(unix, not(braintrust_loom)))]
pub(crate) fn hold() -> Box<dyn std::any::Any> {
    Box::new(REGISTRY.write().unwrap_or_else(PoisonError::into_inner))
}

impl Callsite {
    /// Describes a function: the span's name and kind, and where the function stands.
    #[must_use]
    pub const fn new(
        name: &'static str,
        kind: SpanType,
        file: &'static str,
        line: u32,
        function: &'static str,
    ) -> Self {
        Self { number: AtomicU32::new(0), name, kind, file, line, function }
    }

    /// The number that stands for this callsite in records; never zero.
    #[inline]
    pub(crate) fn number(&'static self) -> u32 {
        // Relaxed: the registry's lock orders the entry for whoever looks the number up.
        match self.number.load(Ordering::Relaxed) {
            0 => self.register(),
            number => number,
        }
    }

    #[cold]
    fn register(&'static self) -> u32 {
        let mut registry = REGISTRY.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have been faster.
        let known = self.number.load(Ordering::Relaxed);
        if known != 0 {
            return known;
        }
        registry.push(self);
        let number = u32::try_from(registry.len()).expect("fewer than 2^32 functions");
        self.number.store(number, Ordering::Relaxed);
        number
    }

    /// The callsite that `number` stands for; `None` for zero, which stands for "not made by the macro".
    pub(crate) fn by_number(number: u32) -> Option<&'static Self> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        REGISTRY.read().unwrap_or_else(PoisonError::into_inner).get(index).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callsite_keeps_the_number_it_first_got() {
        static SITE: Callsite = Callsite::new("plan", SpanType::Task, "a.rs", 3, "a::plan");
        let numbers: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| SITE.number())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(numbers.iter().all(|number| *number == numbers[0]));
        assert_eq!(Callsite::by_number(numbers[0]).unwrap().name, "plan");
        assert!(Callsite::by_number(0).is_none());
    }
}
