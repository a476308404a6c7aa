//! Joining records into rows: a window of the record log in, at most one row for each span out.
//!
//! A window ends at a *cut*: records later than the cut wait for the next window. Since every record is stamped before
//! it is appended, and a drain takes all that was appended before it began, a window is complete up to its cut; so no
//! row can overtake one that came before it, whatever thread recorded what.

mod parked;
mod spans;

use std::ops::Range;
use std::time::Duration;

pub(crate) use self::parked::Parked;
use self::spans::Spans;
use super::row::{self, RowFacts, RowWriter};
use crate::active::LoggerId;
use crate::clock::{Timestamp, WallClock};
use crate::record::bound::Amount;
use crate::record::{Chunk, Record, RecordKind};
use crate::sections::Section;
use crate::sink::RowBatch;

/// Which records make rows now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// Records after this moment wait.
    pub(crate) until: Timestamp,
    /// Whether the clock began anew since the cut before: moments far beyond this one came before it, too.
    pub(crate) began_anew: bool,
    /// A span that is still open, and no older than this, waits too: it may end soon, and leave as one row.
    pub(crate) patience: Duration,
    /// Whose spans do not wait.
    pub(crate) flushed: Flushed,
}

impl Cut {
    /// Whether a record of this moment waits.
    fn leaves_out(self, at: Timestamp) -> bool {
        at > self.until && !(self.began_anew && at.is_far_beyond(self.until))
    }
}

/// Whose spans are sent as far as they are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Flushed {
    Nobodys,
    Of(LoggerId),
    All,
}

impl Flushed {
    pub(super) fn includes(self, logger: LoggerId) -> bool {
        match self {
            Self::Nobodys => false,
            Self::Of(flushed) => flushed == logger,
            Self::All => true,
        }
    }
}

/// A batch of rows for each logger, in the order of the spans.
pub(crate) type Rows = Vec<(LoggerId, RowBatch)>;

/// A window that is being joined.
#[derive(Debug)]
pub(crate) struct Window {
    chunks: Vec<Chunk>,
    /// The spans that are still to be joined.
    left: Range<usize>,
    cut: Cut,
    facts: RowFacts,
    carried: Carried,
    parked: Parked,
    /// What all records of the window count for, but for those that were parked before.
    counted: Amount,
    /// How many bytes they are, and how many of these are left.
    bytes: usize,
    unread: usize,
}

/// The records that wait for the next window.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    pub(crate) records: Vec<u8>,
    /// How many of them are starts.
    starts: usize,
}

impl Carried {
    fn push(&mut self, record: &Record<'_>) {
        self.records.extend_from_slice(record.bytes);
        self.starts += usize::from(record.kind == RecordKind::Start);
    }

    /// Takes a record that comes after the cut; whether it does.
    fn takes_late(&mut self, record: &Record<'_>, cut: Cut) -> bool {
        let is_late = cut.leaves_out(record.at);
        if is_late {
            self.push(record);
        }
        is_late
    }

    /// What they count for.
    pub(crate) fn amount(&self) -> Amount {
        Amount { bytes: self.records.len(), spans: self.starts }
    }
}

impl Window {
    /// Whether nothing is left to be joined.
    pub(crate) fn is_joined(&self) -> bool {
        self.left.is_empty()
    }

    /// What the records count for of which no rows have been made: those that are left, and those that wait.
    pub(crate) fn amount(&self) -> Amount {
        let mut amount = self.counted.part(self.unread, self.bytes);
        amount += self.carried.amount();
        amount += self.parked.amount();
        amount
    }

    /// Whose records are not joined now.
    pub(crate) fn parked(&mut self) -> &mut Parked {
        &mut self.parked
    }
}

/// After how many spans, at the latest, it is looked for chunks that have been read.
const STRETCH: usize = 256;

/// Joins the windows of one exporter.
#[derive(Debug)]
pub(crate) struct Joiner {
    rows: RowWriter,
    /// Empty between windows; its memory is used again.
    spans: Spans,
}

impl Joiner {
    /// `environment` is what rows say of where the program runs, as JSON.
    pub(crate) fn new(environment: Option<String>) -> Self {
        Self { rows: RowWriter::new(environment), spans: Spans::default() }
    }

