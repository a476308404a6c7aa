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
/// records do, so that many bytes need not be copied to become some: see `take_records`.
#[derive(Debug)]
pub struct Fields {
    /// Of each field: room for the header of a record, in which its index and the length of its JSON stand meanwhile; the
    /// JSON; and zeros up to a multiple of [`ALIGNMENT`].
    bytes: Vec<u8>,
}

/// How long the header of a record is.
pub(crate) const HEADER: usize = 56;
/// At what multiples of bytes the parts of a record begin.
pub(crate) const ALIGNMENT: usize = 8;
/// A buffer that one huge value has grown is not kept for the rest of the thread's life.
const KEPT_CAPACITY: usize = 256 * 1024;
/// Memory is not handed over of which less than this part is used: what waits is counted by what is in it.
const MOST_UNUSED: usize = 4;

/// What stands in the room for a header: the length of the JSON.
fn length(header: &[u8; HEADER]) -> u32 {
    u32::from_le_bytes([header[1], header[2], header[3], header[4]])
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
                self.bytes[start] = field as u8;
                self.bytes[start + 1..start + 5].copy_from_slice(&length.to_le_bytes());
                self.bytes.extend_from_slice(&[0; ALIGNMENT]);
                self.bytes.truncate(end.next_multiple_of(ALIGNMENT));
            }
            // Nothing was written, or 4 GiB were: neither is a field.
            _ => self.bytes.truncate(start),
        }
    }

    /// Hands the memory over, if it is not far larger than what lies in it: records of these fields, once `write_header`
    /// has written the header of each. Afterwards, this is empty.
    pub(crate) fn take_records(&mut self, write_header: impl Fn(Field, u32, &mut [u8; HEADER])) -> Option<Vec<u8>> {
        if self.bytes.capacity() / MOST_UNUSED > self.bytes.len() {
            return None;
        }
        let mut bytes = std::mem::take(&mut self.bytes);
        let mut rest = bytes.as_mut_slice();
        while let Some((header, tail)) = rest.split_first_chunk_mut() {
            let (field, length) = (Field::from_index(header[0]), length(header));
            let Some((_, tail)) = tail.split_at_mut_checked((length as usize).next_multiple_of(ALIGNMENT)) else {
                break;
            };
            rest = tail;
            if let Some(field) = field {
                write_header(field, length, header);
            }
        }
        Some(bytes)
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
            let length = length(header) as usize;
            let (padded, tail) = tail.split_at_checked(length.next_multiple_of(ALIGNMENT))?;
            rest = tail;
            Some((Field::from_index(header[0])?, &padded[..length]))
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
    fn fields_hand_their_memory_over() {
        let mut fields = Fields::new();
        fields.put(Field::Input, |out| out.extend_from_slice(b"[1]"));
        fields.put(Field::Output, |out| out.extend_from_slice(b"12345678"));
        let place = fields.bytes.as_ptr();
        let records = fields.take_records(|field, length, header| *header = [field as u8 + length as u8; HEADER]);
        let records = records.expect("as much as there is");
        assert_eq!(records.as_ptr(), place);
        let input = [&[3; HEADER][..], b"[1]", &[0; 5]].concat();
        assert_eq!(records, [&input[..], &[9; HEADER], b"12345678"].concat());
        assert!(fields.is_empty());
        give_back(Vec::with_capacity(KEPT_CAPACITY));
        fields.put(Field::Input, |out| out.push(b'1'));
        assert_eq!(fields.take_records(|_, _, _| ()), None, "far too large");
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
