//! What could not be made out of a call, for the one who looks at its span.

/// A span needs no more to show that something is wrong.
const MAX_NOTES: usize = 10;

/// Short texts, each once.
///
/// They go to the span's attributes: its metadata and metrics have closed lists of keys, and its error is the call's.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Notes(Vec<String>);

impl Notes {
    pub(super) fn add(&mut self, note: impl Into<String>) {
        let note = note.into();
        if self.0.len() < MAX_NOTES && !self.0.contains(&note) {
            self.0.push(note);
        }
    }

    pub(super) fn as_slice(&self) -> &[String] {
        &self.0
    }
}
