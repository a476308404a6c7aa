//! The record log under a model checker: each test runs in every order in which the threads' steps can come, and with
//! every value that the memory model lets a load see. Blocks hold a few words here, so that they fill.

use std::collections::BTreeMap;

use loom::sync::atomic::AtomicBool;
use loom::thread;

use super::*;

/// Runs a test in every order with at most this many switches away from a thread that could have gone on: more find
/// hardly anything more, and take far longer.
fn check(preemptions: usize, test: impl Fn() + Send + Sync + 'static) {
    let mut checker = loom::model::Builder::new();
    checker.preemption_bound.get_or_insert(preemptions);
    checker.check(test);
}

/// A word that says who wrote it, and as which of its words.
fn word(thread: u64, number: u64) -> u64 {
    thread << 32 | number
}

fn put(thread: u64, number: u64) {
    append_words(1, [word(thread, number)]);
}

/// A word with memory of its own.
fn put_large(thread: u64, number: u64) {
    let bytes = word(thread, number).to_le_bytes().to_vec();
    with_writer(|writer| writer.append_large(1, bytes.clone()));
}

/// What drains have taken.
#[derive(Default)]
struct Seen(BTreeMap<u64, Vec<u64>>);

impl Seen {
    fn drain(&mut self) {
        let drained = drain();
        let words: usize = drained.chunks.iter().map(|chunk| chunk.len() / WORD).sum();
        assert_eq!(drained.amount, Amount { bytes: words * WORD, spans: words }, "what is counted is what is there");
        bound::release(drained.amount);
        for chunk in drained.chunks {
            for word in chunk.as_chunks::<WORD>().0 {
                let word = u64::from_le_bytes(*word);
                self.0.entry(word >> 32).or_default().push(word & u64::from(u32::MAX));
            }
            recycle(chunk);
        }
    }

    /// Each of `threads` has written `0..words`; all of it is there, in order, and nothing waits.
    fn holds(&self, threads: u64, words: u64) {
        let all: Vec<_> = (0..words).collect();
        assert_eq!(self.0, (0..threads).map(|thread| (thread, all.clone())).collect());
        assert_eq!(bound::waiting(), Amount::default());
    }
}

/// What the end of a thread does to its log.
fn end_thread() {
    WRITER.with(|writer| drop(writer.take()));
}

#[test]
fn what_threads_append_is_drained_once_and_in_order() {
    check(2, || {
        let writers: Vec<_> =
            (0..2).map(|thread| thread::spawn(move || (0..3).for_each(|number| put(thread, number)))).collect();
        let mut seen = Seen::default();
        seen.drain();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        seen.drain();
        seen.holds(2, 3);
    });
}

#[test]
fn a_drain_holds_what_was_appended_before_it() {
    check(3, || {
        let appended = Arc::new(AtomicBool::new(false));
        let tell = Arc::clone(&appended);
        let writer = thread::spawn(move || {
            put(0, 0);
            tell.store(true, Ordering::Release);
            put(0, 1);
        });
        let mut seen = Seen::default();
        let before = appended.load(Ordering::Acquire);
        seen.drain();
        assert!(!before || !seen.0.is_empty());
        writer.join().unwrap();
        seen.drain();
        seen.holds(1, 2);
    });
}

#[test]
fn a_block_that_is_used_again_holds_what_is_new() {
    check(3, || {
        let mut seen = Seen::default();
        // Fills the small first block and a whole one, which is then there for others.
        (0..6).for_each(|number| put(0, number));
        seen.drain();
        assert_eq!(lock(&SHARED.spare_blocks).len(), 1);
        let writer = thread::spawn(|| (0..6).for_each(|number| put(1, number)));
        seen.drain();
        seen.drain();
        writer.join().unwrap();
        seen.drain();
        seen.holds(2, 6);
    });
}

#[test]
fn a_thread_that_ends_leaves_its_log_to_be_drained_and_forgotten() {
    check(3, || {
        let writers: Vec<_> = (0..2)
            .map(|thread| {
                thread::spawn(move || {
                    (0..3).for_each(|number| put(thread, number));
                    end_thread();
                })
            })
            .collect();
        let mut seen = Seen::default();
        seen.drain();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        seen.drain();
        seen.holds(2, 3);
        assert!(lock(&SHARED.threads).is_empty());
    });
}

#[test]
fn threads_without_a_log_share_one() {
    check(2, || {
        let writers: Vec<_> = (0..2)
            .map(|thread| {
                thread::spawn(move || {
                    for number in 0..3 {
                        append_departing(|writer| writer.append(1, 1, |room| room.put([word(thread, number)])));
                    }
                })
            })
            .collect();
        let mut seen = Seen::default();
        seen.drain();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        seen.drain();
        seen.holds(2, 3);
    });
}

#[test]
fn a_large_entry_keeps_its_place() {
    check(3, || {
        let writer = thread::spawn(|| {
            put(0, 0);
            put_large(0, 1);
            put(0, 2);
            put_large(0, 3);
            put(0, 4);
        });
        let mut seen = Seen::default();
        seen.drain();
        seen.drain();
        writer.join().unwrap();
        seen.drain();
        seen.holds(1, 5);
    });
}
