//! Finds the JSON objects of a document, whether they stand on lines, in arrays, or simply one after the other.
//!
//! A document is read piece by piece and never held as a whole. Outside objects, arrays are mere punctuation: so an array
//! of a million rows needs no more memory than a million lines do, and what is wrong with one element says nothing of
//! the next.

use std::io::{self, Read};

use serde_json::{Map, Value};

/// How much is read at once, if no object needs more.
const PIECE_BYTES: usize = 64 * 1024;
/// No object is longer: memory is bounded, whatever the input.
const MAX_OBJECT_BYTES: usize = 256 * 1024 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The objects of a document, one by one.
pub(super) struct Objects<R> {
    input: R,
    buffer: Vec<u8>,
    /// How much of the buffer has been passed.
    passed: usize,
    has_ended: bool,
    place: Place,
    open_arrays: u64,
    /// The line of the outermost array.
    array_line: u64,
    /// Whether something was wrong, so that brackets may not match any more.
    is_damaged: bool,
}

/// What a document holds at some place.
pub(super) enum Found {
    Object {
        object: Map<String, Value>,
        line: u64,
    },
    /// Something that is no object, and what was expected.
    Bad {
        line: u64,
        problem: String,
    },
}

/// How far a document has been read.
#[derive(Clone, Copy)]
struct Place {
    bytes: u64,
    line: u64,
    /// Bytes of the line that have been passed.
    column: usize,
    /// Bytes of blank space that the line begins with.
    indent: usize,
}

