//! Attachments that have been serialised, and wait for a row that refers to them.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::handle::Attached;
use super::key::Key;
use crate::active;
use crate::diagnostics;

/// How long data waits for its first row. A value may be made long before it is logged, but seldom very long.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// How long data stays that a row has referred to: rows of other loggers may do so too.
const GRACE: Duration = Duration::from_secs(5);
/// How much data may wait.
const MAX_BYTES: usize = 256 * 1024 * 1024;
const MAX_ENTRIES: usize = 10_000;

static TABLE: Mutex<Option<Table>> = Mutex::new(None);
/// How many entries there are, so that it costs nothing to see that there are none.
static ENTRIES: AtomicUsize = AtomicUsize::new(0);

/// Keeps the data of an attachment that is being serialised, unless there is nobody to upload it.
pub(super) fn offer(content: &Arc<Attached>) {
    if active::enabled() {
        let dropped = table().get_or_insert_default().offer(content, Instant::now());
        report(dropped);
    }
}

/// The data that belongs to a key, if it waits here.
pub(crate) fn claim(key: Key) -> Option<Arc<Attached>> {
    if ENTRIES.load(Ordering::Relaxed) == 0 {
        return None;
    }
    table().as_mut()?.claim(key, Instant::now())
}

/// Drops what has waited too long.
pub(crate) fn expire() {
    if ENTRIES.load(Ordering::Relaxed) > 0 {
        let dropped = table().as_mut().map_or(0, |table| table.expire(Instant::now()));
        report(dropped);
    }
}

fn table() -> MutexGuard<'static, Option<Table>> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps other threads from what waits until it is dropped, for a fork.
#[cfg(all(unix, not(braintrust_loom)))]
pub(crate) fn hold() -> Box<dyn std::any::Any> {
    Box::new(table())
}

fn report(dropped: usize) {
    if dropped > 0 {
        diagnostics::warn_once("attachments never logged", || {
            format!("{dropped} attachments were serialised, but never logged, so their data was dropped")
        });
    }
}

/// Attachments by their keys, bounded in bytes, number and time.
#[derive(Default)]
struct Table {
    entries: HashMap<Key, Entry>,
    /// Keys in the order in which they came, some of which may be gone.
    order: VecDeque<Key>,
    bytes: usize,
}

struct Entry {
    content: Arc<Attached>,
    until: Instant,
    is_claimed: bool,
}

impl Table {
    /// Returns how many others had to make room without ever having been claimed.
    fn offer(&mut self, content: &Arc<Attached>, now: Instant) -> usize {
        let entry = Entry { content: Arc::clone(content), until: now + PATIENCE, is_claimed: false };
        match self.entries.insert(content.key, entry) {
            Some(_) => {}
            None => {
                self.order.push_back(content.key);
                self.bytes += content.source.held();
            }
        }
        let mut dropped = 0;
        while self.bytes > MAX_BYTES || self.entries.len() > MAX_ENTRIES {
            let Some(oldest) = self.order.pop_front() else { break };
            dropped += self.remove(oldest);
        }
        ENTRIES.store(self.entries.len(), Ordering::Relaxed);
        dropped
    }

    fn claim(&mut self, key: Key, now: Instant) -> Option<Arc<Attached>> {
        let entry = self.entries.get_mut(&key)?;
        entry.is_claimed = true;
        entry.until = entry.until.min(now + GRACE);
        Some(Arc::clone(&entry.content))
    }

    /// Returns how many are gone without ever having been claimed.
    fn expire(&mut self, now: Instant) -> usize {
        let mut dropped = 0;
        let keys: Vec<_> = self.entries.iter().filter(|(_, entry)| entry.until <= now).map(|(key, _)| *key).collect();
        for key in keys {
            dropped += self.remove(key);
        }
        let Self { entries, order, .. } = self;
        order.retain(|key| entries.contains_key(key));
        ENTRIES.store(self.entries.len(), Ordering::Relaxed);
        dropped
    }

    fn remove(&mut self, key: Key) -> usize {
        let Some(entry) = self.entries.remove(&key) else { return 0 };
        self.bytes -= entry.content.source.held();
        usize::from(!entry.is_claimed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attachment::source::Source;

    fn attached(bytes: usize) -> Arc<Attached> {
        let (filename, content_type) = Default::default();
        Arc::new(Attached { key: Key::random(), filename, content_type, source: Source::Memory(vec![0; bytes].into()) })
    }

    #[test]
    fn data_is_there_until_a_while_after_it_was_claimed() {
        let (mut table, now) = (Table::default(), Instant::now());
        let data = attached(10);
        table.offer(&data, now);
        table.offer(&data, now);
        let almost = now + PATIENCE - Duration::from_secs(1);
        assert_eq!((table.expire(almost), table.bytes), (0, 10));
        assert!(table.claim(data.key, now).is_some() && table.claim(data.key, now).is_some());
        assert_eq!(table.expire(now + GRACE), 0, "it was claimed, so it is no loss");
        assert!(table.claim(data.key, now).is_none());
        assert_eq!((table.bytes, table.entries.len(), table.order.len()), (0, 0, 0));
    }

    #[test]
    fn what_nobody_claims_is_dropped_and_counted() {
        let (mut table, now) = (Table::default(), Instant::now());
        table.offer(&attached(10), now);
        assert_eq!(table.expire(now + PATIENCE), 1);
        assert_eq!(table.bytes, 0);
    }

    #[test]
    fn the_oldest_make_room() {
        let (mut table, now) = (Table::default(), Instant::now());
        let all = [MAX_BYTES / 2, MAX_BYTES / 2, 1].map(attached);
        let dropped: usize = all.iter().map(|data| table.offer(data, now)).sum();
        assert_eq!(dropped, 1);
        let there = all.each_ref().map(|data| table.claim(data.key, now).is_some());
        assert_eq!(there, [false, true, true]);
        for _ in 0..=MAX_ENTRIES {
            table.offer(&attached(0), now);
        }
        assert_eq!((table.entries.len(), table.order.len()), (MAX_ENTRIES, MAX_ENTRIES));
    }
}
