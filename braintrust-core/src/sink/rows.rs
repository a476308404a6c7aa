//! A batch of rows as text: what the exporter makes and sinks consume.

/// Rows of one logger in the order of their first records, at most one for each span.
///
/// Each row is the text of a JSON object *without its closing brace*: the object id fields (project or experiment) come
/// last in a row, and only the sink knows them.
#[derive(Debug, Default)]
pub(crate) struct RowBatch {
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl RowBatch {
    /// Appends a row that `write` puts into the buffer, without its closing brace.
    pub(crate) fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.text);
        self.ends.push(self.text.len());
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The size of all rows in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The rows, each without its closing brace.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.text[start..*end])
    }
}
