//! What became of an import.

use std::fmt;
use std::sync::Arc;

use crate::report::Losses;

/// How many problems are kept with their text; of more than that only the number is.
const KEPT_PROBLEMS: usize = 1_000;

/// What became of an import.
///
/// Every row that was read is in exactly one of the other counts. Of rows that are delivered together, those of one span
/// are merged into one, and each still counts. Its text is the counts, and a line for each problem.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportReport {
    /// Rows, or spans of trees, that were found in the input; a line that is no JSON counts as one.
    pub read: u64,
    /// Rows that the destination has accepted.
    pub imported: u64,
    /// Rows that are no good; [`problems`](Self::problems) says why.
    pub skipped: u64,
    /// Rows that wait on disk to be sent later.
    pub spooled: u64,
    /// Rows that the destination did not take, by reason.
    pub lost: Losses,
    problems: Vec<Problem>,
    more_problems: u64,
}

impl ImportReport {
    /// What was wrong with the input, in its order; of a thousand problems and more, the first thousand.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    pub(super) fn reject(&mut self, problem: Problem, spans: u64) {
        self.read += spans;
        self.skipped += spans;
        if self.problems.len() < KEPT_PROBLEMS {
            self.problems.push(problem);
        } else {
            self.more_problems += 1;
        }
    }
}

impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} imported, {} skipped", self.imported, self.skipped)?;
        if self.spooled > 0 {
            write!(f, ", {} spooled", self.spooled)?;
        }
        if self.lost.total() > 0 {
            write!(f, ", {}", self.lost)?;
        }
        for problem in &self.problems {
            write!(f, "\n{problem}")?;
        }
        match self.more_problems {
            0 => Ok(()),
            more => write!(f, "\nand {more} more problems"),
        }
    }
}

/// Something in the input that is no good: where it is, and what was expected.
///
/// Its text has all of that: ``traces.jsonl, line 7, children[0]: `scores` is "high"; expected an object``.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    place: Place,
    path: String,
    message: String,
}

/// Where in the input an object stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) source: Arc<str>,
    pub(super) number: u64,
    /// Whether the number is that of a line of text, rather than of a row among rows.
    pub(super) is_line: bool,
}

impl Problem {
    pub(super) fn new(place: Place, path: String, message: String) -> Self {
        Self { place, path, message }
    }

    /// The file, or the name that was given with the reader.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.place.source
    }

    /// The line, or for rows that were handed over as values the place among them; both count from one.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.place.number
    }

    /// Where in the object that begins there, as `children[0].children[2]`; empty if it is the object itself.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What was wrong, and what was expected.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = if self.place.is_line { "line" } else { "row" };
        write!(f, "{}, {unit} {}", self.place.source, self.place.number)?;
        if !self.path.is_empty() {
            write!(f, ", {}", self.path)?;
        }
        write!(f, ": {}", self.message)
    }
}
