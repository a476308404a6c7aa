//! The folder of one tenant's spool: names, sizes, and which files nobody works on.

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::locked::LockedFile;
use super::segment::Segment;
use crate::owner_only;

/// The size at which a segment is full, where the spool is large enough for several.
const SEGMENT_BYTES: u64 = 8 * 1024 * 1024;

const ROWS: &str = "rows";
const REFUSED: &str = "refused";

/// How often a new file is begun anew because another process was faster.
const TRIES: usize = 16;

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    limit: u64,
    /// How much is in it, as far as this process knows.
    used: u64,
    is_measured: bool,
    /// Names those who write files here: those of one have rows of the same spans.
    writer: u32,
    /// Those whose files another process has taken over.
    others: BTreeSet<String>,
    /// Files of earlier processes that have not been looked at.
    left: VecDeque<PathBuf>,
    is_listed: bool,
}

impl Folder {
    pub(super) fn new(path: PathBuf, limit: u64) -> Self {
        let (used, is_measured, others, left, is_listed) = Default::default();
        Self { path, limit, used, is_measured, writer: fastrand::u32(..), others, left, is_listed }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    /// The size at which a file is full.
    pub(super) fn full_segment(&self) -> u64 {
        self.limit.min(SEGMENT_BYTES * 8) / 8
    }

    pub(super) fn grown_by(&mut self, bytes: u64) {
        self.used += bytes;
    }

    pub(super) fn shrunk_by(&mut self, bytes: u64) {
        self.used = self.used.saturating_sub(bytes);
    }

    /// Whether so many bytes may be added. Other processes may have added or removed some, so before it is full it is
    /// measured again.
    pub(super) fn has_room(&mut self, incoming: u64) -> bool {
        if !self.is_measured || self.used + incoming > self.limit {
            self.measure();
        }
        self.used + incoming <= self.limit
    }

    pub(super) fn measure(&mut self) {
        self.is_measured = true;
        self.used = size_of(&self.path);
    }

    /// A new file for rows, locked by this process.
    pub(super) fn begin_segment(&mut self) -> Result<Segment, (PathBuf, io::Error)> {
        self.make().map_err(|cause| (self.path.clone(), cause))?;
        let (path, file) = self.new_file(now(), ROWS)?;
        let segment = Segment::begin(path.clone(), file).map_err(|cause| (path, cause))?;
        self.used += segment.len();
        Ok(segment)
    }

    /// A new file for rows that were refused first at `since`, locked by this process.
    pub(super) fn begin_refused(&self, since: u64) -> Result<Segment, (PathBuf, io::Error)> {
        self.make().map_err(|cause| (self.path.clone(), cause))?;
        let (path, file) = self.new_file(since, REFUSED)?;
        Segment::begin(path.clone(), file).map_err(|cause| (path, cause))
    }

    fn make(&self) -> io::Result<()> {
        owner_only::make_folder(&self.path)
    }

    /// A file whose name begins with a time, so that names sort as files were begun.
    fn new_file(&self, since: u64, kind: &str) -> Result<(PathBuf, LockedFile), (PathBuf, io::Error)> {
        for _ in 0..TRIES {
            let (writer, unique) = (self.writer, fastrand::u32(..));
            let path = self.path.join(format!("{since:016}-{:016}-{writer:08x}{unique:08x}.{kind}", now()));
            let new_file = owner_only::writable_file().read(true).create_new(true).open(&path);
            let file = new_file.map_err(|cause| (path.clone(), cause))?;
            // Between these two lines another process may have taken it over, found nothing in it, and removed it.
            if let Some(locked) = LockedFile::lock_new(file, &path).filter(|_| path.exists()) {
                return Ok((path, locked));
            }
        }
        Err((self.path.clone(), io::ErrorKind::WouldBlock.into()))
    }

    /// Whether there is nothing left of earlier processes to take over.
    pub(super) fn is_taken_over(&self) -> bool {
        self.is_listed && self.left.is_empty()
    }

    /// Takes over some files that nobody works on. What is left of one process is sent by one process: two would not keep
    /// the order of its rows.
    pub(super) fn take_over(&mut self, most: usize) -> Vec<Segment> {
        if !self.is_listed {
            self.is_listed = true;
            self.left = files_in(&self.path);
        }
        let mut taken = Vec::new();
        while taken.len() < most
            && let Some(path) = self.left.pop_front()
        {
            let writer = writer_of(&path);
            if self.others.contains(&writer) {
                continue;
            }
            match take_over(path) {
                Some(segment) => taken.push(segment),
                None => _ = self.others.insert(writer),
            }
        }
        taken
    }
}

/// Who wrote a file: in its name.
fn writer_of(path: &Path) -> String {
    let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    name.rsplit('-').next().unwrap_or_default().chars().take(8).collect()
}

/// A file without a lock, if it holds rows that are not settled.
fn take_over(path: PathBuf) -> Option<Segment> {
    let file = LockedFile::lock(owner_only::writable_file().read(true).open(&path).ok()?, &path)?;
    // Whoever held the lock until now may have removed the file.
    if !path.exists() {
        return None;
    }
    let refused_since = refused_since(&path);
    Segment::take_over(path, file, refused_since).ok()
}

fn files_in(folder: &Path) -> VecDeque<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return VecDeque::new() };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut files: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|kind| kind == ROWS || kind == REFUSED)).collect();
    files.sort();
    files.into()
}

/// When the rows of a file were refused, if they were.
fn refused_since(path: &Path) -> Option<u64> {
    if path.extension()? != REFUSED {
        return None;
    }
    path.file_name()?.to_str()?.split('-').next()?.parse().ok()
}

/// Microseconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
}

/// The size of all files in a folder and the folders in it.
fn size_of(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries
        .filter_map(Result::ok)
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size_of(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
