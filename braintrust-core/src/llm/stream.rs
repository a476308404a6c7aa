//! The events of a stream put together, in one turn or in many while they arrive.

use serde_json::Value;

use super::Endpoint;
use super::formats::{Assembly, Event, format};
use super::frames::{Frame, Framing};
use super::json;
use super::notes::Notes;

/// What an event takes beyond what it says: the names of its entries, and what it repeats.
const REPEATED: usize = 200;

/// A stream as far as its events were seen.
pub(super) struct Stream {
    pub(super) framing: Framing,
    assembly: Box<dyn Assembly>,
    pub(super) events: usize,
    pub(super) is_whole: bool,
    /// The place of the last byte of the first event that held something generated.
    pub(super) first_token: Option<u64>,
    /// What came as mere text, from a client that unpacks it.
    text: String,
    pub(super) notes: Notes,
    /// How many bytes were read.
    pub(super) read: u64,
    /// About how many bytes of memory their events have become.
    pub(super) weight: usize,
}

impl Stream {
    pub(super) fn new(endpoint: &Endpoint, framing: Framing) -> Self {
        Self {
            framing,
            assembly: format(endpoint.api()).assembly(),
            events: 0,
            is_whole: false,
            first_token: None,
            text: String::new(),
            notes: Notes::default(),
            read: 0,
            weight: 0,
        }
    }

    /// Takes in the events of what comes next. It begins and ends between events, or where the stream does.
    pub(super) fn read(&mut self, bytes: &[u8]) {
        let mut notes = std::mem::take(&mut self.notes);
        self.framing.each(bytes, false, &mut notes, &mut |frame, notes| {
            if self.take(&frame, notes) && self.first_token.is_none() {
                self.first_token = Some((self.read + frame.end as u64).saturating_sub(1));
            }
        });
        self.read += bytes.len() as u64;
        self.notes = notes;
    }

    /// Takes in the events of what comes after a gap; their places are not known.
    pub(super) fn read_after_gap(&mut self, bytes: &[u8]) {
        let mut notes = std::mem::take(&mut self.notes);
        self.framing.each(bytes, true, &mut notes, &mut |frame, notes| {
            self.take(&frame, notes);
        });
        self.notes = notes;
    }

    /// Takes an event in; whether it held something generated.
    fn take(&mut self, frame: &Frame<'_>, notes: &mut Notes) -> bool {
        self.weight += frame.data.len().saturating_sub(REPEATED).max(frame.data.len() / 16);
        if frame.data.trim_ascii() == b"[DONE]" {
            self.events += 1;
            self.is_whole = true;
            return false;
        }
        let read = json::read(&frame.data);
        if let Some(problem) = read.problem {
            notes.add(format!("an event of the stream could not be read whole: {problem}"));
        }
        if let Value::String(text) = read.value {
            self.events += 1;
            self.text.push_str(&text);
            return !text.is_empty();
        }
        if !read.value.is_object() {
            return false;
        }
        self.events += 1;
        let seen = self.assembly.add(Event { name: &frame.name, data: read.value }, notes);
        self.is_whole |= seen.last;
        seen.token
    }

    /// The response that the events amount to.
    pub(super) fn into_response(self, notes: &mut Notes) -> Value {
        if self.text.is_empty() { self.assembly.into_response(notes) } else { self.text.into() }
    }
}
