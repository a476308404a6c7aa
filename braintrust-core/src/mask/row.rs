//! A row taken apart into its fields as they are written, and put together again.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::field::MaskedField;
use crate::capture::write_str;

/// A row that is no JSON object.
#[derive(Debug)]
pub(crate) struct Unreadable;

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

/// The members of an object in their order, their values as they are written.
pub(super) fn members(object: &[u8]) -> Result<Vec<(String, &RawValue)>, Unreadable> {
    let mut parser = serde_json::Deserializer::from_slice(object);
    let members = parser.deserialize_map(MembersVisitor).map_err(|_| Unreadable)?;
    parser.end().map_err(|_| Unreadable)?;
    Ok(members)
}

struct MembersVisitor;

impl<'a> Visitor<'a> for MembersVisitor {
    type Value = Vec<(String, &'a RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(16);
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

/// A row being written, without its closing brace.
pub(super) struct MaskedRow<'a> {
    out: &'a mut Vec<u8>,
    is_empty: bool,
    /// The row's own error, which comes last, for what goes wrong with other fields is added to it.
    error: Option<String>,
    problems: Vec<String>,
}

impl<'a> MaskedRow<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, is_empty: true, error: None, problems: Vec::new() }
    }

    /// Writes a field.
    pub(super) fn put(&mut self, key: &str, json: &str) {
        if key == "error" {
            self.error = Some(json.to_owned());
        } else {
            self.write(key, json);
        }
    }

    /// Writes what stands in the place of a field that could not be masked, as Braintrust's own SDKs do: a text where
    /// any value may stand; where only numbers may, nothing, and the text goes to the row's error.
    pub(super) fn put_failure(&mut self, key: &str, failed: Failed) {
        let problem = format!("ERROR: Failed to mask field '{key}' - {}", failed.as_str());
        match MaskedField::from_name(key) {
            Some(MaskedField::Metadata) => {
                self.write(key, &serde_json::json!({ "error": problem }).to_string());
            }
            Some(MaskedField::Scores | MaskedField::Metrics) | None => self.problems.push(problem),
            Some(_) => self.write(key, &Value::from(problem).to_string()),
        }
    }

    pub(super) fn finish(mut self) {
        let error = self.error.take();
        if self.problems.is_empty() {
            if let Some(error) = error {
                self.write("error", &error);
            }
            return;
        }
        let own = error.and_then(|json| match serde_json::from_str(&json) {
            Ok(Value::Null) | Err(_) => None,
            Ok(Value::String(text)) => Some(text),
            Ok(_) => Some(json),
        });
        let texts: Vec<_> = own.into_iter().chain(std::mem::take(&mut self.problems)).collect();
        self.write("error", &Value::from(texts.join("; ")).to_string());
    }

    fn write(&mut self, key: &str, json: &str) {
        self.out.push(if self.is_empty { b'{' } else { b',' });
        self.is_empty = false;
        write_str(self.out, key);
        self.out.push(b':');
        self.out.extend_from_slice(json.as_bytes());
    }
}
