//! One span's records as the text of a row.

use std::io::Write as _;

use serde_json::{Value, json};

use super::merge;
use crate::SpanType;
use crate::callsite::Callsite;
use crate::clock::WallClock;
use crate::fields::Field;
use crate::ids::{self, IdStyle, SpanId};
use crate::record::{Record, RecordKind};
use crate::sections::Section;

/// What rows say that their records do not.
#[derive(Debug)]
pub(crate) struct RowFacts<'a> {
    pub(crate) wall: WallClock,
    pub(crate) id_style: IdStyle,
    /// The environment that the program runs in, as JSON.
    pub(crate) environment: Option<&'a str>,
}

/// A row's records by what they mean.
struct Parts<'a> {
    start: Option<&'a Record<'a>>,
    end: Option<&'a Record<'a>>,
    remark: Option<&'a Record<'a>>,
    fields: Slots<'a>,
    /// Whether anything happened to the span after the moment in which it started.
    changed: bool,
}

/// Writes the row of a span, without its closing brace. `records` are of that span, in the order of their times;
/// `counter` numbers the spans of the process.
pub(crate) fn write_row(records: &[Record<'_>], counter: u64, facts: &RowFacts<'_>, out: &mut Vec<u8>) {
    if let Some(row) = records.iter().find_map(Record::row) {
        out.extend_from_slice(row);
        return;
    }
    let parts = Parts::of(records);
    let Some(identity) = identity(records) else { return };
    write_identity(identity, facts.id_style, out);
    if let Some(start) = parts.start {
        write_parents(start, facts.id_style, out);
        write_created(start, facts, out);
    }
    if let Some(remark) = parts.remark {
        write_created(remark, facts, out);
    }
    parts.write_fields(counter, facts, out);
    match (parts.start, parts.changed) {
        _ if parts.remark.is_some() => {}
        (None, _) => out.extend_from_slice(b",\"_is_merge\":true"),
        (Some(_), false) => out.extend_from_slice(b",\"_is_merge\":false"),
        // Like the official SDKs' rows after their own merging: neither.
        (Some(_), true) => {}
    }
}

/// The record that says whose row it is: one of the span itself, rather than an update that came by row id.
fn identity<'a>(records: &'a [Record<'a>]) -> Option<&'a Record<'a>> {
    records.iter().find(|record| record.section(Section::RowId).is_none()).or(records.first())
}

/// Writes the ids of a row. An update names only those that it was given.
fn write_identity(record: &Record<'_>, style: IdStyle, out: &mut Vec<u8>) {
    let given = |section| record.section(section).map(String::from_utf8_lossy);
    let (row, root) = (given(Section::RowId), given(Section::RootId));
    out.extend_from_slice(b"{\"id\":");
    match &row {
        Some(id) => write_text(id, out),
        None => write_quoted(out, |out| ids::write_row_id(record.span.trace, record.span.span, out)),
    }
    match (given(Section::SpanId), &row) {
        (Some(id), _) => write_member("span_id", out, |out| write_text(&id, out)),
        (None, None) => write_member("span_id", out, |out| write_quoted(out, |out| record.span.span.write(style, out))),
        (None, Some(_)) => {}
    }
    match (root, &row) {
        (Some(id), _) => write_member("root_span_id", out, |out| write_text(&id, out)),
        (None, None) => {
            write_member("root_span_id", out, |out| write_quoted(out, |out| record.span.trace.write(style, out)));
        }
        (None, Some(_)) => {}
    }
}

fn write_member(key: &str, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let _ = write!(out, ",\"{key}\":");
    write(out);
}

fn write_quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    let _ = write!(out, "{}", Value::from(text));
}

