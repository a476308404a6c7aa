//! Files and folders that only their owner may read, where the system has owners: rows hold what a program's users said.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::path::Path;

/// Makes a folder, and those around it that are missing.
///
/// # Errors
///
/// Those of the system. A folder that is there already is none, whoever may read it.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| match error.kind() {
        // `File exists` would not say what is wrong with that.
        io::ErrorKind::AlreadyExists => {
            io::Error::new(io::ErrorKind::NotADirectory, "there is a file where the folder should be")
        }
        _ => error,
    })
}

/// How to open a file to write to it. If that makes the file, only its owner may read it.
pub(crate) fn writable_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
