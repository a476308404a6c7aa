//! Traces from files, readers, values and the local folder, through the public API into a logger.

mod backend;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use backend::Backend;
use braintrust::import::{Import, ImportReport};
use braintrust::testing::{MemoryRows, memory_logger};
use braintrust::{Event, Feedback, Logger, TracedSpan, Traces, local, start_span, traced};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(60);

/// A folder that is removed when the test is over.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// The file of rows that a logger has left here, beside the `.gitignore`.
    fn rows(&self) -> PathBuf {
        let is_rows = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "jsonl");
        fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().path()).find(is_rows).unwrap()
    }

    fn logger(&self) -> Logger {
        Logger::builder().project("origin").local_folder(self.path()).build().unwrap()
    }
}

/// Runs an import into memory.
fn import<'a>(describe: impl FnOnce(Import<'a>) -> Import<'a>) -> (ImportReport, MemoryRows) {
    let (logger, rows) = memory_logger();
    let report = describe(Import::new(&logger)).run().unwrap();
    assert_eq!(report.read, report.imported + report.skipped, "{report}");
    (report, rows)
}

fn without_container(row: &Map<String, Value>) -> Map<String, Value> {
    let container = ["project_id", "project_name", "log_id", "org_id"];
    row.iter().filter(|(field, _)| !container.contains(&field.as_str())).map(|(f, v)| (f.clone(), v.clone())).collect()
}

fn all_rows(traces: &Traces) -> Vec<Map<String, Value>> {
    traces.spans().iter().map(|span| without_container(span.row())).collect()
}

fn ids(traces: &Traces) -> BTreeSet<String> {
    let ids = |span: &TracedSpan<'_>| [span.id(), span.span_id(), span.root_span_id()].map(str::to_owned);
    traces.spans().iter().flat_map(ids).collect()
}

#[traced(type = "tool")]
fn divide(a: u32, b: u32) -> Result<u32, String> {
    a.checked_div(b).ok_or_else(|| "division by zero".to_owned())
}

/// Spans of all kinds, in several rows each for some, as a program without a key leaves them in its folder.
fn trace_something(logger: &Logger) {
    let long = logger.start_span("long").input(json!({"a": [1, 2.5, "ü", null]})).start();
    logger.flush_blocking(LIMIT).unwrap();
    long.in_scope(|| {
        divide(4, 2).unwrap();
        divide(4, 0).unwrap_err();
        start_span("scored").start().log(Event::new().score("ok", 0.5).tag("x").metadata("deep", json!({"y": [[]]})));
    });
    logger.flush_blocking(LIMIT).unwrap();
    long.log(Event::new().output("done").tag("late"));
    long.end();
    logger.update_span(&long.id(), Event::new().expected("done")).unwrap();
    logger.flush_blocking(LIMIT).unwrap();
}

#[test]
fn the_local_folder_comes_through_unchanged_and_twice_is_as_good_as_once() {
    let folder = Folder::new();
    trace_something(&folder.logger());
    let original = local::read(folder.path()).unwrap();

    let (logger, rows) = memory_logger();
    for _ in 0..2 {
        let report = Import::new(&logger).local_folder(folder.path()).run().unwrap();
        assert_eq!((report.skipped, report.lost.total()), (0, 0), "{report}");
        assert_eq!(all_rows(&rows.traces()), all_rows(&original));
    }
    assert!(rows.rows().iter().all(|row| row["project_name"] == "test" && row.get("project_id").is_none()));
    let roots: Vec<_> = original.spans().iter().map(|span| span.parent().map(|p| p.name().to_owned())).collect();
    assert_eq!(roots, [None, Some("long"), Some("long"), Some("long")].map(|name| name.map(str::to_owned)));
}

#[test]
fn what_write_jsonl_writes_is_read_again() {
    let folder = Folder::new();
    trace_something(&folder.logger());
    let original = local::read(folder.path()).unwrap();
    let mut lines = Vec::new();
    original.write_jsonl(&mut lines).unwrap();

    let (report, rows) = import(|import| import.reader(lines.as_slice(), "stdin"));

    assert_eq!(report.imported as usize, original.len());
    assert_eq!(all_rows(&rows.traces()), all_rows(&original));
}

#[test]
fn new_ids_make_a_copy_of_the_same_shape() {
    let folder = Folder::new();
    let logger = folder.logger();
    trace_something(&logger);
    let original = local::read(folder.path()).unwrap();
    let id = original.find("scored").id().to_owned();
    logger.log_feedback(&id, Feedback::new().comment("nice").score("rating", 1.0)).unwrap();
    logger.flush_blocking(LIMIT).unwrap();
    let original = local::read(folder.path()).unwrap();

    let (_, rows) = import(|import| import.local_folder(folder.path()).keep_ids(false));

    let copy = rows.traces();
    assert_eq!(copy.tree().to_string(), original.tree().durations(false).to_string());
    assert!(ids(&copy).is_disjoint(&ids(&original)));
    assert_eq!(copy.find("scored").comments(), ["nice"]);
    assert_eq!(copy.find("scored").scores().unwrap()["rating"], 1.0, "an update finds the renamed row");
    let comment = rows.rows().into_iter().find(|row| row.get("comment").is_some()).unwrap();
    assert_eq!(comment["origin"]["id"], copy.find("scored").id(), "and so does a comment");
}