    /// Notes which records of a window, which lie in `chunks` and count for `counted`, are of which span. The window before
    /// has been ended.
    #[inline(never)] // So that a profile, and the count of instructions, has it by its name.
    pub(crate) fn begin(
        &mut self,
        chunks: Vec<Chunk>,
        counted: Amount,
        cut: Cut,
        facts: RowFacts,
        mut parked: Parked,
    ) -> Window {
        let mut carried = Carried::default();
        let parked_before = parked.amount().bytes;
        if parked.is_empty() {
            self.spans.gather(&chunks, |record| carried.takes_late(record, cut));
        } else {
            let waits = |record: &Record<'_>| carried.takes_late(record, cut) || parked.takes(record);
            self.spans.gather(&chunks, waits);
        }
        let bytes = chunks.iter().map(|chunk| chunk.len()).sum();
        let unread = bytes - carried.records.len() - (parked.amount().bytes - parked_before);
        Window { chunks, left: 0..self.spans.len(), cut, facts, carried, parked, counted, bytes, unread }
    }

    /// Joins the next records of the window into rows: all that are left, or as many as fill a batch. Each chunk goes to
    /// `retire` once its records are written, so that a large window is never in memory twice.
    #[inline(never)]
    pub(crate) fn join(&mut self, window: &mut Window, mut retire: impl FnMut(Chunk)) -> Rows {
        let mut rows = Rows::new();
        while !window.left.is_empty() && !rows.iter().any(|(_, batch)| batch.is_full()) {
            self.join_stretch(window, &mut rows);
            self.spans.retire_read(&mut window.chunks, &mut retire);
        }
        rows.iter_mut().for_each(|(_, batch)| batch.shrink());
        rows
    }

    /// Ends a window of which nothing is left; returns the records that wait for the next one, and those that are parked.
    pub(crate) fn end(&mut self, mut window: Window, retire: impl FnMut(Chunk)) -> (Carried, Parked) {
        // Chunks without spans too.
        self.spans.retire_read(&mut window.chunks, retire);
        self.spans.clear();
        (window.carried, window.parked)
    }

    fn join_stretch(&mut self, window: &mut Window, rows: &mut Rows) {
        let Window { chunks, left, cut, facts, carried, parked, unread, .. } = window;
        let mut records = Vec::new();
        for span in left.take(STRETCH) {
            self.spans.collect(span, chunks, &mut records);
            let Some(first) = records.first() else { continue };
            *unread -= records.iter().map(|record| record.bytes.len()).sum::<usize>();
            if waits(&records, *cut, &facts.wall) {
                records.iter().for_each(|record| carried.push(record));
                continue;
            }
            if parked.includes(first.span.logger) {
                records.iter().for_each(|record| parked.push(record));
                continue;
            }
            let is_own = first.section(Section::RowId).is_none();
            let container = container_of(if is_own { first } else { row::identity(&records).unwrap_or(first) });
            let batch = batch_of(rows, first.span.logger);
            let mut may_hold_messages = false;
            batch.push_with(first.span.span.0, container, |out| {
                may_hold_messages = self.rows.write(&records, *facts, out);
            });
            if may_hold_messages {
                batch.note_messages();
            }
            if batch.is_full() {
                break;
            }
        }
    }
}

/// The object that holds the row of a span, encoded, where it is not the logger's project: as the record says that has the
/// row's identity.
fn container_of<'a>(record: &Record<'a>) -> Option<&'a [u8]> {
    let numbered = || record.span.lineage().known()?.sections().of(Section::Container).next();
    record.section(Section::Container).or_else(numbered)
}

fn batch_of(rows: &mut Rows, logger: LoggerId) -> &mut RowBatch {
    // Few loggers, and mostly the same one as before.
    let place = rows.iter().rposition(|(known, _)| *known == logger).unwrap_or_else(|| {
        rows.push((logger, RowBatch::with_room()));
        rows.len() - 1
    });
    &mut rows[place].1
}

/// Whether a span has begun, but neither ended nor grown old.
fn waits(records: &[Record<'_>], cut: Cut, wall: &WallClock) -> bool {
    let Some(start) = records.iter().find(|record| record.kind == RecordKind::Start) else { return false };
    let open = !records.iter().any(|record| record.kind == RecordKind::End);
    // A start beyond the cut is from before the clock began anew: how old it is, nobody knows.
    let is_young = start.at <= cut.until && wall.between(start.at, cut.until) < cut.patience;
    open && is_young && !cut.flushed.includes(start.span.logger)
}

#[cfg(test)]
mod tests;
