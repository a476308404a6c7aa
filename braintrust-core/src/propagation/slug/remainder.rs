//! The JSON that follows the binary ids of versions 3 and 4.

use serde::{Deserialize, Serialize};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::components::{ObjectRef, Parts, SpanComponents};
use super::{Flaw, JsonObject};

const FIELD: &str = "the JSON after the binary ids";

/// The keys in the order in which all SDKs write them. Unknown ones are passed over: they are newer than we are.
#[derive(Default, Deserialize, Serialize)]
pub(super) struct Remainder<'a> {
    /// Never written; where it is read, it replaces the binary one.
    #[serde(skip_serializing)]
    object_type: Option<u8>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    compute_object_metadata_args: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    propagated_event: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    row_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    root_span_id: Option<String>,
}

/// Which ids have been written in binary already.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct InBinary {
    pub(super) object_id: bool,
    pub(super) row_id: bool,
    pub(super) span_id: bool,
    pub(super) root_span_id: bool,
}

/// The JSON of all that is not in binary; nothing if that is all.
pub(super) fn encode(components: &SpanComponents, in_binary: InBinary) -> String {
    let row = components.row();
    let text = |id: Option<&str>, in_binary: bool| id.filter(|_| !in_binary).map(str::to_owned);
    let (object_id, args) = match components.object() {
        ObjectRef::Id(id) => (Some(id.as_str()), None),
        ObjectRef::Args(args) => (None, Some(args.as_raw())),
    };
    let json = serde_json::to_string(&Remainder {
        object_type: None,
        compute_object_metadata_args: args,
        propagated_event: components.propagated_event().map(JsonObject::as_raw),
        object_id: text(object_id, in_binary.object_id),
        row_id: text(row.map(|row| row.row_id.as_str()), in_binary.row_id),
        span_id: text(row.map(|row| row.span_id.as_str()), in_binary.span_id),
        root_span_id: text(row.map(|row| row.root_span_id.as_str()), in_binary.root_span_id),
    })
    .expect("texts and JSON can be written as JSON");
    if json == "{}" { String::new() } else { json }
}

/// Adds what the JSON says to what was in binary, which it overrides.
pub(super) fn decode(bytes: &[u8], binary: Parts) -> Result<Parts, Flaw> {
    if bytes.is_empty() {
        return Ok(binary);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Flaw::Utf8 { field: FIELD })?;
    let json = parse(text)?;
    let object = |field, raw: Option<&RawValue>| raw.map(|raw| JsonObject::parse(field, raw.get())).transpose();
    Ok(Parts {
        object_type: json.object_type.unwrap_or(binary.object_type),
        object_id: json.object_id.or(binary.object_id),
        args: object("compute_object_metadata_args", json.compute_object_metadata_args)?,
        row_id: json.row_id.or(binary.row_id),
        span_id: json.span_id.or(binary.span_id),
        root_span_id: json.root_span_id.or(binary.root_span_id),
        propagated_event: object("propagated_event", json.propagated_event)?,
    })
}

fn parse(text: &str) -> Result<Remainder<'_>, Flaw> {
    // An array would pass as well: it can stand for the fields of a struct.
    if !text.trim_start().starts_with('{') {
        return Err(Flaw::Json { field: FIELD, expected: "a JSON object", column: 1 });
    }
    serde_json::from_str(text).map_err(|error| Flaw::Json {
        field: FIELD,
        expected: match error.classify() {
            Category::Data => "a JSON object in which the ids are texts",
            _ => "valid JSON",
        },
        column: error.column(),
    })
}
