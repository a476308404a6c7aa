//! How much may wait to be delivered, and what becomes of new spans when that much does.
//!
//! Only whole spans are refused: what belongs to a span that has begun is always taken, so that there are no halves.
//!
//! Where the oldest rows are to make room, new spans are admitted above the bound, and the exporter drops rows until it
//! holds again. If it cannot keep pace (or what waits cannot be dropped, because its spans are still open), new spans are
//! refused from a quarter above the bound on, so that memory is bounded all the same.

#[cfg(all(test, braintrust_loom))]
mod models;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::{AddAssign, SubAssign};
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU32, Ordering};

use super::sync::{AtomicBool, Condvar, Mutex, MutexGuard, constructor, per_thread, shared};
use crate::active::LoggerId;
use crate::config::WhenFull;

/// Something that waits: bytes, and the spans or rows that they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) bytes: usize,
    pub(crate) spans: usize,
}

impl Amount {
    /// As much of this as `part` is of `whole`.
    pub(crate) fn part(self, part: usize, whole: usize) -> Self {
        let part_of = |amount: usize| (amount as u128 * part as u128 / whole.max(1) as u128) as usize;
        Self { bytes: part_of(self.bytes), spans: part_of(self.spans) }
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.spans += other.spans;
    }
}

impl SubAssign for Amount {
    fn sub_assign(&mut self, other: Self) {
        self.bytes = self.bytes.saturating_sub(other.bytes);
        self.spans = self.spans.saturating_sub(other.spans);
    }
}

/// The bound, for the whole process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// How much may wait. What a thread has recorded since it last handed over a block is not counted yet.
    pub(crate) most: Amount,
    pub(crate) when_full: WhenFull,
}

/// The queue's books.
struct Bound {
    books: Mutex<Books>,
    /// What the books come to, written under their lock: all that a new span looks at.
    full: AtomicBool,
    relieved: Condvar,
    block_words: AtomicU32,
}

struct Books {
    limits: Limits,
    /// In blocks that were handed over, on the exporter's way, and in lanes.
    waiting: Amount,
    refused: BTreeMap<LoggerId, u64>,
}

/// How many words there are in a block of a thread that is busy: 64 KiB.
const BLOCK_WORDS: u32 = if cfg!(braintrust_loom) { 3 } else { 8 * 1024 };
/// The least that a block has.
const LEAST_BLOCK_WORDS: u32 = 64;
/// In how many blocks, at least, the bound is counted.
const BLOCKS_IN_BOUND: usize = 8;
/// What the least span takes, in words.
const SPAN_WORDS: usize = 15;

shared! {
    static BOUND: Bound = Bound::new();
}

per_thread! {
    static NEVER_WAITS: Cell<bool> = Cell::new(false);
}

impl Books {
    fn is_full(&self) -> bool {
        let Limits { most, when_full } = self.limits;
        let slack = |limit: usize| if when_full == WhenFull::DropOldest { limit / 4 } else { 0 };
        self.waiting.bytes >= most.bytes.saturating_add(slack(most.bytes))
            || self.waiting.spans >= most.spans.saturating_add(slack(most.spans))
    }
}

impl Bound {
    constructor! {
        fn new() -> Self {
            let most = Amount { bytes: 256 * 1024 * 1024, spans: usize::MAX };
            Self {
                books: Mutex::new(Books {
                    limits: Limits { most, when_full: WhenFull::DropNewest },
                    waiting: Amount { bytes: 0, spans: 0 },
                    refused: BTreeMap::new(),
                }),
                full: AtomicBool::new(false),
                relieved: Condvar::new(),
                block_words: AtomicU32::new(BLOCK_WORDS),
            }
        }
    }

    #[inline]
    fn admit(&self, logger: LoggerId) -> bool {
        !self.full.load(Ordering::Relaxed) || self.admit_when_full(logger)
    }

