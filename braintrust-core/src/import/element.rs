//! What an object of the input is, a row, a tree, or an answer of Braintrust's API, and the rows that it stands for.

use serde_json::{Map, Value};

use super::check;
use super::identity::Ids;
use super::tree::{self, Numbering};

/// A row in Braintrust's format.
pub(super) type Row = Map<String, Value>;

/// Fields that name where a row was: it goes to the logger's project.
const CONTAINER: [&str; 8] =
    ["org_id", "org_name", "project_id", "project_name", "experiment_id", "dataset_id", "prompt_session_id", "log_id"];
/// Fields that the backend alone writes.
const BACKEND: [&str; 6] = ["_xact_id", "_pagination_key", "_async_scoring_state", "is_root", "comments", "audit_data"];
/// Where the API's answers have their rows.
const ANSWER: [&str; 2] = ["events", "data"];
/// What an answer of the API does not have and a span does.
const SPAN: [&str; 7] = ["id", "span_id", "name", "span_attributes", "input", "output", "children"];

/// A span that was not imported, and why.
#[derive(Debug, PartialEq)]
pub(super) struct Rejected {
    /// Where in the object it stands: `children[0].children[2]`; empty for the object itself.
    pub(super) path: String,
    pub(super) problem: String,
    /// How many spans are not imported for it.
    pub(super) spans: u64,
}

/// What came of an object.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    pub(super) rejected: Vec<Rejected>,
}

impl Rows {
    pub(super) fn reject(&mut self, path: impl Into<String>, problem: impl Into<String>, spans: u64) {
        self.rejected.push(Rejected { path: path.into(), problem: problem.into(), spans });
    }
}

/// The rows that an object of the input stands for.
pub(super) fn rows_of(mut object: Row, ids: &Ids, numbering: &mut Numbering) -> Rows {
    let mut rows = Rows::default();
    match answer_field(&object) {
        Some(field) => {
            let Some(Value::Array(elements)) = object.remove(field) else { return rows };
            for (index, element) in elements.into_iter().enumerate() {
                let path = format!("{field}[{index}]");
                match element {
                    Value::Object(element) => take(element, path, ids, numbering, &mut rows),
                    other => rows.reject(path, check::not_a_span(&other), 1),
                }
            }
        }
        None => take(object, String::new(), ids, numbering, &mut rows),
    }
    rows
}

fn answer_field(object: &Row) -> Option<&'static str> {
    let is_span = SPAN.iter().any(|field| object.contains_key(*field));
    ANSWER.into_iter().find(|field| !is_span && object.get(*field).is_some_and(Value::is_array))
}

fn take(mut object: Row, path: String, ids: &Ids, numbering: &mut Numbering, rows: &mut Rows) {
    let names = |field: &str| object.get(field).is_some_and(|value| !value.is_null());
    let is_merge = object.get("_is_merge") == Some(&Value::Bool(true));
    if is_merge && !names("id") && !names("span_id") {
        return rows.reject(path, "`_is_merge` is true; expected an `id` that names the row to merge into", 1);
    }
    let is_update = names("id") && (is_merge || names("comment"));
    if names("children") || !names("span_id") && !is_update {
        return tree::flatten(object, path, ids, numbering, rows);
    }
    if let Err(problem) = check::check(&object) {
        return rows.reject(path, problem, 1);
    }
    tidy(&mut object);
    match is_update {
        true => ids.identify_update(&mut object),
        false => ids.identify(&mut object, None),
    }
    rows.rows.push(object);
}

/// Leaves out what is not to be imported, and puts name and type where they belong.
pub(super) fn tidy(row: &mut Row) {
    for field in CONTAINER.iter().chain(&BACKEND).chain(&["children"]) {
        row.remove(*field);
    }
    for field in ["name", "type"] {
        let Some(value) = row.remove(field).filter(Value::is_string) else { continue };
        object_at(row, "span_attributes").entry(field).or_insert(value);
    }
}

/// The object that is the row's `field`, made if it is not there; the row has been checked.
pub(super) fn object_at<'row>(row: &'row mut Row, field: &str) -> &'row mut Row {
    let value = row.entry(field).or_insert_with(|| Value::Object(Row::new()));
    if !value.is_object() {
        *value = Value::Object(Row::new());
    }
    match value {
        Value::Object(object) => object,
        _ => unreachable!("it was just made one"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows(object: Value) -> Rows {
        let Value::Object(object) = object else { panic!("no object") };
        rows_of(object, &Ids::new(true), &mut Numbering::default())
    }

    #[test]
    fn a_row_is_passed_on_without_its_container_and_what_the_backend_added() {
        let row = json!({
            "id": "r", "span_id": "s", "root_span_id": "t", "input": 1, "project_id": "p", "log_id": "g", "org_id": "o",
            "_xact_id": "1", "_pagination_key": "p1", "is_root": true, "comments": [], "audit_data": [], "name": "n",
            "span_attributes": {"type": "llm"}, "type": "tool", "custom": {"x": 1},
        });
        let expected = json!({
            "id": "r", "span_id": "s", "root_span_id": "t", "input": 1, "custom": {"x": 1},
            "span_attributes": {"name": "n", "type": "llm"},
        });
        assert_eq!(Value::from(rows(row).rows), json!([expected]));
    }

    #[test]
    fn answers_of_the_api_hold_rows() {
        let answer = json!({"events": [{"id": "r", "span_id": "s"}, 7, {"span_id": 1}], "cursor": null});
        let rows = rows(answer);
        assert_eq!(rows.rows.len(), 1);
        let problems: Vec<_> = rows.rejected.iter().map(|rejected| &*rejected.path).collect();
        assert_eq!(problems, ["events[1]", "events[2]"]);
        let span_with_data = json!({"data": [1], "input": 1, "span_id": "s"});
        assert_eq!(self::rows(span_with_data).rows[0]["data"], json!([1]));
    }

    #[test]
    fn updates_and_comments_stay_what_they_are() {
        for update in [json!({"id": "r", "_is_merge": true, "output": 1}), json!({"id": "c", "comment": {"text": "x"}})]
        {
            assert_eq!(Value::from(rows(update.clone()).rows), json!([update]));
        }
        let nameless = rows(json!({"_is_merge": true, "output": 1}));
        assert!(nameless.rows.is_empty() && nameless.rejected[0].problem.contains("expected an `id`"));
    }
}
