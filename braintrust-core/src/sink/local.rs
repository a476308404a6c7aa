//! Rows to a local folder, as JSON Lines in Braintrust's row format.

mod folder;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub(crate) use self::folder::{ATTACHMENTS, is_row_file};
use self::folder::{Folder, NotWritten, RowFile};
use super::RowBatch;
use super::immediate::{Delivery, RowWriter};
use super::rows::OpenRow;
use crate::attachment::Attached;
use crate::container::ProjectRef;
use crate::report::{LossReason, Losses};

/// How much a folder holds.
const MAX_FOLDER_BYTES: u64 = 256 * 1024 * 1024;

/// A folder that holds the latest rows of a project, up to a total size.
///
/// Rows are written on the calling thread, which is the exporter's own and has nothing better to do.
pub(crate) struct LocalSink {
    folder: Folder,
    /// The object id fields and the brace that close each row that names no container of its own.
    closing: Vec<u8>,
    file: Option<RowFile>,
}

impl LocalSink {
    /// A sink for the folder `dir`, which is made when the first rows come.
    pub(crate) fn new(dir: impl Into<PathBuf>, project: ProjectRef) -> Self {
        Self::bounded(dir, project, MAX_FOLDER_BYTES)
    }

    /// A sink whose folder's oldest files make room once it holds `max_bytes`.
    fn bounded(dir: impl Into<PathBuf>, project: ProjectRef, max_bytes: u64) -> Self {
        Self { folder: Folder::new(dir.into(), max_bytes), closing: closing(project), file: None }
    }

    fn deliver_batch(&mut self, batch: &RowBatch) -> Delivery {
        let mut delivered = 0;
        let outcome = self.write_batch(batch, &mut delivered);
        let Err(problem) = outcome else {
            return Delivery { delivered, ..Delivery::default() };
        };
        let lost = batch.len() as u64 - delivered;
        let plural = if lost == 1 { "" } else { "s" };
        let error = format!(
            "{problem} ({lost} row{plural} lost); make the folder writable, or set BRAINTRUST_API_KEY to send rows to \
             Braintrust"
        );
        Delivery { delivered, lost: Losses::of(LossReason::Disk, lost), error: Some(error), ..Delivery::default() }
    }

    /// Writes the data of an attachment, unless it is there already.
    fn keep(&self, attached: &Attached) -> Option<Result<(), String>> {
        let key = attached.key.as_str();
        if self.folder.has(key) {
            return None;
        }
        let kept = attached.read().and_then(|data| self.folder.keep(key, &data).map_err(|problem| problem.to_string()));
        Some(kept.map_err(|why| format!("the attachment `{}` could not be kept: {why}", attached.filename)))
    }

    /// Writes rows in chunks of whole lines, each small enough for one file, and counts those that are written.
    fn write_batch(&mut self, batch: &RowBatch, delivered: &mut u64) -> Result<(), NotWritten> {
        let mut chunk = Vec::with_capacity(batch.bytes() + batch.len() * (self.closing.len() + 1));
        let mut rows = 0;
        for row in batch.iter() {
            let line_start = chunk.len();
            self.put_line(&mut chunk, row);
            if line_start > 0 && chunk.len() as u64 > self.folder.max_file_bytes() {
                self.append(&chunk[..line_start])?;
                *delivered += rows;
                chunk.drain(..line_start);
                rows = 0;
            }
            rows += 1;
        }
        if rows > 0 {
            self.append(&chunk)?;
        }
        *delivered += rows;
        Ok(())
    }

    fn put_line(&self, chunk: &mut Vec<u8>, row: OpenRow<'_>) {
        let start = chunk.len();
        chunk.extend_from_slice(row.text);
        match row.container {
            Some(container) => chunk.extend_from_slice(&container.closing()),
            None => chunk.extend_from_slice(&self.closing),
        }
        // JSON that the program handed over as text may span lines. In JSON a bare line break is mere space.
        let mut rest = &mut chunk[start..];
        while let Some(place) = memchr::memchr2(b'\n', b'\r', rest) {
            rest[place] = b' ';
            rest = &mut rest[place + 1..];
        }
        chunk.push(b'\n');
    }

    /// Appends lines to the file at hand, or to a new one if there is none, it is full, or somebody has removed it.
    fn append(&mut self, lines: &[u8]) -> Result<(), NotWritten> {
        let size = lines.len() as u64;
        let usable = self.file.take().filter(|file| file.has_room(size, self.folder.max_file_bytes()) && file.exists());
        let mut file = match usable {
            Some(file) => file,
            None => self.folder.begin_file(size)?,
        };
        // A file that failed is not gone back to, so that a broken line can only be its last.
        file.append(lines)?;
        self.file = Some(file);
        Ok(())
    }
}

impl RowWriter for LocalSink {
    fn write(&mut self, rows: &RowBatch) -> Delivery {
        let attachments = rows.attachments.iter().filter_map(|attached| self.keep(attached)).collect();
        Delivery { attachments, ..self.deliver_batch(rows) }
    }
}

/// The last fields of a row in the logger's project, and its brace. A name says more to a reader than an id, and can still be registered.
fn closing(project: ProjectRef) -> Vec<u8> {
    let (field, value) = match project {
        ProjectRef::Name(name) | ProjectRef::Id { name: Some(name), .. } => ("project_name", name),
        ProjectRef::Id { id, name: None } => ("project_id", id),
    };
    format!(r#","{field}":{},"log_id":"g"}}"#, serde_json::Value::from(value)).into_bytes()
}
