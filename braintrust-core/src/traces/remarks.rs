//! Rows that are no spans: comments, which belong to a span, and updates of rows that are not here.

use std::collections::HashMap;

use serde_json::Value;

use super::gather::{Row, RowKey};

/// What is said of spans, in rows of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Remarks {
    rows: Vec<Row>,
    /// The places of comments by the row that they are about.
    by_origin: HashMap<RowKey, Vec<usize>>,
}

impl Remarks {
    pub(super) fn new(rows: Vec<Row>) -> Self {
        let mut by_origin = HashMap::<_, Vec<_>>::new();
        for (place, row) in rows.iter().enumerate() {
            if let Some(origin) = RowKey::of_origin(row) {
                by_origin.entry(origin).or_default().push(place);
            }
        }
        Self { rows, by_origin }
    }

    /// The texts of the comments on a span, in the order in which they were written.
    pub(super) fn comments_on(&self, span: &Row) -> Vec<&str> {
        if self.by_origin.is_empty() {
            return Vec::new();
        }
        let places = RowKey::of(span).and_then(|key| self.by_origin.get(&key));
        let rows = places.into_iter().flatten().map(|&place| &self.rows[place]);
        rows.filter_map(|row| row.get("comment")?.get("text").and_then(Value::as_str)).collect()
    }

    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }
}
