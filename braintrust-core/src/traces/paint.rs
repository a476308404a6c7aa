//! Colours for terminals, by ANSI escape codes.

use std::fmt;

/// Whether text gets colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    Ansi,
}

/// What stands out, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Color {
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
    Blue,
    Magenta,
    Cyan,
}

impl Color {
    /// The parameter of the escape code that selects a graphic rendition.
    fn code(self) -> u8 {
        match self {
            Self::Bold => 1,
            Self::Dim => 2,
            Self::Red => 31,
            Self::Green => 32,
            Self::Yellow => 33,
            Self::Blue => 34,
            Self::Magenta => 35,
            Self::Cyan => 36,
        }
    }
}

impl Paint {
    /// `text` in that colour, if there are colours.
    pub(super) fn with<T: fmt::Display>(self, color: Color, text: T) -> Painted<T> {
        Painted { color: (self == Self::Ansi).then_some(color), text }
    }
}

/// Text in a colour.
pub(super) struct Painted<T> {
    color: Option<Color>,
    text: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.color {
            Some(color) => write!(f, "\x1b[{}m{}\x1b[0m", color.code(), self.text),
            None => self.text.fmt(f),
        }
    }
}
