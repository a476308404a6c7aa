//! The record log: blocks of memory for each thread, which the exporter takes away.
//!
//! A thread appends to its own block, under a lock that no other thread wants but the exporter, and that one only to
//! swap the block for an empty one. So threads never meet, and a drain misses nothing that was appended before it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::active::LoggerId;

/// A buffer is handed over once it has reached this size.
const BLOCK_BYTES: usize = 64 * 1024;
/// A buffer that a huge value has grown beyond this is freed, not reused.
const REUSED_BYTES: usize = 4 * BLOCK_BYTES;
/// How many empty buffers are kept for reuse: enough for a burst between two drains, 4 MiB in all.
const SPARE_BLOCKS: usize = 64;
/// New spans are refused while this much waits to be delivered.
const BOUND: usize = 256 * 1024 * 1024;

/// What one thread has recorded and no drain has taken.
#[derive(Debug, Default)]
struct ThreadLog(Mutex<Blocks>);

#[derive(Debug, Default)]
struct Blocks {
    /// In the order in which they were filled.
    full: Vec<Vec<u8>>,
    current: Vec<u8>,
}

/// All threads' logs, and what they have in common.
struct Shared {
    threads: Mutex<Vec<Arc<ThreadLog>>>,
    /// Takes the last records of threads that are being torn down and have lost their own log.
    departing: ThreadLog,
    spare: Mutex<Vec<Vec<u8>>>,
    /// Bytes in full blocks, and on their way to a destination.
    waiting: AtomicUsize,
    refused: Mutex<BTreeMap<LoggerId, u64>>,
    filled: Notify,
}

static SHARED: Shared = Shared {
    threads: Mutex::new(Vec::new()),
    departing: ThreadLog(Mutex::new(Blocks { full: Vec::new(), current: Vec::new() })),
    spare: Mutex::new(Vec::new()),
    waiting: AtomicUsize::new(0),
    refused: Mutex::new(BTreeMap::new()),
    filled: Notify::const_new(),
};

thread_local! {
    static LOG: Arc<ThreadLog> = ThreadLog::register();
}

impl ThreadLog {
    fn register() -> Arc<Self> {
        let log = Arc::new(Self::default());
        lock(&SHARED.threads).push(Arc::clone(&log));
        log
    }

    fn append(&self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut blocks = lock(&self.0);
        write(&mut blocks.current);
        if blocks.current.len() >= BLOCK_BYTES {
            blocks.close_current();
        }
    }

    /// Moves everything into `into`.
    fn take(&self, into: &mut Vec<Vec<u8>>) {
        let mut blocks = lock(&self.0);
        into.append(&mut blocks.full);
        // An idle thread gives its memory back; a busy one gets an empty buffer of full size.
        let replacement = if blocks.current.is_empty() { Vec::new() } else { spare_block() };
        let current = std::mem::replace(&mut blocks.current, replacement);
        if !current.is_empty() {
            add_waiting(current.len());
            into.push(current);
        }
    }
}

impl Blocks {
    #[cold]
    fn close_current(&mut self) {
        add_waiting(self.current.len());
        self.full.push(std::mem::replace(&mut self.current, spare_block()));
        SHARED.filled.notify_one();
    }
}

/// Appends records to this thread's log. `write` must not run anyone else's code.
pub(crate) fn append(write: impl FnOnce(&mut Vec<u8>)) {
    let mut write = Some(write);
    let appended = LOG.try_with(|log| write.take().map(|write| log.append(write)));
    if let (Err(_), Some(write)) = (appended, write) {
        SHARED.departing.append(write);
    }
}

/// Whether a new span may be recorded; if not, it is counted as refused.
///
/// Only new spans are refused: what belongs to a span that has begun is always taken, so that there are no halves.
#[inline]
pub(crate) fn admit(logger: LoggerId) -> bool {
    if SHARED.waiting.load(Ordering::Relaxed) < BOUND {
        return true;
    }
    refuse(logger);
    false
}

#[cold]
fn refuse(logger: LoggerId) {
    *lock(&SHARED.refused).entry(logger).or_default() += 1;
}

