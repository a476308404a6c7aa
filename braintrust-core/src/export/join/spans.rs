//! The records of a window by span, in the order in which the spans appear.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::active::LoggerId;
use crate::record::{Chunk, Record, Records};

/// Which records are of which span, without the records: they stay where they lie.
///
/// A thread records most spans in one piece, so it is runs that are noted, and looked up, not records.
#[derive(Debug, Default)]
pub(super) struct Spans {
    runs: Vec<Run>,
    /// The first and the last run of each span.
    spans: Vec<(u32, u32)>,
    places: HashMap<(LoggerId, u64), u32, BuildHasherDefault<IdHasher>>,
    /// How many runs of each chunk have not been collected.
    unread: Vec<u32>,
    /// The first chunk that has not been retired.
    front: usize,
}

/// Records of one span that lie next to each other.
#[derive(Clone, Copy, Debug)]
struct Run {
    chunk: u32,
    /// The next run of the same span; none is zero, which is never next.
    next: u32,
    start: usize,
    end: usize,
}

/// A window larger than this gives its memory back: it was a burst.
const KEPT_SPANS: usize = 64 * 1024;

impl Spans {
    /// Notes the records of `window`, but for those that `takes_away`.
    pub(super) fn gather(&mut self, window: &[Chunk], mut takes_away: impl FnMut(&Record<'_>) -> bool) {
        self.unread.resize(window.len(), 0);
        for (chunk, bytes) in (0..).zip(window) {
            let mut end = 0;
            // Whose records those before this one are.
            let mut current = None;
            for record in Records::new(bytes) {
                let start = end;
                end += record.bytes.len();
                let span = (record.span.logger, record.span.span.0);
                if takes_away(&record) {
                    current = None;
                } else if current == Some(span) {
                    if let Some(run) = self.runs.last_mut() {
                        run.end = end;
                    }
                } else {
                    self.begin(span, Run { chunk, next: 0, start, end });
                    current = Some(span);
                }
            }
        }
    }

    fn begin(&mut self, span: (LoggerId, u64), run: Run) {
        let this = number(self.runs.len());
        self.runs.push(run);
        self.unread[run.chunk as usize] += 1;
        let place = *self.places.entry(span).or_insert_with(|| {
            self.spans.push((this, this));
            number(self.spans.len() - 1)
        });
        let (_, last) = &mut self.spans[place as usize];
        if *last != this {
            self.runs[*last as usize].next = this;
            *last = this;
        }
    }

    /// How many spans there are.
    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    /// Puts the records of a span into `into`, in the order of their times. To be done once for each span.
    pub(super) fn collect<'a>(&mut self, span: usize, window: &'a [Chunk], into: &mut Vec<Record<'a>>) {
        into.clear();
        let mut at = self.spans[span].0;
        loop {
            let run = self.runs[at as usize];
            self.unread[run.chunk as usize] -= 1;
            into.extend(Records::new(&window[run.chunk as usize][run.start..run.end]));
            if run.next == 0 {
                break;
            }
            at = run.next;
        }
        // Stable: what one thread recorded at one moment stays in its order.
        if !into.is_sorted_by_key(|record| record.at) {
            into.sort_by_key(|record| record.at);
        }
    }

    /// Takes chunks out of `window` of which all spans have been collected. Chunks are read about in their order.
    pub(super) fn retire_read(&mut self, window: &mut [Chunk], mut retire: impl FnMut(Chunk)) {
        while self.unread.get(self.front) == Some(&0) {
            let chunk = std::mem::take(&mut window[self.front]);
            if chunk.has_memory() {
                retire(chunk);
            }
            self.front += 1;
        }
    }

    pub(super) fn clear(&mut self) {
        if self.spans.len() > KEPT_SPANS {
            *self = Self::default();
        }
        self.runs.clear();
        self.spans.clear();
        self.places.clear();
        self.unread.clear();
        self.front = 0;
    }
}

/// Records have 56 bytes and more: a window with 2^32 of them is beyond any bound.
fn number(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than 2^32 records")
}

/// Span ids are random already: they need no hashing.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u32(&mut self, number: u32) {
        self.0 ^= u64::from(number).rotate_left(32);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 ^= number;
    }
}

#[cfg(test)]
mod tests {
    use std::hash::Hash as _;

    use super::*;

    #[test]
    fn ids_of_different_loggers_do_not_meet() {
        let hash = |logger: u32, span: u64| {
            let mut hasher = IdHasher::default();
            (LoggerId(logger), span).hash(&mut hasher);
            hasher.finish()
        };
        assert_ne!(hash(1, 5), hash(2, 5));
        assert_eq!(hash(1, 5), hash(1, 5));
    }
}
