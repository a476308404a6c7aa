//! Merges the rows of one span into one, in the order in which they were written.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::export::merge::merge_row;

pub(super) type Row = Map<String, Value>;

/// What names the container of a row; an `id` is unique within one container only.
const CONTAINER_FIELDS: [&str; 7] =
    ["org_id", "project_id", "project_name", "experiment_id", "dataset_id", "prompt_session_id", "log_id"];

/// One row for each span, in the order in which their first rows came.
pub(super) fn merge_by_span(rows: impl Iterator<Item = Row>) -> Vec<Row> {
    let mut merged = Vec::<Row>::new();
    let mut places = HashMap::<RowKey, usize>::new();
    for row in rows {
        let Some(key) = RowKey::of(&row) else {
            merged.push(row);
            continue;
        };
        let place = *places.entry(key).or_insert_with(|| {
            merged.push(Row::new());
            merged.len() - 1
        });
        put(&mut merged[place], row);
    }
    merged
}

fn put(earlier: &mut Row, later: Row) {
    if !earlier.is_empty() && later.get("_is_merge") == Some(&Value::Bool(true)) {
        merge_row(earlier, later);
    } else {
        *earlier = later;
    }
}

/// What rows of one span have in common.
#[derive(PartialEq, Eq, Hash)]
struct RowKey {
    container: [Option<String>; CONTAINER_FIELDS.len()],
    id: String,
}

impl RowKey {
    fn of(row: &Row) -> Option<Self> {
        let text = |field: &str| row.get(field).and_then(Value::as_str).map(str::to_owned);
        Some(Self { container: CONTAINER_FIELDS.map(text), id: text("id")? })
    }
}