    #[cold]
    fn admit_when_full(&self, logger: LoggerId) -> bool {
        let mut books = self.books();
        if let WhenFull::Block(limit) = books.limits.when_full
            // What makes room must not wait for it.
            && !NEVER_WAITS.with(Cell::get)
        {
            let waited = self.relieved.wait_timeout_while(books, limit, |books| books.is_full());
            books = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if books.is_full() {
            *books.refused.entry(logger).or_default() += 1;
            return false;
        }
        true
    }

    /// Changes the books. Since the flag is written under their lock, it is never left behind them.
    fn change(&self, change: impl FnOnce(&mut Books)) {
        let mut books = self.books();
        change(&mut books);
        let full = books.is_full();
        if self.full.swap(full, Ordering::Relaxed) && !full {
            self.relieved.notify_all();
        }
    }

    fn set_limits(&self, limits: Limits) {
        let by_spans = limits.most.spans.saturating_mul(SPAN_WORDS);
        let words = by_spans.min(limits.most.bytes / size_of::<u64>()) / BLOCKS_IN_BOUND;
        let words = u32::try_from(words).unwrap_or(BLOCK_WORDS).clamp(LEAST_BLOCK_WORDS.min(BLOCK_WORDS), BLOCK_WORDS);
        self.block_words.store(words, Ordering::Relaxed);
        self.change(|books| books.limits = limits);
    }

    fn exchange(&self, released: Amount, taken: Amount) {
        self.change(|books| {
            books.waiting += taken;
            books.waiting -= released;
        });
    }

    fn excess(&self) -> Option<Amount> {
        let books = self.books();
        let mut excess = books.waiting;
        excess -= books.limits.most;
        (books.limits.when_full == WhenFull::DropOldest && excess != Amount::default()).then_some(excess)
    }

    /// Nothing that can panic runs under this lock but an allocation; what it guards stays whole all the same.
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The books, held across a fork.
#[cfg(all(unix, not(braintrust_loom)))]
pub(super) struct BooksHeld(MutexGuard<'static, Books>);

#[cfg(all(unix, not(braintrust_loom)))]
impl BooksHeld {
    pub(super) fn take() -> Self {
        Self(BOUND.books())
    }

    /// In the child: nothing waits there.
    pub(super) fn leave_to_parent(mut self) {
        self.0.waiting = Amount::default();
        self.0.refused.clear();
        BOUND.full.store(false, Ordering::Relaxed);
    }
}

/// Whether a new span may be recorded; if not, it is counted as refused.
#[inline]
pub(crate) fn admit(logger: LoggerId) -> bool {
    BOUND.admit(logger)
}

/// Keeps this thread from ever waiting for room: it is the one that makes room.
pub(crate) fn never_wait_here() {
    NEVER_WAITS.with(|never| never.set(true));
}

/// Sets the bound.
pub(crate) fn set_limits(limits: Limits) {
    BOUND.set_limits(limits);
}

/// How many words a thread records before it hands them over: less where the bound is tight, so that the exporter learns
/// in time of what there is.
pub(super) fn block_words() -> u32 {
    BOUND.block_words.load(Ordering::Relaxed)
}

/// How many spans of each logger have been refused since this was last asked.
pub(crate) fn take_refused() -> BTreeMap<LoggerId, u64> {
    std::mem::take(&mut BOUND.books().refused)
}

/// Counts what begins to wait.
pub(super) fn add(amount: Amount) {
    BOUND.exchange(Amount::default(), amount);
}

/// Counts what waits no more.
pub(crate) fn release(amount: Amount) {
    BOUND.exchange(amount, Amount::default());
}

/// Counts `taken` in place of `released`, at once: in between, spans would be refused or let in wrongly.
pub(crate) fn exchange(released: Amount, taken: Amount) {
    BOUND.exchange(released, taken);
}

/// How much may wait.
pub(crate) fn most() -> Amount {
    BOUND.books().limits.most
}

/// How much of what has waited longest is to be dropped now.
pub(crate) fn excess() -> Option<Amount> {
    BOUND.excess()
}

/// Memory outside of the log that waits to become records; it counts towards the bound until this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Held(usize);

impl Held {
    /// Counts more bytes, unless the bound is reached.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        if BOUND.full.load(Ordering::Relaxed) {
            return false;
        }
        add(Amount { bytes, spans: 0 });
        self.0 += bytes;
        true
    }

    /// Counts just so many bytes, above the bound too: for what has been let in already, and changes its size.
    pub(crate) fn set(&mut self, bytes: usize) {
        let [released, taken] = [std::mem::replace(&mut self.0, bytes), bytes].map(|bytes| Amount { bytes, spans: 0 });
        exchange(released, taken);
    }

    /// How many bytes are counted.
    pub(crate) fn bytes(&self) -> usize {
        self.0
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        release(Amount { bytes: self.0, spans: 0 });
    }
}

/// How much waits.
#[cfg(all(test, braintrust_loom))]
pub(super) fn waiting() -> Amount {
    BOUND.books().waiting
}

#[cfg(all(test, not(braintrust_loom)))]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    const LOGGER: LoggerId = LoggerId(1);
    const LONG: Duration = Duration::from_secs(60);

