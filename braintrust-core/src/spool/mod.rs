//! Rows on disk, until they can be delivered: by this process, or by one after it.
//!
//! A spool is a folder for each tenant (application, organization and key), so that rows of one key never leave under
//! another. It holds *segments*, files that rows are appended to, each locked by the process that works on it; whoever
//! finds one without a lock takes it over. A segment says in its head how far it is settled, and is removed once it is
//! altogether. What is damaged is passed over, told of, and never fatal. Beside the segments are the *blobs*: data that
//! rows refer to, and that is still to be uploaded.

mod blobs;
mod folder;
mod locked;
mod place;
mod record;
mod refused;
mod segment;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

pub(crate) use self::blobs::{Blob, BlobFacts, read_blob};
#[cfg(all(unix, not(braintrust_loom)))]
pub(crate) use self::locked::leave_to_parent;
pub(crate) use self::place::{SpoolPlace, Tenant, default_dir};
pub(crate) use self::record::SpoolRow;
pub(crate) use self::refused::Removed;

use self::blobs::Blobs;
use self::folder::Folder;
use self::record::put_record;
use self::refused::Refused;
use self::segment::{Found, Segment};
use crate::diagnostics;

/// How many segments of earlier processes are held open at once: few enough to leave the program all that it may open.
const EARLIER_AT_ONCE: usize = 32;

/// The first number of this process's own segments: those of earlier ones come before them.
const OWN_SEGMENTS: u32 = 1 << 24;

/// Where a row is in a spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket {
    segment: u32,
    row: u32,
}

impl Ticket {
    /// Whether an earlier process has put the row there.
    pub(crate) fn is_earlier(self) -> bool {
        self.segment < OWN_SEGMENTS
    }
}

/// Where reading begins: with the first segment of all, and with the first one of this process.
const UNREAD: [Ticket; 2] = [Ticket { segment: 0, row: 0 }, Ticket { segment: OWN_SEGMENTS, row: 0 }];

/// The part of a spool that is left to rows: one over this. Data is larger, and matters less.
const ROWS_SHARE: u64 = 4;

/// Why rows or data are not on disk.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotSpooled {
    #[error("the spool {} is full ({limit} bytes, by BRAINTRUST_SPOOL_BYTES)", folder.display())]
    Full { folder: PathBuf, limit: u64 },
    #[error("the spool cannot be written to: {}: {cause}; set BRAINTRUST_SPOOL_DIR to a folder that can", path.display())]
    Disk { path: PathBuf, cause: io::Error },
}

/// One tenant's rows on disk.
#[derive(Debug)]
pub(crate) struct Spool {
    folder: Folder,
    /// Earlier processes' segments, then the own ones, each in the order in which they were begun.
    segments: BTreeMap<u32, Segment>,
    /// Numbers for the next segments.
    next_earlier: u32,
    next_own: u32,
    /// The segment that rows are appended to.
    current: Option<u32>,
    /// The first rows that have not been read since the last rewind: of earlier processes, and of this one.
    unread: [Ticket; 2],
    refused: Refused,
    lost: Removed,
    blobs: Blobs,
}

impl Spool {
    /// The spool of a tenant, with what earlier processes have left in it. Makes no folder.
    pub(crate) fn open(place: &SpoolPlace, tenant: &Tenant<'_>) -> Self {
        let folder = Folder::new(place.folder_of(tenant), place.max_bytes);
        let mut spool = Self {
            folder,
            segments: BTreeMap::new(),
            next_earlier: 0,
            next_own: OWN_SEGMENTS,
            current: None,
            unread: UNREAD,
            refused: Refused::default(),
            lost: Removed::default(),
            blobs: Blobs::default(),
        };
        spool.take_over();
        spool
    }

