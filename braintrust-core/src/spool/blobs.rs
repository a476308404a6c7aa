//! Data on disk beside the rows that refer to it: each in a file of its own, until it is uploaded.
//!
//! A process keeps its files in a folder of its own, beside which is a file that it locks. Whoever finds a folder
//! whose lock nobody holds takes it over.

use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use super::folder::now;
use super::locked::LockedFile;
use crate::owner_only;

const MAGIC: &[u8; 8] = b"BTBLOB01";
/// The magic, the length of the facts, their checksum, and that of the data.
const HEAD: usize = 20;

const FOLDER: &str = "blobs";
const LOCK: &str = "lock";
/// A file that is still being written.
const UNFINISHED: &str = "part";

/// What has to be known of data to upload it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BlobFacts {
    /// Names the file, so it must be fit for that.
    pub(crate) key: String,
    pub(crate) filename: String,
    pub(crate) content_type: String,
}

/// Data on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blob {
    pub(crate) facts: BlobFacts,
    pub(crate) path: PathBuf,
    /// How many bytes of data there are.
    pub(crate) size: u64,
}

/// The data of one tenant that this process keeps, or has taken over.
#[derive(Debug, Default)]
pub(super) struct Blobs {
    own: Option<Shelf>,
    earlier: Vec<Shelf>,
}

/// A folder of files, locked by this process.
#[derive(Debug)]
struct Shelf {
    path: PathBuf,
    lock: PathBuf,
    _held: LockedFile,
}

impl Blobs {
    /// Writes a file; the data as it is on disk, and the size of the file.
    pub(super) fn keep(
        &mut self,
        tenant: &Path,
        facts: BlobFacts,
        data: &[u8],
    ) -> Result<(Blob, u64), (PathBuf, io::Error)> {
        let shelf = match &mut self.own {
            Some(own) => own,
            none => none.insert(Shelf::new(tenant).map_err(|cause| (tenant.to_owned(), cause))?),
        };
        let path = shelf.path.join(&facts.key);
        let head = head(&facts, data);
        // A person may have cleaned up.
        let written = owner_only::make_folder(&shelf.path).and_then(|()| write(&path, &head, data));
        match written {
            Ok(()) => Ok((Blob { facts, path, size: data.len() as u64 }, (head.len() + data.len()) as u64)),
            Err(cause) => Err((path, cause)),
        }
    }

    /// Removes a file; how many bytes that makes. A folder goes with its last file.
    pub(super) fn remove(&mut self, path: &Path) -> u64 {
        let size = fs::metadata(path).map_or(0, |metadata| metadata.len());
        // If it cannot be removed, it is uploaded once more by a later process, which does no harm.
        let _ = fs::remove_file(path);
        self.earlier.retain(|shelf| !shelf.remove_if_empty());
        if self.own.as_ref().is_some_and(Shelf::remove_if_empty) {
            self.own = None;
        }
        size
    }

    /// Takes over what processes that are gone have left; and the files that make no sense, which are removed.
    pub(super) fn take_over(&mut self, tenant: &Path) -> (Vec<Blob>, Vec<PathBuf>) {
        let (mut found, mut damaged) = (Vec::new(), Vec::new());
        let folders = entries(tenant).filter(|path| path.extension().is_some_and(|kind| kind == FOLDER));
        for shelf in folders.filter_map(Shelf::take_over) {
            for path in entries(&shelf.path) {
                match look_at(&path) {
                    Some(blob) => found.push(blob),
                    None => {
                        let is_unfinished = path.extension().is_some_and(|kind| kind == UNFINISHED);
                        let _ = fs::remove_file(&path);
                        damaged.extend((!is_unfinished).then_some(path));
                    }
                }
            }
            if !shelf.remove_if_empty() {
                self.earlier.push(shelf);
            }
        }
        (found, damaged)
    }
}

