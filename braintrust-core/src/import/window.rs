//! The rows that are on their way together: at most one for each span, and no more than memory should hold.

use std::collections::HashMap;

use serde_json::Value;

use super::element::Row;
use crate::export::merge::merge_row;

/// A window is full at this size, in bytes of JSON.
const FULL_BYTES: usize = 4 * 1024 * 1024;
/// A window is full with so many rows: few enough for honest progress, enough for a request to be worth it.
const FULL_ROWS: usize = 2_000;
/// A record holds no more than 4 GiB; this leaves room.
const MAX_ROW_BYTES: usize = 1 << 30;

/// Rows as text, merged by the rules that the backend applies.
///
/// What comes in a later window for a row of an earlier one is sent as it is, and merged by the backend: a window is
/// delivered before the next one begins.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// Each without its closing brace.
    texts: Vec<Vec<u8>>,
    places: HashMap<String, usize>,
    bytes: usize,
    taken: u64,
}

impl Window {
    /// Takes a row, which has been given an id.
    ///
    /// # Errors
    ///
    /// If it is too large to be recorded.
    pub(super) fn add(&mut self, row: Row) -> Result<(), String> {
        let id = row.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let known = self.places.get(&id).copied();
        let text = open_text(&match known {
            Some(place) => self.merged(place, row),
            None => row,
        });
        if text.len() > MAX_ROW_BYTES {
            return Err(format!("this row has {} bytes; expected no more than {MAX_ROW_BYTES}", text.len()));
        }
        self.taken += 1;
        self.bytes += text.len();
        match known {
            Some(place) => self.bytes -= std::mem::replace(&mut self.texts[place], text).len(),
            None => {
                self.places.insert(id, self.texts.len());
                self.texts.push(text);
            }
        }
        Ok(())
    }

    fn merged(&self, place: usize, row: Row) -> Row {
        if row.get("_is_merge") != Some(&Value::Bool(true)) {
            return row;
        }
        let mut merged = self.row(place);
        merge_row(&mut merged, row);
        merged
    }

    fn row(&self, place: usize) -> Row {
        let text = [self.texts[place].as_slice(), b"}"].concat();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes >= FULL_BYTES || self.texts.len() >= FULL_ROWS
    }

    pub(super) fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// How many rows were taken, those that are merged into others included.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// The rows to be sent, each without its closing brace.
    pub(super) fn texts(&self) -> &[Vec<u8>] {
        &self.texts
    }
}

/// A row as JSON, without its closing brace.
fn open_text(row: &Row) -> Vec<u8> {
    let mut text = serde_json::to_vec(row).unwrap_or_default();
    text.pop();
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn window(rows: impl IntoIterator<Item = Value>) -> Window {
        let mut window = Window::default();
        for row in rows {
            window.add(row.as_object().unwrap().clone()).unwrap();
        }
        window
    }

    fn rows(window: &Window) -> Value {
        (0..window.texts().len()).map(|place| window.row(place)).collect()
    }

    #[test]
    fn rows_of_one_span_are_merged_or_replaced() {
        let window = window([
            json!({"id": "a", "input": 1, "tags": ["x"], "_is_merge": false}),
            json!({"id": "b", "output": {"x": 1}, "_is_merge": true}),
            json!({"id": "a", "output": 2, "tags": ["y"], "_is_merge": true}),
            json!({"id": "b", "output": {"y": 2}, "_is_merge": true}),
            json!({"id": "c", "input": 1}),
            json!({"id": "c", "output": 2}),
        ]);
        let expected = json!([
            {"id": "a", "input": 1, "output": 2, "tags": ["x", "y"], "_is_merge": false},
            {"id": "b", "output": {"x": 1, "y": 2}, "_is_merge": true},
            {"id": "c", "output": 2},
        ]);
        assert_eq!(rows(&window), expected);
        assert_eq!(window.taken(), 6);
        assert_eq!(window.bytes, window.texts().iter().map(Vec::len).sum::<usize>());
    }

    #[test]
    fn a_window_is_full_by_rows_or_by_bytes() {
        let row = |id: usize, input: &str| json!({"id": id.to_string(), "input": input});
        assert!(!window((0..FULL_ROWS - 1).map(|id| row(id, ""))).is_full());
        assert!(window((0..FULL_ROWS).map(|id| row(id, ""))).is_full());
        assert!(window([row(1, &"x".repeat(FULL_BYTES))]).is_full());
    }
}