impl<'a> Parts<'a> {
    fn of(records: &'a [Record<'a>]) -> Self {
        let mut parts = Self { start: None, end: None, remark: None, fields: Slots::default(), changed: false };
        for record in records {
            match record.kind {
                RecordKind::Start => parts.start = Some(record),
                // The first end counts.
                RecordKind::End => parts.end = parts.end.or(Some(record)),
                RecordKind::Remark => parts.remark = Some(record),
                RecordKind::Row => {}
                RecordKind::Field => parts.fields.log(record),
            }
        }
        parts.changed = parts.end.is_some() || parts.start.is_some_and(|start| records.iter().any(|r| r.at > start.at));
        parts
    }

    fn write_fields(&self, counter: u64, facts: &RowFacts<'_>, out: &mut Vec<u8>) {
        for field in Field::ALL {
            let logged = self.fields.get(field);
            match field {
                Field::Metrics => write_object(field, |out| self.write_times(facts, out), logged, out),
                Field::Context => write_object(field, |out| self.write_origin(facts, out), logged, out),
                Field::Attributes => write_object(field, |out| self.write_attributes(counter, out), logged, out),
                _ => {
                    if let Some(slot) = logged {
                        write_key(field, out);
                        slot.write(out);
                    }
                }
            }
        }
    }

    /// `start` and `end`, in seconds since the Unix epoch.
    fn write_times(&self, facts: &RowFacts<'_>, out: &mut Vec<u8>) {
        for (key, record) in [("start", self.start), ("end", self.end)] {
            let Some(record) = record else { continue };
            let nanos = record.given_time().unwrap_or_else(|| facts.wall.unix_nanos(record.moment()));
            separate(out);
            let _ = write!(out, "\"{key}\":");
            write_seconds(nanos, out);
        }
    }

    /// Where the span comes from; only a span's first row says so.
    fn write_origin(&self, facts: &RowFacts<'_>, out: &mut Vec<u8>) {
        let Some(start) = self.start else { return };
        separate(out);
        let instrumentation = match Callsite::by_number(start.callsite) {
            Some(site) => {
                let _ = write!(out, "\"caller_functionname\":{},", json!(site.function));
                let _ = write!(out, "\"caller_filename\":{},\"caller_lineno\":{},", json!(site.file), site.line);
                "traced-macro"
            }
            None => {
                write_location(start, out);
                "rust-logger"
            }
        };
        let given = start.section(Section::Instrumentation).map(String::from_utf8_lossy);
        let instrumentation = json!(given.as_deref().unwrap_or(instrumentation));
        let version = env!("CARGO_PKG_VERSION");
        let _ = write!(out, "\"span_origin\":{{\"name\":\"rust-traced\",\"version\":\"{version}\",");
        let _ = write!(out, "\"instrumentation\":{{\"name\":{instrumentation}}}");
        if let Some(environment) = facts.environment {
            let _ = write!(out, ",\"environment\":{environment}");
        }
        out.push(b'}');
    }

    /// Name and kind; only a span's first row has them of itself.
    fn write_attributes(&self, counter: u64, out: &mut Vec<u8>) {
        let Some(start) = self.start else { return };
        let site = Callsite::by_number(start.callsite);
        separate(out);
        match (start.section(Section::Name), site) {
            (Some(name), _) => {
                let _ = write!(out, "\"name\":{}", json!(String::from_utf8_lossy(name)));
            }
            (None, Some(site)) => {
                let _ = write!(out, "\"name\":{}", json!(site.name));
            }
            (None, None) => out.extend_from_slice(b"\"name\":\"span\""),
        }
        let given = start.section(Section::Kind).and_then(|kind| SpanType::from_index(*kind.first()?));
        let root = is_root(start).then_some(SpanType::Task);
        if let Some(kind) = given.or(site.map(|site| site.kind)).or(root) {
            let _ = write!(out, ",\"type\":\"{kind}\"");
        }
        let _ = write!(out, ",\"exec_counter\":{counter}");
    }
}

/// The values logged to each field, merged.
#[derive(Default)]
struct Slots<'a>([Slot<'a>; Field::ALL.len()]);

#[derive(Default)]
enum Slot<'a> {
    #[default]
    Empty,
    /// Logged once: the text is passed on as it is.
    Once(&'a [u8]),
    Merged(Value),
}

