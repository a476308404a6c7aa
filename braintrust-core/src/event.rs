//! A set of fields to log to a span.

use std::fmt::{self, Display};

use serde::Serialize;

use crate::diagnostics;
use crate::fields::{Field, Fields};
use crate::{active, capture};

/// Fields to log to a span, by Braintrust's names: input, output, expected, error, scores, metadata, metrics, tags.
///
/// Values are given as they are or by reference. They are serialised then, so that the event holds what they were,
/// borrows nothing, and can be logged from anywhere. What a value's `Serialize` does wrong (an error, a panic, a key that
/// is no string) becomes a note in place of the value; it never reaches the program. While no logger exists, nothing is
/// serialised.
///
/// ```
/// use braintrust::Event;
///
/// let event = Event::new()
///     .input([("role", "user"), ("content", "Why is the sky blue?")])
///     .output("Rayleigh scattering")
///     .metadata("model", "gpt-4o")
///     .metrics([("prompt_tokens", 31), ("completion_tokens", 5)])
///     .score("relevance", 0.8)
///     .tag("faq");
/// ```
#[derive(Debug)]
#[must_use = "an event is logged with `span.log(event)`"]
pub struct Event {
    fields: Fields,
    /// Whether values are serialised: whether any logger existed when the event was begun.
    live: bool,
    skipped: bool,
}

impl Event {
    /// No fields.
    pub fn new() -> Self {
        Self { fields: Fields::new(), live: active::enabled(), skipped: false }
    }

    /// What went in: for a model call the messages, for a function its arguments.
    pub fn input(self, value: impl Serialize) -> Self {
        self.value(Field::Input, &value)
    }

    /// What came out.
    pub fn output(self, value: impl Serialize) -> Self {
        self.value(Field::Output, &value)
    }

    /// What should have come out.
    pub fn expected(self, value: impl Serialize) -> Self {
        self.value(Field::Expected, &value)
    }

    /// What went wrong. A span with an error counts as failed.
    pub fn error(self, message: impl Display) -> Self {
        self.put(Field::Error, |out| capture::write_json(&DisplayText(message), out))
    }

    /// A score from 0 to 1, or `None` for one that could not be determined.
    ///
    /// Braintrust refuses scores outside that range, and with them the whole row. Such a score is logged as metadata,
    /// under `invalid_scores`, instead.
    pub fn score(self, name: &str, value: impl Into<Option<f64>>) -> Self {
        let value = value.into();
        match value {
            Some(score) if !(0.0..=1.0).contains(&score) => self.invalid_score(name, score),
            _ => self.entry(Field::Scores, name, &value),
        }
    }