#[test]
fn the_local_folder_can_be_sent_to_braintrust_later() {
    let folder = Folder::new();
    trace_something(&folder.logger());
    let original = local::read(folder.path()).unwrap();
    let backend = Backend::start();
    let logger = backend.logger("my-project");

    let report = Import::new(&logger).local_folder(folder.path()).run().unwrap();

    assert_eq!(report.imported, report.read, "{report}");
    let rows = backend.rows();
    assert_eq!(rows.len(), original.len(), "rows of one span are merged before they are sent");
    assert!(rows.iter().all(|row| row["project_id"] == "project-1" && row.get("project_name").is_none()));
    let arrived = Traces::from_rows(rows.into_iter().map(Value::Object));
    assert_eq!(all_rows(&arrived), all_rows(&original));
}

#[test]
fn a_folder_is_not_imported_into_itself() {
    let (folder, other) = (Folder::new(), Folder::new());
    let logger = folder.logger();
    trace_something(&logger);
    let own = folder.rows();
    let before = fs::read(&own).unwrap();
    for refused in [Import::new(&logger).local_folder(folder.path()), Import::new(&logger).file(&own)] {
        let error = refused.run().unwrap_err();
        assert!(error.is_argument() && error.to_string().contains("a logger that writes to it"), "{error}");
    }
    assert_eq!(fs::read(&own).unwrap(), before);
    let copy = other.file("copy.jsonl", &before);
    assert!(Import::new(&logger).file(copy).run().unwrap().imported > 0, "any other file may be");
}

/// The example of Braintrust's documentation, as its program prints it.
const NESTED: &str = r#"{"input": "What is 1+1?", "output": "The sum of 1+1 is 2.", "expected": "2.", "metadata": {"template": "Answer the following question: %s"}, "children": [{"input": [{"role": "user", "content": "Answer the following question: What is 1+1?"}], "output": {"content": "The sum of 1+1 is 2.", "role": "assistant"}, "metadata": {"model": "gpt-3.5-turbo"}, "metrics": {"start": 1704916642.978631, "end": 1704916643.450115, "tokens": 30, "prompt_tokens": 19, "completion_tokens": 11}, "name": "OpenAI Chat Completion", "type": "llm"}], "name": "run_input"}
{"input": "Which is larger, the sun or the moon?", "output": "The sun.", "name": "run_input", "span_attributes": {"type": "task"}}
"#;

