//! One span of [`Traces`], as a view that is cheap to copy.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{Traces, Tree};

/// One span, as its rows tell it.
///
/// Two views are equal if they show the same row `id`.
///
/// ```
/// # use braintrust::{Traces, start_span, testing};
/// let traces: Traces = testing::capture_blocking(|| {
///     let search = start_span("search").input("rust").start();
///     search.in_scope(|| start_span("read").start().end());
/// });
///
/// let search = traces.find("search");
/// assert_eq!(search.input().unwrap(), "rust");
/// assert_eq!(search.children(), [traces.find("read")]);
/// assert!(search.error().is_none());
/// ```
#[derive(Clone, Copy)]
pub struct TracedSpan<'traces> {
    traces: &'traces Traces,
    index: usize,
}

impl<'traces> TracedSpan<'traces> {
    pub(super) fn new(traces: &'traces Traces, index: usize) -> Self {
        Self { traces, index }
    }

    /// The row's id; empty if the row has none.
    #[must_use]
    pub fn id(&self) -> &'traces str {
        self.text("id")
    }

    /// The span's id; empty if the row has none.
    #[must_use]
    pub fn span_id(&self) -> &'traces str {
        self.text("span_id")
    }

    /// The id of the whole trace; empty if the row has none.
    #[must_use]
    pub fn root_span_id(&self) -> &'traces str {
        self.text("root_span_id")
    }

    /// The span's name; empty if the row has none.
    #[must_use]
    pub fn name(&self) -> &'traces str {
        self.attribute("name").unwrap_or_default()
    }

    /// What kind of work the span is: `llm`, `tool`, `function`, and so on (`span_attributes.type`).
    #[must_use]
    pub fn kind(&self) -> Option<&'traces str> {
        self.attribute("type")
    }

    /// What went in.
    #[must_use]
    pub fn input(&self) -> Option<&'traces Value> {
        self.row().get("input")
    }

    /// What came out.
    #[must_use]
    pub fn output(&self) -> Option<&'traces Value> {
        self.row().get("output")
    }

    /// What should have come out.
    #[must_use]
    pub fn expected(&self) -> Option<&'traces Value> {
        self.row().get("expected")
    }

    /// What went wrong; an error that is no text is given as JSON.
    #[must_use]
    pub fn error(&self) -> Option<Cow<'traces, str>> {
        match self.row().get("error")? {
            Value::Null => None,
            Value::String(text) => Some(Cow::Borrowed(text)),
            other => Some(Cow::Owned(other.to_string())),
        }
    }

    /// The metadata, if any was logged.
    #[must_use]
    pub fn metadata(&self) -> Option<&'traces Map<String, Value>> {
        self.object("metadata")
    }

    /// The metrics; `start` and `end` are among them.
    #[must_use]
    pub fn metrics(&self) -> Option<&'traces Map<String, Value>> {
        self.object("metrics")
    }

    /// One metric.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.metrics()?.get(name)?.as_f64()
    }

    /// The scores, if any were logged.
    #[must_use]
    pub fn scores(&self) -> Option<&'traces Map<String, Value>> {
        self.object("scores")
    }

    /// The span's attributes: its name, its type, and others.
    #[must_use]
    pub fn span_attributes(&self) -> Option<&'traces Map<String, Value>> {
        self.object("span_attributes")
    }

    /// Where the span was made: file, line, function, and by which library.
    #[must_use]
    pub fn context(&self) -> Option<&'traces Map<String, Value>> {
        self.object("context")
    }

    /// The tags, in the order in which they were first logged.
    #[must_use]
    pub fn tags(&self) -> Vec<&'traces str> {
        let tags = self.row().get("tags").and_then(Value::as_array);
        tags.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// What was said of the span, as by [`Feedback::comment`](crate::Feedback::comment), in the order in which it was.
    #[must_use]
    pub fn comments(&self) -> Vec<&'traces str> {
        self.traces.remarks.comments_on(self.row())
    }

    /// The span that this one is part of; of several parents, the first.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let parent = self.traces.forest.parent(self.index)?;
        Some(Self::new(self.traces, parent))
    }

    /// The spans that are part of this one, in the order in which they started.
    #[must_use]
    pub fn children(&self) -> Vec<Self> {
        self.traces.views(self.traces.forest.children(self.index))
    }

    /// How long the span took; `None` while it has not ended.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        let seconds = self.metric("end")? - self.metric("start")?;
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// Whether the span has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.metric("end").is_some()
    }

    /// Everything the rows say about the span, merged into one.
    #[must_use]
    pub fn row(&self) -> &'traces Map<String, Value> {
        self.traces.forest.row(self.index)
    }

    /// This span and what is below it as text; see [`Traces::tree`].
    pub fn tree(&self) -> Tree<'traces> {
        Tree::new(vec![*self], self.traces.shows_durations)
    }

    fn text(&self, field: &str) -> &'traces str {
        self.row().get(field).and_then(Value::as_str).unwrap_or_default()
    }

    fn object(&self, field: &str) -> Option<&'traces Map<String, Value>> {
        self.row().get(field)?.as_object()
    }

    fn attribute(&self, name: &str) -> Option<&'traces str> {
        self.span_attributes()?.get(name)?.as_str()
    }
}

impl PartialEq for TracedSpan<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for TracedSpan<'_> {}

impl fmt::Debug for TracedSpan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TracedSpan").field("name", &self.name()).field("row", self.row()).finish()
    }
}
