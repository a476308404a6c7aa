//! Versions 1 and 2, which are read but never written: flags, then UUIDs, then what is left.

use super::components::Parts;
use super::reader::Reader;
use super::{Flaw, JsonObject, ids};

/// `object_type`, two flags, the object's id, and the ids of the span if flagged.
pub(super) fn decode_v1(mut reader: Reader<'_>) -> Result<Parts, Flaw> {
    let object_type = object_type(&mut reader)?;
    let has_row = reader.flag("has row ids")?;
    let row_id_is_uuid = reader.flag("row_id is a UUID")?;
    let object_id = Some(uuid(&mut reader, "object_id")?);
    let parts = Parts { object_type, object_id, ..Parts::default() };
    if has_row { with_row(parts, reader, row_id_is_uuid) } else { Ok(parts) }
}

/// `object_type`, four flags, and what of these is flagged: the object's id, the arguments, the ids of the span.
pub(super) fn decode_v2(mut reader: Reader<'_>) -> Result<Parts, Flaw> {
    let mut parts = Parts { object_type: object_type(&mut reader)?, ..Parts::default() };
    let has_object_id = reader.flag("has object_id")?;
    let has_args = reader.flag("has compute_object_metadata_args")?;
    let has_row = reader.flag("has row ids")?;
    let row_id_is_uuid = reader.flag("row_id is a UUID")?;
    if has_object_id {
        parts.object_id = Some(uuid(&mut reader, "object_id")?);
    }
    if has_args {
        parts.args = Some(args(&mut reader)?);
    }
    if has_row { with_row(parts, reader, row_id_is_uuid) } else { Ok(parts) }
}

/// Playgrounds came with version 3.
fn object_type(reader: &mut Reader<'_>) -> Result<u8, Flaw> {
    match reader.byte("object_type")? {
        known @ 1..=2 => Ok(known),
        found => Err(Flaw::ObjectType { found }),
    }
}

fn args(reader: &mut Reader<'_>) -> Result<JsonObject, Flaw> {
    const FIELD: &str = "compute_object_metadata_args";
    let length = u32::from_be_bytes(reader.array("length of compute_object_metadata_args")?);
    // A length beyond the end means "up to the end" to the other SDKs.
    let bytes = reader.up_to(usize::try_from(length).unwrap_or(usize::MAX));
    JsonObject::parse(FIELD, std::str::from_utf8(bytes).map_err(|_| Flaw::Utf8 { field: FIELD })?)
}

/// The ids of the span and the trace, and all that is left as the id of the row.
fn with_row(parts: Parts, mut reader: Reader<'_>, row_id_is_uuid: bool) -> Result<Parts, Flaw> {
    let span_id = Some(uuid(&mut reader, "span_id")?);
    let root_span_id = Some(uuid(&mut reader, "root_span_id")?);
    let row_id = if row_id_is_uuid { row_uuid(reader)? } else { row_text(reader)? };
    Ok(Parts { row_id: Some(row_id), span_id, root_span_id, ..parts })
}

fn row_uuid(mut reader: Reader<'_>) -> Result<String, Flaw> {
    let row_id = uuid(&mut reader, "row_id")?;
    match reader.rest().len() {
        0 => Ok(row_id),
        surplus => Err(Flaw::Surplus { field: "row_id", surplus }),
    }
}

fn row_text(reader: Reader<'_>) -> Result<String, Flaw> {
    let row_id = std::str::from_utf8(reader.rest()).map_err(|_| Flaw::Utf8 { field: "row_id" })?;
    Ok(row_id.to_owned())
}

fn uuid(reader: &mut Reader<'_>, field: &'static str) -> Result<String, Flaw> {
    reader.array(field).map(ids::format_uuid)
}
