//! Amazon's binary event stream: messages with lengths, headers and checksums.
//!
//! A message is the length of the whole (4 bytes), the length of its headers (4), a checksum of these eight (4), the
//! headers, the payload, and a checksum of all that (4). Numbers are big-endian.

use std::borrow::Cow;

use super::{Frame, invoke};
use crate::llm::notes::Notes;

const PRELUDE: usize = 12;
const CHECKSUM: usize = 4;
/// AWS allows no larger message.
const MAX_MESSAGE: usize = 24 * 1024 * 1024;

/// Hands over the payload of each message, by the name of its event or exception. After a damaged message it goes on
/// with the next prelude whose checksum is right.
pub(super) fn each(bytes: &[u8], after_gap: bool, notes: &mut Notes, take: &mut dyn FnMut(Frame<'_>, &mut Notes)) {
    let mut at = 0;
    let mut was_damaged = after_gap;
    while at < bytes.len() {
        let Some(length) = prelude_length(&bytes[at..]) else {
            if !was_damaged {
                notes.add("the event stream is damaged or cut off");
                was_damaged = true;
            }
            at += 1;
            continue;
        };
        let Some(message) = bytes.get(at..at + length) else {
            notes.add("the event stream is damaged or cut off");
            return;
        };
        at += length;
        was_damaged = false;
        match Message::read(message) {
            Some(message) => {
                let data = invoke::unwrap(&message.name, message.payload);
                take(Frame { name: message.name.into(), data, end: at }, notes)
            }
            None => notes.add("a message of the event stream has a wrong checksum"),
        }
    }
}

/// The place of the first message that is not here to its end.
pub(super) fn settled(bytes: &[u8]) -> usize {
    let mut at = 0;
    while bytes.len() - at >= PRELUDE {
        // Where no message begins, another may begin a byte further.
        let length = prelude_length(&bytes[at..]).unwrap_or(1);
        if length > bytes.len() - at {
            break;
        }
        at += length;
    }
    at
}

/// The length of the message that begins here, if its prelude is sound.
fn prelude_length(bytes: &[u8]) -> Option<usize> {
    let length = number(bytes, 0)? as usize;
    let headers = number(bytes, 4)? as usize;
    let is_sound = length <= MAX_MESSAGE && headers.checked_add(PRELUDE + CHECKSUM)? <= length;
    (is_sound && number(bytes, 8)? == crc32fast::hash(&bytes[..8])).then_some(length)
}

struct Message<'a> {
    name: String,
    payload: Cow<'a, [u8]>,
}

impl<'a> Message<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (content, _) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM)?)?;
        if number(bytes, content.len())? != crc32fast::hash(content) {
            return None;
        }
        let headers_end = PRELUDE + number(bytes, 4)? as usize;
        let headers = content.get(PRELUDE..headers_end)?;
        let payload = content.get(headers_end..)?;
        // An error that the API does not know has its words in its headers, and no payload.
        if let Some(code) = header(headers, &[b":error-code"]) {
            let message = header(headers, &[b":error-message"]);
            let error = serde_json::json!({"error": {"message": message.unwrap_or_default(), "type": code}});
            return Some(Self { name: "error".to_owned(), payload: error.to_string().into_bytes().into() });
        }
        let name = header(headers, &[b":event-type", b":exception-type"]).unwrap_or_default();
        Some(Self { name, payload: payload.into() })
    }
}

/// The text of the first header with one of these names.
fn header(mut headers: &[u8], names: &[&[u8]]) -> Option<String> {
    while let Some((&length, rest)) = headers.split_first() {
        let (name, rest) = rest.split_at_checked(length.into())?;
        let (&kind, rest) = rest.split_first()?;
        let (value, rest) = match kind {
            0 | 1 => (&[][..], rest),
            2 => rest.split_at_checked(1)?,
            3 => rest.split_at_checked(2)?,
            4 => rest.split_at_checked(4)?,
            5 | 8 => rest.split_at_checked(8)?,
            6 | 7 => {
                let (length, rest) = rest.split_first_chunk()?;
                rest.split_at_checked(u16::from_be_bytes(*length).into())?
            }
            9 => rest.split_at_checked(16)?,
            _ => return None,
        };
        if names.contains(&name) {
            return Some(String::from_utf8_lossy(value).into_owned());
        }
        headers = rest;
    }
    None
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
pub(in crate::llm) mod tests {
    use super::*;

    /// A message as a server writes it.
    pub(in crate::llm) fn message(kind: &str, name: &str, payload: &[u8]) -> Vec<u8> {
        let mut headers = vec![3, b'n', b'u', b'm', 4, 0, 0, 0, 1];
        for (key, value) in [(kind, name), (":content-type", "application/json")] {
            headers.push(key.len() as u8);
            headers.extend_from_slice(key.as_bytes());
            headers.push(7);
            headers.extend_from_slice(&(value.len() as u16).to_be_bytes());
            headers.extend_from_slice(value.as_bytes());
        }
        let mut message = Vec::new();
        message.extend_from_slice(&((PRELUDE + headers.len() + payload.len() + CHECKSUM) as u32).to_be_bytes());
        message.extend_from_slice(&(headers.len() as u32).to_be_bytes());
        message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
        message.extend_from_slice(&headers);
        message.extend_from_slice(payload);
        message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
        message
    }

    fn events(bytes: &[u8], after_gap: bool) -> (Vec<(String, Vec<u8>)>, Notes) {
        let (mut found, mut notes) = (Vec::new(), Notes::default());
        each(bytes, after_gap, &mut notes, &mut |frame, _| {
            found.push((frame.name.into_owned(), frame.data.into_owned()))
        });
        (found, notes)
    }

    #[test]
    fn messages_are_found_and_damage_is_passed_over() {
        let (first, second) = (message(":event-type", "a", b"{}"), message(":exception-type", "b", b"{\"m\":1}"));
        let (both, [a, b]) = (
            [first.clone(), second].concat(),
            [("a".to_owned(), b"{}".to_vec()), ("b".to_owned(), b"{\"m\":1}".to_vec())],
        );
        assert_eq!(events(&both, false), (vec![a.clone(), b.clone()], Notes::default()));
        assert_eq!(events(&both[5..], true), (vec![b.clone()], Notes::default()));

        let cut = events(&both[..both.len() - 1], false);
        assert_eq!((cut.0, cut.1.as_slice().len()), (vec![a], 1));
        for place in 0..first.len() {
            let mut damaged = both.clone();
            damaged[place] ^= 0x40;
            let (found, notes) = events(&damaged, false);
            assert_eq!((found, notes.as_slice().len()), (vec![b.clone()], 1), "byte {place}");
        }
    }
}
