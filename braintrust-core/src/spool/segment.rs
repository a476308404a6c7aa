//! One file of rows: appended to, read back, and settled row by row.

use std::fs;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::locked::LockedFile;
use super::record::{Record, SpoolRow, next_record, settled};
use crate::diagnostics;

const MAGIC: &[u8; 8] = b"BTSPOOL1";
/// The magic, how far the file is settled, and the checksum of that.
const HEAD: usize = 20;

/// A file of rows, locked by this process.
#[derive(Debug)]
pub(super) struct Segment {
    path: PathBuf,
    file: LockedFile,
    len: u64,
    /// Where the first row begins that is counted.
    start: u64,
    /// Where each row ends.
    ends: Vec<u64>,
    states: Vec<State>,
    /// All rows before this one are settled.
    first_open: usize,
    /// All rows before this one are settled, or left for now.
    first_waiting: usize,
    /// Up to where the file says that it is settled.
    noted: u64,
    /// The rows that were settled since that was noted.
    unnoted: Vec<usize>,
    /// Whether rows may still be appended.
    is_growing: bool,
    /// Whether all rows are known; those of earlier processes are not, before they have been read.
    is_known: bool,
    refused_since: Option<u64>,
    /// How many rows could not be read back, since this was last asked.
    lost: u64,
    /// What has been read of the file, and where in it that begins.
    loaded: Option<(u64, Vec<u8>)>,
}

/// What has become of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// It was read, and cannot be delivered for now.
    Left,
    Settled,
}

/// What reading on gives.
pub(super) enum Found<'a> {
    Row(SpoolRow<'a>, usize),
    End,
}

impl Segment {
    /// A new file, which is empty and locked.
    pub(super) fn begin(path: PathBuf, mut file: LockedFile) -> io::Result<Self> {
        let start = HEAD as u64;
        file.write_all(&head(start))?;
        Ok(Self::new(path, file, start, start))
    }

    /// A file that an earlier process has left, which is locked now.
    pub(super) fn take_over(path: PathBuf, mut file: LockedFile, refused_since: Option<u64>) -> io::Result<Self> {
        let len = file.metadata()?.len();
        let mut bytes = [0; HEAD];
        let is_whole = file.read_exact(&mut bytes).is_ok();
        // Without a head that makes sense, all is read: what is sent twice does no harm.
        let start = settled_to(&bytes).filter(|start| is_whole && *start <= len).unwrap_or(0);
        let mut segment = Self::new(path, file, len, start);
        (segment.is_growing, segment.is_known, segment.refused_since) = (false, false, refused_since);
        Ok(segment)
    }

