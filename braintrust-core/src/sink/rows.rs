//! A batch of rows as text: what the exporter makes and sinks consume.

use std::rc::Rc;
use std::sync::Arc;

use crate::attachment::Attached;
use crate::buffer::Buffer;
use crate::container::Container;

/// Rows of one logger in the order of their first records, at most one for each span.
///
/// Each row is the text of a JSON object *without its closing brace*: the object id fields (project or experiment) come
/// last in a row, and only the sink knows them.
#[derive(Debug, Default)]
pub(crate) struct RowBatch {
    text: Buffer,
    rows: Vec<RowEnd>,
    /// The containers that rows name, each once. Few: one for each trace that came from elsewhere.
    containers: Vec<(Vec<u8>, Option<Rc<Container>>)>,
    /// What rows refer to, and is still to be uploaded.
    pub(crate) attachments: Vec<Arc<Attached>>,
}

#[derive(Clone, Copy, Debug)]
struct RowEnd {
    end: usize,
    container: Option<usize>,
    key: u64,
    may_hold_messages: bool,
}

/// One row of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenRow<'a> {
    /// The row, without its closing brace.
    pub(crate) text: &'a [u8],
    /// The object that holds the row; the logger's own project if there is none.
    pub(crate) container: Option<&'a Rc<Container>>,
    /// Tells rows of different spans apart: rows with the same key must arrive in their order.
    pub(crate) key: u64,
    /// Whether its input and output may be messages of a model: see [`RowBatch::note_messages`].
    pub(crate) may_hold_messages: bool,
}

impl RowBatch {
    /// An empty batch with memory for a full one.
    pub(crate) fn with_room() -> Self {
        Self { text: Buffer::large(), ..Self::default() }
    }

    /// Whether further rows should go into another batch, so that none has to be moved to more memory.
    pub(crate) fn is_full(&self) -> bool {
        self.text.is_full()
    }

    /// Gives back memory that no row needs: the batch may wait for long.
    pub(crate) fn shrink(&mut self) {
        self.text.shrink();
    }

    /// Appends a row that `write` puts into the buffer, without its closing brace. `container` is encoded; rows
    /// with the same `key` belong to one span.
    pub(crate) fn push_with(&mut self, key: u64, container: Option<&[u8]>, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.text);
        let container = container.map(|encoded| self.place_of(encoded));
        self.rows.push(RowEnd { end: self.text.len(), container, key, may_hold_messages: false });
    }

    /// Notes that the last row may be one of a model call, whose messages are looked through for data.
    pub(crate) fn note_messages(&mut self) {
        if let Some(row) = self.rows.last_mut() {
            row.may_hold_messages = true;
        }
    }

    fn place_of(&mut self, encoded: &[u8]) -> usize {
        self.containers.iter().rposition(|(known, _)| known == encoded).unwrap_or_else(|| {
            self.containers.push((encoded.to_owned(), Container::decode(encoded).map(Rc::new)));
            self.containers.len() - 1
        })
    }

    /// The rows as `write` puts each of them into the buffer anew; one for which it returns `false` is left out, and
    /// `write` must have left the buffer as it was.
    pub(crate) fn rewritten(&self, mut write: impl FnMut(OpenRow<'_>, &mut Vec<u8>) -> bool) -> Self {
        let mut text = Buffer::with_capacity(self.text.len());
        let mut rows = Vec::with_capacity(self.rows.len());
        for (row, facts) in self.iter().zip(&self.rows) {
            if write(row, &mut text) {
                rows.push(RowEnd { end: text.len(), ..*facts });
            }
        }
        Self { text, rows, containers: self.containers.clone(), attachments: self.attachments.clone() }
    }

    /// The text of all rows, one after the other.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The size of all rows in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The row with this index, if there is one.
    pub(crate) fn get(&self, index: usize) -> Option<OpenRow<'_>> {
        let row = self.rows.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.rows[before].end);
        let container = row.container.and_then(|place| self.containers[place].1.as_ref());
        Some(OpenRow {
            text: &self.text[start..row.end],
            container,
            key: row.key,
            may_hold_messages: row.may_hold_messages,
        })
    }

    /// The rows.
    pub(crate) fn iter(&self) -> impl Iterator<Item = OpenRow<'_>> {
        (0..self.rows.len()).filter_map(|index| self.get(index))
    }
}
