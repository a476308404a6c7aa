//! One span's records as the text of a row.
//!
//! This is what the exporter does for every span, so what many rows say alike is made once and copied, and what records
//! hold as JSON is copied as it is.

mod fields;
mod site;
mod text;
mod time;

use self::fields::{Logged, LoggedFields};
use self::site::{SiteTexts, write_location};
use self::text::{separate, write_integer, write_json_text, write_key, write_quoted};
use self::time::{CreatedText, write_seconds};
use super::merge;
use crate::SpanType;
use crate::clock::WallClock;
use crate::fields::Field;
use crate::ids::{self, IdStyle, SpanId};
use crate::record::{Record, RecordKind};
use crate::sections::Section;

/// What the rows of a window say that their records do not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowFacts {
    pub(crate) wall: WallClock,
    pub(crate) id_style: IdStyle,
}

/// Writes rows. Lives as long as the exporter, and knows what it has written before.
#[derive(Debug)]
pub(crate) struct RowWriter {
    sites: SiteTexts,
    created: CreatedText,
    /// How many spans of the process have been written.
    spans: u64,
}

/// A row's records by what they mean.
struct Parts<'a> {
    start: Option<&'a Record<'a>>,
    end: Option<&'a Record<'a>>,
    remark: Option<&'a Record<'a>>,
    fields: LoggedFields<'a>,
    /// Whether anything happened to the span after the moment in which it started.
    changed: bool,
}

/// About what a row has beside the records' own bytes: room for it is made before the row is begun.
const OWN_TEXT: usize = 768;

impl RowWriter {
    /// `environment` is what rows say of where the program runs, as JSON.
    pub(crate) fn new(environment: Option<String>) -> Self {
        Self { sites: SiteTexts::new(environment), created: CreatedText::default(), spans: 0 }
    }

    /// Writes the row of a span, without its closing brace, and says whether it may be one of a model call. `records` are
    /// of that span, in the order of their times.
    pub(crate) fn write(&mut self, records: &[Record<'_>], facts: RowFacts, out: &mut Vec<u8>) -> bool {
        if let Some(row) = records.iter().find_map(Record::row) {
            out.extend_from_slice(row);
            return true;
        }
        let Some(identity) = identity(records) else { return false };
        let parts = Parts::of(records);
        self.spans += u64::from(parts.start.is_some());
        out.reserve(records.iter().map(|record| record.bytes.len()).sum::<usize>() + OWN_TEXT);
        write_identity(identity, facts.id_style, out);
        if let Some(start) = parts.start {
            write_parents(start, facts.id_style, out);
        }
        for made in [parts.start, parts.remark].into_iter().flatten() {
            // The time at which it was made, whatever start the user gave it.
            self.created.write(facts.wall.unix_nanos(made.at), out);
        }
        let kind = parts.start.and_then(|start| self.kind_of(start));
        self.write_fields(&parts, kind, facts, out);
        match (parts.start, parts.changed) {
            _ if parts.remark.is_some() => {}
            (None, _) => out.extend_from_slice(b",\"_is_merge\":true"),
            (Some(_), false) => out.extend_from_slice(b",\"_is_merge\":false"),
            // Like the official SDKs' rows after their own merging: neither.
            (Some(_), true) => {}
        }
        // A row to be merged doesn't say of what kind its span is, and the program may have changed the kind.
        parts.start.is_none() || kind == Some(SpanType::Llm) || parts.fields.get(Field::Attributes).is_some()
    }

    /// The kind that a span was given, or that of its callsite.
    fn kind_of(&mut self, start: &Record<'_>) -> Option<SpanType> {
        let given = start.section(Section::Kind).and_then(|kind| SpanType::from_index(*kind.first()?));
        given.or_else(|| self.sites.get(start.callsite).map(|site| site.kind))
    }

    fn write_fields(&mut self, parts: &Parts<'_>, kind: Option<SpanType>, facts: RowFacts, out: &mut Vec<u8>) {
        for field in Field::ALL {
            let logged = parts.fields.get(field);
            match (field, logged) {
                (Field::Metrics, _) => write_object(field, |out| write_times(parts, facts, out), logged, out),
                (Field::Context, _) => write_object(field, |out| self.write_origin(parts.start, out), logged, out),
                (Field::Attributes, _) => {
                    write_object(field, |out| self.write_attributes(parts.start, kind, out), logged, out)
                }
                (_, Some(logged)) => {
                    write_key(field, out);
                    logged.write(out);
                }
                (_, None) => {}
            }
        }
    }

    /// Where the span comes from; only a span's first row says so.
    fn write_origin(&mut self, start: Option<&Record<'_>>, out: &mut Vec<u8>) {
        let Some(start) = start else { return };
        let given = start.section(Section::Instrumentation).map(String::from_utf8_lossy);
        match (self.sites.get(start.callsite), given) {
            (Some(site), None) => out.extend_from_slice(&site.context),
            (Some(site), Some(given)) => {
                out.extend_from_slice(&site.place);
                self.sites.write_span_origin(&given, out);
            }
            (None, given) => {
                write_location(start, out);
                self.sites.write_span_origin(given.as_deref().unwrap_or("rust-logger"), out);
            }
        }
    }

    /// Name and kind; only a span's first row has them of itself.
    fn write_attributes(&mut self, start: Option<&Record<'_>>, kind: Option<SpanType>, out: &mut Vec<u8>) {
        let Some(start) = start else { return };
        let given_name = start.section(Section::Name).map(String::from_utf8_lossy);
        out.extend_from_slice(b"\"name\":");
        match (&given_name, self.sites.get(start.callsite)) {
            (Some(name), _) => write_json_text(name, out),
            (None, Some(site)) => out.extend_from_slice(&site.name),
            (None, None) => out.extend_from_slice(b"\"span\""),
        }
        let root = is_root(start).then_some(SpanType::Task);
        if let Some(kind) = kind.or(root) {
            out.extend_from_slice(b",\"type\":\"");
            out.extend_from_slice(kind.as_str().as_bytes());
            out.push(b'"');
        }
        out.extend_from_slice(b",\"exec_counter\":");
        write_integer(self.spans, out);
    }
}

impl<'a> Parts<'a> {
    fn of(records: &'a [Record<'a>]) -> Self {
        let (mut start, mut end, mut remark) = (None, None, None);
        let mut fields = LoggedFields::default();
        for record in records {
            match record.kind {
                RecordKind::Start => start = Some(record),
                // The first end counts.
                RecordKind::End => end = end.or(Some(record)),
                RecordKind::Remark => remark = Some(record),
                RecordKind::Row => {}
                RecordKind::Field => fields.log(record),
            }
        }
        let changed = end.is_some() || start.is_some_and(|start| records.iter().any(|record| record.at > start.at));
        Self { start, end, remark, fields, changed }
    }
}

