//! Writing records.

use super::{HEADER, RecordKind};
use crate::clock::Timestamp;
use crate::context::SpanRef;
use crate::fields::{self, Fields};
use crate::ids::SpanId;
use crate::sections::Sections;

/// Bytes in a word. Records begin at words.
pub(super) const WORD: usize = size_of::<u64>();

/// Where records are written: words, one after the other.
pub(crate) trait Words {
    /// Appends words.
    fn put<const N: usize>(&mut self, words: [u64; N]);

    /// Appends bytes, and zeros up to the next word.
    fn put_bytes(&mut self, bytes: &[u8]);
}

impl Words for Vec<u8> {
    fn put<const N: usize>(&mut self, words: [u64; N]) {
        self.extend_from_slice(words.map(u64::to_le_bytes).as_flattened());
    }

    fn put_bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
        self.resize(self.len().next_multiple_of(WORD), 0);
    }
}

/// Counts the words that would be written.
#[derive(Default)]
struct Count(usize);

impl Words for Count {
    fn put<const N: usize>(&mut self, _: [u64; N]) {
        self.0 += N;
    }

    fn put_bytes(&mut self, bytes: &[u8]) {
        self.0 += bytes.len().div_ceil(WORD);
    }
}

/// What happens to one span at one moment: records that are written together.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    span: SpanRef,
    at: Timestamp,
    /// What every record of the span carries.
    common: &'a [u8],
    first: First<'a>,
    fields: Option<&'a mut Fields>,
    end: Option<&'a Sections>,
}

/// What comes before the fields.
#[derive(Clone, Copy, Debug)]
enum First<'a> {
    Nothing,
    Start { callsite: u32, parent: SpanId, sections: &'a Sections },
    Remark,
    Row(&'a [u8]),
}

impl<'a> Entry<'a> {
    /// Nothing yet.
    #[inline]
    pub(crate) fn new(span: SpanRef, at: Timestamp) -> Self {
        Self { span, at, common: &[], first: First::Nothing, fields: None, end: None }
    }

    /// Has every record carry these sections too.
    pub(crate) fn with_common(self, sections: &'a Sections) -> Self {
        Self { common: sections.bytes(), ..self }
    }

    /// The span starts.
    pub(crate) fn start(self, callsite: u32, parent: SpanId, sections: &'a Sections) -> Self {
        Self { first: First::Start { callsite, parent, sections }, ..self }
    }

    /// Marks the entry's row as one of its own, made now.
    pub(crate) fn remark(self) -> Self {
        Self { first: First::Remark, ..self }
    }

    /// Passes on a whole row; `open_row` is a JSON object without its closing brace.
    pub(crate) fn row(self, open_row: &'a [u8]) -> Self {
        Self { first: First::Row(open_row), ..self }
    }

    /// Fields are logged. Where they are large, their memory is used.
    pub(crate) fn fields(self, fields: &'a mut Fields) -> Self {
        Self { fields: Some(fields), ..self }
    }

    /// The span ends.
    pub(crate) fn end(self, sections: &'a Sections) -> Self {
        Self { end: Some(sections), ..self }
    }

    /// How many spans begin to wait with this.
    pub(super) fn starts(&self) -> u32 {
        u32::from(matches!(self.first, First::Start { .. } | First::Row(_)))
    }

    /// Makes records of the fields where they lie, if nothing goes between a header and its JSON.
    pub(super) fn seal(&mut self) {
        if let Some(fields) = &mut self.fields
            && self.common.is_empty()
        {
            fields.seal(&header(RecordKind::Field, 0, 0, self.span, self.at, 0, 0));
        }
    }

    /// How many words it takes.
    pub(super) fn words(&self) -> usize {
        let mut count = Count::default();
        self.write(&mut count);
        count.0
    }

    /// The records in memory of their own: in that of the fields if that can be, so that they are not copied. `spare` is
    /// used otherwise, or else goes to the thread in exchange.
    pub(super) fn into_bytes(mut self, words: usize, mut spare: Vec<u8>) -> Vec<u8> {
        if self.common.is_empty()
            && let Some(mut bytes) = self.fields.as_mut().and_then(|fields| fields.take_bytes())
        {
            fields::give_back(spare);
            self.fields = None;
            // They are all of one moment, so it does not matter that the start comes after the fields.
            self.write(&mut bytes);
            return bytes;
        }
        // Fresh memory of this size costs more than filling it: the system has to find pages for it.
        spare.reserve_exact(words * WORD);
        self.write(&mut spare);
        spare
    }

    pub(super) fn write(&self, out: &mut impl Words) {
        let mut writer = RecordWriter { out, span: self.span, at: self.at, common: self.common };
        match self.first {
            First::Nothing => {}
            First::Start { callsite, parent, sections } => writer.start(callsite, parent, sections),
            First::Remark => writer.write(RecordKind::Remark, 0, 0, &[], &[]),
            First::Row(open_row) => writer.write(RecordKind::Row, 0, 0, &[], open_row),
        }
        match &self.fields {
            // They were sealed.
            Some(fields) if self.common.is_empty() => writer.out.put_bytes(fields.as_bytes()),
            Some(fields) => writer.fields(fields),
            None => {}
        }
        if let Some(sections) = self.end {
            writer.end(sections);
        }
    }
}

/// Appends the records of one span at one moment.
pub(crate) struct RecordWriter<'a, W> {
    out: &'a mut W,
    span: SpanRef,
    at: Timestamp,
    common: &'a [u8],
}

