//! Where the data of an attachment is, and reading it.

use std::fs::{File, Metadata};
use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use bytes::Bytes;

use crate::spool::{Blob, read_blob};

/// How many files are kept open at most until they are uploaded: few enough to leave the program all that it may open.
const OPEN_FILES: usize = 64;

static OPEN: AtomicUsize = AtomicUsize::new(0);

/// Where data is.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Memory(Bytes),
    File(Arc<SourceFile>),
    /// In the spool.
    Spool(Arc<Blob>),
    /// Nowhere, for this reason: it is not to be uploaded.
    Refused(String),
}

/// A file as it was when it was attached.
#[derive(Debug)]
pub(crate) struct SourceFile {
    path: PathBuf,
    size: u64,
    modified: Option<SystemTime>,
    /// Open, so that the file may be removed meanwhile; unless too many are.
    open: Option<OpenFile>,
}

#[derive(Debug)]
struct OpenFile(File);

impl OpenFile {
    fn new(file: File) -> Option<Self> {
        if OPEN.fetch_add(1, Ordering::Relaxed) < OPEN_FILES {
            return Some(Self(file));
        }
        OPEN.fetch_sub(1, Ordering::Relaxed);
        None
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Source {
    /// The file at `path`, which is looked at, but not read yet.
    pub(super) fn file(path: &Path) -> io::Result<Self> {
        // A later change of the working directory must not lead to another file.
        let path = std::path::absolute(path)?;
        let file = File::open(&path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        let (size, modified) = (metadata.len(), metadata.modified().ok());
        Ok(Self::File(Arc::new(SourceFile { path, size, modified, open: OpenFile::new(file) })))
    }

    /// How many bytes there are.
    pub(crate) fn size(&self) -> u64 {
        match self {
            Self::Memory(data) => data.len() as u64,
            Self::File(file) => file.size,
            Self::Spool(blob) => blob.size,
            Self::Refused(_) => 0,
        }
    }

    /// How many bytes of memory it takes while it waits.
    pub(super) fn held(&self) -> usize {
        match self {
            Self::Memory(data) => data.len(),
            Self::File(_) | Self::Spool(_) | Self::Refused(_) => 0,
        }
    }

    /// Reads the data.
    ///
    /// # Errors
    ///
    /// If it is refused or gone, or is no longer what was attached: something else in its place would mislead who looks at the trace.
    pub(crate) fn read(&self) -> Result<Bytes, String> {
        match self {
            Self::Memory(data) => Ok(data.clone()),
            Self::File(file) => file.read().map_err(|error| format!("cannot read {}: {error}", file.path.display())),
            Self::Spool(blob) => read_blob(&blob.path)
                .map(Bytes::from)
                .map_err(|error| format!("cannot read the spool file {}: {error}", blob.path.display())),
            Self::Refused(why) => Err(why.clone()),
        }
    }
}

impl SourceFile {
    fn read(&self) -> io::Result<Bytes> {
        let reopened;
        let mut file = match &self.open {
            Some(OpenFile(file)) => file,
            None => {
                reopened = File::open(&self.path)?;
                &reopened
            }
        };
        if self.has_changed(&file.metadata()?) {
            return Err(io::Error::other("it was changed after it was attached"));
        }
        let mut data = Vec::with_capacity(usize::try_from(self.size).unwrap_or_default());
        file.rewind()?;
        file.take(self.size.saturating_add(1)).read_to_end(&mut data)?;
        if data.len() as u64 != self.size {
            return Err(io::Error::other("it was changed while it was read"));
        }
        Ok(data.into())
    }

    fn has_changed(&self, now: &Metadata) -> bool {
        now.len() != self.size || now.modified().ok() != self.modified
    }
}