/// The record that says whose row it is: one of the span itself, rather than an update that came by row id.
pub(super) fn identity<'a>(records: &'a [Record<'a>]) -> Option<&'a Record<'a>> {
    records.iter().find(|record| record.section(Section::RowId).is_none()).or(records.first())
}

/// Writes the ids of a row. An update names only those that it was given.
fn write_identity(record: &Record<'_>, style: IdStyle, out: &mut Vec<u8>) {
    let given = |section| record.section(section).map(String::from_utf8_lossy);
    let row = given(Section::RowId);
    let write_id = |key: &[u8], given: Option<&str>, write: &dyn Fn(&mut Vec<u8>), out: &mut Vec<u8>| {
        if given.is_none() && row.is_some() {
            return;
        }
        out.extend_from_slice(key);
        match given {
            Some(id) => write_json_text(id, out),
            None => write_quoted(out, write),
        }
    };
    out.extend_from_slice(b"{\"id\":");
    match &row {
        Some(id) => write_json_text(id, out),
        None => write_quoted(out, |out| ids::write_row_id(record.span.trace, record.span.span, out)),
    }
    let (span, root) = (given(Section::SpanId), given(Section::RootId));
    write_id(b",\"span_id\":", span.as_deref(), &|out| record.span.span.write(style, out), out);
    write_id(b",\"root_span_id\":", root.as_deref(), &|out| record.span.trace.write(style, out), out);
}

fn write_parents(start: &Record<'_>, style: IdStyle, out: &mut Vec<u8>) {
    let foreign = start.section(Section::ForeignParent);
    let first = start.parent();
    if first.is_none() && foreign.is_none() {
        return;
    }
    out.extend_from_slice(b",\"span_parents\":[");
    match foreign {
        Some(id) => write_json_text(&String::from_utf8_lossy(id), out),
        None => write_quoted(out, |out| first.write(style, out)),
    }
    let more = start.sections().filter(|(section, _)| *section == Section::Parent);
    for id in more.filter_map(|(_, bytes)| Some(u64::from_le_bytes(bytes.try_into().ok()?))) {
        out.push(b',');
        write_quoted(out, |out| SpanId(id).write(style, out));
    }
    out.push(b']');
}

fn is_root(start: &Record<'_>) -> bool {
    start.parent().is_none() && start.section(Section::ForeignParent).is_none()
}

/// `start` and `end`, in seconds since the Unix epoch.
fn write_times(parts: &Parts<'_>, facts: RowFacts, out: &mut Vec<u8>) {
    for (key, record) in [(&b"\"start\":"[..], parts.start), (b"\"end\":", parts.end)] {
        let Some(record) = record else { continue };
        separate(out);
        out.extend_from_slice(key);
        write_seconds(record.given_time().unwrap_or_else(|| facts.wall.unix_nanos(record.moment())), out);
    }
}

/// Writes a field whose value is an object that we begin and the user may have added to; nothing if neither has.
fn write_object(field: Field, ours: impl FnOnce(&mut Vec<u8>), logged: Option<Logged<'_>>, out: &mut Vec<u8>) {
    let before = out.len();
    write_key(field, out);
    let start = out.len();
    out.push(b'{');
    ours(out);
    out.push(b'}');
    match logged {
        None if out.len() == start + 2 => out.truncate(before),
        None => {}
        Some(logged) => merge_into_written(start, logged, out),
    }
}

/// Merges what was logged into the object that `out` has from `start` on.
#[cold]
fn merge_into_written(start: usize, logged: Logged<'_>, out: &mut Vec<u8>) {
    let Ok(mut value) = serde_json::from_slice(&out[start..]) else { return };
    // A value that is no object would wipe out what the row needs: such a one is dropped.
    if let Some(logged) = logged.into_value().filter(serde_json::Value::is_object) {
        merge::merge_value(&mut value, logged);
    }
    out.truncate(start);
    text::write_value(&value, out);
}
