//! The fields of one span on their way into the record log: JSON bytes in memory that the thread reuses.

use std::cell::Cell;

/// A field of a span, by Braintrust's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Field {
    /// What went in.
    Input,
    /// What came out.
    Output,
    /// What should have come out.
    Expected,
    /// What went wrong.
    Error,
    /// Numbers from 0 to 1 by name.
    Scores,
    /// Anything worth filtering by.
    Metadata,
    /// Numbers by name.
    Metrics,
    /// A list of words.
    Tags,
    /// Where the span comes from.
    Context,
    /// `span_attributes`: name, type and others.
    Attributes,
    /// The row that this one is about, or was made from.
    Origin,
    /// What a person said of a row.
    Comment,
    /// Who gave feedback: the app, the API, or something external.
    AuditSource,
    /// More on who gave feedback, and how.
    AuditMetadata,
}

impl Field {
    pub(crate) const ALL: [Self; 14] = [
        Self::Input,
        Self::Output,
        Self::Expected,
        Self::Error,
        Self::Scores,
        Self::Metadata,
        Self::Metrics,
        Self::Tags,
        Self::Context,
        Self::Attributes,
        Self::Origin,
        Self::Comment,
        Self::AuditSource,
        Self::AuditMetadata,
    ];

    /// The name of the field in a row.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
            Self::Expected => "expected",
            Self::Error => "error",
            Self::Scores => "scores",
            Self::Metadata => "metadata",
            Self::Metrics => "metrics",
            Self::Tags => "tags",
            Self::Context => "context",
            Self::Attributes => "span_attributes",
            Self::Origin => "origin",
            Self::Comment => "comment",
            Self::AuditSource => "_audit_source",
            Self::AuditMetadata => "_audit_metadata",
        }
    }

    /// The field that a row calls `name`.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == name)
    }

    pub(crate) fn from_index(index: u8) -> Option<Self> {
        Self::ALL.get(usize::from(index)).copied()
    }
}

/// Fields with their JSON, in the order in which they were put.
///
/// The memory comes from the thread and goes back to it, so that a steady program allocates nothing here. They lie as
/// records do, so that they are copied as they are to become some, or not even that: see `seal`.
#[derive(Debug)]
pub struct Fields {
    /// Of each field: the header of a record, in which at first only the field and the length of its JSON stand; the
    /// JSON; and zeros up to a multiple of [`ALIGNMENT`].
    bytes: Vec<u8>,
}

/// How long the header of a record is.
pub(crate) const HEADER: usize = 56;
/// Where in it the field stands.
pub(crate) const FIELD_AT: usize = 1;
/// Where in it the length of the JSON stands, in four bytes.
pub(crate) const LENGTH_AT: usize = 8;
/// At what multiples of bytes the parts of a record begin.
pub(crate) const ALIGNMENT: usize = 8;
/// A buffer that one huge value has grown is not kept for the rest of the thread's life.
const KEPT_CAPACITY: usize = 256 * 1024;
/// Memory is not handed over of which less than this part is used: what waits is counted by what is in it.
const MOST_UNUSED: usize = 4;

fn length(header: &[u8; HEADER]) -> usize {
    u32::from_le_bytes([header[LENGTH_AT], header[LENGTH_AT + 1], header[LENGTH_AT + 2], header[LENGTH_AT + 3]])
        as usize
}