    fn spans(spans: usize) -> Amount {
        Amount { bytes: spans * 100, spans }
    }

    fn bound(when_full: WhenFull) -> Bound {
        let bound = Bound::new();
        bound.set_limits(Limits { most: Amount { bytes: usize::MAX, spans: 100 }, when_full });
        bound
    }

    #[test]
    fn new_spans_are_refused_and_counted_until_there_is_room() {
        let bound = bound(WhenFull::DropNewest);
        bound.exchange(Amount::default(), spans(99));
        assert!(bound.admit(LOGGER));
        bound.exchange(Amount::default(), spans(1));
        assert_eq!([(); 3].map(|()| bound.admit(LOGGER)), [false; 3]);
        assert_eq!(bound.excess(), None);
        bound.exchange(spans(1), Amount::default());
        assert!(bound.admit(LOGGER));
        assert_eq!(bound.books().refused, BTreeMap::from([(LOGGER, 3)]));
    }

    #[test]
    fn bytes_are_a_bound_of_their_own() {
        let bound = Bound::new();
        bound.set_limits(Limits { most: Amount { bytes: 1_000, spans: usize::MAX }, when_full: WhenFull::DropNewest });
        bound.exchange(Amount::default(), Amount { bytes: 1_000, spans: 1 });
        assert!(!bound.admit(LOGGER));
    }

    #[test]
    fn where_the_oldest_are_dropped_new_ones_go_on_up_to_a_ceiling() {
        let bound = bound(WhenFull::DropOldest);
        bound.exchange(Amount::default(), spans(120));
        assert!(bound.admit(LOGGER));
        assert_eq!(bound.excess().map(|excess| excess.spans), Some(20));
        bound.exchange(Amount::default(), spans(5));
        assert!(!bound.admit(LOGGER), "a quarter above the bound is the end");
    }

    #[test]
    fn a_thread_that_waits_goes_on_when_there_is_room() {
        let bound = bound(WhenFull::Block(LONG));
        bound.exchange(Amount::default(), spans(100));
        let begun = Instant::now();
        std::thread::scope(|scope| {
            let waiting: Vec<_> = (0..3).map(|_| scope.spawn(|| bound.admit(LOGGER))).collect();
            // Whether they wait already or not: they must not miss it.
            bound.exchange(spans(1), Amount::default());
            assert!(waiting.into_iter().all(|thread| thread.join().unwrap()));
        });
        assert!(begun.elapsed() < LONG);
        assert!(bound.books().refused.is_empty());
    }

    #[test]
    fn a_thread_that_has_waited_long_enough_is_refused() {
        let bound = bound(WhenFull::Block(Duration::from_millis(20)));
        bound.exchange(Amount::default(), spans(100));
        let begun = Instant::now();
        assert!(!bound.admit(LOGGER));
        assert!(begun.elapsed() >= Duration::from_millis(20));
    }

    #[test]
    fn the_thread_that_makes_room_never_waits_for_it() {
        let bound = bound(WhenFull::Block(Duration::MAX));
        bound.exchange(Amount::default(), spans(100));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                never_wait_here();
                assert!(!bound.admit(LOGGER));
            });
        });
    }

    #[test]
    fn a_tight_bound_is_counted_in_small_blocks() {
        let bound = Bound::new();
        assert_eq!(bound.block_words.load(Ordering::Relaxed), BLOCK_WORDS);
        bound.set_limits(Limits { most: spans(100), when_full: WhenFull::DropNewest });
        assert!(bound.block_words.load(Ordering::Relaxed) as usize <= 100 * SPAN_WORDS / BLOCKS_IN_BOUND);
    }
}
