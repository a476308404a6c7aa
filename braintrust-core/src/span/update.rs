//! Changing rows after the fact: updates by slug and by id, and feedback.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde::Serialize;

use crate::active::{self, LoggerId};
use crate::capture;
use crate::clock::Timestamp;
use crate::container::Container;
use crate::context::SpanRef;
use crate::diagnostics;
use crate::error::Error;
use crate::event::Event;
use crate::fields::{Field, Fields};
use crate::ids::{self, SpanId, TraceId};
use crate::propagation::SpanComponents;
use crate::record::{self, Entry};
use crate::registry::LoggerFacts;
use crate::sections::{Section, Sections};

use super::remote;

/// Merges fields into the row of a span that another process, or an earlier time, made; `slug` is what
/// [`Span::export`](crate::Span::export) returned for it.
///
/// The update goes by way of the process's default logger, and leaves with its next rows, never before the row that it
/// is about if that was recorded in this process. It must have been delivered if another process made it.
///
/// An empty slug is that of a no-op, and nothing is done; a warning says so once.
///
/// # Errors
///
/// If `slug` is not a slug, or names no row ([`Error::is_slug`]), or if there is no default logger
/// ([`Error::is_config`]).
///
/// ```no_run
/// # let slug = String::new();
/// use braintrust::{Event, update_span};
///
/// update_span(&slug, Event::new().output("what came of it"))?;
/// # Ok::<(), braintrust::Error>(())
/// ```
pub fn update_span(slug: &str, event: Event) -> Result<(), Error> {
    if slug.is_empty() {
        warn_of_noop("update_span");
        return Ok(());
    }
    let logger = active::default_logger();
    if logger.is_none() {
        return Err(Error::config("`update_span` needs a logger to send by; call `init_logger` first"));
    }
    let components = SpanComponents::parse(slug).map_err(|error| Error::slug(error.to_string()))?;
    let Some(row) = components.row().filter(|row| !row.row_id.is_empty()) else {
        return Err(Error::slug("Exported span must have a row_id: this slug names a project or an experiment"));
    };
    let mut target = Target::row(logger, &row.row_id);
    target.identify(&row.span_id, &row.root_span_id);
    target.move_to(remote::container_of(components.object_type(), components.object()));
    target.log(event.into_fields());
    Ok(())
}

/// Merges fields into the row `row_id` of the logger's project.
///
/// # Errors
///
/// If `row_id` is a slug.
pub(crate) fn update_row(logger: LoggerId, row_id: &str, event: Event) -> Result<(), Error> {
    if names_a_row("update_span", row_id)? {
        Target::row(logger, row_id).log(event.into_fields());
    }
    Ok(())
}

/// Whether there is a row to change: the id of a no-op is empty, and what is done to a no-op does nothing. (The backend
/// refuses a row without an id.)
fn names_a_row(method: &str, row_id: &str) -> Result<bool, Error> {
    if row_id.is_empty() {
        warn_of_noop(method);
        return Ok(false);
    }
    // It would be a row of its own, which nobody finds again.
    if SpanComponents::parse(row_id).is_ok_and(|slug| slug.row().is_some()) {
        return Err(Error::argument(format!(
            "`Logger::{method}` takes the id of a row, which is what `Span::id` returned, and was given a slug; a slug \
             goes to the function `update_span`"
        )));
    }
    Ok(true)
}

/// Where there is no logger at all, every span is a no-op, and that is as it should be.
fn warn_of_noop(method: &str) {
    if !active::enabled() {
        return;
    }
    diagnostics::warn_once(&format!("{method} of a no-op"), || {
        format!(
            "`{method}` was given an empty id, which is that of a span that was not recorded, so there is no row to \
             change; `Span::is_noop` tells"
        )
    });
}

/// Passes a whole row on to a logger; `open_row` is a JSON object without its closing brace, and without the fields that
/// name its container.
///
/// Returns whether there was room for it.
pub(crate) fn pass_on_row(logger: LoggerId, open_row: &[u8]) -> bool {
    if !record::bound::admit(logger) {
        return false;
    }
    let span = SpanRef::new(logger, TraceId::random(), SpanId::random());
    record::log::append(Entry::new(span, Timestamp::now_in_order()).row(open_row));
    true
}

/// Where changes of a row meet whose id is not one of ours: the same place each time, so that they keep their order.
fn place_of(row_id: &str) -> SpanId {
    let mut hasher = DefaultHasher::new();
    row_id.hash(&mut hasher);
    SpanId(hasher.finish().max(1))
}

/// A row to be changed.
struct Target {
    span: SpanRef,
    sections: Sections,
}

impl Target {
    fn row(logger: LoggerId, row_id: &str) -> Self {
        // A row of ours shares its records' place with its span, so that the update comes after it.
        let span = ids::span_of_row_id(row_id).unwrap_or_else(|| place_of(row_id));
        let mut sections = Sections::default();
        sections.push(Section::RowId, row_id.as_bytes());
        Self { span: SpanRef::new(logger, TraceId::random(), span), sections }
    }

    fn identify(&mut self, span_id: &str, root_span_id: &str) {
        self.sections.push(Section::SpanId, span_id.as_bytes());
        self.sections.push(Section::RootId, root_span_id.as_bytes());
    }

