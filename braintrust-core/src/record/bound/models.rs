//! The bound under a model checker: nobody waits for ever, and the flag is never left behind the books.

use std::sync::Arc;
use std::time::Duration;

use loom::thread;

use super::*;

const LOGGER: LoggerId = LoggerId(1);
const ONE: Amount = Amount { bytes: 1, spans: 1 };
const NONE: Amount = Amount { bytes: 0, spans: 0 };

/// A bound of one span, which waits.
fn full(when_full: WhenFull) -> Arc<Bound> {
    let bound = Bound::new();
    bound.set_limits(Limits { most: Amount { bytes: usize::MAX, spans: 1 }, when_full });
    bound.exchange(NONE, ONE);
    Arc::new(bound)
}

#[test]
fn who_waits_for_room_is_woken() {
    loom::model(|| {
        let bound = full(WhenFull::Block(Duration::MAX));
        let waiting: Vec<_> = (0..2)
            .map(|_| {
                let bound = Arc::clone(&bound);
                thread::spawn(move || assert!(bound.admit(LOGGER)))
            })
            .collect();
        bound.exchange(ONE, NONE);
        waiting.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(bound.books().refused.is_empty());
    });
}

#[test]
fn who_waits_is_woken_though_others_fill_the_room_again() {
    loom::model(|| {
        let bound = full(WhenFull::Block(Duration::MAX));
        let waits = Arc::clone(&bound);
        let waiting = thread::spawn(move || assert!(waits.admit(LOGGER)));
        let fills = Arc::clone(&bound);
        let filling = thread::spawn(move || {
            fills.exchange(NONE, ONE);
            fills.exchange(ONE, NONE);
        });
        bound.exchange(ONE, NONE);
        waiting.join().unwrap();
        filling.join().unwrap();
    });
}

#[test]
fn each_span_is_taken_or_counted() {
    loom::model(|| {
        let bound = full(WhenFull::DropNewest);
        let starting: Vec<_> = (0..2)
            .map(|_| {
                let bound = Arc::clone(&bound);
                thread::spawn(move || u64::from(bound.admit(LOGGER)))
            })
            .collect();
        bound.exchange(ONE, NONE);
        let taken: u64 = starting.into_iter().map(|thread| thread.join().unwrap()).sum();
        let refused: u64 = bound.books().refused.values().sum();
        assert_eq!(taken + refused, 2);
        assert!(bound.admit(LOGGER), "the flag is left behind");
    });
}
