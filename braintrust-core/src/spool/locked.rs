//! Files that one process at a time works on.
//!
//! On Unix a lock belongs to the file as it was opened, and a child that is forked has that too: it would keep the lock for
//! as long as it lives, even when its parent is gone. So the lock is a descriptor of its own, in a table that the child
//! empties.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The locks of this process, by numbers.
static LOCKS: Mutex<BTreeMap<u64, File>> = Mutex::new(BTreeMap::new());

/// A file that this process has locked, until this is dropped.
#[derive(Debug)]
pub(super) struct LockedFile {
    file: File,
    /// In the table.
    lock: u64,
}

impl LockedFile {
    /// Locks a file that was opened at `path`; `None` if another process works on it.
    pub(super) fn lock(file: File, path: &Path) -> Option<Self> {
        let lock = opened_again(&file, path).ok()?;
        lock.try_lock().ok()?;
        Some(Self::new(file, lock))
    }

    /// Locks a file that was made just now at `path`; `None` if another process was faster, and takes it for one that was
    /// left. Where there are no locks, it goes without: then nobody takes it over.
    pub(super) fn lock_new(file: File, path: &Path) -> Option<Self> {
        let lock = opened_again(&file, path).ok()?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => None,
            Ok(()) | Err(TryLockError::Error(_)) => Some(Self::new(file, lock)),
        }
    }

    fn new(file: File, lock: File) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        locks().insert(number, lock);
        Self { file, lock: number }
    }
}

impl Drop for LockedFile {
    /// Closing the file would not do: any child that is being started at the moment has it open too, until it runs its
    /// own program.
    fn drop(&mut self) {
        // None in a forked child: the lock is its parent's.
        let lock = locks().remove(&self.lock);
        let _ = lock.map(|lock| lock.unlock());
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

/// In a forked child: leaves all locks to the parent, which has them open too.
#[cfg(all(unix, not(braintrust_loom)))]
pub(crate) fn leave_to_parent() {
    // Only the exporter's thread has this lock, and that stood still; if it did not, they are kept after all.
    if let Ok(mut locks) = LOCKS.try_lock() {
        locks.clear();
    }
}

fn locks() -> MutexGuard<'static, BTreeMap<u64, File>> {
    LOCKS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(unix)]
fn opened_again(_: &File, path: &Path) -> io::Result<File> {
    crate::owner_only::writable_file().open(path)
}

/// A lock keeps other handles from the file itself here, and there are no forks.
#[cfg(not(unix))]
fn opened_again(file: &File, _: &Path) -> io::Result<File> {
    file.try_clone()
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
        let lock = || LockedFile::lock(open(), &path);

        let parents = lock().unwrap();
        assert!(lock().is_none(), "it is locked");
        let inherited = locks()[&parents.lock].try_clone().unwrap();
        // Without the entry in the table, which the child has emptied.
        let childs = LockedFile { file: parents.try_clone().unwrap(), lock: u64::MAX };
        drop(childs);
        assert!(lock().is_none(), "a child leaves it to its parent");
        drop(parents);
        assert!(lock().is_some(), "a child that is being started does not keep it from the next one");
        drop(inherited);
    }
}
