//! Reading records.

use super::{HEADER, RecordKind};
use crate::active::LoggerId;
use crate::clock::Timestamp;
use crate::context::{LineageNumber, SpanRef};
use crate::fields::Field;
use crate::ids::{SpanId, TraceId};
use crate::sections::{self, Section};

/// One record, borrowed from the buffer that it lies in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) kind: RecordKind,
    field: u8,
    pub(crate) callsite: u32,
    pub(crate) span: SpanRef,
    pub(crate) at: Timestamp,
    sections: &'a [u8],
    body: &'a [u8],
    /// All of the record, for whoever passes it on unread.
    pub(crate) bytes: &'a [u8],
}

impl<'a> Record<'a> {
    /// The parent that a start names; `SpanId::NONE` for a root.
    pub(crate) fn parent(&self) -> SpanId {
        self.body.first_chunk().map_or(SpanId::NONE, |bytes| SpanId(u64::from_le_bytes(*bytes)))
    }

    /// The field that was logged, with its JSON.
    pub(crate) fn field(&self) -> Option<(Field, &'a [u8])> {
        if self.kind != RecordKind::Field {
            return None;
        }
        Some((Field::from_index(self.field)?, self.body))
    }

    /// The row that is passed on whole, without its closing brace.
    pub(crate) fn row(&self) -> Option<&'a [u8]> {
        (self.kind == RecordKind::Row).then_some(self.body)
    }

    /// The sections in the order in which they were written.
    pub(crate) fn sections(&self) -> impl Iterator<Item = (Section, &'a [u8])> + use<'a> {
        sections::read(self.sections)
    }

    /// The first section of a kind.
    pub(crate) fn section(&self, wanted: Section) -> Option<&'a [u8]> {
        if self.sections.is_empty() {
            return None;
        }
        self.sections().find(|(section, _)| *section == wanted).map(|(_, bytes)| bytes)
    }

    /// When it happened, which may be before it was recorded.
    pub(crate) fn moment(&self) -> Timestamp {
        let given = self.section(Section::Moment).and_then(|bytes| bytes.try_into().ok());
        given.map_or(self.at, |bytes| Timestamp(u64::from_le_bytes(bytes)))
    }

    /// The time that the user gave instead of the clock's, in nanoseconds since the Unix epoch.
    pub(crate) fn given_time(&self) -> Option<i64> {
        Some(i64::from_le_bytes(self.section(Section::At)?.try_into().ok()?))
    }
}

/// The records in a buffer, in the order in which they were written.
#[derive(Clone, Debug)]
pub(crate) struct Records<'a>(&'a [u8]);

impl<'a> Records<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let whole = self.0;
        let (header, rest) = whole.split_first_chunk::<HEADER>()?;
        let (sections, rest) = split_padded(rest, u32_at(header, 4))?;
        let (body, rest) = split_padded(rest, u32_at(header, 8))?;
        self.0 = rest;
        let trace = TraceId([u64_at(header, 32), u64_at(header, 40)]);
        let span = SpanRef::new(LoggerId(u32_at(header, 12)), trace, SpanId(u64_at(header, 24)));
        let span = span.with_lineage(LineageNumber::from_index(u32_at(header, 20)));
        Some(Record {
            kind: RecordKind::from_index(header[0])?,
            field: header[1],
            callsite: u32_at(header, 16),
            span,
            at: Timestamp(u64_at(header, 48)),
            sections,
            body,
            bytes: &whole[..whole.len() - rest.len()],
        })
    }
}

/// The first `length` bytes, and what comes after them and their padding.
#[inline]
fn split_padded(bytes: &[u8], length: u32) -> Option<(&[u8], &[u8])> {
    let length = length as usize;
    let (padded, rest) = bytes.split_at_checked(length.next_multiple_of(8))?;
    Some((&padded[..length], rest))
}

fn u32_at(header: &[u8; HEADER], place: usize) -> u32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&header[place..place + 4]);
    u32::from_le_bytes(bytes)
}

fn u64_at(header: &[u8; HEADER], place: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&header[place..place + 8]);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::Fields;
    use crate::record::RecordWriter;
    use crate::sections::Sections;

    #[test]
    fn what_is_written_is_read() {
        let span = SpanRef::new(LoggerId(3), TraceId([1, 2]), SpanId(9));
        let mut sections = Sections::default();
        sections.push(Section::Name, b"plan");
        sections.push(Section::At, &(-5i64).to_le_bytes());
        let mut fields = Fields::new();
        fields.put(Field::Output, |out| out.extend_from_slice(b"{}"));
        let mut out = Vec::new();
        let mut writer = RecordWriter::new(&mut out, span, Timestamp(77));
        writer.start(4, SpanId(8), &sections);
        writer.fields(&fields);
        writer.end(&Sections::default());

        let records: Vec<_> = Records::new(&out).collect();
        let [start, field, end] = records.as_slice() else { panic!("{records:?}") };
        assert!(records.iter().all(|record| record.span == span && record.at == Timestamp(77)));
        assert_eq!((start.kind, start.callsite, start.parent()), (RecordKind::Start, 4, SpanId(8)));
        assert_eq!((start.section(Section::Name), start.given_time()), (Some(b"plan".as_slice()), Some(-5)));
        assert_eq!(field.field(), Some((Field::Output, b"{}".as_slice())));
        assert_eq!((end.kind, end.field()), (RecordKind::End, None));
        assert_eq!(records.iter().map(|record| record.bytes.len()).sum::<usize>(), out.len());
    }

    #[test]
    fn a_cut_buffer_yields_its_whole_records_and_no_panic() {
        let span = SpanRef::new(LoggerId(1), TraceId([1, 2]), SpanId(9));
        let mut out = Vec::new();
        let mut writer = RecordWriter::new(&mut out, span, Timestamp(1));
        writer.start(1, SpanId::NONE, &Sections::default());
        writer.end(&Sections::default());
        let whole = Records::new(&out).count();
        for length in 0..out.len() {
            assert!(Records::new(&out[..length]).count() < whole);
        }
    }
}