    /// Several scores, as by [`score`](Self::score).
    pub fn scores<'a>(self, scores: impl IntoIterator<Item = (&'a str, f64)>) -> Self {
        scores.into_iter().fold(self, |event, (name, value)| event.score(name, value))
    }

    /// An entry of the metadata: anything worth filtering by.
    pub fn metadata(self, key: &str, value: impl Serialize) -> Self {
        self.entry(Field::Metadata, key, &value)
    }

    /// All fields of `value`, which serialises to an object, as entries of the metadata.
    pub fn metadata_from(self, value: impl Serialize) -> Self {
        self.put(Field::Metadata, |out| {
            let start = out.len();
            capture::write_json(&value, out);
            if out.get(start) != Some(&b'{') {
                // Metadata is an object; a value of another shape is kept under a key of its own.
                out.splice(start..start, *b"{\"value\":");
                out.push(b'}');
            }
        })
    }

    /// A number, for instance `prompt_tokens`, or an `Option` of one. One that is not finite is left out, and so is `None`.
    ///
    /// ```
    /// # use braintrust::Event;
    /// # let (cached, started) = (None::<u32>, std::time::Instant::now());
    /// let event = Event::new()
    ///     .metric("prompt_tokens", 31)
    ///     .metric("prompt_cached_tokens", cached) // as a client's `usage` may lack it
    ///     .metric("queue_ms", started.elapsed().as_millis());
    /// ```
    pub fn metric(self, name: &str, value: impl Number) -> Self {
        if value.is_finite() { self.entry(Field::Metrics, name, &value) } else { self }
    }

    /// Several numbers, each as by [`metric`](Self::metric).
    pub fn metrics<'a, N: Number>(self, metrics: impl IntoIterator<Item = (&'a str, N)>) -> Self {
        metrics.into_iter().fold(self, |event, (name, value)| event.metric(name, value))
    }

    /// A tag. Tags of one span are a set.
    pub fn tag(self, tag: impl AsRef<str>) -> Self {
        self.put(Field::Tags, |out| capture::write_json(&[tag.as_ref()], out))
    }

    /// Several tags.
    pub fn tags<T: AsRef<str>>(self, tags: impl IntoIterator<Item = T>) -> Self {
        tags.into_iter().fold(self, Self::tag)
    }

    /// The fields of both, those of `other` merged over these.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.skipped |= other.skipped;
        if self.fields.is_empty() {
            return Self { skipped: self.skipped, ..other };
        }
        self.fields.append(&other.fields);
        self
    }

    pub(crate) fn into_fields(self) -> Fields {
        if self.skipped && active::enabled() {
            diagnostics::warn_once("early event", || {
                "an event was built before the first logger existed, so its values were not captured; \
                 build events after `init_logger`"
                    .to_owned()
            });
        }
        self.fields
    }

    #[cold]
    fn invalid_score(self, name: &str, score: f64) -> Self {
        diagnostics::warn_once("invalid score", || {
            format!("score `{name}` is {score}, expected a number from 0 to 1; logged as metadata instead")
        });
        self.metadata("invalid_scores", std::collections::BTreeMap::from([(name, DisplayText(score))]))
    }

    fn value(self, field: Field, value: &impl Serialize) -> Self {
        self.put(field, |out| capture::write_json(value, out))
    }

    fn entry(self, field: Field, key: &str, value: &impl Serialize) -> Self {
        self.put(field, |out| write_entry(key, value, out))
    }

    fn put(mut self, field: Field, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        if self.live {
            self.fields.put(field, write);
        } else {
            self.skipped = true;
        }
        self
    }
}

impl Clone for Event {
    fn clone(&self) -> Self {
        let mut fields = Fields::new();
        fields.append(&self.fields);
        Self { fields, ..*self }
    }
}

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}

/// Writes an object with one entry.
pub(crate) fn write_entry(key: &str, value: &impl Serialize, out: &mut Vec<u8>) {
    out.push(b'{');
    capture::write_json(key, out);
    out.push(b':');
    capture::write_json(value, out);
    out.push(b'}');
}

/// Serialises as the text that `Display` gives.
struct DisplayText<T>(T);

impl<T: Display> Serialize for DisplayText<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// The value of a metric: any of Rust's numbers, or an `Option` of one.
///
/// Nothing else can implement it.
pub trait Number: sealed::Sealed + Serialize + fmt::Debug {
    /// Whether there is a number, and it has a value in JSON: no infinity, no `NaN`, and no more than 64 bits of it.
    fn is_finite(&self) -> bool;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! numbers {
    ($finite:expr; $($number:ty),*) => {$(
        impl sealed::Sealed for $number {}
        impl Number for $number {
            fn is_finite(&self) -> bool {
                let finite: fn($number) -> bool = $finite;
                finite(*self)
            }
        }
    )*};
}

numbers!(|_| true; u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);
numbers!(|number| u64::try_from(number).is_ok(); u128);
numbers!(|number| i64::try_from(number).is_ok() || u64::try_from(number).is_ok(); i128);
numbers!(|number| number.is_finite(); f32, f64);

impl<N: Number> sealed::Sealed for Option<N> {}
impl<N: Number> Number for Option<N> {
    fn is_finite(&self) -> bool {
        self.as_ref().is_some_and(Number::is_finite)
    }
}
