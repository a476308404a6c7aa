//! JSON values one after the other: lines of them, or the elements of an array.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::Frame;
use crate::llm::notes::Notes;

/// Hands over each value; one that is malformed as far as it came: the reader knows what to make of it.
pub(super) fn each(bytes: &[u8], after_gap: bool, notes: &mut Notes, take: &mut dyn FnMut(Frame<'_>, &mut Notes)) {
    let mut at = if after_gap { after_line(bytes, 0) } else { 0 };
    while let Some(Found { start, end, .. }) = next(bytes, at) {
        take(Frame { name: Cow::Borrowed(""), data: Cow::Borrowed(&bytes[start..end]), end }, notes);
        at = end;
    }
}

/// The place after the last value that nothing more belongs to.
pub(super) fn settled(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = next(bytes, at).filter(|found| found.has_ended) {
        at = found.end;
    }
    at
}

/// A value, or what is in its place.
struct Found {
    start: usize,
    end: usize,
    /// Whether it is the same whatever comes after the bytes.
    has_ended: bool,
}

/// The next value from `at` on. After one that is malformed it goes on with the next line.
fn next(bytes: &[u8], at: usize) -> Option<Found> {
    let start = at + bytes.get(at..)?.iter().position(|byte| !is_between(*byte))?;
    let mut values = serde_json::Deserializer::from_slice(&bytes[start..]).into_iter::<&RawValue>();
    match values.next()? {
        Ok(_) => {
            let end = start + values.byte_offset();
            let closes_itself = matches!(bytes[start], b'{' | b'"');
            Some(Found { start, end, has_ended: closes_itself || end < bytes.len() })
        }
        Err(fault) => {
            // From the fault on, not from the beginning: nothing is looked at twice, however much is malformed.
            let end = after_line(bytes, start + place_of(&fault, &bytes[start..]));
            Some(Found { start, end, has_ended: !fault.is_eof() && bytes[end - 1] == b'\n' })
        }
    }
}

fn is_between(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b',' | b'[' | b']')
}

/// Where in `bytes` a fault was found.
fn place_of(fault: &serde_json::Error, bytes: &[u8]) -> usize {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let before: usize = lines.take(fault.line().saturating_sub(1)).map(<[u8]>::len).sum();
    // A line end that was not expected counts as the beginning of the next line, of which nothing is wrong.
    (before + fault.column()).saturating_sub(1).min(bytes.len())
}

fn after_line(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| from + length + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &[u8], after_gap: bool) -> Vec<String> {
        let mut found = Vec::new();
        each(text, after_gap, &mut Notes::default(), &mut |frame, _| {
            found.push(String::from_utf8_lossy(&frame.data).into_owned());
        });
        found
    }

    #[test]
    fn lines_and_elements_are_found() {
        let expected = [r#"{"a":[1]}"#, r#"{"b":"]\n,"}"#];
        assert_eq!(values(b"{\"a\":[1]}\n{\"b\":\"]\\n,\"}\n", false), expected);
        assert_eq!(values(b"[{\"a\":[1]}\n,\r\n{\"b\":\"]\\n,\"}]", false), expected);
        assert_eq!(values(b"lost}\n{\"a\":[1]}{\"b\":\"]\\n,\"}", true), expected);
        assert_eq!(
            values(b"{\"a\":[1]}\n<oops>\n{\"b\":\"]\\n,\"}\n{\"cut", false),
            [expected[0], "<oops>\n", expected[1], "{\"cut"]
        );
        assert_eq!(values(b"tru\n{\"a\":[1]}\n{\"b\":\"]\\n,\"}", false), ["tru\n", expected[0], expected[1]]);
        assert_eq!(values(b"", true), [""; 0]);
    }
}
