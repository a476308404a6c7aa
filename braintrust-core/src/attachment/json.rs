//! A value that is too large for a row, uploaded as a JSON document.

use serde::{Serialize, Serializer};

use super::handle::Attachment;
use super::source::Source;
use crate::capture;

/// A value that is uploaded as a JSON document of its own, where it would be too large for a row: whole transcripts, tables.
///
/// It is serialised at once. Its name is `data.json`, unless it is given one. All else is as with an [`Attachment`].
///
/// ```
/// use braintrust::{Event, JsonAttachment};
///
/// let transcript: Vec<String> = (0..10_000).map(|turn| format!("turn {turn}")).collect();
/// let event = Event::new().metadata("transcript", JsonAttachment::new(&transcript).filename("transcript.json"));
/// ```
#[derive(Clone, Debug)]
pub struct JsonAttachment(Attachment);

impl JsonAttachment {
    /// Serialises a value. What cannot be serialised is shown as spans show it: a note stands in its place.
    #[must_use]
    pub fn new(value: impl Serialize) -> Self {
        let mut json = Vec::new();
        capture::write_whole_json(&value, &mut json);
        Self(Attachment::new(Source::Memory(json.into()), "data.json".to_owned(), "application/json".to_owned()))
    }

    /// The same data by another name.
    #[must_use]
    pub fn filename(self, filename: impl Into<String>) -> Self {
        Self(self.0.filename(filename))
    }
}

impl Serialize for JsonAttachment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
