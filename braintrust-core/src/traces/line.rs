//! What one line of a tree says: `name(type) 1.2s in=… out=… error=… tokens=12→34 scores=… comment=…`.

use std::fmt;
use std::time::Duration;

use super::TracedSpan;
use super::clip;
use super::paint::{Color, Paint};

/// How lines look.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineStyle {
    pub(super) durations: bool,
    /// In characters, for each value.
    pub(super) max_width: usize,
    pub(super) paint: Paint,
}

/// Writes the line of one span.
pub(super) fn write(f: &mut fmt::Formatter<'_>, span: TracedSpan<'_>, style: &LineStyle) -> fmt::Result {
    write_title(f, span, style)?;
    write_time(f, span, style)?;
    if let Some(input) = span.input() {
        write_field(f, "in", clip::json(input, style.max_width), style)?;
    }
    if let Some(output) = span.output() {
        write_field(f, "out", clip::json(output, style.max_width), style)?;
    }
    if let Some(error) = span.error() {
        let text = clip::quoted(&error, style.max_width);
        write_field(f, "error", style.paint.with(Color::Red, text), style)?;
    }
    if let Some(tokens) = tokens(span) {
        write_field(f, "tokens", tokens, style)?;
    }
    if span.scores().is_some_and(|scores| !scores.is_empty())
        && let Some(scores) = span.row().get("scores")
    {
        write_field(f, "scores", clip::json(scores, style.max_width), style)?;
    }
    for comment in span.comments() {
        write_field(f, "comment", clip::quoted(comment, style.max_width), style)?;
    }
    Ok(())
}

fn write_title(f: &mut fmt::Formatter<'_>, span: TracedSpan<'_>, style: &LineStyle) -> fmt::Result {
    let name = if span.name().is_empty() { "(no name)" } else { span.name() };
    write!(f, "{}", style.paint.with(Color::Bold, clip::text(name, style.max_width)))?;
    if let Some(kind) = span.kind() {
        let text = format_args!("({})", clip::text(kind, style.max_width)).to_string();
        write!(f, "{}", style.paint.with(color_of_kind(kind), text))?;
    }
    Ok(())
}

fn write_time(f: &mut fmt::Formatter<'_>, span: TracedSpan<'_>, style: &LineStyle) -> fmt::Result {
    if !span.is_finished() {
        return write!(f, " {}", style.paint.with(Color::Yellow, "unfinished"));
    }
    match span.duration() {
        Some(duration) if style.durations => write!(f, " {}", style.paint.with(Color::Dim, in_short(duration))),
        _ => Ok(()),
    }
}

fn write_field(f: &mut fmt::Formatter<'_>, name: &str, value: impl fmt::Display, style: &LineStyle) -> fmt::Result {
    write!(f, " {}{value}", style.paint.with(Color::Dim, format_args!("{name}=")))
}

fn color_of_kind(kind: &str) -> Color {
    match kind {
        "llm" => Color::Magenta,
        "tool" => Color::Yellow,
        "function" => Color::Cyan,
        "task" | "eval" => Color::Blue,
        "score" => Color::Green,
        _ => Color::Dim,
    }
}

/// Tokens in and out, or their sum where only that is known.
fn tokens(span: TracedSpan<'_>) -> Option<String> {
    let count = |metric: &str| span.metric(metric);
    let known_or_not = |count: Option<f64>| count.map_or_else(|| "?".to_owned(), |count| count.to_string());
    match (count("prompt_tokens"), count("completion_tokens")) {
        (None, None) => count("tokens").map(|sum| sum.to_string()),
        (prompt, completion) => Some(format!("{}→{}", known_or_not(prompt), known_or_not(completion))),
    }
}

/// A duration with the two digits or so that matter. Limits lie where rounding reaches the next unit: nothing takes
/// 1000ms.
fn in_short(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        59.95.. => {
            let whole = seconds.round();
            format!("{:.0}m{:02.0}s", (whole / 60.0).floor(), whole % 60.0)
        }
        0.999_5.. => format!("{seconds:.1}s"),
        0.009_95.. => format!("{:.0}ms", seconds * 1e3),
        0.000_999_5.. => format!("{:.1}ms", seconds * 1e3),
        _ => format!("{:.0}µs", seconds * 1e6),
    }
}
