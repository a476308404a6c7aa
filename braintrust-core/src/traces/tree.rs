//! The indented tree of spans: its options and its branches. What a line says is `line`'s business.

use std::fmt::{self, Write as _};

use super::TracedSpan;
use super::line::{self, LineStyle};
use super::paint::{Color, Paint};

/// Spans as text, one line each, indented under their parents.
///
/// A line has the name and the kind, how long the span took (or that it is `unfinished`), and as far as they were logged:
/// input, output, error, tokens (of prompt and completion), scores and comments. For all else, see [`TracedSpan`].
///
/// ```
/// # use braintrust::Traces;
/// # use serde_json::json;
/// let traces = Traces::from_rows([json!({
///     "id": "1", "span_id": "a", "root_span_id": "t", "input": "What is the capital of France?", "output": "Paris",
///     "metrics": {"start": 1.0, "end": 2.25, "prompt_tokens": 12, "completion_tokens": 1},
///     "span_attributes": {"name": "chat", "type": "llm"},
/// })]);
///
/// let tree = traces.tree().durations(true).max_width(20);
/// assert_eq!(tree.to_string(), r#"chat(llm) 1.2s in="What is the capita… out="Paris" tokens=12→1"#);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a tree does nothing unless it is printed"]
pub struct Tree<'traces> {
    roots: Vec<TracedSpan<'traces>>,
    style: LineStyle,
}

impl<'traces> Tree<'traces> {
    pub(super) fn new(roots: Vec<TracedSpan<'traces>>, durations: bool) -> Self {
        Self { roots, style: LineStyle { durations, max_width: 60, paint: Paint::Plain } }
    }

    /// Whether to show how long each span took.
    pub fn durations(mut self, shown: bool) -> Self {
        self.style.durations = shown;
        self
    }

    /// How many characters of a value to show; what is longer ends in `…`. The default is 60.
    pub fn max_width(mut self, characters: usize) -> Self {
        self.style.max_width = characters;
        self
    }

    /// Whether to use colours, by ANSI escape codes. Off unless asked for.
    pub fn color(mut self, on: bool) -> Self {
        self.style.paint = if on { Paint::Ansi } else { Paint::Plain };
        self
    }
}

impl fmt::Display for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A stack of its own instead of recursion: a traced program may well recurse deeper than this thread can.
        let mut pending = Vec::new();
        push_siblings(&mut pending, self.roots.clone(), 0);
        let mut branches = Branches { ends: Vec::new(), paint: self.style.paint };
        let mut is_first = true;
        while let Some(next) = pending.pop() {
            if !is_first {
                f.write_char('\n')?;
            }
            is_first = false;
            branches.write(f, next.depth, next.is_last)?;
            line::write(f, next.span, &self.style)?;
            push_siblings(&mut pending, next.span.children(), next.depth + 1);
        }
        Ok(())
    }
}

struct Pending<'traces> {
    span: TracedSpan<'traces>,
    depth: usize,
    is_last: bool,
}

/// Puts siblings on the stack so that the first comes off first.
fn push_siblings<'traces>(pending: &mut Vec<Pending<'traces>>, siblings: Vec<TracedSpan<'traces>>, depth: usize) {
    let last_first = siblings.into_iter().rev().enumerate();
    pending.extend(last_first.map(|(behind, span)| Pending { span, depth, is_last: behind == 0 }));
}

/// The lines that lead to a span from those above it.
struct Branches {
    /// For each span above, the roots left out: whether it is the last of its siblings, so that no line goes on below it.
    ends: Vec<bool>,
    paint: Paint,
}

impl Branches {
    fn write(&mut self, f: &mut fmt::Formatter<'_>, depth: usize, is_last: bool) -> fmt::Result {
        let Some(above) = depth.checked_sub(1) else { return Ok(()) };
        self.ends.truncate(above);
        let mut text: String = self.ends.iter().map(|end| if *end { "   " } else { "│  " }).collect();
        text.push_str(if is_last { "╰─ " } else { "├─ " });
        self.ends.push(is_last);
        write!(f, "{}", self.paint.with(Color::Dim, text))
    }
}
