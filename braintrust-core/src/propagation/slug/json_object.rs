//! A JSON object that is handed on as it was written: its keys in their order, its numbers as they were spelt.

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use super::Flaw;

/// A JSON object in its text, on one line.
///
/// A map would sort the keys and respell the numbers; and mostly the text is only handed on.
#[derive(Clone, Debug)]
pub(crate) struct JsonObject(Box<RawValue>);

impl JsonObject {
    /// The object that `text` is. Half of a surrogate pair is refused: it cannot be stored, and would take down with it
    /// every row that was sent beside it.
    pub(super) fn parse(field: &'static str, text: &str) -> Result<Self, Flaw> {
        let flaw = |error: serde_json::Error| Flaw::Json { field, expected: "a JSON object", column: error.column() };
        serde_json::from_str::<Map<String, Value>>(text).map_err(flaw)?;
        RawValue::from_string(on_one_line(text)).map(Self).map_err(flaw)
    }

    /// The object with one entry.
    pub(crate) fn single(key: &str, value: &str) -> Self {
        Self::from(Map::from_iter([(key.to_owned(), Value::from(value))]))
    }

    pub(crate) fn to_map(&self) -> Map<String, Value> {
        serde_json::from_str(self.0.get()).unwrap_or_default()
    }

    /// The text at `key`. `None` if it is empty, or no text.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        match self.to_map().remove(key)? {
            Value::String(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.get() == "{}"
    }

    /// The JSON, without white space outside of strings.
    pub(crate) fn as_raw(&self) -> &RawValue {
        &self.0
    }
}

impl From<Map<String, Value>> for JsonObject {
    fn from(map: Map<String, Value>) -> Self {
        Self(to_raw_value(&map).expect("a map of JSON values can be written as JSON"))
    }
}

/// Compares the texts: the order of keys counts.
impl PartialEq for JsonObject {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl Eq for JsonObject {}

/// Drops the white space between the tokens of valid JSON: a line break would cut a row of the local folder in two.
fn on_one_line(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let keep = |c: &char| {
        let skip = !in_string && c.is_ascii_whitespace();
        in_string ^= *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        !skip
    };
    json.chars().filter(keep).collect()
}
