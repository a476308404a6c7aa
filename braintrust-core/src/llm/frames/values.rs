//! JSON values one after the other: lines of them, or the elements of an array.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::Frame;
use crate::llm::notes::Notes;

/// Hands over each value. After one that is malformed it goes on with the next line.
pub(super) fn each(bytes: &[u8], after_gap: bool, notes: &mut Notes, take: &mut dyn FnMut(Frame<'_>, &mut Notes)) {
    let mut at = if after_gap { after_line(bytes, 0) } else { 0 };
    while let Some(skipped) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| !is_between(*byte))) {
        at += skipped;
        let mut values = serde_json::Deserializer::from_slice(&bytes[at..]).into_iter::<&RawValue>();
        match values.next() {
            Some(Ok(value)) => {
                let end = at + values.byte_offset();
                take(Frame { name: Cow::Borrowed(""), data: Cow::Borrowed(value.get().as_bytes()), end }, notes);
                at = end;
            }
            Some(Err(fault)) => {
                // From the fault on, not from the beginning: nothing is looked at twice, however much is malformed.
                let line_end = after_line(bytes, at + place_of(&fault, &bytes[at..]));
                // The value as far as it came: the reader knows what to make of it.
                take(
                    Frame { name: Cow::Borrowed(""), data: Cow::Borrowed(&bytes[at..line_end]), end: line_end },
                    notes,
                );
                at = line_end;
            }
            None => return,
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
    (before + fault.column().saturating_sub(1)).min(bytes.len())
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
        assert_eq!(values(b"", true), [""; 0]);
    }
}
