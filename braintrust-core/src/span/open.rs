//! Opening, logging to and finishing spans by their contexts: what handles and generated code have in common.

use std::borrow::Cow;
use std::panic::Location;
use std::time::SystemTime;

use super::Parent;
use super::parent::Place;
use crate::active::{self, LoggerId};
use crate::callsite::Callsite;
use crate::clock::{self, Timestamp};
use crate::context::{Context, SpanRef};
use crate::fields::Fields;
use crate::ids::{SpanId, TraceId};
use crate::record::{self, RecordWriter, Section, Sections};
use crate::SpanType;

/// A span that is about to start: its ids and its parent are decided, nothing is recorded yet.
#[derive(Debug)]
pub struct Opening {
    span: SpanRef,
    parent: SpanId,
    callsite: u32,
    sections: Sections,
    fields: Fields,
}

/// Decides on a span of `callsite`. `None` if nothing listens, or if the bound on memory is reached: then nothing need
/// be captured.
///
/// `logger` decides whose span it is; [`LoggerId::NONE`] leaves it to what is current, and then to the default.
#[inline]
pub(crate) fn open(callsite: &'static Callsite, parent: &Parent, logger: LoggerId) -> Option<Opening> {
    if !active::enabled() {
        return None;
    }
    let mut opening = Opening::at(parent.place(logger)?)?;
    opening.callsite = callsite.number();
    Some(opening)
}

impl Opening {
    fn at(place: Place) -> Option<Self> {
        if !record::log::admit(place.logger) {
            return None;
        }
        let id = SpanId::random();
        let trace = place.first.map_or_else(|| TraceId::of_root(id, active::id_style()), |parent| parent.trace);
        let mut sections = Sections::default();
        for parent in place.more {
            sections.push(Section::Parent, &parent.0.to_le_bytes());
        }
        Some(Self {
            span: SpanRef::new(place.logger, trace, id),
            parent: place.first.map_or(SpanId::NONE, |parent| parent.span),
            callsite: 0,
            sections,
            fields: Fields::new(),
        })
    }

    /// Decides on a span that no macro made: `location` is where it was asked for.
    pub(super) fn by_hand(parent: &Parent, logger: LoggerId, location: &Location<'_>) -> Option<Self> {
        if !active::enabled() {
            return None;
        }
        let mut opening = Self::at(parent.place(logger)?)?;
        opening.sections.push(Section::File, location.file().as_bytes());
        opening.sections.push(Section::Line, &location.line().to_le_bytes());
        Some(opening)
    }

    /// Names the span otherwise than its callsite does.
    pub fn set_name(&mut self, name: Cow<'static, str>) {
        self.sections.push(Section::Name, name.as_bytes());
    }

    pub(super) fn set_kind(&mut self, kind: SpanType) {
        self.sections.push(Section::Kind, &[kind as u8]);
    }

    pub(super) fn set_started(&mut self, at: SystemTime) {
        self.sections.push(Section::At, &clock::unix_nanos(at).to_le_bytes());
    }

    /// The fields that the span starts with.
    pub fn fields(&mut self) -> &mut Fields {
        &mut self.fields
    }

    pub(super) fn set_fields(&mut self, fields: Fields) {
        self.fields = fields;
    }

    /// Records the start, with its fields, and yields the context in which the span is the innermost.
    #[must_use]
    pub fn start(self) -> Context {
        let now = Timestamp::now();
        record::log::append(|out| {
            let mut writer = RecordWriter::new(out, self.span, now);
            writer.start(self.callsite, self.parent, &self.sections);
            writer.fields(&self.fields);
        });
        Context::around(self.span)
    }
}

/// Records the last fields of a span, and that it ended at `ended`.
pub fn finish(span: &Context, ended: Timestamp, fields: &Fields) {
    let Some(span) = recorded(span) else { return };
    record::log::append(|out| {
        let mut writer = RecordWriter::new(out, span, ended);
        writer.fields(fields);
        writer.end(&Sections::default());
    });
}

/// Records fields of a span.
pub fn log(span: &Context, fields: &Fields) {
    let Some(span) = recorded(span).filter(|_| !fields.is_empty()) else { return };
    let now = Timestamp::now();
    record::log::append(|out| RecordWriter::new(out, span, now).fields(fields));
}

fn recorded(span: &Context) -> Option<SpanRef> {
    span.innermost().filter(|at| !at.span.is_none())
}
