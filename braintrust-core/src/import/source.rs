//! What an import reads, and how much of it there is.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::Error;
use crate::local;

/// Something to be read, not opened yet.
pub(super) enum Input<'a> {
    File(PathBuf),
    Folder(PathBuf),
    Reader(Box<dyn Read + 'a>, String),
    Rows(Box<dyn Iterator<Item = Value> + 'a>),
}

/// Something to be read, which is there.
pub(super) struct Source<'a> {
    pub(super) name: String,
    pub(super) content: Content<'a>,
    /// Where data is that its rows refer to.
    pub(super) attachments: Option<PathBuf>,
    extent: Extent,
}

pub(super) enum Content<'a> {
    Text(Box<dyn Read + 'a>),
    Rows(Box<dyn Iterator<Item = Value> + 'a>),
}

/// How much there is of something: bytes of files, or rows of iterators, or neither if that cannot be told.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    pub(super) bytes: Option<u64>,
    pub(super) rows: Option<u64>,
}

impl Extent {
    pub(super) const NOTHING: Self = Self { bytes: Some(0), rows: Some(0) };
    const UNKNOWN: Self = Self { bytes: None, rows: None };

    /// How much there is of all sources together.
    pub(super) fn of(sources: &[Source<'_>]) -> Self {
        let sum = |part: fn(&Extent) -> Option<u64>| sources.iter().map(|source| part(&source.extent)).sum();
        Self { bytes: sum(|extent| extent.bytes), rows: sum(|extent| extent.rows) }
    }

    pub(super) fn part_of(&self, whole: &Self) -> Option<f64> {
        let part = |part: Option<u64>, whole: Option<u64>| {
            let (part, whole) = (part?, whole.filter(|whole| *whole > 0)?);
            Some((part as f64 / whole as f64).min(1.0))
        };
        part(self.rows, whole.rows).or_else(|| part(self.bytes, whole.bytes))
    }
}

impl<'a> Input<'a> {
    /// The sources that this is: a folder is all of its files.
    pub(super) fn open(self) -> Result<Vec<Source<'a>>, Error> {
        Ok(match self {
            Self::File(path) => vec![open_file(&path).map_err(|source| cannot_open(&path, source))?],
            Self::Folder(folder) => open_folder(&folder)?,
            Self::Reader(reader, name) => {
                vec![Source { name, content: Content::Text(reader), attachments: None, extent: Extent::UNKNOWN }]
            }
            Self::Rows(rows) => {
                let length = match rows.size_hint() {
                    (least, Some(most)) if least == most => Some(least as u64),
                    _ => None,
                };
                let extent = Extent { bytes: None, rows: length };
                vec![Source { name: "rows".to_owned(), content: Content::Rows(rows), attachments: None, extent }]
            }
        })
    }
}

fn open_folder(folder: &Path) -> Result<Vec<Source<'static>>, Error> {
    let mut sources = Vec::new();
    for path in local::row_files(folder)? {
        match open_file(&path) {
            Ok(source) => {
                sources.push(Source { attachments: Some(local::attachments_of(folder)), ..source });
            }
            // Old files are removed as new ones come, perhaps right now by a program that still runs.
            Err(gone) if gone.kind() == ErrorKind::NotFound => {}
            Err(source) => return Err(cannot_open(&path, source)),
        }
    }
    Ok(sources)
}

fn open_file(path: &Path) -> std::io::Result<Source<'static>> {
    let file = File::open(path)?;
    // A pipe or a device has no length.
    let bytes = file.metadata().ok().filter(|metadata| metadata.is_file()).map(|metadata| metadata.len());
    let extent = Extent { bytes, rows: None };
    Ok(Source { name: path.display().to_string(), content: Content::Text(Box::new(file)), attachments: None, extent })
}

fn cannot_open(path: &Path, source: std::io::Error) -> Error {
    Error::io(format!("cannot open `{}` to import it", path.display()), source)
}
