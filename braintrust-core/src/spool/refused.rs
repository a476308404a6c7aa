//! Rows that the backend has refused: kept for a week, so that a later process may try them again.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use super::folder::{Folder, now};
use super::segment::{Found, Segment};

/// How long refused rows are kept, in microseconds.
const KEPT: u64 = 7 * HALF_A_DAY * 2;
/// Rows whose refusals fall into the same half of a day share a file: few files are open, however many programs there
/// were, and none outlives its week because another joined it.
const HALF_A_DAY: u64 = 12 * 60 * 60 * 1_000_000;

/// Whether rows that were refused then are given up.
pub(super) fn is_too_old(since: u64) -> bool {
    now().saturating_sub(since) > KEPT + HALF_A_DAY
}

/// The files of refused rows that this process has written, by the time of the refusal and a number.
#[derive(Debug, Default)]
pub(super) struct Refused {
    files: BTreeMap<(u64, u64), File>,
    files_begun: u64,
    removed: Removed,
}

#[derive(Debug)]
struct File {
    segment: Segment,
    rows: u64,
    is_own: bool,
}

/// Rows that are gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Removed {
    /// Of this process.
    pub(crate) own: u64,
    /// Of processes before it.
    pub(crate) earlier: u64,
}

impl Removed {
    /// Counts more.
    pub(super) fn add(&mut self, are_earlier: bool, rows: u64) {
        *if are_earlier { &mut self.earlier } else { &mut self.own } += rows;
    }
}

impl Refused {
    /// Appends records of rows that were refused first at that time, or now.
    pub(super) fn append(
        &mut self,
        folder: &Folder,
        records: &[u8],
        (since, rows): (Option<u64>, u64),
        is_own: bool,
    ) -> Result<(), (PathBuf, io::Error)> {
        let time = since.unwrap_or_else(now);
        let time = time - time % HALF_A_DAY;
        let has_room = |file: &File| file.segment.len() + records.len() as u64 <= folder.full_segment();
        let usable = |file: &&mut File| file.is_own == is_own && has_room(file) && file.segment.is_there();
        let known = self.files.range_mut((time, 0)..=(time, u64::MAX)).map(|(_, file)| file).find(usable);
        let file = match known {
            Some(file) => file,
            None => {
                let segment = folder.begin_refused(time)?;
                self.files_begun += 1;
                self.files.entry((time, self.files_begun)).or_insert(File { segment, rows: 0, is_own })
            }
        };
        file.segment.append(records, &[]).map_err(|cause| (file.segment.path().to_owned(), cause))?;
        file.rows += rows;
        Ok(())
    }

    /// Removes the oldest file to make room; `false` if there is none.
    pub(super) fn remove_oldest(&mut self) -> bool {
        let Some((_, file)) = self.files.pop_first() else { return false };
        self.removed.add(!file.is_own, file.rows);
        file.segment.remove();
        true
    }

    /// Removes a file of an earlier process.
    pub(super) fn remove_old(&mut self, mut segment: Segment) {
        let mut row = 0;
        while let Found::Row(_, index) = segment.next(row) {
            self.removed.earlier += 1;
            row = index + 1;
        }
        segment.remove();
    }

    pub(super) fn take_removed(&mut self) -> Removed {
        std::mem::take(&mut self.removed)
    }
}
