//! Writing records.

use super::{HEADER, RecordKind};
use crate::clock::Timestamp;
use crate::context::SpanRef;
use crate::fields::Fields;
use crate::ids::SpanId;
use crate::sections::Sections;

/// Appends the records of one span at one moment to a buffer.
pub(crate) struct RecordWriter<'a> {
    out: &'a mut Vec<u8>,
    span: SpanRef,
    at: Timestamp,
    /// What every record of the span carries.
    common: &'a [u8],
}

impl<'a> RecordWriter<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>, span: SpanRef, at: Timestamp) -> Self {
        Self { out, span, at, common: &[] }
    }

    /// Has every record carry these sections too.
    pub(crate) fn with_common(self, sections: &'a Sections) -> Self {
        Self { common: sections.bytes(), ..self }
    }

    pub(crate) fn start(&mut self, callsite: u32, parent: SpanId, sections: &Sections) {
        let parent = parent.0.to_le_bytes();
        if !sections.is_empty() || !self.common.is_empty() {
            self.write(RecordKind::Start, 0, callsite, sections, &parent);
            return;
        }
        // The common case, in one piece.
        let mut record = [0; HEADER + 8];
        record[..HEADER].copy_from_slice(&self.header(RecordKind::Start, 0, callsite, 0, 8));
        record[HEADER..].copy_from_slice(&parent);
        self.out.extend_from_slice(&record);
    }

    pub(crate) fn fields(&mut self, fields: &Fields) {
        for (field, json) in fields.iter() {
            self.write(RecordKind::Field, field as u8, 0, &Sections::default(), json);
        }
    }

    pub(crate) fn end(&mut self, sections: &Sections) {
        self.write(RecordKind::End, 0, 0, sections, &[]);
    }

    /// Marks the record's row as one of its own, made now.
    pub(crate) fn remark(&mut self) {
        self.write(RecordKind::Remark, 0, 0, &Sections::default(), &[]);
    }

    /// Passes on a whole row; `open_row` is a JSON object without its closing brace.
    pub(crate) fn row(&mut self, open_row: &[u8]) {
        self.write(RecordKind::Row, 0, 0, &Sections::default(), open_row);
    }

    fn write(&mut self, kind: RecordKind, field: u8, callsite: u32, sections: &Sections, body: &[u8]) {
        let sections_length = length(sections.bytes()) + length(self.common);
        let header = self.header(kind, field, callsite, sections_length, length(body));
        self.out.reserve(HEADER + sections_length as usize + body.len());
        self.out.extend_from_slice(&header);
        if sections_length > 0 {
            self.out.extend_from_slice(sections.bytes());
            self.out.extend_from_slice(self.common);
        }
        self.out.extend_from_slice(body);
    }

    #[inline]
    fn header(&self, kind: RecordKind, field: u8, callsite: u32, sections: u32, body: u32) -> [u8; HEADER] {
        let mut header = [0u8; HEADER];
        header[0] = kind as u8;
        header[1] = field;
        header[4..8].copy_from_slice(&sections.to_le_bytes());
        header[8..12].copy_from_slice(&body.to_le_bytes());
        header[12..16].copy_from_slice(&self.span.logger.0.to_le_bytes());
        header[16..20].copy_from_slice(&callsite.to_le_bytes());
        header[24..32].copy_from_slice(&self.span.span.0.to_le_bytes());
        header[32..40].copy_from_slice(&self.span.trace.0[0].to_le_bytes());
        header[40..48].copy_from_slice(&self.span.trace.0[1].to_le_bytes());
        header[48..56].copy_from_slice(&self.at.0.to_le_bytes());
        header
    }
}

/// Sections and bodies are below 4 GiB: [`Fields`] and [`Sections`] refuse what is not.
fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}
