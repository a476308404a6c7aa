//! Merges the rows of one id into one, in the order in which they were written, and tells spans from what is said of them.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::export::merge::merge_row;

pub(super) type Row = Map<String, Value>;

/// What names the container of a row; an `id` is unique within one container only.
const CONTAINER_FIELDS: [&str; 7] =
    ["org_id", "project_id", "project_name", "experiment_id", "dataset_id", "prompt_session_id", "log_id"];

/// Rows, one for each id, in the order in which their first rows came.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) spans: Vec<Row>,
    /// What is said of spans: comments, and updates of rows that are not here.
    pub(super) others: Vec<Row>,
}

pub(super) fn gather(rows: impl Iterator<Item = Row>) -> Gathered {
    let (spans, others) = merge_by_id(rows).into_iter().partition(is_span);
    Gathered { spans, others }
}

fn is_span(row: &Row) -> bool {
    !is_comment(row) && !is_mere_update(row)
}

fn is_comment(row: &Row) -> bool {
    let is_there = |field: &str| row.get(field).is_some_and(|value| !value.is_null());
    is_there("comment") && is_there("origin")
}

/// Whether nothing was there to merge the row into, and it is not itself what a span began or ended with.
fn is_mere_update(row: &Row) -> bool {
    let time = |name: &str| row.get("metrics").and_then(|metrics| metrics.get(name)).is_some_and(Value::is_number);
    is_merge(row) && !time("start") && !time("end")
}

fn is_merge(row: &Row) -> bool {
    row.get("_is_merge") == Some(&Value::Bool(true))
}

fn merge_by_id(rows: impl Iterator<Item = Row>) -> Vec<Row> {
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
    if !earlier.is_empty() && is_merge(&later) {
        merge_row(earlier, later);
    } else {
        *earlier = later;
    }
}

/// What rows of one id have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct RowKey {
    container: [Option<String>; CONTAINER_FIELDS.len()],
    id: String,
}

impl RowKey {
    pub(super) fn of(row: &Row) -> Option<Self> {
        Self::in_container_of(row, row.get("id"))
    }

    /// The row that a comment is about.
    pub(super) fn of_origin(comment: &Row) -> Option<Self> {
        Self::in_container_of(comment, comment.get("origin")?.get("id"))
    }

    fn in_container_of(row: &Row, id: Option<&Value>) -> Option<Self> {
        let text = |field: &str| row.get(field).and_then(Value::as_str).map(str::to_owned);
        Some(Self { container: CONTAINER_FIELDS.map(text), id: id?.as_str()?.to_owned() })
    }
}