    /// The folder of this tenant.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Appends rows, in one write. Each is on its way to the disk when this returns, and outlives the process.
    ///
    /// # Errors
    ///
    /// If there is no room, or the disk refuses: then none of the rows is there.
    pub(crate) fn append<'a>(&mut self, rows: impl Iterator<Item = SpoolRow<'a>>) -> Result<Vec<Ticket>, NotSpooled> {
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for row in rows {
            put_record(row, &mut bytes);
            ends.push(bytes.len() as u64);
        }
        if ends.is_empty() {
            return Ok(Vec::new());
        }
        let number = self.segment_for(bytes.len() as u64)?;
        let Some(segment) = self.segments.get_mut(&number) else { return Ok(Vec::new()) };
        match segment.append(&bytes, &ends) {
            Ok(first) => {
                self.folder.grown_by(bytes.len() as u64);
                let rows = first..first + ends.len();
                Ok(rows.map(|row| Ticket { segment: number, row: row as u32 }).collect())
            }
            Err(cause) => {
                let path = segment.path().to_owned();
                self.current = None;
                segment.seal();
                self.remove_settled(number);
                Err(NotSpooled::Disk { path, cause })
            }
        }
    }

    /// The segment to append so many bytes to.
    fn segment_for(&mut self, incoming: u64) -> Result<u32, NotSpooled> {
        self.make_room(incoming)?;
        let full = self.folder.full_segment();
        if let Some(current) = self.current
            && let Some(segment) = self.segments.get_mut(&current)
        {
            if segment.len() + incoming <= full && segment.is_there() {
                return Ok(current);
            }
            segment.seal();
            self.remove_settled(current);
        }
        let segment = self.folder.begin_segment().map_err(|(path, cause)| NotSpooled::Disk { path, cause })?;
        let number = self.next_own;
        self.next_own += 1;
        self.segments.insert(number, segment);
        self.current = Some(number);
        Ok(number)
    }

    /// Sees to it that so many bytes may be added. Rows that the backend has refused go first.
    fn make_room(&mut self, incoming: u64) -> Result<(), NotSpooled> {
        while !self.folder.has_room(incoming) {
            // What never has room takes it from nobody.
            if incoming > self.folder.limit() || !self.refused.remove_oldest() {
                return Err(NotSpooled::Full { folder: self.folder.path().to_owned(), limit: self.folder.limit() });
            }
            self.folder.measure();
        }
        Ok(())
    }

    /// Whether all rows that are not settled have been read, or were in memory when they were put here.
    pub(crate) fn is_read(&self) -> bool {
        let is_read = |unread: &Ticket, below: u32| {
            self.segments.range(unread.segment..below).all(|(number, segment)| {
                let row = if *number == unread.segment { unread.row as usize } else { 0 };
                segment.is_read_from(row)
            })
        };
        let [earlier, own] = &self.unread;
        self.folder.is_taken_over() && is_read(earlier, OWN_SEGMENTS) && is_read(own, u32::MAX)
    }

    /// Takes all rows for read: what was just put here is still in memory.
    pub(crate) fn skip_to_end(&mut self) {
        if let Some((number, segment)) = self.segments.range(OWN_SEGMENTS..).next_back() {
            self.unread[1] = Ticket { segment: *number, row: segment.rows() as u32 };
        }
    }

    /// Has all rows read again that are not settled.
    pub(crate) fn rewind(&mut self) {
        self.unread = UNREAD;
        self.reopen_left();
        self.segments.values_mut().for_each(Segment::unload);
    }

    /// These rows cannot be delivered for now, and stay until they are read again.
    pub(crate) fn leave(&mut self, tickets: impl Iterator<Item = Ticket>) {
        for Ticket { segment, row } in tickets {
            if let Some(segment) = self.segments.get_mut(&segment) {
                segment.leave(row as usize);
            }
        }
    }

    /// Rows that were left may be delivered now, once they are read again.
    pub(crate) fn reopen_left(&mut self) {
        self.segments.values_mut().for_each(Segment::reopen_left);
    }

    /// Reads rows until there are `enough` bytes of them, or no more.
    pub(crate) fn read(&mut self, enough: usize, mut take: impl FnMut(SpoolRow<'_>, Ticket)) {
        let mut bytes = 0;
        while bytes < enough {
            let Some(number) = self.first_unread() else { return };
            let unread = &mut self.unread[usize::from(number >= OWN_SEGMENTS)];
            if number != unread.segment {
                *unread = Ticket { segment: number, row: 0 };
            }
            let Some(segment) = self.segments.get_mut(&number) else { return };
            match segment.next(unread.row as usize) {
                Found::Row(row, index) => {
                    bytes += row.text.len();
                    unread.row = index as u32 + 1;
                    take(row, Ticket { segment: number, row: index as u32 });
                }
                Found::End if self.current == Some(number) => {
                    unread.row = segment.rows() as u32;
                    return;
                }
                Found::End => {
                    segment.unload();
                    *unread = Ticket { segment: number + 1, row: 0 };
                    self.remove_settled(number);
                }
            }
        }
    }

    /// The segment to read on in: one of an earlier process, as long as any of those is left that may be opened.
    fn first_unread(&mut self) -> Option<u32> {
        loop {
            let [earlier, own] = self.unread;
            if let Some((number, _)) = self.segments.range(earlier.segment..OWN_SEGMENTS).next() {
                return Some(*number);
            }
            if !self.take_over() {
                return self.segments.range(own.segment..).next().map(|(number, _)| *number);
            }
        }
    }

    /// These rows are delivered, or lost.
    pub(crate) fn settle(&mut self, tickets: impl Iterator<Item = Ticket>) {
        let mut touched: Vec<u32> = Vec::new();
        for Ticket { segment: number, row } in tickets {
            if let Some(segment) = self.segments.get_mut(&number) {
                segment.settle(row as usize);
                if touched.last() != Some(&number) {
                    touched.push(number);
                }
            }
        }
        for number in touched {
            self.remove_settled(number);
        }
    }

    /// Notes in a segment how far it is settled, and removes it if it is altogether.
    fn remove_settled(&mut self, number: u32) {
        let Some(segment) = self.segments.get_mut(&number) else { return };
        self.lost.add(number < OWN_SEGMENTS, segment.take_lost());
        if segment.is_settled() {
            if let Some(segment) = self.segments.remove(&number) {
                self.folder.shrunk_by(segment.remove());
            }
        } else {
            segment.note_settled();
        }
    }

    /// Keeps rows that the backend has refused, for a process after this one to try again. `since` is the time of the
    /// first refusal, if it is not now; `is_own` says whether they are of this process.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append).
    pub(crate) fn keep_refused<'a>(
        &mut self,
        rows: impl Iterator<Item = SpoolRow<'a>>,
        since: Option<u64>,
        is_own: bool,
    ) -> Result<(), NotSpooled> {
        let mut bytes = Vec::new();
        let mut count = 0;
        for row in rows {
            put_record(row, &mut bytes);
            count += 1;
        }
        self.make_room(bytes.len() as u64)?;
        let kept = self.refused.append(&self.folder, &bytes, (since, count), is_own);
        kept.map_err(|(path, cause)| NotSpooled::Disk { path, cause })?;
        self.folder.grown_by(bytes.len() as u64);
        Ok(())
    }

    /// When the row was refused first, if it was in an earlier process.
    pub(crate) fn refused_since(&self, ticket: Ticket) -> Option<u64> {
        self.segments.get(&ticket.segment)?.refused_since()
    }

    /// How many refused rows have been removed to make room, or because they were too old, since this was last asked.
    pub(crate) fn take_removed(&mut self) -> Removed {
        self.refused.take_removed()
    }

    /// How many rows could not be read back since this was last asked.
    pub(crate) fn take_lost(&mut self) -> Removed {
        for (number, segment) in &mut self.segments {
            self.lost.add(*number < OWN_SEGMENTS, segment.take_lost());
        }
        std::mem::take(&mut self.lost)
    }

    /// Keeps data that rows refer to. It is on its way to the disk when this returns, and outlives the process.
    ///
    /// # Errors
    ///
    /// If there is no room beside what is left to rows, or the disk refuses.
    pub(crate) fn keep_blob(&mut self, facts: BlobFacts, data: &[u8]) -> Result<Blob, NotSpooled> {
        let limit = self.folder.limit();
        if !self.folder.has_room((data.len() as u64).saturating_add(limit / ROWS_SHARE)) {
            return Err(NotSpooled::Full { folder: self.folder.path().to_owned(), limit });
        }
        let kept = self.blobs.keep(self.folder.path(), facts, data);
        let (blob, size) = kept.map_err(|(path, cause)| NotSpooled::Disk { path, cause })?;
        self.folder.grown_by(size);
        Ok(blob)
    }

    /// This data is uploaded, or lost.
    pub(crate) fn remove_blob(&mut self, path: &Path) {
        let bytes = self.blobs.remove(path);
        self.folder.shrunk_by(bytes);
    }

    /// Takes over the data that earlier processes have left.
    pub(crate) fn take_over_blobs(&mut self) -> Vec<Blob> {
        let (found, damaged) = self.blobs.take_over(self.folder.path());
        for path in damaged {
            diagnostics::error(&format!("spool damage: {}", path.display()), || {
                format!("the spool file {} is damaged, so the attachment in it is lost", path.display())
            });
        }
        found
    }

    /// A point that all rows spooled so far come before.
    pub(crate) fn mark(&self) -> Ticket {
        self.segments.last_key_value().map_or(Ticket { segment: 0, row: 0 }, |(number, segment)| Ticket {
            segment: *number,
            row: segment.rows() as u32,
        })
    }

    /// Whether all rows before a point are settled, or left for now.
    pub(crate) fn is_through_to(&self, mark: Ticket) -> bool {
        self.segments.range(..=mark.segment).all(|(number, segment)| {
            let rows = if *number == mark.segment { mark.row as usize } else { usize::MAX };
            segment.is_through_to(rows)
        })
    }

    /// Removes the segment that rows are appended to, if all of them are settled.
    pub(crate) fn tidy(&mut self) {
        if let Some(number) = self.current
            && let Some(segment) = self.segments.get_mut(&number)
            && segment.is_settled_so_far()
        {
            segment.seal();
            self.current = None;
            self.remove_settled(number);
        }
    }

    /// Takes over segments that no process works on; `false` if there are none, or enough are open.
    fn take_over(&mut self) -> bool {
        let open = self.segments.range(..OWN_SEGMENTS).count();
        if self.folder.is_taken_over() || open >= EARLIER_AT_ONCE {
            return false;
        }
        let before = self.segments.len();
        for found in self.folder.take_over(EARLIER_AT_ONCE - open) {
            if found.refused_since().is_some_and(refused::is_too_old) {
                self.refused.remove_old(found);
                continue;
            }
            self.segments.insert(self.next_earlier, found);
            self.next_earlier += 1;
        }
        let taken = self.segments.len() - before;
        if taken > 0 {
            let plural = if taken == 1 { "" } else { "s" };
            diagnostics::debug(|| {
                format!("sending rows of earlier processes: {taken} file{plural} in {}", self.folder.path().display())
            });
        }
        taken > 0
    }
}