    fn move_to(&mut self, container: Option<Container>) {
        let own = |container: &Container| LoggerFacts::of(self.span.logger).is_some_and(|facts| facts.holds(container));
        if let Some(container) = container.filter(|container| !own(container)) {
            self.sections.push(Section::Container, &container.encode());
        }
    }

    fn log(&self, mut fields: Fields) {
        record::log::append(self.entry().fields(&mut fields));
    }

    fn entry(&self) -> Entry<'_> {
        Entry::new(self.span, Timestamp::now_in_order()).with_common(&self.sections)
    }
}

/// What a person, or a program in their place, thinks of a row.
///
/// ```
/// use braintrust::{Feedback, FeedbackSource};
///
/// let feedback = Feedback::new().score("user_rating", 1.0).comment("just right").source(FeedbackSource::App);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "feedback is given with `logger.log_feedback(row_id, feedback)`"]
pub struct Feedback {
    event: Event,
    has_fields: bool,
    comment: Option<String>,
    source: FeedbackSource,
    metadata: BTreeMap<String, serde_json::Value>,
}

/// Where feedback comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FeedbackSource {
    /// Braintrust's own application.
    App,
    /// A call of Braintrust's API.
    Api,
    /// Anything else; the default.
    #[default]
    External,
}

impl FeedbackSource {
    /// The name of the source on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Api => "api",
            Self::External => "external",
        }
    }
}

impl fmt::Display for FeedbackSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Feedback {
    /// No feedback yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A score from 0 to 1, as by [`Event::score`].
    pub fn score(self, name: &str, value: impl Into<Option<f64>>) -> Self {
        self.with(|event| event.score(name, value))
    }

    /// Several scores, each as by [`score`](Self::score).
    pub fn scores<'a>(self, scores: impl IntoIterator<Item = (&'a str, f64)>) -> Self {
        scores.into_iter().fold(self, |feedback, (name, value)| feedback.score(name, value))
    }

    /// What should have come out.
    pub fn expected(self, value: impl Serialize) -> Self {
        self.with(|event| event.expected(value))
    }

    /// A tag.
    pub fn tag(self, tag: impl AsRef<str>) -> Self {
        self.with(|event| event.tag(tag))
    }

    /// Several tags.
    pub fn tags<T: AsRef<str>>(self, tags: impl IntoIterator<Item = T>) -> Self {
        tags.into_iter().fold(self, Self::tag)
    }

    /// What was said.
    pub fn comment(mut self, text: impl Into<String>) -> Self {
        self.comment = Some(text.into());
        self
    }

    /// An entry on who gave the feedback, or how. It is kept with the feedback, not in the row's metadata.
    pub fn metadata(mut self, key: &str, value: impl Serialize) -> Self {
        let mut json = Vec::new();
        capture::write_json(&value, &mut json);
        self.metadata.insert(key.to_owned(), serde_json::from_slice(&json).unwrap_or_default());
        self
    }

    /// Where the feedback comes from.
    pub fn source(mut self, source: FeedbackSource) -> Self {
        self.source = source;
        self
    }

    fn with(mut self, change: impl FnOnce(Event) -> Event) -> Self {
        self.event = change(self.event);
        self.has_fields = true;
        self
    }

    fn put_audit(&self, fields: &mut Fields) {
        fields.put(Field::AuditSource, |out| capture::write_json(self.source.as_str(), out));
        if !self.metadata.is_empty() {
            fields.put(Field::AuditMetadata, |out| capture::write_json(&self.metadata, out));
        }
    }
}

/// Records feedback on the row `row_id`: scores, expected and tags as an update, a comment as a row of its own.
///
/// # Errors
///
/// If the feedback says nothing, or `row_id` is a slug.
pub(crate) fn log_feedback(logger: LoggerId, row_id: &str, feedback: Feedback) -> Result<(), Error> {
    if !feedback.has_fields && feedback.comment.is_none() {
        return Err(Error::argument("At least one of scores, expected, tags, or comment must be specified"));
    }
    if !names_a_row("log_feedback", row_id)? {
        return Ok(());
    }
    if let Some(comment) = &feedback.comment {
        log_comment(logger, row_id, comment, &feedback);
    }
    if feedback.has_fields {
        let mut audit = Fields::new();
        feedback.put_audit(&mut audit);
        let mut fields = feedback.event.into_fields();
        fields.append(&audit);
        Target::row(logger, row_id).log(fields);
    }
    Ok(())
}

fn log_comment(logger: LoggerId, row_id: &str, text: &str, feedback: &Feedback) {
    let mut id = Vec::new();
    ids::write_random_uuid(&mut id);
    let mut sections = Sections::default();
    sections.push(Section::RowId, &id);
    let target = Target { span: SpanRef::new(logger, TraceId::random(), SpanId::random()), sections };
    let mut fields = Fields::new();
    fields.put(Field::Origin, |out| crate::event::write_entry("id", &row_id, out));
    fields.put(Field::Comment, |out| crate::event::write_entry("text", &text, out));
    feedback.put_audit(&mut fields);
    record::log::append(target.entry().remark().fields(&mut fields));
}
