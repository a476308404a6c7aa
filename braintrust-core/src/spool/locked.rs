//! Files that one process at a time works on.

use std::fs::{File, TryLockError};
use std::ops::{Deref, DerefMut};

/// A file that this process has locked, until this is dropped.
#[derive(Debug)]
pub(super) struct LockedFile {
    file: File,
    /// The process that holds the lock. A forked child has a copy of this, and must not let go what its parent holds.
    owner: u32,
}

impl LockedFile {
    /// Locks a file; `None` if another process works on it.
    pub(super) fn lock(file: File) -> Option<Self> {
        file.try_lock().ok()?;
        Some(Self::new(file))
    }

    /// Locks a file that was made just now; `None` if another process was faster, and takes it for one that was left.
    /// Where there are no locks, it goes without: then nobody takes it over.
    pub(super) fn lock_new(file: File) -> Option<Self> {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => None,
            Ok(()) | Err(TryLockError::Error(_)) => Some(Self::new(file)),
        }
    }

    fn new(file: File) -> Self {
        Self { file, owner: std::process::id() }
    }
}

impl Drop for LockedFile {
    /// Closing the file would not do: any child that is being started at the moment has it open too, until it runs its
    /// own program.
    fn drop(&mut self) {
        if self.owner == std::process::id() {
            let _ = self.file.unlock();
        }
    }
}

impl Deref for LockedFile {
    type Target = File;

    fn deref(&self) -> &File {
        &self.file
    }
}

impl DerefMut for LockedFile {
    fn deref_mut(&mut self) -> &mut File {
        &mut self.file
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// A second handle to the same open file is what a child inherits.
    #[test]
    fn a_lock_is_let_go_by_whoever_took_it_and_by_nobody_else() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("file");
        let open = || File::options().read(true).write(true).create(true).truncate(false).open(&path).unwrap();

        let parents = LockedFile::lock(open()).unwrap();
        assert!(LockedFile::lock(open()).is_none(), "it is locked");
        let childs = LockedFile { file: parents.try_clone().unwrap(), owner: parents.owner + 1 };
        let inherited = parents.try_clone().unwrap();
        drop(childs);
        assert!(LockedFile::lock(open()).is_none(), "a child leaves it to its parent");
        drop(parents);
        assert!(LockedFile::lock(open()).is_some(), "a child does not keep it from the next one");
        drop(inherited);
    }
}
