//! Spans with their children inside them, as rows that name their parents.

use std::time::SystemTime;

use serde_json::Value;

use super::check;
use super::element::{Row, Rows, object_at, tidy};
use super::identity::{Above, Ids};
use crate::clock;

/// Numbers the spans of an import, so that those that began at one moment keep their order.
#[derive(Debug, Default)]
pub(super) struct Numbering(u64);

/// A span of a tree that is being taken apart.
struct Node {
    span: Row,
    /// The place of its parent among the rows.
    parent: Option<usize>,
    path: String,
}

/// Appends the rows of a tree. A span that is no good takes along what is below it, which has no place without it.
///
/// No recursion: a tree may be deeper than the stack.
pub(super) fn flatten(root: Row, path: String, ids: &Ids, numbering: &mut Numbering, into: &mut Rows) {
    let mut rows = Vec::new();
    let mut parents = Vec::new();
    let mut open = vec![Node { span: root, parent: None, path }];
    while let Some(Node { mut span, parent, path }) = open.pop() {
        if let Err(problem) = check::check(&span) {
            into.reject(path, problem, count(span));
            continue;
        }
        let children = take_children(&mut span);
        tidy(&mut span);
        span.remove("_is_merge"); // a tree tells all of its spans
        let above = parent.map(|parent| above(&rows[parent]));
        ids.identify(&mut span, above);
        let place = rows.len();
        rows.push(span);
        parents.push(parent);
        let first_child = open.len();
        for (index, child) in children.into_iter().enumerate() {
            let path = child_path(&path, index);
            match child {
                Value::Object(span) => open.push(Node { span, parent: Some(place), path }),
                other => into.reject(path, check::not_a_span(&other), 1),
            }
        }
        open[first_child..].reverse();
    }
    fill_times(&mut rows, &parents);
    for row in &mut rows {
        let number = numbering.0;
        numbering.0 += 1;
        object_at(row, "span_attributes").entry("exec_counter").or_insert_with(|| number.into());
    }
    into.rows.append(&mut rows);
}

fn take_children(span: &mut Row) -> Vec<Value> {
    match span.remove("children") {
        Some(Value::Array(children)) => children,
        _ => Vec::new(),
    }
}

fn child_path(path: &str, index: usize) -> String {
    let dot = if path.is_empty() { "" } else { "." };
    format!("{path}{dot}children[{index}]")
}

fn above(parent: &Row) -> Above<'_> {
    let text = |field: &str| parent.get(field).and_then(Value::as_str).unwrap_or_default();
    Above { span_id: text("span_id"), root_span_id: text("root_span_id") }
}

/// How many spans a tree has.
fn count(root: Row) -> u64 {
    let mut spans = 0;
    let mut open = vec![root];
    while let Some(mut span) = open.pop() {
        spans += 1;
        let children = take_children(&mut span).into_iter();
        open.extend(children.filter_map(|child| if let Value::Object(span) = child { Some(span) } else { None }));
    }
    spans
}

/// What is known of a span's time, in seconds since the epoch.
#[derive(Clone, Copy, Default)]
struct Times {
    start: Option<f64>,
    end: Option<f64>,
}

impl Times {
    fn given(row: &Row) -> Self {
        let metric = |name: &str| row.get("metrics")?.get(name)?.as_f64();
        Self { start: metric("start"), end: metric("end") }
    }

    fn or(self, other: Self) -> Self {
        Self { start: self.start.or(other.start), end: self.end.or(other.end) }
    }

    fn widen(&mut self, other: Self) {
        self.start = self.start.into_iter().chain(other.start).reduce(f64::min);
        self.end = self.end.into_iter().chain(other.end).reduce(f64::max);
    }
}

/// Gives times to spans that have none: those of their children, or else the start of their parent. A span that says
/// when it began and not when it ended has not ended.
fn fill_times(rows: &mut [Row], parents: &[Option<usize>]) {
    let given: Vec<_> = rows.iter().map(Times::given).collect();
    let mut below = vec![Times::default(); rows.len()];
    // A parent comes before its children, so from behind all children are known.
    for place in (0..rows.len()).rev() {
        if let Some(parent) = parents[place] {
            let known = given[place].or(below[place]);
            below[parent].widen(known);
        }
    }
    let now = clock::unix_nanos(SystemTime::now()) as f64 / 1e9;
    let mut starts = Vec::with_capacity(rows.len());
    for place in 0..rows.len() {
        let known = given[place].or(below[place]);
        let start = known.start.unwrap_or_else(|| parents[place].map_or(now, |parent| starts[parent]));
        starts.push(start);
        let is_open = given[place].start.is_some() && given[place].end.is_none();
        write_times(&mut rows[place], start, (!is_open).then(|| known.end.unwrap_or(start).max(start)));
    }
}