    fn new(path: PathBuf, file: LockedFile, len: u64, start: u64) -> Self {
        Self {
            path,
            file,
            len,
            start,
            ends: Vec::new(),
            states: Vec::new(),
            first_open: 0,
            first_waiting: 0,
            noted: start,
            unnoted: Vec::new(),
            is_growing: true,
            is_known: true,
            refused_since: None,
            lost: 0,
            loaded: None,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// How many rows are known.
    pub(super) fn rows(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn refused_since(&self) -> Option<u64> {
        self.refused_since
    }

    /// Whether the file is where it was; a person may have cleaned up.
    pub(super) fn is_there(&self) -> bool {
        self.path.exists()
    }

    /// Appends whole records, which end at `ends`; the number of the first one.
    pub(super) fn append(&mut self, records: &[u8], ends: &[u64]) -> io::Result<usize> {
        let written = self.file.seek(SeekFrom::Start(self.len)).and_then(|_| self.file.write_all(records));
        if let Err(cause) = written {
            // A full disk takes half of it. That is taken back; if even this fails, a reader passes over it.
            let _ = self.file.set_len(self.len);
            return Err(cause);
        }
        let first = self.ends.len();
        self.ends.extend(ends.iter().map(|end| self.len + end));
        self.states.resize(self.ends.len(), State::Open);
        self.len += records.len() as u64;
        Ok(first)
    }

    /// No more rows will be appended.
    pub(super) fn seal(&mut self) {
        self.is_growing = false;
    }

    pub(super) fn settle(&mut self, row: usize) {
        self.unnoted.push(row);
        self.close(row);
    }

    fn close(&mut self, row: usize) {
        if let Some(state) = self.states.get_mut(row) {
            *state = State::Settled;
        }
        while self.states.get(self.first_open) == Some(&State::Settled) {
            self.first_open += 1;
        }
        self.pass_over_left();
    }

    fn lose(&mut self, row: usize) {
        self.lost += u64::from(self.states.get(row).is_some_and(|state| *state != State::Settled));
        self.close(row);
    }

    /// How many rows could not be read back, since this was last asked.
    pub(super) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    /// This row cannot be delivered before all are read again.
    pub(super) fn leave(&mut self, row: usize) {
        if let Some(state @ State::Open) = self.states.get_mut(row) {
            *state = State::Left;
        }
        self.pass_over_left();
    }

    /// Rows that were left may be delivered now.
    pub(super) fn reopen_left(&mut self) {
        self.states.iter_mut().filter(|state| **state == State::Left).for_each(|state| *state = State::Open);
        self.first_waiting = self.first_open;
    }

    fn pass_over_left(&mut self) {
        self.first_waiting = self.first_waiting.max(self.first_open);
        while self.states.get(self.first_waiting).is_some_and(|state| *state != State::Open) {
            self.first_waiting += 1;
        }
    }

    /// Whether nothing is left to do for this file.
    pub(super) fn is_settled(&self) -> bool {
        !self.is_growing && self.is_settled_so_far()
    }

    /// Whether all rows that are there are settled, though more may come.
    pub(super) fn is_settled_so_far(&self) -> bool {
        self.is_known && self.first_open == self.ends.len()
    }

    /// Whether the rows before this one are settled, or left for now.
    pub(super) fn is_through_to(&self, row: usize) -> bool {
        self.first_waiting >= row.min(self.ends.len()) && (self.is_known || row < self.ends.len())
    }

    pub(super) fn is_read_from(&self, row: usize) -> bool {
        self.is_known && row >= self.ends.len()
    }

    /// Notes in the file how far it is settled, and which rows are beyond that. A row that were sent again, by the next
    /// process, would take back what later rows of its span have changed since.
    pub(super) fn note_settled(&mut self) {
        let to = self.end_of(self.first_open);
        if to != self.noted {
            self.noted = to;
            self.write_at(0, &head(to));
        }
        let mut beyond = std::mem::take(&mut self.unnoted);
        beyond.retain(|row| *row > self.first_open);
        beyond.sort_unstable();
        for run in beyond.chunk_by(|row, next| *next <= row + 1) {
            let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
            let (from, to) = (self.end_of(*first), self.end_of(last + 1));
            // No file is that large.
            let Ok(len) = u32::try_from(to - from) else { continue };
            self.write_at(from, &settled(len));
        }
    }

    /// What cannot be written is sent twice.
    fn write_at(&mut self, at: u64, bytes: &[u8]) {
        let _ = self.file.seek(SeekFrom::Start(at)).and_then(|_| self.file.write_all(bytes));
    }

    /// Where the rows before this one end.
    fn end_of(&self, row: usize) -> u64 {
        row.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or(self.start)
    }

    /// The first row from number `row` on that is not settled.
    pub(super) fn next(&mut self, row: usize) -> Found<'_> {
        let row = row.max(self.first_open);
        if self.is_read_from(row) {
            return Found::End;
        }
        match (self.find(row), &self.loaded) {
            (Some((index, record)), Some((_, bytes))) => Found::Row(record.row(bytes), index),
            _ => Found::End,
        }
    }

    fn find(&mut self, row: usize) -> Option<(usize, Record)> {
        let mut at = self.end_of(row);
        // More may have been appended since the file was loaded.
        let mut is_fresh = false;
        loop {
            let is_loaded = |(begin, bytes): &(u64, Vec<u8>)| (*begin..begin + bytes.len() as u64).contains(&at);
            if !self.loaded.as_ref().is_some_and(is_loaded) {
                self.load(at);
                is_fresh = true;
            }
            let (begin, bytes) = self.loaded.as_ref()?;
            let record = match next_record(bytes, usize::try_from(at - begin).unwrap_or(usize::MAX)) {
                Ok(record) => record,
                Err(_) if begin + (bytes.len() as u64) < self.len && !is_fresh => {
                    self.load(at);
                    is_fresh = true;
                    continue;
                }
                Err(damaged) => {
                    self.end_of_file(row, damaged);
                    return None;
                }
            };
            let end = begin + record.end as u64;
            if record.damaged > self.head_before(at) {
                tell_of_damage(&self.path, record.damaged);
            }
            let index = self.ends.binary_search(&end).unwrap_or_else(|_| {
                self.ends.push(end);
                self.states.push(State::Open);
                self.ends.len() - 1
            });
            if self.states[index] != State::Settled {
                // Rows that were to come before this one, and did not, cannot be read any more.
                (row..index).for_each(|lost| self.lose(lost));
                return Some((index, record));
            }
            at = end;
        }
    }

    /// A file whose head is damaged is read from its very beginning, where no record can be.
    fn head_before(&self, at: u64) -> usize {
        if at == 0 { HEAD } else { 0 }
    }

    /// Nothing whole comes after row number `row`.
    fn end_of_file(&mut self, row: usize, damaged: usize) {
        if damaged > 0 {
            tell_of_damage(&self.path, damaged);
        }
        self.is_known = true;
        // Rows of this process that cannot be read back are gone.
        (row..self.ends.len()).for_each(|lost| self.lose(lost));
    }

    fn load(&mut self, from: u64) {
        let mut bytes = Vec::new();
        let read = self.file.seek(SeekFrom::Start(from)).and_then(|_| self.file.read_to_end(&mut bytes));
        if let Err(cause) = read {
            diagnostics::error(&format!("spool: {}", self.path.display()), || {
                format!("the spool file {} cannot be read: {cause}", self.path.display())
            });
        }
        self.loaded = Some((from, bytes));
    }

    /// Gives back the memory that reading takes.
    pub(super) fn unload(&mut self) {
        self.loaded = None;
    }

    /// Removes the file; how many bytes that makes.
    pub(super) fn remove(self) -> u64 {
        // If it cannot be removed, its rows are sent once more by a later process, which does no harm.
        let _ = fs::remove_file(&self.path);
        self.len
    }
}

fn tell_of_damage(path: &Path, bytes: usize) {
    diagnostics::error(&format!("spool damage: {}", path.display()), || {
        format!("{bytes} bytes of the spool file {} are damaged, and were passed over", path.display())
    });
}

fn head(settled_to: u64) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..8].copy_from_slice(MAGIC);
    head[8..16].copy_from_slice(&settled_to.to_le_bytes());
    let checksum = crc32fast::hash(&head[8..16]);
    head[16..].copy_from_slice(&checksum.to_le_bytes());
    head
}

fn settled_to(head: &[u8; HEAD]) -> Option<u64> {
    let (magic, rest) = head.split_first_chunk::<8>()?;
    let (offset, checksum) = rest.split_first_chunk::<8>()?;
    let is_whole = magic == MAGIC && crc32fast::hash(offset).to_le_bytes() == *checksum;
    is_whole.then(|| u64::from_le_bytes(*offset))
}
