//! The record log: blocks of memory for each thread, which the exporter reads.
//!
//! A thread appends to its own block and takes no lock for it. What it has appended is published at once, so a drain
//! misses nothing that was appended before it. Threads never meet, but where a block is full and another is fetched.

#[cfg(all(unix, not(braintrust_loom)))]
mod fork;
#[cfg(all(test, braintrust_loom))]
mod models;

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

#[cfg(all(unix, not(braintrust_loom)))]
pub(crate) use self::fork::LogHeld;
use super::block::{Block, Extent, Room};
use super::bound::{self, Amount};
use super::chunk::Chunk;
use super::sync::{AtomicBool, Mutex, MutexGuard, per_thread, shared};
use super::wake::Wake;
use super::write::{Entry, WORD, Words as _, plain_end, plain_start};
use crate::clock::Timestamp;
use crate::context::SpanRef;
use crate::ids::SpanId;

/// The first block of a thread: many threads record little.
const FIRST_BLOCK_WORDS: u32 = if cfg!(braintrust_loom) { 2 } else { 512 };
/// Entries from this size on have memory of their own: 8 KiB.
const LARGE_WORDS: usize = 1024;
/// How many blocks are kept for reuse: enough for a burst between two drains, 2 MiB.
const SPARE_BLOCKS: usize = 32;
/// How many of the exporter's buffers are: they serve as memory for large entries too.
const SPARE_BUFFERS: usize = 64;
/// A buffer that a huge value has grown beyond this is freed, not reused.
const REUSED_BYTES: usize = 256 * 1024;

/// What one thread has recorded and no drain has taken.
#[derive(Debug, Default)]
struct ThreadLog {
    /// In the order in which they were filled; the last is the one that the thread appends to.
    blocks: Mutex<Vec<Listed>>,
    /// Whether the thread will append no more.
    ended: AtomicBool,
}

/// A block, as the exporter sees it.
#[derive(Debug)]
struct Listed {
    block: Arc<Block>,
    /// How much of it has been drained.
    taken: Extent,
    large: Vec<Large>,
}

/// An entry with memory of its own.
#[derive(Debug)]
struct Large {
    /// Which words of the block come before it.
    after: u32,
    starts: u32,
    bytes: Vec<u8>,
}

/// A thread's hold on its log.
struct Writer {
    log: Arc<ThreadLog>,
    block: Arc<Block>,
    written: Extent,
    /// How many words of the block may be written before the next is fetched.
    usable: u32,
}

/// All threads' logs, and what they have in common.
struct Shared {
    threads: Mutex<Vec<Arc<ThreadLog>>>,
    /// Takes the last records of threads that are being torn down and have lost their own log.
    departing: Mutex<Option<Writer>>,
    spare_blocks: Mutex<Vec<Block>>,
    spare_buffers: Mutex<Vec<Vec<u8>>>,
    filled: Wake,
}

shared! {
    static SHARED: Shared = Shared {
        threads: Mutex::new(Vec::new()),
        departing: Mutex::new(None),
        spare_blocks: Mutex::new(Vec::new()),
        spare_buffers: Mutex::new(Vec::new()),
        filled: Wake::new(),
    };
}

per_thread! {
    static WRITER: RefCell<Option<Writer>> = RefCell::new(None);
}

impl Writer {
    #[cold]
    fn register() -> Self {
        let block = Arc::new(Block::new(FIRST_BLOCK_WORDS.min(bound::block_words())));
        let log = Arc::new(ThreadLog::default());
        lock(&log.blocks).push(Listed::new(&block));
        lock(&SHARED.threads).push(Arc::clone(&log));
        Self { log, usable: block.words(), block, written: Extent::default() }
    }

    #[inline]
    fn append(&mut self, words: u32, starts: u32, write: impl FnOnce(&mut Room<'_>)) {
        if self.usable - self.written.words < words {
            self.turn(words);
        }
        let Some(mut room) = self.block.room(self.written.words, words) else { return };
        write(&mut room);
        self.written.words += words;
        self.written.starts += starts;
        self.block.publish(self.written);
    }

    /// Hands the block over, and goes on in another one.
    #[cold]
    fn turn(&mut self, words: u32) {
        self.usable = bound::block_words().max(words);
        self.block = spare_block(self.usable);
        let mut blocks = lock(&self.log.blocks);
        if let Some(full) = blocks.last() {
            bound::add(full.beyond_taken(self.written));
        }
        blocks.push(Listed::new(&self.block));
        drop(blocks);
        self.written = Extent::default();
        SHARED.filled.notify();
    }

    fn append_large(&mut self, starts: u32, bytes: Vec<u8>) {
        let large = Large { after: self.written.words, starts, bytes };
        bound::add(large.amount());
        if let Some(current) = lock(&self.log.blocks).last_mut() {
            current.large.push(large);
        }
        SHARED.filled.notify();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Release: whoever sees this sees everything that the thread has appended.
        self.log.ended.store(true, Ordering::Release);
    }
}

impl ThreadLog {
    /// Takes what has been appended. Returns whether more may follow.
    fn take(&self, parts: &mut Vec<Part>) -> bool {
        let may_append = !self.ended.load(Ordering::Acquire);
        // Only for a moment: the thread wants this lock when its block is full.
        let mut blocks = lock(&self.blocks);
        let Some(mut current) = blocks.pop() else { return may_append };
        for mut full in blocks.drain(..) {
            let published = full.block.published();
            parts.push(full.take(published));
        }
        // What is in full blocks was counted when they were handed over.
        let published = current.block.published();
        bound::add(current.beyond_taken(published));
        parts.push(current.take(published));
        if may_append {
            blocks.push(current);
        }
        may_append
    }
}

impl Listed {
    fn new(block: &Arc<Block>) -> Self {
        Self { block: Arc::clone(block), taken: Extent::default(), large: Vec::new() }
    }

