//! Opening, logging to and finishing spans by their contexts: what handles and generated code have in common.

use std::panic::Location;
use std::sync::Arc;
use std::time::SystemTime;

use super::parent::Place;
use super::{Parent, Parents};
use crate::SpanType;
use crate::active::{self, LoggerId};
use crate::callsite::Callsite;
use crate::capture;
use crate::clock::{self, Timestamp};
use crate::context::{self, Context, Lineage, SpanRef, Spot};
use crate::fields::{Field, Fields};
use crate::ids::SpanId;
use crate::record::{self, Entry};
use crate::sections::{Section, Sections};

/// A span that is about to start: its ids and its parent are decided, nothing is recorded yet.
#[derive(Debug)]
pub struct Opening {
    span: SpanRef,
    parent: SpanId,
    callsite: u32,
    sections: Sections,
    fields: Fields,
    lineage: Option<Arc<Lineage>>,
    /// Whether no span of another logger is known to be around, so that none need be looked for.
    is_alone: bool,
}

/// Decides on a span of `callsite`. `None` if nothing listens, or if the bound on memory is reached: then nothing need
/// be captured.
///
/// `logger` decides whose span it is; [`LoggerId::NONE`] leaves it to what is current, and then to the default.
#[inline]
pub(crate) fn open(callsite: &'static Callsite, parent: &Parent, logger: LoggerId) -> Option<Opening> {
    let opening = Opening::by_hand(parent, logger)?;
    Some(Opening { callsite: callsite.number(), ..opening })
}

/// Starts a span of `callsite` in a plain place, if it may be recorded. `capture` puts the fields that it starts with.
#[inline]
pub(crate) fn start_plain(
    callsite: &'static Callsite,
    at: SpanRef,
    capture: Option<&dyn Fn(&mut Fields)>,
) -> Option<Context> {
    if !record::bound::admit(at.logger) {
        return None;
    }
    let span = at.child();
    match capture {
        None => record::log::append_plain_start(span, Timestamp::now(), callsite.number(), at.span),
        Some(capture) => {
            let mut fields = Fields::new();
            capture(&mut fields);
            let start = Entry::new(span, Timestamp::now());
            record::log::append(
                start.start(callsite.number(), at.span, const { &Sections::new() }).fields(&mut fields),
            );
        }
    }
    Some(Context::of_plain(span))
}

impl Opening {
    /// Under a span, or as a root of its logger.
    #[inline]
    fn under(spot: Spot) -> Option<Self> {
        let parent = spot.span;
        if !record::bound::admit(parent.logger) {
            return None;
        }
        Some(Self {
            span: parent.child(),
            parent: parent.span,
            callsite: 0,
            sections: Sections::new(),
            fields: Fields::new(),
            lineage: spot.lineage,
            is_alone: false,
        })
    }

    fn at(place: Place) -> Option<Self> {
        let mut opening = Self::under(place.spot)?;
        for parent in place.more {
            opening.sections.push(Section::Parent, &parent.0.to_le_bytes());
        }
        if let Some(parent) = &place.foreign_parent {
            opening.sections.push(Section::ForeignParent, parent.as_bytes());
        }
        Some(opening)
    }

    /// Decides on a span that no macro made.
    #[inline]
    pub(super) fn by_hand(parent: &Parent, logger: LoggerId) -> Option<Self> {
        if !active::enabled() {
            return None;
        }
        if !parent.is_current() || !logger.is_none() {
            return Self::at(parent.place(logger)?);
        }
        let (spot, is_alone) = context::here()?;
        Some(Self { is_alone, ..Self::under(spot)? })
    }

    /// Says where the span was asked for.
    pub(super) fn set_location(&mut self, location: &Location<'_>) {
        self.sections.push(Section::File, location.file().as_bytes());
        self.sections.push(Section::Line, &location.line().to_le_bytes());
    }

    /// Says what made the span, where it is neither the macro nor a hand.
    pub(super) fn set_instrumentation(&mut self, name: &str) {
        self.sections.push(Section::Instrumentation, name.as_bytes());
    }

