//! Server-sent events: lines of `event:` and `data:`, and a blank one after each event.

use std::borrow::Cow;

use memchr::memrchr2_iter;

use super::{Frame, MARK};
use crate::llm::notes::Notes;

/// Hands over each event that has data. The last one need not be closed by a blank line: what a cut-off stream had
/// sent is shown too.
pub(super) fn each(bytes: &[u8], after_gap: bool, notes: &mut Notes, take: &mut dyn FnMut(Frame<'_>, &mut Notes)) {
    let mut event = Event { is_hidden: after_gap, ..Event::default() };
    let mut lines = Lines { bytes: bytes.strip_prefix(MARK).unwrap_or(bytes), whole: bytes.len() };
    while let Some((line, end)) = lines.next() {
        if line.is_empty() {
            std::mem::take(&mut event).hand_over(notes, take);
        } else {
            event.add(line, end);
        }
    }
    event.hand_over(notes, take);
}

/// The place after the last event that has ended, and is followed by something that can't be mistaken for a beginning.
pub(super) fn settled(bytes: &[u8]) -> usize {
    let Some((_, before_last)) = bytes.split_last() else { return 0 };
    let mut line_ends = memrchr2_iter(b'\n', b'\r', before_last).map(|place| place + 1);
    let is_end = |end: &usize| ends_with_empty_line(&bytes[..*end]) && bytes[*end] != MARK[0];
    line_ends.find(is_end).unwrap_or_default()
}

fn ends_with_empty_line(bytes: &[u8]) -> bool {
    [&b"\n\n"[..], b"\n\r\n", b"\r\r"].iter().any(|end| bytes.ends_with(end))
}

/// An event as far as its lines have been seen.
#[derive(Default)]
struct Event<'a> {
    name: &'a [u8],
    data: Option<Cow<'a, [u8]>>,
    end: usize,
    /// Whether its beginning was not seen.
    is_hidden: bool,
}

impl<'a> Event<'a> {
    fn add(&mut self, line: &'a [u8], end: usize) {
        let (field, value) = match line.iter().position(|byte| *byte == b':') {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"event" => self.name = value,
            b"data" => {
                self.end = end;
                match &mut self.data {
                    None => self.data = Some(Cow::Borrowed(value)),
                    Some(data) => {
                        let data = data.to_mut();
                        data.push(b'\n');
                        data.extend_from_slice(value);
                    }
                }
            }
            // `id`, `retry`, comments, and what is not known.
            _ => {}
        }
    }

    fn hand_over(self, notes: &mut Notes, take: &mut dyn FnMut(Frame<'_>, &mut Notes)) {
        let Some(data) = self.data.filter(|_| !self.is_hidden) else { return };
        take(Frame { name: String::from_utf8_lossy(self.name), data, end: self.end }, notes);
    }
}

/// Lines that end with `\n`, `\r\n` or `\r`, each with the place after it.
struct Lines<'a> {
    bytes: &'a [u8],
    whole: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<(&'a [u8], usize)> {
        if self.bytes.is_empty() {
            return None;
        }
        let length = self.bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(self.bytes.len());
        let (line, rest) = self.bytes.split_at(length);
        self.bytes = rest.strip_prefix(b"\r\n").or(rest.get(1..)).unwrap_or_default();
        Some((line, self.whole - rest.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(text: &str, after_gap: bool) -> Vec<(String, String)> {
        let mut found = Vec::new();
        each(text.as_bytes(), after_gap, &mut Notes::default(), &mut |frame, _| {
            assert!(text.as_bytes()[..frame.end].ends_with(frame.data.split(|b| *b == b'\n').next_back().unwrap()));
            found.push((frame.name.into_owned(), String::from_utf8(frame.data.into_owned()).unwrap()));
        });
        found
    }

    #[test]
    fn events_are_found_whatever_their_lines_end_with() {
        let text =
            ": hello\nevent: a\ndata: 1\ndata:2\n\n\n\ndata:  x\nid: 7\nnonsense\n\nevent: empty\n\ndata: cut off";
        let expected = [("a", "1\n2"), ("", " x"), ("", "cut off")];
        let expected: Vec<_> = expected.map(|(name, data)| (name.to_owned(), data.to_owned())).into();
        for end in ["\n", "\r\n", "\r"] {
            assert_eq!(events(&text.replace('\n', end), false), expected);
        }
        assert_eq!(events(text, true), expected[1..]);
    }
}