    /// How much there is in the block up to `extent` that no drain has taken.
    fn beyond_taken(&self, extent: Extent) -> Amount {
        Amount {
            bytes: (extent.words - self.taken.words) as usize * WORD,
            spans: (extent.starts - self.taken.starts) as usize,
        }
    }

    fn take(&mut self, extent: Extent) -> Part {
        let mut amount = self.beyond_taken(extent);
        self.large.iter().for_each(|large| amount += large.amount());
        let words = self.taken.words..extent.words;
        self.taken = extent;
        Part { block: Arc::clone(&self.block), words, large: std::mem::take(&mut self.large), amount }
    }
}

/// What a drain has found in one block, to be copied without any lock.
struct Part {
    block: Arc<Block>,
    words: Range<u32>,
    large: Vec<Large>,
    amount: Amount,
}

impl Part {
    fn copy(self, drained: &mut Drained) {
        drained.amount += self.amount;
        let mut from = self.words.start;
        for large in self.large {
            drained.copy(&self.block, from..large.after);
            from = large.after;
            drained.chunks.push(large.bytes.into());
        }
        let rest = from..self.words.end;
        match Arc::try_unwrap(self.block) {
            Ok(block) if from == self.words.start && !rest.is_empty() => {
                drained.chunks.push(Chunk::of_block(block, rest));
            }
            Ok(block) => {
                drained.copy(&block, rest);
                recycle_block(block);
            }
            // The thread goes on in it.
            Err(block) => drained.copy(&block, rest),
        }
    }
}

impl Large {
    fn amount(&self) -> Amount {
        Amount { bytes: self.bytes.len(), spans: self.starts as usize }
    }
}

/// Appends an entry to this thread's log.
pub(crate) fn append(mut entry: Entry<'_>) {
    entry.seal();
    let words = entry.words();
    if words >= LARGE_WORDS {
        append_large(entry, words);
    } else {
        with_writer(|writer| writer.append(words as u32, entry.starts(), |room| entry.write(room)));
    }
}

#[cold]
fn append_large(entry: Entry<'_>, words: usize) {
    let starts = entry.starts();
    let spare = lock(&SHARED.spare_buffers).pop().unwrap_or_default();
    let bytes = Cell::new(entry.into_bytes(words, spare));
    with_writer(|writer| writer.append_large(starts, bytes.take()));
}

/// Appends the start of a span that has nothing but a callsite and a parent.
#[inline]
pub(crate) fn append_plain_start(span: SpanRef, at: Timestamp, callsite: u32, parent: SpanId) {
    append_words(1, plain_start(span, at, callsite, parent));
}

/// Appends the end of a span that ends now.
#[inline]
pub(crate) fn append_plain_end(span: SpanRef, at: Timestamp) {
    append_words(0, plain_end(span, at));
}

#[inline(always)]
fn append_words<const N: usize>(starts: u32, words: [u64; N]) {
    with_writer(|writer| writer.append(N as u32, starts, |room| room.put(words)));
}

#[inline(always)]
fn with_writer(append: impl Fn(&mut Writer)) {
    let appended = WRITER.try_with(|writer| match writer.borrow_mut().as_mut() {
        Some(writer) => {
            append(writer);
            true
        }
        None => false,
    });
    if !matches!(appended, Ok(true)) {
        with_new_writer(&append);
    }
}

/// The same for the first entry of a thread, and for those after its own writer was dropped.
#[cold]
fn with_new_writer(append: &dyn Fn(&mut Writer)) {
    let appended = WRITER.try_with(|writer| append(writer.borrow_mut().get_or_insert_with(Writer::register)));
    if appended.is_err() {
        append_departing(append);
    }
}

fn append_departing(append: impl Fn(&mut Writer)) {
    append(lock(&SHARED.departing).get_or_insert_with(Writer::register));
}

/// Has whoever waits for [`filled`] drain soon.
pub(crate) fn hurry() {
    SHARED.filled.notify();
}

/// Resolves when a thread has handed over a full block since the last drain.
pub(crate) async fn filled() {
    SHARED.filled.notified().await;
}

/// What a drain has taken.
#[derive(Debug, Default)]
pub(crate) struct Drained {
    /// Those of a thread are in their order.
    pub(crate) chunks: Vec<Chunk>,
    /// All of it, which goes on counting as waiting.
    pub(crate) amount: Amount,
}

impl Drained {
    fn copy(&mut self, block: &Block, words: Range<u32>) {
        if !words.is_empty() {
            let mut buffer = lock(&SHARED.spare_buffers).pop().unwrap_or_default();
            block.copy(words, &mut buffer);
            self.chunks.push(buffer.into());
        }
    }
}

/// Takes everything that has been recorded so far.
///
/// Whatever was appended before this call is in it, and with it all that was appended before that on any thread. What
/// is appended meanwhile may or may not be.
pub(crate) fn drain() -> Drained {
    let mut parts = Vec::new();
    lock(&SHARED.threads).retain(|log| log.take(&mut parts));
    let mut drained = Drained::default();
    parts.into_iter().for_each(|part| part.copy(&mut drained));
    drained
}

/// Gives memory whose records have been read back for reuse.
pub(crate) fn recycle(chunk: Chunk) {
    match chunk {
        Chunk::Bytes(buffer) => recycle_buffer(buffer),
        Chunk::Block { memory, .. } => recycle_block(Block::in_memory(memory)),
    }
}

fn recycle_buffer(mut buffer: Vec<u8>) {
    let mut spare = lock(&SHARED.spare_buffers);
    // Small ones, of which there are many between large entries, would keep the large ones out.
    if spare.len() < SPARE_BUFFERS && (LARGE_WORDS * WORD..=REUSED_BYTES).contains(&buffer.capacity()) {
        buffer.clear();
        spare.push(buffer);
    }
}

fn recycle_block(block: Block) {
    let mut spare = lock(&SHARED.spare_blocks);
    if spare.len() < SPARE_BLOCKS && block.words() == bound::block_words() {
        block.publish(Extent::default());
        spare.push(block);
    }
}

fn spare_block(words: u32) -> Arc<Block> {
    let spare = lock(&SHARED.spare_blocks).pop().filter(|block| block.words() >= words);
    Arc::new(spare.unwrap_or_else(|| Block::new(words)))
}

/// Nothing that can panic runs under these locks but an allocation; what they guard stays whole all the same.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, not(braintrust_loom)))]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::active::LoggerId;
    use crate::fields::{Field, Fields};
    use crate::ids::TraceId;
    use crate::record::{RecordKind, Records};
    use crate::sections::Sections;

