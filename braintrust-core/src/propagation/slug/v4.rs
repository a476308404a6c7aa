//! Version 4: the ids of the span in binary if they are hex, everything else in JSON.

use super::components::{Parts, SpanComponents};
use super::reader::Reader;
use super::remainder::{self, InBinary};
use super::{Flaw, ids};

const VERSION: u8 = 4;

const OBJECT_ID: u8 = 1;
const ROW_ID: u8 = 2;
const SPAN_ID: u8 = 3;
const ROOT_SPAN_ID: u8 = 4;

pub(super) fn encode(components: &SpanComponents) -> Vec<u8> {
    let row = components.row();
    let span = row.and_then(|row| ids::parse_hex::<8>(&row.span_id));
    let root = row.and_then(|row| ids::parse_hex::<16>(&row.root_span_id));
    let count = u8::from(span.is_some()) + u8::from(root.is_some());

    let mut out = vec![VERSION, components.object_type().code(), count];
    if let Some(span) = span {
        out.push(SPAN_ID);
        out.extend(span);
    }
    if let Some(root) = root {
        out.push(ROOT_SPAN_ID);
        out.extend(root);
    }
    let in_binary = InBinary { span_id: span.is_some(), root_span_id: root.is_some(), ..InBinary::default() };
    out.extend(remainder::encode(components, in_binary).bytes());
    out
}

pub(super) fn decode(mut reader: Reader<'_>) -> Result<Parts, Flaw> {
    let mut parts = Parts { object_type: reader.byte("object_type")?, ..Parts::default() };
    for _ in 0..reader.byte("number of binary ids")? {
        // No SDK writes the first two, but all of them read them: as hex, even where the bytes came from a UUID.
        match reader.byte("field number")? {
            OBJECT_ID => parts.object_id = Some(ids::format_hex(&reader.array::<16>("object_id")?)),
            ROW_ID => parts.row_id = Some(ids::format_hex(&reader.array::<16>("row_id")?)),
            SPAN_ID => parts.span_id = Some(ids::format_hex(&reader.array::<8>("span_id")?)),
            ROOT_SPAN_ID => parts.root_span_id = Some(ids::format_hex(&reader.array::<16>("root_span_id")?)),
            found => return Err(Flaw::FieldNumber { found }),
        }
    }
    remainder::decode(reader.rest(), parts)
}
