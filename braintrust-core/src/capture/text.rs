//! A JSON string that is written bit by bit by a `Debug` or `Display` implementation, within bounds.

use std::fmt;

use super::escape::escape_into;
use super::limits::MAX_TEXT_NESTING;

/// Why the rest of a text was left out.
#[derive(Clone, Copy)]
enum Cut {
    TooLong,
    TooDeep,
}

/// Receives formatted text as an open JSON string; [`finish`](Self::finish) closes it.
pub(super) struct BoundedText<'a> {
    out: &'a mut Vec<u8>,
    /// The length of `out` at which the text is cut.
    end: usize,
    /// Brackets open so far. Brackets within string literals count too: this is a bound, not a parser.
    nesting: usize,
    cut: Option<Cut>,
}

impl<'a> BoundedText<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>, end: usize) -> Self {
        out.push(b'"');
        Self { out, end, nesting: 0, cut: None }
    }

    pub(super) fn finish(self) {
        match self.cut {
            None => {}
            Some(Cut::TooLong) => self.out.extend_from_slice("… [the rest is cut]".as_bytes()),
            Some(Cut::TooDeep) => self.out.extend_from_slice("… [the rest is cut: nested too deep]".as_bytes()),
        }
        self.out.push(b'"');
    }

    /// The part of `text` before the bracket that opens one level too many.
    fn within_nesting<'t>(&mut self, text: &'t str) -> &'t str {
        for (index, byte) in text.bytes().enumerate() {
            match byte {
                b'{' | b'[' | b'(' => self.nesting += 1,
                b'}' | b']' | b')' => self.nesting = self.nesting.saturating_sub(1),
                _ => {}
            }
            if self.nesting > MAX_TEXT_NESTING {
                self.cut = Some(Cut::TooDeep);
                return &text[..index];
            }
        }
        text
    }
}

impl fmt::Write for BoundedText<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // An error makes derived implementations stop at once, which is what keeps a deep value off the stack.
        if self.cut.is_some() {
            return Err(fmt::Error);
        }
        let text = self.within_nesting(text);
        if escape_into(self.out, text, self.end) < text.len() {
            self.cut = Some(Cut::TooLong);
        }
        match self.cut {
            None => Ok(()),
            Some(_) => Err(fmt::Error),
        }
    }
}

/// Appends what `value` formats to, as a JSON string.
///
/// Returns `false` if the implementation gave up by itself; what it wrote is there nevertheless.
pub(super) fn write_text(out: &mut Vec<u8>, end: usize, value: fmt::Arguments<'_>) -> bool {
    let mut text = BoundedText::new(out, end);
    let written = fmt::write(&mut text, value).is_ok() || text.cut.is_some();
    text.finish();
    written
}
