//! The rows on the wire, against a server on loopback: fields, types and merge flags as Braintrust's own SDKs send them.

mod backend;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, SystemTime};

use backend::{Backend, KEY};
use braintrust::{Event, Logger, SpanType, traced};
use serde_json::{Map, Value, json};

type Row = Map<String, Value>;
type Scenario = fn(&Logger);

const LIMIT: Duration = Duration::from_secs(60);

/// What a scenario sent, flush by flush.
fn rows_of(scenario: impl FnOnce(&Logger)) -> Vec<Row> {
    let backend = Backend::start();
    let logger = backend.logger("my-project");
    logger.in_scope(|| scenario(&logger));
    logger.flush_blocking(LIMIT).unwrap();
    backend.rows()
}

#[traced]
fn add(x: u32, y: u32) -> u32 {
    x + y
}

#[traced]
fn fail(x: u32) -> Result<u32, std::num::ParseIntError> {
    format!("{x}!").parse()
}

fn simple_traced(_: &Logger) {
    add(1, 2);
}

fn nested(logger: &Logger) {
    let root = logger.start_span("root-span").input("r").start();
    let child = root.start_span("child").kind(SpanType::Tool).start();
    child.log(Event::new().output("c"));
    child.start_span("grandchild").input("g").start().end();
    child.end();
    let second = root.start_span("second").kind(SpanType::Llm).start();
    second.set_attribute("custom", 7).set_attribute("purpose", "scorer");
    second.log(Event::new().metric("tokens", 3));
    second.end();
}

fn error_thrown(_: &Logger) {
    fail(1).unwrap_err();
}

fn start_only(logger: &Logger) {
    let span = logger.start_span("steps").input("in").start();
    logger.flush_blocking(LIMIT).unwrap();
    span.log(Event::new().output("out").metadata("k", 1));
    logger.flush_blocking(LIMIT).unwrap();
    span.set_name("renamed").set_attribute("x", 1);
    logger.flush_blocking(LIMIT).unwrap();
    span.end();
}

fn log_after_end(logger: &Logger) {
    let span = logger.start_span("x").start_time(SystemTime::UNIX_EPOCH + Duration::from_millis(1_000_500)).start();
    span.end_at(SystemTime::UNIX_EPOCH + Duration::from_secs(2_000));
    span.log(Event::new().output("late"));
}

fn merging(logger: &Logger) {
    let span = logger.start_span("m").input(json!({"a": {"x": 1}, "l": [1, 2]})).start();
    span.log(Event::new().metadata("k", json!({"x": 1})).tags(["a", "b"]).score("s", 0.5).metrics([("m", 1)]));
    span.log(Event::new().input(json!({"a": {"y": 2}, "l": [3]})).metadata("k", json!({"y": 2})).tags(["b", "c"]));
    span.log(Event::new().output(json!({"p": 1})).score("s", 1.0).metric("m", 2).metric("o", 1.5).expected("e"));
    span.end();
}

/// The keys of a row and of the objects in it that have a fixed set, with their JSON types.
fn shape(row: &Row) -> BTreeMap<String, &'static str> {
    let mut shape = BTreeMap::new();
    for (key, value) in row {
        shape.insert(key.clone(), kind(value));
        if let (true, Some(object)) = (["context", "span_attributes"].contains(&key.as_str()), value.as_object()) {
            shape.extend(object.iter().map(|(inner, value)| (format!("{key}.{inner}"), kind(value))));
        }
        if key == "metrics" {
            let times = ["start", "end"].into_iter().filter(|time| value.get(time).is_some());
            shape.extend(times.map(|time| (format!("metrics.{time}"), kind(&value[time]))));
        }
    }
    shape
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn keys(row: &Row) -> BTreeSet<&str> {
    row.keys().map(String::as_str).collect()
}

const FIRST: [&str; 9] =
    ["id", "span_id", "root_span_id", "created", "metrics", "context", "span_attributes", "project_id", "log_id"];
const MERGE: [&str; 6] = ["id", "span_id", "root_span_id", "_is_merge", "project_id", "log_id"];

