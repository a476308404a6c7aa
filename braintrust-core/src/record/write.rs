//! Writing records.

use super::{HEADER, RecordKind, Section};
use crate::clock::Timestamp;
use crate::context::SpanRef;
use crate::fields::{Field, Fields};
use crate::ids::SpanId;

/// The rare parts of a record, collected before it is written.
#[derive(Debug, Default)]
pub(crate) struct Sections(Vec<u8>);

impl Sections {
    pub(crate) fn push(&mut self, section: Section, bytes: &[u8]) {
        let Ok(length) = u32::try_from(bytes.len()) else { return };
        self.0.push(section as u8);
        self.0.extend_from_slice(&length.to_le_bytes());
        self.0.extend_from_slice(bytes);
    }
}

/// Appends the records of one span at one moment to a buffer.
pub(crate) struct RecordWriter<'a> {
    out: &'a mut Vec<u8>,
    span: SpanRef,
    at: Timestamp,
}

impl<'a> RecordWriter<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>, span: SpanRef, at: Timestamp) -> Self {
        Self { out, span, at }
    }

    pub(crate) fn start(&mut self, callsite: u32, parent: SpanId, sections: &Sections) {
        self.write(RecordKind::Start, 0, callsite, sections, &parent.0.to_le_bytes());
    }

    pub(crate) fn fields(&mut self, fields: &Fields) {
        for (field, json) in fields.iter() {
            self.field(field, json);
        }
    }

    fn field(&mut self, field: Field, json: &[u8]) {
        self.write(RecordKind::Field, field as u8, 0, &Sections::default(), json);
    }

    pub(crate) fn end(&mut self, sections: &Sections) {
        self.write(RecordKind::End, 0, 0, sections, &[]);
    }

    fn write(&mut self, kind: RecordKind, field: u8, callsite: u32, sections: &Sections, body: &[u8]) {
        let mut header = [0u8; HEADER];
        header[0] = kind as u8;
        header[1] = field;
        header[4..8].copy_from_slice(&length(&sections.0).to_le_bytes());
        header[8..12].copy_from_slice(&length(body).to_le_bytes());
        header[12..16].copy_from_slice(&self.span.logger.0.to_le_bytes());
        header[16..20].copy_from_slice(&callsite.to_le_bytes());
        header[24..32].copy_from_slice(&self.span.span.0.to_le_bytes());
        header[32..40].copy_from_slice(&self.span.trace.0[0].to_le_bytes());
        header[40..48].copy_from_slice(&self.span.trace.0[1].to_le_bytes());
        header[48..56].copy_from_slice(&self.at.0.to_le_bytes());
        self.out.reserve(HEADER + sections.0.len() + body.len());
        self.out.extend_from_slice(&header);
        self.out.extend_from_slice(&sections.0);
        self.out.extend_from_slice(body);
    }
}

/// Sections and bodies are below 4 GiB: [`Fields`] and [`Sections`] refuse what is not.
fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}
