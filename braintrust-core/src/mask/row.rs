//! The row that comes of masking: fields as they may be seen, and what stands in the place of those that may not.

use serde_json::Value;

use super::field::MaskedField;
use crate::open_row::RowWriter;

/// Why a field could not be masked. Its text is what rows show, so it says nothing of the field's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failed {
    Panicked,
    Unreadable,
}

impl Failed {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Panicked => "panic",
            Self::Unreadable => "unreadable JSON",
        }
    }
}

/// A row being written, without its closing brace.
pub(super) struct MaskedRow<'a> {
    row: RowWriter<'a>,
    /// The row's own error, which comes last, for what goes wrong with other fields is added to it.
    error: Option<String>,
    problems: Vec<String>,
}

impl<'a> MaskedRow<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { row: RowWriter::new(out), error: None, problems: Vec::new() }
    }

    /// Writes a field.
    pub(super) fn put(&mut self, key: &str, json: &str) {
        if key == "error" {
            self.error = Some(json.to_owned());
        } else {
            self.row.put(key, json);
        }
    }

    /// Writes what stands in the place of a field that could not be masked, as Braintrust's own SDKs do: a text where
    /// any value may stand; where only numbers may, nothing, and the text goes to the row's error.
    pub(super) fn put_failure(&mut self, key: &str, failed: Failed) {
        let problem = format!("ERROR: Failed to mask field '{key}' - {}", failed.as_str());
        match MaskedField::from_name(key) {
            Some(MaskedField::Metadata) => {
                self.row.put(key, &serde_json::json!({ "error": problem }).to_string());
            }
            Some(MaskedField::Scores | MaskedField::Metrics) | None => self.problems.push(problem),
            Some(_) => self.row.put(key, &Value::from(problem).to_string()),
        }
    }

    pub(super) fn finish(mut self) {
        let error = self.error.take();
        if self.problems.is_empty() {
            if let Some(error) = error {
                self.row.put("error", &error);
            }
            return;
        }
        let own = error.and_then(|json| match serde_json::from_str(&json) {
            Ok(Value::Null) | Err(_) => None,
            Ok(Value::String(text)) => Some(text),
            Ok(_) => Some(json),
        });
        let texts: Vec<_> = own.into_iter().chain(std::mem::take(&mut self.problems)).collect();
        self.row.put("error", &Value::from(texts.join("; ")).to_string());
    }
}
