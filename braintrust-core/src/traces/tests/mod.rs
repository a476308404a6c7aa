//! Rows in, trees out.

mod forest;
mod print;
mod view;

use serde_json::{Value, json};

use super::Traces;

/// A finished span that started at `start`, under `parents`.
fn row(name: &str, start: f64, parents: &[&str]) -> Value {
    json!({
        "id": format!("row-{name}"),
        "span_id": name,
        "root_span_id": "trace",
        "span_parents": parents,
        "span_attributes": {"name": name},
        "metrics": {"start": start, "end": start + 0.5},
    })
}

/// `row` with more fields, or with others in their place.
fn with(mut row: Value, fields: Value) -> Value {
    let (Value::Object(row_fields), Value::Object(fields)) = (&mut row, fields) else { panic!("objects") };
    row_fields.extend(fields);
    row
}

fn tree(rows: impl IntoIterator<Item = Value>) -> String {
    Traces::from_rows(rows).tree().to_string()
}
