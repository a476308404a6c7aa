//! The way in for values that are `Serialize`: whatever their implementation does, one JSON value comes out.

use std::any::type_name;
use std::fmt;

use serde::Serialize;

use super::escape::write_str;
use super::limits::max_value_bytes;
use super::panic::contained;
use super::serializer::{Refused, Writer};

/// Appends the JSON of `value` to `out`; a note if its `Serialize` returns an error or panics.
pub(crate) fn write_json<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    guarded(out, max_value_bytes(), type_name::<T>(), &mut |writer| value.serialize(writer));
}

/// As [`write_json`], and however large the value is.
pub(crate) fn write_whole_json<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    guarded(out, usize::MAX, type_name::<T>(), &mut |writer| value.serialize(writer));
}

/// Appends a note as a JSON string.
pub(crate) fn write_note(out: &mut Vec<u8>, note: fmt::Arguments<'_>) {
    write_str(out, &note.to_string());
}

/// The part of [`write_json`] that is the same for every type.
fn guarded(
    out: &mut Vec<u8>,
    budget: usize,
    type_name: &str,
    write: &mut dyn FnMut(&mut Writer<'_>) -> Result<(), Refused>,
) {
    let start = out.len();
    let written = contained(|| {
        let mut writer = Writer::new(&mut *out, budget);
        let returned = write(&mut writer);
        writer.finish(returned)
    });
    let problem = match written {
        Ok(Ok(())) if out.len() > start => return,
        Ok(Ok(())) => "it wrote nothing".to_owned(),
        Ok(Err(refused)) => refused.0,
        Err(message) => format!("it panicked: {message}"),
    };
    out.truncate(start);
    // What was given by reference is called what it is.
    let type_name = type_name.trim_start_matches('&');
    write_note(out, format_args!("<{type_name} could not be serialized: {problem}>"));
}
