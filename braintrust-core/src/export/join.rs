//! Joining records into rows: a window of the record log in, at most one row for each span out.
//!
//! A window ends at a *cut*: records later than the cut wait for the next window. Since every record is stamped before
//! it is appended, and a drain takes all that was appended before it began, a window is complete up to its cut; so no
//! row can overtake one that came before it, whatever thread recorded what.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::time::Duration;

use super::row::{self, RowFacts};
use crate::active::LoggerId;
use crate::clock::{Timestamp, WallClock};
use crate::record::{Record, RecordKind, Records};
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
    /// Rows by logger.
    pub(crate) rows: Vec<(LoggerId, RowBatch)>,
    /// The records that wait for the next window.
    pub(crate) carried: Vec<u8>,
}

/// Joins the records of `window` into rows. `counter` numbers the spans of the process.
#[inline(never)] // So that a profile, and the count of instructions, has it by its name.
pub(crate) fn join<'a>(
    window: impl IntoIterator<Item = &'a [u8]>,
    cut: Cut,
    facts: &RowFacts<'_>,
    counter: &mut u64,
) -> Joined {
    let mut joined = Joined::default();
    let mut spans = Spans::default();
    for record in window.into_iter().flat_map(Records::new) {
        if record.at > cut.until {
            joined.carried.extend_from_slice(record.bytes);
        } else {
            spans.add(record);
        }
    }
    let mut records = Vec::new();
    for index in 0..spans.groups.len() {
        spans.collect(index, &mut records);
        if waits(&records, cut, &facts.wall) {
            records.iter().for_each(|record| joined.carried.extend_from_slice(record.bytes));
            continue;
        }
        if records.iter().any(|record| record.kind == RecordKind::Start) {
            *counter += 1;
        }
        let batch = joined.batch_of(spans.groups[index].logger);
        let container = records.first().and_then(|record| record.section(Section::Container));
        batch.push_with(container, |out| row::write_row(&records, *counter, facts, out));
    }
    joined
}

impl Joined {
    fn batch_of(&mut self, logger: LoggerId) -> &mut RowBatch {
        // Few loggers, and mostly the same one as before.
        let place = self.rows.iter().rposition(|(known, _)| *known == logger).unwrap_or_else(|| {
            self.rows.push((logger, RowBatch::default()));
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

/// The records of a window by span, in the order in which the spans appear.
#[derive(Default)]
struct Spans<'a> {
    records: Vec<(Record<'a>, Option<usize>)>,
    groups: Vec<Group>,
    places: HashMap<(LoggerId, u64), usize, BuildHasherDefault<IdHasher>>,
}

/// The records of one span: a chain through all records.
struct Group {
    logger: LoggerId,
    first: usize,
    last: usize,
}

impl<'a> Spans<'a> {
    fn add(&mut self, record: Record<'a>) {
        let index = self.records.len();
        let key = (record.span.logger, record.span.span.0);
        self.records.push((record, None));
        let known = *self.places.entry(key).or_insert_with(|| {
            self.groups.push(Group { logger: record.span.logger, first: index, last: index });
            self.groups.len() - 1
        });
        let group = &mut self.groups[known];
        if group.last != index {
            self.records[group.last].1 = Some(index);
            group.last = index;
        }
    }

    /// Puts the records of a span into `into`, in the order of their times.
    fn collect(&self, group: usize, into: &mut Vec<Record<'a>>) {
        into.clear();
        let mut next = Some(self.groups[group].first);
        while let Some(index) = next {
            let (record, following) = &self.records[index];
            into.push(*record);
            next = *following;
        }
        // Stable: what one thread recorded at one moment stays in its order.
        into.sort_by_key(|record| record.at);
    }
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
mod tests;
