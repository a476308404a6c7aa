//! Values as short text: cut at a width, and without characters that a terminal would act on.

use std::collections::BTreeMap;
use std::io;

use serde::{Serialize, Serializer};
use serde_json::Value;

/// The compact JSON of `value`, cut after `width` characters.
pub(super) fn json(value: &Value, width: usize) -> String {
    beginning_of(&Sorted(value), width)
}

/// `text` as a JSON string, cut after `width` characters.
pub(super) fn quoted(text: &str, width: usize) -> String {
    beginning_of(text, width)
}

fn beginning_of(value: &(impl Serialize + ?Sized), width: usize) -> String {
    let mut beginning = Beginning { text: Vec::new(), room: bytes_for(width) };
    // An error means that there is more than fits, and what fits is all that is wanted.
    let _ = serde_json::to_writer(&mut beginning, value);
    text(&String::from_utf8_lossy(&beginning.text), width)
}

/// `text`, cut after `width` characters.
pub(super) fn text(text: &str, width: usize) -> String {
    match text.char_indices().nth(width) {
        None => printable(text),
        Some(_) => {
            let kept = text.char_indices().nth(width.saturating_sub(1)).map_or(0, |(end, _)| end);
            printable(&text[..kept]) + "…"
        }
    }
}

fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            printable.extend(character.escape_default());
        } else {
            printable.push(character);
        }
    }
    printable
}

/// A value with the keys of its objects in order, so that a snapshot does not depend on whether some other crate of the
/// program switches on `serde_json`'s `preserve_order`.
struct Sorted<'value>(&'value Value);

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(entries) => {
                let sorted: BTreeMap<_, _> = entries.iter().map(|(key, value)| (key, Sorted(value))).collect();
                serializer.collect_map(sorted)
            }
            Value::Array(items) => serializer.collect_seq(items.iter().map(Sorted)),
            scalar => scalar.serialize(serializer),
        }
    }
}

/// Enough for `width` characters and one more, which tells that there is more.
fn bytes_for(width: usize) -> usize {
    width.saturating_add(1).saturating_mul(char::MAX.len_utf8())
}

/// A writer that takes the beginning of a text and refuses the rest, so that a value of 50 MB costs no more than its line.
struct Beginning {
    text: Vec<u8>,
    room: usize,
}

impl io::Write for Beginning {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.room);
        self.text.extend_from_slice(&bytes[..taken]);
        self.room -= taken;
        if taken == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::WriteZero.into());
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