#[test]
fn the_nested_format_becomes_traces() {
    let (report, rows) = import(|import| import.reader(NESTED.as_bytes(), "stdin"));
    assert_eq!((report.imported, report.skipped), (3, 0));
    let traces = rows.traces();
    insta::assert_snapshot!(traces.tree().max_width(24), @r#"
    run_input in="What is 1+1?" out="The sum of 1+1 is 2."
    ╰─ OpenAI Chat Completion(llm) in=[{"content":"Answer the… out={"content":"The sum of … tokens=19→11
    run_input(task) in="Which is larger, the s… out="The sun."
    "#);
    let chat = traces.find("OpenAI Chat Completion");
    assert_eq!(chat.parent().unwrap().duration(), chat.duration(), "a span without times has those of its children");
    assert_eq!(chat.row()["created"], "2024-01-10T19:57:22.978631Z");
    assert!(traces.spans().iter().all(TracedSpan::is_finished));
}

#[test]
fn every_arrangement_of_the_same_rows_is_the_same_import() {
    let rows = [
        json!({"id": "1", "span_id": "a", "root_span_id": "t", "project_id": "p", "log_id": "g", "input": 1}),
        json!({"id": "2", "span_id": "b", "root_span_id": "t", "span_parents": ["a"], "_xact_id": "5", "org_id": "o"}),
    ];
    let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
    let documents = [
        lines.clone(),
        lines.replace('\n', "\r\n\r\n"),
        json!(rows).to_string(),
        serde_json::to_string_pretty(&json!(rows)).unwrap(),
        json!({"events": rows, "cursor": "next"}).to_string(),
        serde_json::to_string_pretty(&json!({"data": rows, "schema": {"type": "array"}})).unwrap(),
        format!("\u{feff}{}", json!([[rows[0]], {"data": [rows[1]]}])),
    ];
    let expected = [
        json!({"id": "1", "span_id": "a", "root_span_id": "t", "input": 1, "project_name": "test", "log_id": "g"}),
        json!({"id": "2", "span_id": "b", "root_span_id": "t", "span_parents": ["a"], "project_name": "test", "log_id": "g"}),
    ];
    for document in documents {
        let (report, imported) = import(|import| import.reader(document.as_bytes(), "document"));
        assert_eq!((report.imported, imported.rows()), (2, expected.to_vec()), "{document}");
    }
    let (_, imported) = import(|import| import.rows(rows));
    assert_eq!(imported.rows(), expected);
}

#[test]
fn a_half_valid_file_gives_what_is_valid_and_names_every_bad_line() {
    let folder = Folder::new();
    let good = |id: &str| format!(r#"{{"id":"{id}","span_id":"{id}","root_span_id":"t"}}"#) + "\n";
    let content = [
        good("a").as_bytes(),
        b"{\"id\":\"cut off\n",
        b"not json at all\n",
        b"\n",
        b"{\"span_id\":\"s\",\"span_parents\":\"a\"}\n",
        b"\"only a text\"\n",
        b"{\"name\":\"tree\",\"children\":[{\"name\":\"leaf\"},{\"metrics\":{\"tokens\":\"many\"}}]}\n",
        b"\xff\xfe\x00\n",
        good("b").as_bytes(),
        b"{\"id\":\"c\",\"span_att",
    ]
    .concat();
    let path = folder.file("traces.jsonl", content);

    let (report, rows) = import(|import| import.file(&path));

    assert_eq!((report.read, report.imported, report.skipped), (11, 4, 7));
    let traces = rows.traces();
    assert_eq!(traces.find("leaf").parent(), Some(traces.find("tree")));
    let lines: Vec<_> = report.problems().iter().map(|problem| (problem.line(), problem.path())).collect();
    assert_eq!(lines, [(2, ""), (3, ""), (5, ""), (6, ""), (7, "children[1]"), (8, ""), (10, "")]);
    let text = report.to_string().replace(&*path.to_string_lossy(), "traces.jsonl");
    insta::assert_snapshot!(text, @r#"
    4 imported, 7 skipped
    traces.jsonl, line 2: this is no JSON: control character (\u0000-\u001F) found while parsing a string at the end of the line
    traces.jsonl, line 3: this is no JSON: expected ident at column 2
    traces.jsonl, line 5: `span_parents` is "a"; expected an array of span ids
    traces.jsonl, line 6: this is a text; expected an object with the fields of a span
    traces.jsonl, line 7, children[1]: `metrics.tokens` is "many"; expected a number
    traces.jsonl, line 8: this is no JSON: expected value at column 1
    traces.jsonl, line 10: the JSON that begins here is cut off
    "#);
}

#[test]
fn rows_of_a_span_that_come_far_apart_are_still_one_span() {
    const BETWEEN: usize = 5_000;
    let row = |id: &str, more: Value| {
        let mut row = json!({"id": id, "span_id": id, "root_span_id": "t"});
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    };
    let first = row("long", json!({"input": {"a": 1}, "_is_merge": false}));
    let last = row("long", json!({"input": {"b": 2}, "_is_merge": true}));
    let between = (0..BETWEEN).map(|n| row(&n.to_string(), json!({})));
    for keep in [true, false] {
        let all: Vec<_> = std::iter::once(first.clone()).chain(between.clone()).chain([last.clone()]).collect();
        let seen = RefCell::new(Vec::new());
        let (logger, rows) = memory_logger();
        let report = Import::new(&logger)
            .rows(all)
            .keep_ids(keep)
            .on_progress(|at| seen.borrow_mut().push((at.done(), at.total(), at.fraction(), at.is_finished())))
            .run()
            .unwrap();
        assert_eq!(report.imported as usize, BETWEEN + 2);
        let traces = rows.traces();
        assert_eq!(traces.len(), BETWEEN + 1);
        assert!(traces.spans().iter().any(|span| span.input() == Some(&json!({"a": 1, "b": 2}))));
        let seen = seen.into_inner();
        let total = (BETWEEN + 2) as u64;
        assert!(seen.len() > 2 && seen.is_sorted_by_key(|(done, ..)| *done), "{seen:?}");
        assert!(seen.iter().all(|(_, known, ..)| *known == Some(total)), "{seen:?}");
        assert_eq!(seen.last(), Some(&(total, Some(total), Some(1.0), true)));
    }
}

#[test]
fn what_cannot_be_read_or_must_not_is_an_error_that_says_what_to_do() {
    let folder = Folder::new();
    let logger = folder.logger();
    let failure = |import: Import<'_>| import.run().unwrap_err().to_string();
    assert!(failure(Import::new(&logger).file("no/such/file.jsonl")).contains("`no/such/file.jsonl`"));
    assert!(failure(Import::new(&logger).local_folder("no/such/folder")).contains("no folder `no/such/folder`"));
    let own =
        failure(Import::new(&logger).local_folder(folder.path().join("..").join(folder.path().file_name().unwrap())));
    assert!(own.contains("BRAINTRUST_API_KEY"), "{own}");
    assert_eq!(Import::new(&logger).run().unwrap(), ImportReport::default());
}

#[test]
fn a_destination_that_takes_nothing_stops_the_import() {
    let folder = Folder::new();
    let file = folder.file("not-a-folder", "");
    let logger = Logger::builder().project("p").local_folder(file.join("inside")).build().unwrap();
    let error = Import::new(&logger).rows((0..10_000).map(|n| json!({"id": n.to_string()}))).run().unwrap_err();
    assert!(error.to_string().starts_with("the import stopped after 0 rows"), "{error}");
    assert_eq!(error.report().unwrap().delivered, 0);
}

/// A span of any content, and its children.
fn trees() -> impl Strategy<Value = Value> {
    let span = || (any::<Option<u8>>(), "[a-zé\"\\\\\n]{0,6}", proptest::option::of(0.0..1e9f64));
    let make = |(input, name, start): (Option<u8>, String, Option<f64>), children: Vec<Value>| {
        let mut node = json!({"name": name, "children": children});
        if let Some(input) = input {
            node["input"] = json!({"n": input});
        }
        if let Some(start) = start {
            node["metrics"] = json!({"start": start, "end": start + 1.0});
        }
        node
    };
    let leaf = span().prop_map(move |span| make(span, Vec::new()));
    leaf.prop_recursive(6, 60, 5, move |inner| {
        (span(), proptest::collection::vec(inner, 0..5)).prop_map(move |(span, children)| make(span, children))
    })
}

/// A tree as names and inputs; children in no order, since what comes back is ordered by time.
fn shape(name: &str, input: Option<&Value>, mut children: Vec<String>) -> String {
    children.sort();
    format!("{name:?} {input:?} {children:?}")
}

fn shape_of_node(node: &Value) -> String {
    let children = node["children"].as_array().unwrap().iter().map(shape_of_node).collect();
    shape(node["name"].as_str().unwrap(), node.get("input"), children)
}

fn shape_of_span(span: TracedSpan<'_>) -> String {
    shape(span.name(), span.input(), span.children().into_iter().map(shape_of_span).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn trees_survive_the_way_through_rows(trees in proptest::collection::vec(trees(), 1..4), pretty: bool, keep: bool) {
        let all = json!(trees);
        let text = if pretty { serde_json::to_string_pretty(&all).unwrap() } else { all.to_string() };
        let (report, rows) = import(|import| import.reader(text.as_bytes(), "trees").keep_ids(keep));
        prop_assert_eq!(report.skipped, 0);
        let traces = rows.traces();
        prop_assert_eq!(traces.len() as u64, report.imported);
        let expected: BTreeSet<_> = trees.iter().map(shape_of_node).collect();
        prop_assert_eq!(traces.roots().into_iter().map(shape_of_span).collect::<BTreeSet<_>>(), expected.clone());
        // And once more, from rows.
        let mut lines = Vec::new();
        traces.write_jsonl(&mut lines).unwrap();
        let (_, again) = import(|import| import.reader(lines.as_slice(), "rows").keep_ids(keep));
        prop_assert_eq!(again.traces().roots().into_iter().map(shape_of_span).collect::<BTreeSet<_>>(), expected);
    }

    #[test]
    fn any_bytes_at_all_are_rows_or_problems(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in "[\\[\\]{}\",:a1\n ]{0,200}") {
        import(|import| import.reader(bytes.as_slice(), "bytes"));
        import(|import| import.reader(text.as_bytes(), "text"));
    }
}

#[test]
fn rows_that_wait_on_disk_are_counted_once() {
    let spool = tempfile::tempdir().unwrap();
    // Nobody listens there.
    let nowhere = "http://127.0.0.1:9";
    let logger = Logger::builder().project_id("p").api_key("sk-test-0123456789").app_url(nowhere).api_url(nowhere);
    let logger = logger.spool_dir(spool.path()).num_retries(0).flush_at_exit(false).build().unwrap();
    logger.log(Event::new().input("before"));
    while logger.stats().spooled == 0 {
        let _ = logger.flush_blocking(LIMIT);
    }
    // Three windows.
    let rows = (0..5_000).map(|n| json!({"id": format!("r{n}"), "span_id": format!("s{n}"), "root_span_id": "t"}));
    let report = Import::new(&logger).rows(rows).run().unwrap();
    assert_eq!((report.read, report.imported, report.spooled), (5_000, 0, 5_000));
}
