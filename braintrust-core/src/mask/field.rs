//! Which fields of a row are masked, and by what.

use std::fmt;

/// A field that a mask is asked about; see [`LoggerBuilder::mask`](crate::LoggerBuilder::mask).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MaskedField {
    /// What went in.
    Input,
    /// What came out.
    Output,
    /// What should have come out.
    Expected,
    /// Anything worth filtering by.
    Metadata,
    /// Where the span comes from: function, file and line, and what the program added.
    Context,
    /// Numbers from 0 to 1 by name.
    Scores,
    /// Numbers by name, the span's times among them.
    Metrics,
}

impl MaskedField {
    const ALL: [Self; 7] =
        [Self::Input, Self::Output, Self::Expected, Self::Metadata, Self::Context, Self::Scores, Self::Metrics];

    /// The name of the field in a row.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
            Self::Expected => "expected",
            Self::Metadata => "metadata",
            Self::Context => "context",
            Self::Scores => "scores",
            Self::Metrics => "metrics",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == name)
    }
}

impl fmt::Display for MaskedField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq<str> for MaskedField {
    fn eq(&self, name: &str) -> bool {
        self.as_str() == name
    }
}

impl PartialEq<&str> for MaskedField {
    fn eq(&self, name: &&str) -> bool {
        self.as_str() == *name
    }
}

/// Fields beyond [`MaskedField`] that hold what programs and people say. Braintrust's SDKs give them to no masking
/// function, but a key in an error's text is a key all the same.
const OTHER_CONTENT: [&str; 5] = ["error", "tags", "span_attributes", "comment", "_audit_metadata"];

/// A field that holds content, in contrast to ids, times and flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Goes through every mask.
    Masked(MaskedField),
    /// Goes through the built-in masks only.
    Other(&'static str),
}

impl Content {
    /// What the field `name` of a row holds; nothing if it is none that any mask may change.
    pub(super) fn of(name: &str) -> Option<Self> {
        let other = || OTHER_CONTENT.into_iter().find(|other| *other == name).map(Self::Other);
        MaskedField::from_name(name).map(Self::Masked).or_else(other)
    }

    /// Whether the values of the field must be numbers.
    pub(super) fn holds_numbers(self) -> bool {
        matches!(self, Self::Masked(MaskedField::Scores | MaskedField::Metrics))
    }

    /// The entries that make a row what it is: a program that hides whatever is called `name` means none of them.
    pub(super) fn own_entries(self) -> &'static [&'static str] {
        match self {
            Self::Masked(MaskedField::Metrics) => &["start", "end"],
            Self::Masked(MaskedField::Context) => {
                &["caller_functionname", "caller_filename", "caller_lineno", "span_origin"]
            }
            Self::Other("span_attributes") => &["name", "type", "exec_counter", "purpose"],
            Self::Other("comment") => &["text"],
            _ => &[],
        }
    }
}