impl Place {
    fn pass(&mut self, text: &[u8]) {
        self.bytes += text.len() as u64;
        let line = match text.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => {
                self.line += text.iter().filter(|byte| **byte == b'\n').count() as u64;
                (self.column, self.indent) = (0, 0);
                &text[end + 1..]
            }
            None => text,
        };
        if self.column == self.indent {
            self.indent += line.iter().take_while(|byte| is_blank(**byte)).count();
        }
        self.column += line.len();
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

impl<R: Read> Objects<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            passed: 0,
            has_ended: false,
            place: Place { bytes: 0, line: 1, column: 0, indent: 0 },
            open_arrays: 0,
            array_line: 0,
            is_damaged: false,
        }
    }

    /// How much of the document has been passed.
    pub(super) fn bytes(&self) -> u64 {
        self.place.bytes
    }

    /// The next object, or what stands in its place; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Found>> {
        while let Some(byte) = self.peek()? {
            match byte {
                b'[' => self.open_array(),
                b']' if self.open_arrays > 0 || self.is_damaged => {
                    self.open_arrays = self.open_arrays.saturating_sub(1)
                }
                b',' => {}
                _ => return self.value().map(Some),
            }
            self.pass(1);
        }
        Ok(self.end())
    }

    fn open_array(&mut self) {
        if self.open_arrays == 0 {
            self.array_line = self.place.line;
        }
        self.open_arrays += 1;
    }

    fn end(&mut self) -> Option<Found> {
        let is_cut_off = std::mem::take(&mut self.open_arrays) > 0 && !self.is_damaged;
        let problem = || "the array that begins here is not closed, so the input may be cut off".to_owned();
        is_cut_off.then(|| Found::Bad { line: self.array_line, problem: problem() })
    }

    /// Reads the value that begins here.
    fn value(&mut self) -> io::Result<Found> {
        let line = self.place.line;
        loop {
            let mut values = serde_json::Deserializer::from_slice(self.ahead()).into_iter::<Value>();
            let problem = match values.next() {
                Some(Ok(value)) => {
                    let length = values.byte_offset();
                    self.pass(length);
                    return Ok(found(value, line));
                }
                Some(Err(error)) if error.is_eof() && self.ahead().len() >= MAX_OBJECT_BYTES => {
                    format!("what begins here is longer than {MAX_OBJECT_BYTES} bytes")
                }
                Some(Err(error)) if error.is_eof() && !self.has_ended => {
                    self.read_on()?;
                    continue;
                }
                Some(Err(error)) => self.in_words(&error),
                None => "there is nothing here".to_owned(),
            };
            self.recover()?;
            return Ok(Found::Bad { line, problem });
        }
    }

    fn in_words(&self, error: &serde_json::Error) -> String {
        if error.is_eof() {
            return "the JSON that begins here is cut off".to_owned();
        }
        let text = error.to_string();
        let what = text.rsplit_once(" at line ").map_or(&*text, |(what, _)| what);
        // A line that ends too early is found out about at column 0 of the next.
        let is_line_end = error.column() == 0;
        let lines_on = error.line().saturating_sub(1 + usize::from(is_line_end));
        let column = error.column() + if lines_on == 0 { self.place.column } else { 0 };
        let at = if is_line_end { "the end of the line".to_owned() } else { format!("column {column}") };
        match lines_on {
            0 => format!("this is no JSON: {what} at {at}"),
            _ => format!("what begins here is no JSON: {what} in line {} at {at}", self.place.line + lines_on as u64),
        }
    }

    /// Goes on at the next line that may begin something new: what is indented further, or closes a bracket, belongs to
    /// what was wrong.
    fn recover(&mut self) -> io::Result<()> {
        self.is_damaged = true;
        let indent = self.place.indent;
        self.pass_line()?;
        while let Some(first) = self.peek()? {
            if self.place.indent <= indent && !matches!(first, b'}' | b']') {
                break;
            }
            self.pass_line()?;
        }
        Ok(())
    }

    fn pass_line(&mut self) -> io::Result<()> {
        loop {
            if let Some(end) = self.ahead().iter().position(|byte| *byte == b'\n') {
                self.pass(end + 1);
                return Ok(());
            }
            self.pass(self.ahead().len());
            if self.has_ended {
                return Ok(());
            }
            self.read_on()?;
        }
    }

    /// The next byte that is not blank, which is passed up to.
    fn peek(&mut self) -> io::Result<Option<u8>> {
        loop {
            if let Some(blanks) = self.ahead().iter().position(|byte| !is_blank(*byte)) {
                self.pass(blanks);
                return Ok(self.ahead().first().copied());
            }
            self.pass(self.ahead().len());
            if self.has_ended {
                return Ok(None);
            }
            self.read_on()?;
        }
    }

    fn ahead(&self) -> &[u8] {
        &self.buffer[self.passed..]
    }

    fn pass(&mut self, count: usize) {
        self.place.pass(&self.buffer[self.passed..self.passed + count]);
        self.passed += count;
    }

    /// Reads at least as much again as lies ahead, so that a long value is not looked at once for every piece of it.
    fn read_on(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.passed);
        self.passed = 0;
        let wanted = self.buffer.len().max(PIECE_BYTES);
        let read = (&mut self.input).take(wanted as u64).read_to_end(&mut self.buffer)?;
        self.has_ended = read < wanted;
        if self.place.bytes == 0 && self.buffer.starts_with(BYTE_ORDER_MARK) {
            self.buffer.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(())
    }
}

