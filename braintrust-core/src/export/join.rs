//! Joining records into rows: a window of the record log in, at most one row for each span out.
//!
//! A window ends at a *cut*: records later than the cut wait for the next window. Since every record is stamped before
//! it is appended, and a drain takes all that was appended before it began, a window is complete up to its cut; so no
//! row can overtake one that came before it, whatever thread recorded what.

mod spans;

use std::time::Duration;

use self::spans::Spans;
use super::row::{RowFacts, RowWriter};
use crate::active::LoggerId;
use crate::clock::{Timestamp, WallClock};
use crate::record::{Chunk, Record, RecordKind};
use crate::sections::Section;
use crate::sink::RowBatch;

/// Which records make rows now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// Records after this moment wait.
    pub(crate) until: Timestamp,
    /// A span that is still open, and no older than this, waits too: it may end soon, and leave as one row.
    pub(crate) patience: Duration,
    /// Whose spans do not wait.
    pub(crate) flushed: Flushed,
}

/// Whose spans are sent as far as they are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Flushed {
    Nobodys,
    Of(LoggerId),
    All,
}

impl Flushed {
    fn includes(self, logger: LoggerId) -> bool {
        match self {
            Self::Nobodys => false,
            Self::Of(flushed) => flushed == logger,
            Self::All => true,
        }
    }
}

/// What came of a window.
#[derive(Debug, Default)]
pub(crate) struct Joined {
    /// Rows by logger; a logger may have several batches, which are in the order of the spans.
    pub(crate) rows: Vec<(LoggerId, RowBatch)>,
    /// The records that wait for the next window.
    pub(crate) carried: Vec<u8>,
}

/// After how many spans it is looked for chunks that have been read.
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

    /// Joins the records of `window`, which lie in chunks, into rows. Each chunk goes to `retire` once its records are
    /// written, so that a large window is never in memory twice.
    #[inline(never)] // So that a profile, and the count of instructions, has it by its name.
    pub(crate) fn join(
        &mut self,
        mut window: Vec<Chunk>,
        cut: Cut,
        facts: RowFacts,
        mut retire: impl FnMut(Chunk),
    ) -> Joined {
        let mut joined = Joined::default();
        self.spans.gather(&window, cut.until, &mut joined.carried);
        let mut rest = 0..self.spans.len();
        while !rest.is_empty() {
            let stretch = rest.by_ref().take(STRETCH);
            self.join_spans(stretch, &window, cut, facts, &mut joined);
            self.spans.retire_read(&mut window, &mut retire);
        }
        // Chunks without spans too.
        self.spans.retire_read(&mut window, &mut retire);
        self.spans.clear();
        joined.rows.iter_mut().for_each(|(_, batch)| batch.shrink());
        joined
    }

    fn join_spans(
        &mut self,
        spans: impl Iterator<Item = usize>,
        window: &[Chunk],
        cut: Cut,
        facts: RowFacts,
        joined: &mut Joined,
    ) {
        let mut records = Vec::new();
        for span in spans {
            self.spans.collect(span, window, &mut records);
            let Some(first) = records.first() else { continue };
            if waits(&records, cut, &facts.wall) {
                records.iter().for_each(|record| joined.carried.extend_from_slice(record.bytes));
                continue;
            }
            let container = first.section(Section::Container);
            let batch = joined.batch_of(first.span.logger);
            let mut may_hold_messages = false;
            batch.push_with(first.span.span.0, container, |out| {
                may_hold_messages = self.rows.write(&records, facts, out);
            });
            if may_hold_messages {
                batch.note_messages();
            }
        }
    }
}

impl Joined {
    fn batch_of(&mut self, logger: LoggerId) -> &mut RowBatch {
        // Few loggers, and mostly the same one as before.
        let known = self.rows.iter().rposition(|(known, _)| *known == logger);
        let place = known.filter(|place| !self.rows[*place].1.is_full()).unwrap_or_else(|| {
            self.rows.push((logger, RowBatch::with_room()));
            self.rows.len() - 1
        });
        &mut self.rows[place].1
    }
}

/// Whether a span has begun, but neither ended nor grown old.
fn waits(records: &[Record<'_>], cut: Cut, wall: &WallClock) -> bool {
    let Some(start) = records.iter().find(|record| record.kind == RecordKind::Start) else { return false };
    let open = !records.iter().any(|record| record.kind == RecordKind::End);
    open && !cut.flushed.includes(start.span.logger) && wall.between(start.at, cut.until) < cut.patience
}

#[cfg(test)]
mod tests;
