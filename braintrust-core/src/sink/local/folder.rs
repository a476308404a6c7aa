//! The folder that holds rows: makes it, names its files, and keeps its size within bounds.

use std::fs::{self, DirEntry, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::owner_only;

const FILE_START: &str = "rows-";
const FILE_END: &str = ".jsonl";

/// Where the data of attachments is, each in a file named by its key.
pub(crate) const ATTACHMENTS: &str = "attachments";

/// The size at which a file is full, in a folder of ordinary size.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Whether a file of this name holds rows.
pub(crate) fn is_row_file(name: &str) -> bool {
    name.starts_with(FILE_START) && name.ends_with(FILE_END)
}

/// A folder of row files.
pub(super) struct Folder {
    dir: PathBuf,
    max_bytes: u64,
    /// Tells this logger's files from those of others; with `files_begun` in the name after it, files of one second
    /// sort in the order in which they were begun.
    tag: u32,
    files_begun: u16,
}

/// A row file being written.
pub(super) struct RowFile {
    file: File,
    path: PathBuf,
    size: u64,
}

/// What could not be written, and why.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to {}: {cause}", path.display())]
pub(super) struct NotWritten {
    path: PathBuf,
    cause: io::Error,
}

impl Folder {
    pub(super) fn new(dir: PathBuf, max_bytes: u64) -> Self {
        Self { dir, max_bytes, tag: fastrand::u32(..), files_begun: 0 }
    }

    /// The size at which a file is full: small enough that removing one doesn't empty the folder.
    pub(super) fn max_file_bytes(&self) -> u64 {
        MAX_FILE_BYTES.min(self.max_bytes / 4)
    }

    /// A new file for `incoming` bytes and more. The oldest files go first, so that the folder stays within bounds
    /// however full the new one gets.
    pub(super) fn begin_file(&mut self, incoming: u64) -> Result<RowFile, NotWritten> {
        self.make().map_err(|cause| NotWritten { path: self.dir.clone(), cause })?;
        let room = incoming.max(self.max_file_bytes());
        remove_oldest(&self.dir, self.max_bytes.saturating_sub(room))
            .map_err(|cause| NotWritten { path: self.dir.clone(), cause })?;
        let name = self.next_name();
        let path = self.dir.join(name);
        match owner_only::writable_file().create_new(true).open(&path) {
            Ok(file) => Ok(RowFile { file, path, size: 0 }),
            Err(cause) => Err(NotWritten { path, cause }),
        }
    }

    /// Whether the data of an attachment is here.
    pub(super) fn has(&self, key: &str) -> bool {
        self.dir.join(ATTACHMENTS).join(key).exists()
    }

    /// Keeps the data of an attachment. The oldest files go first, as for rows.
    pub(super) fn keep(&self, key: &str, data: &[u8]) -> Result<(), NotWritten> {
        let path = self.dir.join(ATTACHMENTS).join(key);
        self.try_keep(&path, data).map_err(|cause| NotWritten { path, cause })
    }

    fn try_keep(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        let room = self.max_bytes.saturating_sub(data.len() as u64);
        if room < self.max_file_bytes() {
            return Err(io::Error::other("the attachment would fill the folder"));
        }
        self.make()?;
        owner_only::make_folder(&self.dir.join(ATTACHMENTS))?;
        remove_oldest(&self.dir, room)?;
        let unfinished = path.with_extension("part");
        // One that is there was left by a crash.
        let _ = fs::remove_file(&unfinished);
        let written =
            owner_only::writable_file().create_new(true).open(&unfinished).and_then(|mut file| file.write_all(data));
        let kept = written.and_then(|()| fs::rename(&unfinished, path));
        if kept.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        kept
    }

    /// Makes the folder, out of version control's sight: rows hold whatever the program handled.
    fn make(&self) -> io::Result<()> {
        owner_only::make_folder(&self.dir)?;
        match owner_only::writable_file().create_new(true).open(self.dir.join(".gitignore")) {
            Ok(mut file) => file.write_all(b"*\n"),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn next_name(&mut self) -> String {
        let number = self.files_begun;
        self.files_begun = number.wrapping_add(1);
        let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
        let process = std::process::id();
        format!("{FILE_START}{now}-{process}-{:08x}{number:04x}{FILE_END}", self.tag)
    }
}

impl RowFile {
    pub(super) fn has_room(&self, incoming: u64, max_file_bytes: u64) -> bool {
        self.size + incoming <= max_file_bytes
    }

    /// Whether the file is still there: another logger may have made room, or a person have cleaned up.
    pub(super) fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Appends whole lines. They are with the operating system when this returns, so they outlive a crash.
    pub(super) fn append(&mut self, lines: &[u8]) -> Result<(), NotWritten> {
        if let Err(cause) = self.file.write_all(lines) {
            // A full disk takes half a chunk. That is taken back, for it is reported as lost; if even this fails, the
            // file ends in a broken line, and nothing can be done about it.
            let _ = self.file.set_len(self.size);
            return Err(NotWritten { path: self.path.clone(), cause });
        }
        self.size += lines.len() as u64;
        Ok(())
    }
}

/// Removes files of rows and attachments, the longest untouched first, until those left hold no more than `max_bytes`.
///
/// Files that other loggers write are the ones touched last, so they go last.
fn remove_oldest(dir: &Path, max_bytes: u64) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        files.extend(file_named(&entry?, is_row_file));
    }
    // Without attachments there is no such folder.
    for entry in fs::read_dir(dir.join(ATTACHMENTS)).into_iter().flatten() {
        files.extend(file_named(&entry?, |_| true));
    }
    files.sort();
    let mut total: u64 = files.iter().map(|(.., size)| size).sum();
    for (_, path, size) in files {
        if total <= max_bytes {
            break;
        }
        // A file that cannot be removed stays, and the next one goes in its place; one that is gone already has been
        // removed by another program.
        match fs::remove_file(&path) {
            Ok(()) => total -= size,
            Err(error) if error.kind() == ErrorKind::NotFound => total -= size,
            Err(_) => {}
        }
    }
    Ok(())
}

/// When a file was last touched, its path and its size; nothing for one whose name is no such name.
fn file_named(entry: &DirEntry, is_such: fn(&str) -> bool) -> Option<(SystemTime, PathBuf, u64)> {
    let name = entry.file_name();
    let name = name.to_str()?;
    let metadata = entry.metadata().ok()?;
    let ours = is_such(name) && metadata.is_file();
    ours.then(|| (metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH), entry.path(), metadata.len()))
}