impl Shelf {
    /// A new folder. It is locked before it is there, so nobody takes it for one that was left.
    fn new(tenant: &Path) -> io::Result<Self> {
        owner_only::make_folder(tenant)?;
        let name = tenant.join(format!("{:016}-{:016x}", now(), fastrand::u64(..)));
        let (path, lock) = (name.with_extension(FOLDER), name.with_extension(LOCK));
        let file = owner_only::writable_file().read(true).create_new(true).open(&lock)?;
        let held = LockedFile::lock_new(file, &lock).ok_or(io::ErrorKind::WouldBlock)?;
        owner_only::make_folder(&path)?;
        Ok(Self { path, lock, _held: held })
    }

    fn take_over(path: PathBuf) -> Option<Self> {
        let lock = path.with_extension(LOCK);
        let held = LockedFile::lock(owner_only::writable_file().read(true).create(true).open(&lock).ok()?, &lock)?;
        let shelf = Self { path, lock, _held: held };
        // Whoever held the lock until now may have removed the folder.
        if !shelf.path.is_dir() {
            let _ = fs::remove_file(&shelf.lock);
            return None;
        }
        Some(shelf)
    }

    /// Removes the folder, unless there are files in it; whether it is gone.
    fn remove_if_empty(&self) -> bool {
        let _ = fs::remove_dir(&self.path);
        let is_gone = !self.path.exists();
        if is_gone {
            let _ = fs::remove_file(&self.lock);
        }
        is_gone
    }
}

/// Reads the data of a file.
///
/// # Errors
///
/// If it is gone, or damaged.
pub(crate) fn read_blob(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let (_, checksum) = read_head(&mut file)?;
    let mut data = Vec::new();
    file.read_to_end(&mut data)?;
    if crc32fast::hash(&data) != checksum {
        return Err(damage());
    }
    Ok(data)
}

/// What a file's head says of it, if that makes sense.
fn look_at(path: &Path) -> Option<Blob> {
    let mut file = File::open(path).ok()?;
    let len = file.metadata().ok()?.len();
    let (facts, _) = read_head(&mut file).ok()?;
    let (filename, content_type): (String, String) = serde_json::from_slice(&facts).ok()?;
    let key = path.file_name()?.to_str()?.to_owned();
    let size = len.checked_sub((HEAD + facts.len()) as u64)?;
    Some(Blob { facts: BlobFacts { key, filename, content_type }, path: path.to_owned(), size })
}

/// The facts, and the checksum of the data, which comes next.
fn read_head(file: &mut impl Read) -> io::Result<(Vec<u8>, u32)> {
    let mut head = [0; HEAD];
    file.read_exact(&mut head)?;
    let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    // The length may be damaged, so no memory is taken for it before the file turns out to be as long.
    let mut facts = Vec::new();
    file.take(u64::from(number(8))).read_to_end(&mut facts)?;
    if !head.starts_with(MAGIC) || facts.len() != number(8) as usize || crc32fast::hash(&facts) != number(12) {
        return Err(damage());
    }
    Ok((facts, number(16)))
}

/// All that comes before the data.
fn head(facts: &BlobFacts, data: &[u8]) -> Vec<u8> {
    let facts = serde_json::json!([facts.filename, facts.content_type]).to_string();
    let mut head = MAGIC.to_vec();
    for number in [facts.len() as u32, crc32fast::hash(facts.as_bytes()), crc32fast::hash(data)] {
        head.extend_from_slice(&number.to_le_bytes());
    }
    head.extend_from_slice(facts.as_bytes());
    head
}

fn write(path: &Path, head: &[u8], data: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension(UNFINISHED);
    let file = owner_only::writable_file().read(true).create(true).truncate(true).open(&unfinished);
    let written = file.and_then(|mut file| file.write_all(head).and_then(|()| file.write_all(data)));
    let kept = written.and_then(|()| fs::rename(&unfinished, path));
    if kept.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    kept
}

fn damage() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is damaged")
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()))
}