impl<'a> Slots<'a> {
    fn log(&mut self, record: &Record<'a>) {
        let Some((field, json)) = record.field() else { return };
        let slot = &mut self.0[field as usize];
        *slot = match std::mem::take(slot) {
            Slot::Empty => Slot::Once(json),
            earlier => earlier.merged_with(field, json),
        };
    }

    fn get(&self, field: Field) -> Option<&Slot<'a>> {
        Some(&self.0[field as usize]).filter(|slot| !matches!(slot, Slot::Empty))
    }
}

impl<'a> Slot<'a> {
    fn merged_with(self, field: Field, json: &'a [u8]) -> Self {
        // What was captured is well-formed JSON; were it not, the later text would win as it is.
        let (Some(mut value), Ok(later)) = (self.value(), serde_json::from_slice(json)) else {
            return Self::Once(json);
        };
        if field == Field::Tags {
            merge::unite(&mut value, later)
        } else {
            merge::merge_value(&mut value, later)
        }
        Self::Merged(value)
    }

    fn value(&self) -> Option<Value> {
        match self {
            Self::Empty => None,
            Self::Once(json) => serde_json::from_slice(json).ok(),
            Self::Merged(value) => Some(value.clone()),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Empty => out.extend_from_slice(b"null"),
            Self::Once(json) => out.extend_from_slice(json),
            Self::Merged(value) => {
                let _ = write!(out, "{value}");
            }
        }
    }
}

/// Writes a field whose value is an object that we begin and the user may have added to; nothing if neither has.
fn write_object(field: Field, ours: impl FnOnce(&mut Vec<u8>), logged: Option<&Slot<'_>>, out: &mut Vec<u8>) {
    let before = out.len();
    write_key(field, out);
    let start = out.len();
    out.push(b'{');
    ours(out);
    out.push(b'}');
    let Some(logged) = logged else {
        if out.len() == start + 2 {
            out.truncate(before);
        }
        return;
    };
    let Ok(mut value) = serde_json::from_slice::<Value>(&out[start..]) else { return };
    if let Some(logged) = logged.value() {
        // A value that is no object would wipe out what the row needs: such a one is dropped.
        if logged.is_object() {
            merge::merge_value(&mut value, logged);
        }
    }
    out.truncate(start);
    let _ = write!(out, "{value}");
}

fn write_key(field: Field, out: &mut Vec<u8>) {
    let _ = write!(out, ",\"{}\":", field.as_str());
}

/// Puts a comma before an entry that is not the first of its object.
fn separate(out: &mut Vec<u8>) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
}

fn write_parents(start: &Record<'_>, style: IdStyle, out: &mut Vec<u8>) {
    let foreign = start.section(Section::ForeignParent);
    let first = start.parent();
    if first.is_none() && foreign.is_none() {
        return;
    }
    out.extend_from_slice(b",\"span_parents\":[");
    match foreign {
        Some(id) => write_text(&String::from_utf8_lossy(id), out),
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

/// The wall-clock time at which the span was made, whatever start the user gave it.
fn write_created(start: &Record<'_>, facts: &RowFacts<'_>, out: &mut Vec<u8>) {
    let micros = facts.wall.unix_nanos(start.at) / 1_000;
    if let Ok(time) = jiff::Timestamp::from_microsecond(micros) {
        let _ = write!(out, ",\"created\":\"{time:.6}\"");
    }
}

fn write_location(start: &Record<'_>, out: &mut Vec<u8>) {
    let Some(file) = start.section(Section::File) else { return };
    let _ = write!(out, "\"caller_filename\":{},", json!(String::from_utf8_lossy(file)));
    if let Some(line) = start.section(Section::Line).and_then(|line| line.try_into().ok()) {
        let _ = write!(out, "\"caller_lineno\":{},", u32::from_le_bytes(line));
    }
}

/// Microseconds are all that a double holds of the seconds since 1970.
fn write_seconds(nanos: i64, out: &mut Vec<u8>) {
    let micros = nanos / 1_000;
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    let _ = write!(out, "{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000);
}