    /// Small and large entries, in an order that tells a lost, doubled or misplaced one.
    fn append_numbered(thread: u64, number: u64) {
        let span = SpanRef::new(LoggerId(1), TraceId([7, thread + 1]), SpanId(number + 1));
        match number % 100 {
            99 => {
                let mut fields = Fields::new();
                fields.put(Field::Output, |out| out.resize(out.len() + 10_000, b'1'));
                append(Entry::new(span, Timestamp(0)).start(0, SpanId::NONE, &Sections::default()).fields(&mut fields));
            }
            _ => append_plain_start(span, Timestamp(0), 0, SpanId::NONE),
        }
    }

    /// The log is one for the process, and exporters of other tests drain it: this test has a process of its own.
    #[test]
    fn what_threads_append_is_drained_once_and_in_their_order() {
        const CHILD: &str = "BRAINTRUST_TESTS_LOG_CHILD";
        if cfg!(miri) || std::env::var_os(CHILD).is_some() {
            return drain_beside_threads();
        }
        let name = std::thread::current().name().expect("the test's").to_owned();
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args([&name, "--exact", "--nocapture"]).env(CHILD, "1");
        assert!(child.status().unwrap().success(), "see above");
    }

    fn drain_beside_threads() {
        const THREADS: u64 = 4;
        const SPANS: u64 = if cfg!(miri) { 200 } else { 20_000 };
        static RUNNING: AtomicBool = AtomicBool::new(true);
        let drainer = std::thread::spawn(|| {
            let (mut seen, mut amount) = (BTreeMap::<u64, Vec<u64>>::new(), Amount::default());
            loop {
                let last = !RUNNING.load(Ordering::Acquire);
                let drained = drain();
                amount += drained.amount;
                bound::release(drained.amount);
                for chunk in drained.chunks {
                    amount -= Amount { bytes: chunk.len(), spans: 0 };
                    for record in Records::new(&chunk).filter(|record| record.kind == RecordKind::Start) {
                        seen.entry(record.span.trace.0[1]).or_default().push(record.span.span.0);
                    }
                    recycle(chunk);
                }
                if last {
                    return (seen, amount);
                }
            }
        });
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                scope.spawn(move || (0..SPANS).for_each(|number| append_numbered(thread, number)));
            }
        });
        RUNNING.store(false, Ordering::Release);
        let (seen, amount) = drainer.join().unwrap();
        for thread in 1..=THREADS {
            assert!(seen[&thread].iter().copied().eq(1..=SPANS), "{} of {SPANS}", seen[&thread].len());
        }
        let spans: usize = seen.values().map(Vec::len).sum();
        assert_eq!(amount, Amount { bytes: 0, spans }, "what is counted is what is there");
        assert!(lock(&SHARED.threads).len() <= 1, "the logs of ended threads are forgotten");
    }
}
