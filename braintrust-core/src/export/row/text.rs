//! Pieces of JSON text.

use serde::Serialize as _;
use serde_json::Value;

use crate::fields::Field;

/// Writes the key of a field that is not the first of its row.
pub(super) fn write_key(field: Field, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(field.as_str().as_bytes());
    out.extend_from_slice(b"\":");
}

/// Puts a comma before an entry that is not the first of its object.
pub(super) fn separate(out: &mut Vec<u8>) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
}

/// Writes what needs no escaping, in quotes.
pub(super) fn write_quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}

/// Writes any text as a JSON string.
pub(super) fn write_json_text(text: &str, out: &mut Vec<u8>) {
    // Writing to memory does not fail.
    let _ = text.serialize(&mut serde_json::Serializer::new(out));
}

/// Writes any value as JSON.
pub(super) fn write_value(value: &Value, out: &mut Vec<u8>) {
    let _ = value.serialize(&mut serde_json::Serializer::new(out));
}

pub(super) fn write_integer(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}
