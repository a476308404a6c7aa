//! Text that is written bit by bit by a `Debug` or `Display` implementation, within bounds: as a JSON string, or as it is.

use std::fmt;

use super::escape::{escape_into, needs_escape};
use super::limits::MAX_TEXT_NESTING;

/// Why the rest of a text was left out.
enum Cut {
    TooLong,
    TooDeep,
}

/// Where a text is cut.
#[derive(Default)]
struct Bounds {
    nesting: Nesting,
    cut: Option<Cut>,
}

impl Bounds {
    /// Has `put` take as much of `text` as may follow; it says how many bytes it had room for.
    ///
    /// # Errors
    ///
    /// If the text is cut: that makes derived implementations stop at once, which is what keeps a deep value off the stack.
    fn write(&mut self, text: &str, put: impl FnOnce(&str) -> usize) -> fmt::Result {
        if self.cut.is_some() {
            return Err(fmt::Error);
        }
        let within = self.nesting.part_within(text);
        self.cut = within.map(|_| Cut::TooDeep);
        let text = within.unwrap_or(text);
        if put(text) < text.len() {
            self.cut = Some(Cut::TooLong);
        }
        if self.cut.is_some() { Err(fmt::Error) } else { Ok(()) }
    }

    /// What stands at the end of the text.
    fn note(&self) -> &'static str {
        match self.cut {
            None => "",
            Some(Cut::TooLong) => "… [the rest is cut]",
            Some(Cut::TooDeep) => "… [the rest is cut: nested too deep]",
        }
    }
}

/// Receives formatted text as an open JSON string; [`finish`](Self::finish) closes it.
struct BoundedText<'a> {
    out: &'a mut Vec<u8>,
    /// The length of `out` at which the text is cut.
    end: usize,
    bounds: Bounds,
}

/// Brackets open so far. Brackets within string literals count too: this is a bound, not a parser.
#[derive(Default)]
struct Nesting(usize);

impl Nesting {
    /// The part of `text` before the bracket that opens one level too many, if there is one.
    #[inline]
    fn part_within<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let (blocks, end) = text.as_bytes().as_chunks::<BLOCK>();
        for (number, block) in blocks.iter().enumerate() {
            // Without an early return, so that it becomes a few vector instructions.
            let has_brackets = block.iter().fold(false, |any, byte| any | is_bracket(*byte));
            if has_brackets && let Some(place) = self.opens_too_many(block) {
                return Some(&text[..number * BLOCK + place]);
            }
        }
        self.opens_too_many(end).map(|place| &text[..text.len() - end.len() + place])
    }

    /// The place of the bracket that opens one level too many.
    #[inline]
    fn opens_too_many(&mut self, text: &[u8]) -> Option<usize> {
        for (place, byte) in text.iter().enumerate() {
            match byte {
                b'{' | b'[' | b'(' if self.0 >= MAX_TEXT_NESTING => return Some(place),
                b'{' | b'[' | b'(' => self.0 += 1,
                b'}' | b']' | b')' => self.0 = self.0.saturating_sub(1),
                _ => {}
            }
        }
        None
    }
}

/// How many bytes of a text are looked at together.
const BLOCK: usize = 32;

const fn is_bracket(byte: u8) -> bool {
    matches!(byte, b'{' | b'[' | b'(' | b'}' | b']' | b')')
}

/// Which bytes are neither brackets nor in need of an escape.
const IS_PLAIN: [bool; 256] = {
    let mut is_plain = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        is_plain[byte] = !is_bracket(byte as u8) && !needs_escape(byte as u8);
        byte += 1;
    }
    is_plain
};

impl<'a> BoundedText<'a> {
    fn new(out: &'a mut Vec<u8>, end: usize) -> Self {
        out.push(b'"');
        Self { out, end, bounds: Bounds::default() }
    }

    fn finish(self) {
        self.out.extend_from_slice(self.bounds.note().as_bytes());
        self.out.push(b'"');
    }
}

impl fmt::Write for BoundedText<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // What is formatted comes in pieces of a few bytes, and most are plain.
        let has_room = text.len() <= BLOCK.min(self.end.saturating_sub(self.out.len()));
        if has_room && self.bounds.cut.is_none() && text.bytes().all(|byte| IS_PLAIN[usize::from(byte)]) {
            self.out.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        self.bounds.write(text, |text| escape_into(self.out, text, self.end))
    }
}

/// Receives formatted text as it is.
struct BoundedString {
    out: String,
    most_bytes: usize,
    bounds: Bounds,
}

impl fmt::Write for BoundedString {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.bounds.write(text, |text| {
            let taken = text.floor_char_boundary(self.most_bytes.saturating_sub(self.out.len()));
            self.out.push_str(&text[..taken]);
            taken
        })
    }
}

/// What `value` formats to, cut at `most_bytes`. An implementation that gives up by itself has said what it said.
pub(crate) fn bounded_text(value: fmt::Arguments<'_>, most_bytes: usize) -> String {
    let mut text = BoundedString { out: String::new(), most_bytes, bounds: Bounds::default() };
    let _ = fmt::write(&mut text, value);
    text.out.push_str(text.bounds.note());
    text.out
}

/// Appends what `value` formats to, as a JSON string.
///
/// Returns `false` if the implementation gave up by itself; what it wrote is there nevertheless.
pub(super) fn write_text(out: &mut Vec<u8>, end: usize, value: fmt::Arguments<'_>) -> bool {
    let mut text = BoundedText::new(out, end);
    let written = fmt::write(&mut text, value).is_ok() || text.bounds.cut.is_some();
    text.finish();
    written
}