/// How many spans of each logger have been refused since this was last asked.
pub(crate) fn take_refused() -> BTreeMap<LoggerId, u64> {
    std::mem::take(&mut *lock(&SHARED.refused))
}

/// Counts `taken` bytes in place of `released` ones, at once: in between, spans would be refused or let in wrongly.
pub(crate) fn exchange_waiting(released: usize, taken: usize) {
    match taken.checked_sub(released) {
        Some(more) => add_waiting(more),
        None => sub_waiting(released - taken),
    }
}

/// Counts bytes that wait for delivery.
fn add_waiting(bytes: usize) {
    SHARED.waiting.fetch_add(bytes, Ordering::Relaxed);
}

/// Counts bytes that wait no more.
pub(crate) fn sub_waiting(bytes: usize) {
    SHARED.waiting.fetch_sub(bytes, Ordering::Relaxed);
}

/// Has whoever waits for [`filled`] drain soon.
pub(crate) fn hurry() {
    SHARED.filled.notify_one();
}

/// Memory outside of the log that waits to become records; it counts towards the bound until this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Held(usize);

impl Held {
    /// Counts more bytes, unless the bound is reached.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        if SHARED.waiting.load(Ordering::Relaxed) >= BOUND {
            return false;
        }
        add_waiting(bytes);
        self.0 += bytes;
        true
    }

    /// How many bytes are counted.
    pub(crate) fn bytes(&self) -> usize {
        self.0
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        sub_waiting(self.0);
    }
}

/// Resolves when a thread has handed over a full block since the last drain.
pub(crate) async fn filled() {
    SHARED.filled.notified().await;
}

/// Takes everything that has been recorded so far, as blocks of whole records; those of a thread in their order.
///
/// Whatever was appended before this call is in it, and with it all that was appended before that on any thread. What
/// is appended meanwhile may or may not be.
pub(crate) fn drain() -> Vec<Vec<u8>> {
    let mut blocks = Vec::new();
    lock(&SHARED.threads).retain(|log| {
        // Asked before the log is emptied: a thread that ends in between may have appended meanwhile.
        let thread_lives = Arc::strong_count(log) > 1;
        log.take(&mut blocks);
        thread_lives
    });
    SHARED.departing.take(&mut blocks);
    blocks
}

/// Gives a drained block back for reuse. Its bytes go on counting as waiting.
pub(crate) fn recycle(mut block: Vec<u8>) {
    if block.capacity() > REUSED_BYTES {
        return;
    }
    block.clear();
    let mut spare = lock(&SHARED.spare);
    if spare.len() < SPARE_BLOCKS {
        spare.push(block);
    }
}

fn spare_block() -> Vec<u8> {
    lock(&SHARED.spare).pop().unwrap_or_default()
}

/// Nothing that can panic runs under these locks but an allocation; what they guard stays whole all the same.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    /// The log is one for the process, so this is the only test that drains it.
    #[test]
    fn what_threads_append_is_drained_once_and_in_their_order() {
        const THREADS: u64 = 4;
        const RECORDS: u64 = 50_000;
        static RUNNING: AtomicBool = AtomicBool::new(true);
        let drainer = std::thread::spawn(|| {
            let mut seen: Vec<Vec<u64>> = vec![Vec::new(); THREADS as usize];
            loop {
                let last = !RUNNING.load(Ordering::Acquire);
                for block in drain() {
                    for record in block.chunks_exact(16) {
                        let [thread, number] =
                            [0, 8].map(|at| u64::from_le_bytes(record[at..at + 8].try_into().unwrap()));
                        seen[thread as usize].push(number);
                    }
                    recycle(block);
                }
                if last {
                    return seen;
                }
            }
        });
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                scope.spawn(move || {
                    for number in 0..RECORDS {
                        append(|out| {
                            out.extend_from_slice(&thread.to_le_bytes());
                            out.extend_from_slice(&number.to_le_bytes());
                        });
                    }
                });
            }
        });
        RUNNING.store(false, Ordering::Release);
        let seen = drainer.join().unwrap();
        for numbers in seen {
            assert!(numbers.iter().copied().eq(0..RECORDS), "{} of {RECORDS}", numbers.len());
        }
        assert!(lock(&SHARED.threads).len() <= 1, "the logs of ended threads are forgotten");
    }
}
