//! Version 3: every id in binary that is a UUID, everything else in JSON of ASCII alone.

use super::components::{ObjectRef, Parts, SpanComponents};
use super::reader::Reader;
use super::remainder::{self, InBinary};
use super::{Flaw, ids};

const VERSION: u8 = 3;

const OBJECT_ID: u8 = 1;
const ROW_ID: u8 = 2;
const SPAN_ID: u8 = 3;
const ROOT_SPAN_ID: u8 = 4;

pub(super) fn encode(components: &SpanComponents) -> Vec<u8> {
    let row = components.row();
    let object_id = match components.object() {
        ObjectRef::Id(id) => ids::parse_uuid(id),
        ObjectRef::Args(_) => None,
    };
    let uuids = [
        (OBJECT_ID, object_id),
        (ROW_ID, row.and_then(|row| ids::parse_uuid(&row.row_id))),
        (SPAN_ID, row.and_then(|row| ids::parse_uuid(&row.span_id))),
        (ROOT_SPAN_ID, row.and_then(|row| ids::parse_uuid(&row.root_span_id))),
    ];
    let [object_id, row_id, span_id, root_span_id] = uuids.map(|(_, uuid)| uuid.is_some());
    let count = uuids.iter().map(|(_, uuid)| u8::from(uuid.is_some())).sum();

    let mut out = vec![VERSION, components.object_type().code(), count];
    for (field, uuid) in uuids {
        if let Some(uuid) = uuid {
            out.push(field);
            out.extend(uuid);
        }
    }
    let json = remainder::encode(components, InBinary { object_id, row_id, span_id, root_span_id });
    out.extend(escape_non_ascii(&json).bytes());
    out
}

/// JSON with an escape for each character that is not printable ASCII, which only strings hold.
fn escape_non_ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if matches!(c, ' '..='~') {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    }
    out
}

pub(super) fn decode(mut reader: Reader<'_>) -> Result<Parts, Flaw> {
    let object_type = reader.byte("object_type")?;
    let mut parts = Parts { object_type, ..Parts::default() };
    for _ in 0..reader.byte("number of binary ids")? {
        let (name, id) = match reader.byte("field number")? {
            OBJECT_ID => ("object_id", &mut parts.object_id),
            ROW_ID => ("row_id", &mut parts.row_id),
            SPAN_ID => ("span_id", &mut parts.span_id),
            ROOT_SPAN_ID => ("root_span_id", &mut parts.root_span_id),
            found => return Err(Flaw::FieldNumber { found }),
        };
        *id = Some(ids::format_uuid(reader.array(name)?));
    }
    remainder::decode(reader.rest(), parts)
}
