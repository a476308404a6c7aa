//! Spans read back from rows and joined into trees: what tests and the terminal look at.

mod clip;
mod forest;
mod gather;
mod line;
mod paint;
mod remarks;
mod span;
mod tree;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

use serde_json::Value;

use self::forest::Forest;
use self::gather::Gathered;
use self::remarks::Remarks;
pub use self::span::TracedSpan;
pub use self::tree::Tree;

/// Spans read back from rows, joined into the trees they were recorded as.
///
/// A test gets one from `testing::capture`, a terminal from [`local::read`](crate::local::read), and anything else that
/// has rows in Braintrust's format from [`Traces::from_rows`].
///
/// ```
/// use braintrust::Traces;
/// use serde_json::json;
///
/// let traces = Traces::from_rows([
///     json!({"id": "1", "span_id": "a", "root_span_id": "t", "input": "hi", "metrics": {"start": 1.0, "end": 3.0},
///            "span_attributes": {"name": "answer", "type": "task"}}),
///     json!({"id": "2", "span_id": "b", "root_span_id": "t", "span_parents": ["a"], "metrics": {"start": 2.0, "end": 2.5},
///            "span_attributes": {"name": "search", "type": "tool"}, "error": "no index"}),
/// ]);
///
/// assert_eq!(traces.find("search").parent(), Some(traces.find("answer")));
/// assert_eq!(traces.tree().to_string(), "\
/// answer(task) in=\"hi\"
/// ╰─ search(tool) error=\"no index\"");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Traces {
    forest: Forest,
    remarks: Remarks,
    skipped_lines: usize,
    shows_durations: bool,
}

impl Traces {
    /// Reads spans from rows in Braintrust's format, given in the order in which they were written.
    ///
    /// Several rows of one span become one, by the same rules as Braintrust's: a row marked `_is_merge` is merged into
    /// what is there, any other takes its place. What is no JSON object is left out and counted in
    /// [`skipped_lines`](Self::skipped_lines).
    ///
    /// Comments are no spans, but belong to one ([`TracedSpan::comments`]). Neither are updates of rows that are not
    /// here: only [`write_jsonl`](Self::write_jsonl) has those.
    #[must_use]
    pub fn from_rows(rows: impl IntoIterator<Item = Value>) -> Self {
        let mut skipped_lines = 0;
        let objects = rows.into_iter().filter_map(|row| match row {
            Value::Object(row) => Some(row),
            _ => {
                skipped_lines += 1;
                None
            }
        });
        let Gathered { spans, others } = gather::gather(objects);
        Self { forest: Forest::grow(spans), remarks: Remarks::new(others), skipped_lines, shows_durations: false }
    }

    /// The same, with `count` more lines that could not be read.
    pub(crate) fn with_skipped_lines(mut self, count: usize) -> Self {
        self.skipped_lines += count;
        self
    }

    /// The same, with trees that show how long spans took unless told otherwise.
    pub(crate) fn with_durations(mut self) -> Self {
        self.shows_durations = true;
        self
    }

    /// The spans that have no parent here, in the order in which they started.
    ///
    /// A span whose parent is missing from the rows is among them, so that nothing is ever hidden.
    #[must_use]
    pub fn roots(&self) -> Vec<TracedSpan<'_>> {
        self.views(self.forest.roots())
    }

    /// All spans in the order in which they started.
    #[must_use]
    pub fn spans(&self) -> Vec<TracedSpan<'_>> {
        self.iter().collect()
    }

    /// The first span of that name.
    ///
    /// # Panics
    /// If there is none; the message lists the names there are. [`get`](Self::get) returns an option instead.
    #[must_use]
    #[track_caller]
    pub fn find(&self, name: &str) -> TracedSpan<'_> {
        match self.get(name) {
            Some(span) => span,
            None => panic!("no span is named `{name}`; {}", self.names_in_words()),
        }
    }

    /// The first span of that name, if there is one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<TracedSpan<'_>> {
        self.iter().find(|span| span.name() == name)
    }

    /// All spans of that name, in the order in which they started.
    #[must_use]
    pub fn find_all(&self, name: &str) -> Vec<TracedSpan<'_>> {
        self.iter().filter(|span| span.name() == name).collect()
    }

    /// How many spans there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.forest.len()
    }

    /// Whether there is no span at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many lines were no rows: cut off by a crash, damaged, or not JSON objects.
    #[must_use]
    pub fn skipped_lines(&self) -> usize {
        self.skipped_lines
    }

    /// All traces as text, to be printed or compared with a snapshot.
    ///
    /// Durations are left out of what a test captured, so that its snapshots are stable, and shown in what was read from
    /// a folder; [`Tree::durations`] decides otherwise.
    pub fn tree(&self) -> Tree<'_> {
        Tree::new(self.roots(), self.shows_durations)
    }

    /// Writes all spans as JSON Lines: one row for each in Braintrust's format, in the order in which they started; then
    /// comments, and updates of rows that are not here.
    ///
    /// [`from_rows`](Self::from_rows) and [`Import`](crate::import::Import) read them again.
    ///
    /// ```
    /// # use braintrust::Traces;
    /// # use serde_json::json;
    /// let traces = Traces::from_rows([json!({"id": "1", "span_id": "a"})]);
    /// let mut lines = Vec::new();
    /// traces.write_jsonl(&mut lines)?;
    /// assert_eq!(lines, b"{\"id\":\"1\",\"span_id\":\"a\"}\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// If `writer` fails. It is written to often, so a file is best wrapped in a [`BufWriter`](io::BufWriter).
    pub fn write_jsonl(&self, mut writer: impl io::Write) -> io::Result<()> {
        for row in self.iter().map(|span| span.row()).chain(self.remarks.rows()) {
            serde_json::to_writer(&mut writer, row)?;
            writer.write_all(b"\n")?;
        }
        writer.flush()
    }

    fn iter(&self) -> impl Iterator<Item = TracedSpan<'_>> {
        (0..self.len()).map(|index| TracedSpan::new(self, index))
    }

    fn views(&self, indices: &[usize]) -> Vec<TracedSpan<'_>> {
        indices.iter().map(|&index| TracedSpan::new(self, index)).collect()
    }

    fn names_in_words(&self) -> String {
        let mut counts = BTreeMap::<&str, usize>::new();
        for span in self.iter() {
            *counts.entry(span.name()).or_default() += 1;
        }
        if counts.is_empty() {
            return "nothing was traced".to_owned();
        }
        let mut words = String::from("there are:");
        for (index, (name, count)) in counts.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let times = if *count == 1 { String::new() } else { format!(" ({count} times)") };
            write!(words, "{comma} `{name}`{times}").expect("a String takes any text");
        }
        words
    }
}

#[cfg(test)]
mod tests;