thread_local! {
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Fields {
    /// No fields yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// Puts a field; `write_json` appends exactly one JSON value to the buffer that it gets.
    pub fn put(&mut self, field: Field, write_json: impl FnOnce(&mut Vec<u8>)) {
        if self.bytes.capacity() == 0 {
            // Taken, not borrowed: a value's `Serialize` may itself open spans.
            self.bytes = SPARE.try_with(Cell::take).unwrap_or_default();
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; HEADER]);
        write_json(&mut self.bytes);
        let end = self.bytes.len();
        match u32::try_from(end - start - HEADER) {
            Ok(length) if length > 0 => {
                self.bytes[start + FIELD_AT] = field as u8;
                self.bytes[start + LENGTH_AT..][..4].copy_from_slice(&length.to_le_bytes());
                self.bytes.extend_from_slice(&[0; ALIGNMENT]);
                self.bytes.truncate(end.next_multiple_of(ALIGNMENT));
            }
            // Nothing was written, or 4 GiB were: neither is a field.
            _ => self.bytes.truncate(start),
        }
    }

    /// Completes the header of each field, which makes it a record: `header` is that of one without a field and without a
    /// length.
    pub(crate) fn seal(&mut self, header: &[u64; HEADER / 8]) {
        let mut rest = self.bytes.as_mut_slice();
        while let Some((own, tail)) = rest.split_first_chunk_mut::<HEADER>() {
            let length = length(own);
            // By whole words: what is read soon as words would have to wait for narrower stores.
            let mut words = *header;
            words[0] |= u64::from(own[FIELD_AT]) << (8 * FIELD_AT);
            words[LENGTH_AT / 8] |= length as u64;
            own.copy_from_slice(words.map(u64::to_le_bytes).as_flattened());
            let Some((_, tail)) = tail.split_at_mut_checked(length.next_multiple_of(ALIGNMENT)) else { break };
            rest = tail;
        }
    }

    /// All of it, as it lies; records, once it was sealed.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Hands the memory over, if it is not far larger than what lies in it. Afterwards, this is empty.
    pub(crate) fn take_bytes(&mut self) -> Option<Vec<u8>> {
        if self.bytes.capacity() / MOST_UNUSED > self.bytes.len() {
            return None;
        }
        Some(std::mem::take(&mut self.bytes))
    }

    /// Puts the fields of `other` after these.
    pub(crate) fn append(&mut self, other: &Self) {
        self.bytes.extend_from_slice(&other.bytes);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The fields with their JSON.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Field, &[u8])> {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || {
            let (header, tail) = rest.split_first_chunk::<HEADER>()?;
            let length = length(header);
            let (padded, tail) = tail.split_at_checked(length.next_multiple_of(ALIGNMENT))?;
            rest = tail;
            Some((Field::from_index(header[FIELD_AT])?, &padded[..length]))
        })
    }
}

impl Default for Fields {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Fields {
    #[inline]
    fn drop(&mut self) {
        if self.bytes.capacity() > 0 {
            give_back(std::mem::take(&mut self.bytes));
        }
    }
}

/// Gives this thread memory for fields.
pub(crate) fn give_back(mut bytes: Vec<u8>) {
    if bytes.capacity() <= KEPT_CAPACITY {
        bytes.clear();
        // A thread that is being torn down keeps nothing.
        let _ = SPARE.try_with(|spare| spare.set(bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_back_in_order_and_empty_ones_do_not() {
        let mut fields = Fields::new();
        fields.put(Field::Input, |out| out.extend_from_slice(b"1"));
        fields.put(Field::Expected, |_| ());
        fields.put(Field::Output, |out| out.extend_from_slice(b"\"two\""));
        let seen: Vec<_> = fields.iter().collect();
        assert_eq!(seen, [(Field::Input, b"1".as_slice()), (Field::Output, b"\"two\"".as_slice())]);
    }

    #[test]
    fn sealed_fields_are_records_and_hand_their_memory_over() {
        let mut fields = Fields::new();
        fields.put(Field::Input, |out| out.extend_from_slice(b"[1]"));
        fields.put(Field::Output, |out| out.extend_from_slice(b"12345678"));
        let seen = |fields: &Fields| fields.iter().map(|(field, json)| (field, json.to_vec())).collect::<Vec<_>>();
        let before = seen(&fields);
        fields.seal(&[0xa0007, 0, 3, 4, 5, 6, 7]);
        assert_eq!(seen(&fields), before, "what stands in a header stays");
        let header = |field: u64, length| [0xa0007 | field << 8, length, 3, 4, 5, 6, 7].map(u64::to_le_bytes).concat();
        let records = [&header(0, 3)[..], b"[1]", &[0; 5], &header(1, 8), b"12345678"].concat();
        assert_eq!(fields.as_bytes(), records);
        let place = fields.bytes.as_ptr();
        let taken = fields.take_bytes().expect("as much as there is");
        assert_eq!(taken.as_ptr(), place);
        assert!(fields.is_empty());
        give_back(Vec::with_capacity(KEPT_CAPACITY));
        fields.put(Field::Input, |out| out.push(b'1'));
        assert_eq!(fields.take_bytes(), None, "far too large");
    }

    #[test]
    fn fields_may_be_filled_while_others_are() {
        let mut outer = Fields::new();
        outer.put(Field::Input, |out| {
            let mut inner = Fields::new();
            inner.put(Field::Output, |out| out.push(b'2'));
            out.push(b'1');
        });
        assert_eq!(outer.iter().collect::<Vec<_>>(), [(Field::Input, b"1".as_slice())]);
    }
}