fn set<'a>(of: &[&'a str], and: &[&'a str]) -> BTreeSet<&'a str> {
    of.iter().chain(and).copied().collect()
}

#[test]
fn a_traced_call_is_one_row() {
    let [row] = rows_of(simple_traced).try_into().unwrap();
    assert_eq!(keys(&row), set(&FIRST, &["input", "output"]));
    assert_eq!((&row["input"], &row["output"]), (&json!({"x": 1, "y": 2}), &json!(3)));
    assert_eq!((&row["project_id"], &row["log_id"]), (&json!("project-1"), &json!("g")));
    assert_eq!(row["span_attributes"]["name"], "add");
    assert_eq!(row["span_attributes"]["type"], "function");
    assert!(row["span_attributes"]["exec_counter"].is_u64());
    let context = &row["context"];
    assert_eq!(context["caller_functionname"], "rows::add");
    assert_eq!(context["caller_filename"], file!());
    assert!(context["caller_lineno"].is_u64());
    assert_eq!(context["span_origin"]["name"], "rust-traced");
    assert_eq!(context["span_origin"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(context["span_origin"]["instrumentation"]["name"], "traced-macro");
}

#[test]
fn ids_have_the_shapes_of_the_official_sdks() {
    for row in rows_of(nested) {
        let hex =
            |key: &str| row[key].as_str().unwrap().bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        assert!(row["span_id"].as_str().unwrap().len() == 16 && hex("span_id"), "{row:?}");
        assert!(row["root_span_id"].as_str().unwrap().len() == 32 && hex("root_span_id"), "{row:?}");
        assert_eq!(row["id"].as_str().unwrap().len(), 36);
        let created = row["created"].as_str().unwrap();
        assert!(created.len() == "2026-11-21T21:19:00.106993Z".len() && created.ends_with('Z'), "{created}");
    }
}

#[test]
fn children_name_their_parents_and_share_the_trace() {
    let rows = rows_of(nested);
    let by_name = |name: &str| rows.iter().find(|row| row["span_attributes"]["name"] == name).unwrap();
    let (root, child) = (by_name("root-span"), by_name("child"));
    assert_eq!(rows.len(), 4);
    assert!(!root.contains_key("span_parents"));
    assert_eq!(child["span_parents"], json!([root["span_id"]]));
    assert_eq!(by_name("grandchild")["span_parents"], json!([child["span_id"]]));
    assert_eq!(root["span_attributes"]["type"], "task", "a root made by hand is a task");
    assert!(by_name("grandchild")["span_attributes"].get("type").is_none(), "a child made by hand has no type");
    let second = by_name("second");
    assert_eq!((&second["span_attributes"]["custom"], &second["metrics"]["tokens"]), (&json!(7), &json!(3)));
    assert!(second["metrics"]["start"].as_f64() <= second["metrics"]["end"].as_f64());
    assert!(rows.iter().all(|row| row["root_span_id"] == root["root_span_id"] && !row.contains_key("_is_merge")));
    assert_ne!(root["root_span_id"], root["span_id"]);
    let counters: BTreeSet<_> = rows.iter().map(|row| row["span_attributes"]["exec_counter"].as_u64()).collect();
    assert_eq!(counters.len(), 4);
}

#[test]
fn an_error_is_a_text_beside_the_input() {
    let [row] = rows_of(error_thrown).try_into().unwrap();
    assert_eq!(row["input"], json!({"x": 1}));
    assert!(row["error"].as_str().unwrap().contains("invalid digit"), "{:?}", row["error"]);
    assert!(!row.contains_key("output"));
    assert!(row["metadata"]["error"]["type"].as_str().unwrap().contains("ParseIntError"), "{:?}", row["metadata"]);
}

#[test]
fn an_open_span_is_sent_as_far_as_it_is_and_merged_later() {
    let [start, log, rename, end] = rows_of(start_only).try_into().unwrap();
    assert_eq!(keys(&start), set(&FIRST, &["input", "_is_merge"]));
    assert_eq!(start["_is_merge"], false);
    assert!(start["metrics"].get("end").is_none());
    assert_eq!(keys(&log), set(&MERGE, &["output", "metadata"]));
    assert_eq!(keys(&rename), set(&MERGE, &["span_attributes"]));
    assert_eq!(rename["span_attributes"], json!({"name": "renamed", "x": 1}));
    assert_eq!(keys(&end), set(&MERGE, &["metrics"]));
    assert_eq!(end["metrics"].as_object().unwrap().keys().collect::<Vec<_>>(), ["end"]);
    for row in [&log, &rename, &end] {
        assert_eq!(row["_is_merge"], true);
        assert_eq!((&row["id"], &row["span_id"]), (&start["id"], &start["span_id"]));
        assert_eq!(row["root_span_id"], start["root_span_id"]);
    }
}

#[test]
fn given_times_are_kept_and_a_log_after_the_end_is_merged() {
    let [row] = rows_of(log_after_end).try_into().unwrap();
    assert_eq!((&row["metrics"]["start"], &row["metrics"]["end"]), (&json!(1000.5), &json!(2000.0)));
    assert_eq!(row["output"], "late");
    assert!(row["created"].as_str().unwrap().starts_with("20"), "the wall clock, not the given start");
}

#[test]
fn a_span_that_has_ended_ends_no_more() {
    let rows = rows_of(|logger| {
        let span = logger.start_span("x").start();
        span.end_at(SystemTime::UNIX_EPOCH + Duration::from_secs(2_000));
        logger.flush_blocking(LIMIT).unwrap();
        span.end();
        logger.flush_blocking(LIMIT).unwrap();
        // Its last handle goes.
    });
    let [row] = rows.try_into().unwrap();
    assert_eq!(row["metrics"]["end"], 2000.0);
}

#[test]
fn what_is_logged_twice_is_merged() {
    let [row] = rows_of(merging).try_into().unwrap();
    assert_eq!(row["input"], json!({"a": {"x": 1, "y": 2}, "l": [3]}));
    assert_eq!(row["metadata"], json!({"k": {"x": 1, "y": 2}}));
    assert_eq!(row["tags"], json!(["a", "b", "c"]));
    assert_eq!(row["scores"], json!({"s": 1.0}));
    assert_eq!((&row["metrics"]["m"], &row["metrics"]["o"]), (&json!(2), &json!(1.5)));
    assert_eq!((&row["output"], &row["expected"]), (&json!({"p": 1}), &json!("e")));
    assert!(!row.contains_key("_is_merge"));
}

#[test]
fn the_requests_are_those_of_the_protocol() {
    let backend = Backend::start();
    let logger = backend.logger("my-project");
    logger.in_scope(|| add(1, 2));
    let report = logger.flush_blocking(LIMIT).unwrap();
    assert_eq!((report.delivered, report.lost.total()), (1, 0));
    let requests = backend.requests();
    let paths: Vec<_> = requests.iter().map(|request| (request.method.as_str(), request.path.as_str())).collect();
    assert_eq!(
        paths,
        [("POST", "/api/apikey/login"), ("POST", "/api/project/register"), ("GET", "/version"), ("POST", "/logs3")]
    );
    for request in &requests {
        assert_eq!(request.headers["authorization"], format!("Bearer {KEY}"));
    }
    let registration: Value = serde_json::from_slice(&requests[1].body).unwrap();
    assert_eq!(registration, json!({"project_name": "my-project", "org_id": "org-1"}));
    let body = std::str::from_utf8(&requests[3].body).unwrap();
    assert!(body.starts_with("{\"rows\": [{") && body.ends_with("}], \"api_version\": 2}"), "{body}");
}

/// Where the captures of the official SDKs are at hand, ours hold nothing that neither of theirs has, lack nothing that
/// both have, and agree on every type.
#[test]
fn rows_have_the_shape_of_both_official_sdks() {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/captures");
    if !captures.is_dir() {
        eprintln!("skipped: no captures of the official SDKs here");
        return;
    }
    let scenarios: [(&str, Scenario); 6] = [
        ("simple_traced", simple_traced),
        ("nested", nested),
        ("error_thrown", error_thrown),
        ("start_only", start_only),
        ("log_after_end", log_after_end),
        ("merging", merging),
    ];
    for (name, scenario) in scenarios {
        let ours = united(rows_of(scenario));
        let theirs = ["py", "js"].map(|sdk| united(captured(&captures.join(sdk).join(format!("{name}.json")))));
        for (key, kinds) in &ours {
            if name == "error_thrown" && key == "metadata" {
                continue; // the error's type and causes, where the others send a stack trace as the text
            }
            let known = theirs.iter().any(|shape| shape.get(key).is_some_and(|theirs| kinds.is_subset(theirs)));
            assert!(known, "{name}: `{key}` is {kinds:?}; theirs: {:?}", theirs.each_ref().map(|shape| shape.get(key)));
        }
        for key in theirs[0].keys().filter(|key| theirs[1].contains_key(*key)) {
            if key == "context.caller_functionname" && !matches!(name, "simple_traced" | "error_thrown") {
                continue; // known to the macro only: a source location does not name its function
            }
            assert!(ours.contains_key(key), "{name}: both SDKs send `{key}`, we do not");
        }
    }
}

fn united(rows: Vec<Row>) -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut united: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
    for (key, kind) in rows.iter().flat_map(shape) {
        united.entry(key).or_default().insert(kind);
    }
    united
}

fn captured(file: &Path) -> Vec<Row> {
    let capture: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let requests = capture["requests"].as_array().unwrap().iter().filter(|request| request["path"] == "/logs3");
    requests
        .flat_map(|request| request["body_json"]["rows"].as_array().unwrap())
        .map(|row| row.as_object().unwrap().clone())
        .collect()
}
