//! Rows that the backend has refused: kept for a week, so that a later process may try them again.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use std::path::PathBuf;

use super::folder::{Folder, now};
use super::segment::{Found, Segment};

/// How long refused rows are kept, in microseconds.
const KEPT: u64 = 7 * 24 * 60 * 60 * 1_000_000;

/// Whether rows that were refused then are given up.
pub(super) fn is_too_old(since: u64) -> bool {
    now().saturating_sub(since) > KEPT
}

/// The files of refused rows that this process has written, by the time of the refusal.
#[derive(Debug, Default)]
pub(super) struct Refused {
    files: BTreeMap<u64, File>,
    /// The time that goes for what this process sees refused first.
    own_time: Option<u64>,
    removed: Removed,
}

#[derive(Debug)]
struct File {
    segment: Segment,
    rows: u64,
    is_own: bool,
}

/// Refused rows that are gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Removed {
    /// Of this process.
    pub(crate) own: u64,
    /// Of processes before it.
    pub(crate) earlier: u64,
}

impl Refused {
    /// Appends records of rows that were refused first at that time, or now.
    pub(super) fn append(
        &mut self,
        folder: &Folder,
        records: &[u8],
        (since, rows): (Option<u64>, u64),
    ) -> Result<(), (PathBuf, io::Error)> {
        let time = since.unwrap_or_else(|| *self.own_time.get_or_insert_with(now));
        let file = match self.files.entry(time) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let segment = folder.begin_refused(time)?;
                place.insert(File { segment, rows: 0, is_own: since.is_none() })
            }
        };
        file.segment.append(records, &[]).map_err(|cause| (file.segment.path().to_owned(), cause))?;
        file.rows += rows;
        Ok(())
    }

    /// Removes the oldest file to make room; `false` if there is none.
    pub(super) fn remove_oldest(&mut self) -> bool {
        let Some((time, file)) = self.files.pop_first() else { return false };
        if Some(time) == self.own_time {
            self.own_time = None;
        }
        *if file.is_own { &mut self.removed.own } else { &mut self.removed.earlier } += file.rows;
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