fn write_times(row: &mut Row, start: f64, end: Option<f64>) {
    if let Some(created) = timestamp(start)
        && !row.get("created").is_some_and(Value::is_string)
    {
        row.insert("created".to_owned(), created.into());
    }
    let metrics = object_at(row, "metrics");
    for (name, time) in [("start", Some(start)), ("end", end)] {
        if let Some(time) = time
            && !metrics.get(name).is_some_and(Value::is_number)
        {
            metrics.insert(name.to_owned(), time.into());
        }
    }
}

/// A time as rows have it; `None` for one that no calendar has.
fn timestamp(seconds: f64) -> Option<String> {
    let time = jiff::Timestamp::from_microsecond((seconds * 1e6).round() as i64).ok()?;
    Some(format!("{time:.6}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn flat(tree: Value) -> Rows {
        let Value::Object(tree) = tree else { panic!("no object") };
        let mut rows = Rows::default();
        flatten(tree, String::new(), &Ids::new(true), &mut Numbering::default(), &mut rows);
        rows
    }

    #[test]
    fn children_name_their_parents_and_share_the_trace() {
        let rows =
            flat(json!({"name": "a", "children": [{"name": "b", "children": [{"name": "c"}]}, {"name": "d"}]})).rows;
        let names: Vec<_> = rows.iter().map(|row| row["span_attributes"]["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["a", "b", "c", "d"]);
        assert_eq!(rows[2]["span_parents"], json!([rows[1]["span_id"]]));
        assert_eq!(rows[3]["span_parents"], json!([rows[0]["span_id"]]));
        assert!(rows.iter().all(|row| row["root_span_id"] == rows[0]["root_span_id"]));
        assert!(!rows[0].contains_key("span_parents"));
        assert_eq!(rows[3]["span_attributes"]["exec_counter"], 3);
    }

    #[test]
    fn times_come_from_children_and_then_from_parents() {
        let rows = flat(json!({"children": [
            {"metrics": {"start": 5.0, "end": 7.0}}, {"metrics": {"start": 4.0, "end": 6.0, "tokens": 3}}, {},
            {"metrics": {"start": 6.5}},
        ]}))
        .rows;
        let times: Vec<_> = rows.iter().map(|row| (&row["metrics"]["start"], row["metrics"].get("end"))).collect();
        let at = |start: f64, end: Option<f64>| (json!(start), end.map(|end| json!(end)));
        let expected = [at(4.0, Some(7.0)), at(5.0, Some(7.0)), at(4.0, Some(6.0)), at(4.0, Some(4.0)), at(6.5, None)];
        assert_eq!(times, expected.iter().map(|(start, end)| (start, end.as_ref())).collect::<Vec<_>>());
        assert_eq!(rows[2]["metrics"]["tokens"], 3);
        assert_eq!(rows[0]["created"], "1970-01-01T00:00:04.000000Z");
    }

    #[test]
    fn a_bad_span_takes_along_only_what_is_below_it() {
        let rows = flat(json!({"children": [
            {"name": "good", "children": [7, {"scores": 1, "children": [{}, {}]}]}, {"children": "none"}, {"name": "good"},
        ]}));
        assert_eq!(rows.rows.len(), 3);
        let rejected: Vec<_> = rows.rejected.iter().map(|rejected| (&*rejected.path, rejected.spans)).collect();
        assert_eq!(rejected, [("children[0].children[0]", 1), ("children[0].children[1]", 3), ("children[1]", 1)]);
        assert_eq!(rows.rejected[2].problem, "`children` is \"none\"; expected an array of spans");
    }

    #[test]
    fn times_beyond_any_calendar_and_great_depth_do_no_harm() {
        let row = &flat(json!({"metrics": {"start": 1e300, "end": -1e300}})).rows[0];
        assert!(!row.contains_key("created"));
        let nest = |tree, _| Value::Object(Row::from_iter([("children".to_owned(), Value::Array(vec![tree]))]));
        let deep = (0..5_000).fold(json!({}), nest);
        assert_eq!(flat(deep).rows.len(), 5_001);
    }
}