    /// The parents that the span will have.
    pub(super) fn parents(&self) -> Parents {
        let more =
            self.sections.of(Section::Parent).filter_map(|id| Some(SpanId(u64::from_le_bytes(id.try_into().ok()?))));
        let foreign = self.sections.of(Section::ForeignParent).next();
        Parents {
            first: self.parent,
            more: more.collect(),
            foreign: foreign.map(|id| String::from_utf8_lossy(id).into_owned()),
        }
    }

    /// Names the span otherwise than its callsite does.
    pub fn set_name(&mut self, name: &str) {
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
    pub fn start(mut self) -> Context {
        if let Some(event) = self.lineage.as_ref().and_then(|lineage| lineage.heritage.propagated_event.as_ref()) {
            inherit(&mut self.fields, event);
        }
        let now = Timestamp::now();
        let Self { span, parent, callsite, sections, mut fields, lineage, is_alone } = self;
        if sections.is_empty() && fields.is_empty() && lineage.is_none() {
            record::log::append_plain_start(span, now, callsite, parent);
        } else {
            let entry = Entry::new(span, now).start(callsite, parent, &sections).fields(&mut fields);
            record::log::append(with_lineage(entry, lineage.as_ref()));
        }
        let spot = Spot { span, lineage };
        if is_alone { Context::alone(spot) } else { Context::around(spot) }
    }
}

/// Puts what a span inherits after its own fields, so that it wins over them.
fn inherit(fields: &mut Fields, event: &serde_json::Map<String, serde_json::Value>) {
    for (name, value) in event {
        if let Some(field) = Field::from_name(name) {
            fields.put(field, |out| capture::write_json(value, out));
        }
    }
}

/// Records the last fields of a span, which are taken, and that it ended at `ended`.
///
/// The fields are borrowed, since moving what was written just now would have to wait for it.
#[inline]
pub fn finish(span: &Context, ended: Timestamp, fields: &mut Fields) {
    match span.plain() {
        Some(span) if fields.is_empty() => record::log::append_plain_end(*span, ended),
        _ => finish_with(span, ended, fields),
    }
}

fn finish_with(span: &Context, ended: Timestamp, fields: &mut Fields) {
    if let Some(reference) = reference(span) {
        let entry = Entry::new(reference, ended).fields(fields).end(const { &Sections::new() });
        record::log::append(with_lineage(entry, span.lineage()));
    }
}

/// Records the last fields of a span that ended at `ended`, which may be a while ago.
pub(crate) fn finish_late(span: &Context, ended: Timestamp, mut fields: Fields) {
    let mut sections = Sections::default();
    sections.push(Section::Moment, &ended.0.to_le_bytes());
    if let Some(reference) = reference(span) {
        let entry = Entry::new(reference, Timestamp::now_in_order()).fields(&mut fields).end(&sections);
        record::log::append(with_lineage(entry, span.lineage()));
    }
}

/// Records fields of a span.
pub fn log(span: &Context, mut fields: Fields) {
    if let Some(reference) = reference(span).filter(|_| !fields.is_empty()) {
        let entry = Entry::new(reference, Timestamp::now_in_order()).fields(&mut fields);
        record::log::append(with_lineage(entry, span.lineage()));
    }
}

/// Records that a span ended, at a time that the user may have given.
pub(super) fn end(span: &Context, at: Option<SystemTime>) {
    let Some(at) = at else { return finish(span, Timestamp::now(), &mut Fields::new()) };
    let mut sections = Sections::new();
    sections.push(Section::At, &clock::unix_nanos(at).to_le_bytes());
    if let Some(reference) = reference(span) {
        let entry = Entry::new(reference, Timestamp::now()).end(&sections);
        record::log::append(with_lineage(entry, span.lineage()));
    }
}

fn reference(span: &Context) -> Option<SpanRef> {
    span.innermost().filter(|at| !at.span.is_none())
}

fn with_lineage<'a>(entry: Entry<'a>, lineage: Option<&'a Arc<Lineage>>) -> Entry<'a> {
    match lineage {
        Some(lineage) => entry.with_common(lineage.sections()),
        None => entry,
    }
}