impl<'a, W: Words> RecordWriter<'a, W> {
    #[cfg(test)]
    pub(crate) fn new(out: &'a mut W, span: SpanRef, at: Timestamp) -> Self {
        Self { out, span, at, common: &[] }
    }

    pub(crate) fn start(&mut self, callsite: u32, parent: SpanId, sections: &Sections) {
        if self.common.is_empty() && sections.is_empty() {
            self.out.put(plain_start(self.span, self.at, callsite, parent));
        } else {
            self.write(RecordKind::Start, 0, callsite, sections.bytes(), &parent.0.to_le_bytes());
        }
    }

    pub(crate) fn fields(&mut self, fields: &Fields) {
        for (field, json) in fields.iter() {
            self.write(RecordKind::Field, field as u8, 0, &[], json);
        }
    }

    pub(crate) fn end(&mut self, sections: &Sections) {
        if self.common.is_empty() && sections.is_empty() {
            self.out.put(plain_end(self.span, self.at));
        } else {
            self.write(RecordKind::End, 0, 0, sections.bytes(), &[]);
        }
    }

    fn write(&mut self, kind: RecordKind, field: u8, callsite: u32, sections: &[u8], body: &[u8]) {
        // With zeros between the two, which are passed over when they are read.
        let before_common = if self.common.is_empty() { sections.len() } else { sections.len().next_multiple_of(WORD) };
        let sections_length = length(before_common + self.common.len());
        self.out.put(header(kind, field, callsite, self.span, self.at, sections_length, length(body.len())));
        self.out.put_bytes(sections);
        self.out.put_bytes(self.common);
        self.out.put_bytes(body);
    }
}

/// The header's layout is told in [`super::HEADER`].
#[inline]
fn header(
    kind: RecordKind,
    field: u8,
    callsite: u32,
    span: SpanRef,
    at: Timestamp,
    sections: u32,
    body: u32,
) -> [u64; HEADER / 8] {
    [
        u64::from(kind as u8) | u64::from(field) << 8 | u64::from(sections) << 32,
        u64::from(body) | u64::from(span.logger.0) << 32,
        u64::from(callsite) | u64::from(span.lineage().index()) << 32,
        span.span.0,
        span.trace.0[0],
        span.trace.0[1],
        at.0,
    ]
}

/// The start of a span that has nothing but a callsite and a parent, which is what most have.
#[inline]
pub(super) fn plain_start(span: SpanRef, at: Timestamp, callsite: u32, parent: SpanId) -> [u64; HEADER / 8 + 1] {
    let [a, b, c, d, e, f, g] = header(RecordKind::Start, 0, callsite, span, at, 0, 8);
    [a, b, c, d, e, f, g, parent.0]
}

/// The end of a span at the time at which it is recorded.
#[inline]
pub(super) fn plain_end(span: SpanRef, at: Timestamp) -> [u64; HEADER / 8] {
    header(RecordKind::End, 0, 0, span, at, 0, 0)
}

/// Sections and bodies are below 4 GiB: [`Fields`] and [`Sections`] refuse what is not.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::active::LoggerId;
    use crate::fields::Field;
    use crate::ids::TraceId;
    use crate::record::Records;

    /// What records say, in an order of its own.
    fn said(bytes: &[u8]) -> Vec<String> {
        let mut said: Vec<_> = Records::new(bytes).map(|record| format!("{record:?}")).collect();
        said.sort_unstable();
        said
    }

    #[test]
    fn records_in_the_memory_of_their_fields_say_the_same() {
        let (mut sections, mut fields) = (Sections::default(), Fields::new());
        sections.push(crate::sections::Section::Name, b"plan");
        fields.put(Field::Input, |out| out.resize(out.len() + 10_001, b'1'));
        fields.put(Field::Metadata, |out| out.extend_from_slice(b"{}"));
        let span = SpanRef::new(LoggerId(3), TraceId([1, 2]), SpanId(9));
        let mut entry =
            Entry::new(span, Timestamp(77)).start(4, SpanId(8), &sections).fields(&mut fields).end(&sections);
        entry.seal();
        let (mut copied, words) = (Vec::new(), entry.words());
        entry.write(&mut copied);
        let bytes = entry.into_bytes(words, Vec::new());
        assert_eq!(bytes.len(), words * WORD);
        assert_eq!(said(&bytes), said(&copied));
        assert_eq!(said(&bytes).len(), 4);
        assert!(fields.is_empty(), "not copied");
    }
}