fn found(value: Value, line: u64) -> Found {
    match value {
        Value::Object(object) => Found::Object { object, line },
        other => Found::Bad { line, problem: super::check::not_a_span(&other) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of objects with their `"n"`, and what was wrong with others.
    fn scan(text: impl AsRef<[u8]>) -> Vec<String> {
        let mut objects = Objects::new(text.as_ref());
        let mut all = Vec::new();
        while let Some(found) = objects.next().unwrap() {
            all.push(match found {
                Found::Object { object, line } => format!("{line}: {}", object["n"]),
                Found::Bad { line, problem } => format!("{line}: {problem}"),
            });
        }
        assert_eq!(objects.bytes(), text.as_ref().len() as u64);
        all
    }

    #[test]
    fn objects_may_stand_in_any_arrangement() {
        let expected = |lines: [u64; 3]| [0, 1, 2].map(|n| format!("{}: {}", lines[n], n + 1)).to_vec();
        assert_eq!(scan("{\"n\":1}\r\n\r\n{\"n\":2}\r\n{\"n\":3}"), expected([1, 3, 4]));
        assert_eq!(scan("[{\"n\":1},{\"n\":2},{\"n\":3}]\n"), expected([1, 1, 1]));
        assert_eq!(scan("[\n  {\n    \"n\": 1\n  },\n  {\n    \"n\": 2\n  }\n]\n[{\"n\":3}]"), expected([2, 5, 9]));
        assert_eq!(scan("{\"n\":\n1}{\"n\":2} {\"n\":3}"), expected([1, 2, 2]));
        assert_eq!(scan(""), Vec::<String>::new());
        assert_eq!(scan(" \n[]\n"), Vec::<String>::new());
    }

    #[test]
    fn a_bad_line_is_named_and_the_next_one_is_read() {
        let text =
            "{\"n\":1}\n{\"n\":\"half\n{\"n\":3}\n{\"a\":1,\n{\"n\":5}\nhello\n{\"n\": 1e999}\n{\"n\":8}\n{\"n\":";
        let found = scan(text);
        assert_eq!([&found[0], &found[2], &found[4], &found[7]], ["1: 1", "3: 3", "5: 5", "8: 8"], "{found:?}");
        assert!(found[1].starts_with("2: this is no JSON: control character"), "{found:?}");
        assert!(found[1].ends_with("while parsing a string at the end of the line"), "{found:?}");
        assert_eq!(found[3], "4: what begins here is no JSON: key must be a string in line 5 at column 1");
        assert_eq!(found[5], "6: this is no JSON: expected value at column 1");
        assert_eq!(found[6], "7: this is no JSON: number out of range at column 11");
        assert_eq!(found[8], "9: the JSON that begins here is cut off");
        assert_eq!(found.len(), 9);
    }

    #[test]
    fn a_bad_element_of_an_indented_array_takes_only_its_own_lines_along() {
        let text = "[\n  {\n    \"a\": {\n      \"b\": oops\n    }\n  },\n  {\n    \"n\": 2\n  },\n  7\n]\n";
        let found = scan(text);
        assert_eq!(found[0], "2: what begins here is no JSON: expected value in line 4 at column 12");
        assert_eq!(found[1], "7: 2");
        assert!(found[2].starts_with("10: this is a number; expected"), "{found:?}");
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn what_is_not_closed_or_not_utf8_or_too_deep_is_said() {
        assert_eq!(
            scan("\n[\n{\"n\":1},"),
            ["3: 1", "2: the array that begins here is not closed, so the input may be cut off"]
        );
        assert!(scan("]")[0].starts_with("1: this is no JSON"));
        assert!(scan(b"{\"n\":\"\xff\"}\n")[0].starts_with("1: this is no JSON: invalid unicode"));
        let deep = format!("{{\"n\":{}}}\n{{\"n\":2}}", "[".repeat(100_000));
        let found = scan(deep);
        assert!(found[0].contains("recursion limit exceeded"), "{found:?}");
        assert_eq!(found[1], "2: 2");
        assert_eq!(scan("[".repeat(100_000)).len(), 1);
    }

    #[test]
    fn objects_are_found_whatever_pieces_they_come_in() {
        let long = "x".repeat(3 * PIECE_BYTES);
        let line = format!("{{\"text\":\"{long}\",\"n\":1}}\n");
        assert_eq!(scan(line.repeat(3)), ["1: 1", "2: 1", "3: 1"]);
        let short = "{\"n\":1}\n".repeat(PIECE_BYTES);
        assert_eq!(scan(short).len(), PIECE_BYTES);
    }

    #[test]
    fn a_byte_order_mark_is_no_problem() {
        let mut objects = Objects::new("\u{feff}{\"n\":1}".as_bytes());
        assert!(matches!(objects.next(), Ok(Some(Found::Object { line: 1, .. }))));
    }
}
