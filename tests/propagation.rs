//! Spans of several processes in one trace: slugs and headers, through the public API.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use braintrust::testing::{MemoryRows, capture_blocking, memory_logger};
use braintrust::{Event, Extractor, Logger, Parent, current_span, extract, inject, start_span, traced};
use reqwest::header::HeaderMap;
use serde_json::{Map, Value};

type Headers = HashMap<String, String>;

/// The row of each span, whatever it was sent in: a busy machine may hold up a thread while its span is open.
fn rows_of(logger: &Logger, rows: &MemoryRows) -> Vec<Map<String, Value>> {
    logger.flush_blocking(Duration::from_secs(60)).unwrap();
    rows.traces().spans().iter().map(|span| span.row().clone()).collect()
}

fn only_row(work: impl FnOnce()) -> Map<String, Value> {
    let (logger, rows) = memory_logger();
    logger.in_scope(work);
    let [row] = rows_of(&logger, &rows).try_into().unwrap();
    row
}

#[traced("server", parent = request_id)]
fn serve(request_id: Option<&str>, body: &str) -> usize {
    body.len()
}

#[test]
fn a_slug_makes_two_processes_one_trace() {
    let (client, client_rows) = memory_logger();
    let slug = client.in_scope(|| {
        let span = start_span("client").start();
        span.in_scope(|| current_span().export())
    });
    let [parent] = rows_of(&client, &client_rows).try_into().unwrap();
    let child = only_row(|| {
        serve(Some(&slug), "four");
    });
    assert_eq!(child["span_parents"], serde_json::json!([parent["span_id"]]));
    assert_eq!(child["root_span_id"], parent["root_span_id"]);
    assert_eq!(child["project_name"], parent["project_name"], "the same project by name is the same project");
}

#[test]
fn no_slug_an_empty_one_or_a_broken_one_means_as_usual() {
    for slug in [None, Some(""), Some("no slug"), Some("AwE=")] {
        let traces = capture_blocking(|| start_span("outer").start().in_scope(|| serve(slug, "x")));
        assert_eq!(traces.find("server").parent(), Some(traces.find("outer")), "{slug:?}");
    }
    let error = Parent::from_slug("AwE=").unwrap_err();
    assert!(error.is_slug() && error.to_string().contains("version 3"), "{error}");
    assert!(error.to_string().starts_with("SpanComponents string is not properly encoded."), "{error}");
}

/// Ids that are neither hex nor numbers are kept as they are, all the way down.
#[test]
fn a_trace_of_uuids_keeps_its_ids() {
    // Written by an SDK with legacy ids: version 3, an experiment.
    let (root, parent) = ("11111111-2222-4333-8444-555555555555", "66666666-7777-4888-9999-aaaaaaaaaaaa");
    let object = "0b0b0b0b-1111-4222-8333-444444444444";
    let mut bytes = vec![3, 1, 4];
    for (entry, uuid) in [(1, object), (2, parent), (3, parent), (4, root)] {
        bytes.push(entry);
        let digits = uuid.replace('-', "");
        bytes.extend((0..16).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap()));
    }
    let slug = base64(&bytes);
    let (logger, rows) = memory_logger();
    logger.in_scope(|| {
        let child = start_span("child").parent(Parent::from_slug(&slug).unwrap()).start();
        child.start_span("grandchild").start().log(Event::new().output(1));
        assert_eq!(child.root_span_id(), root);
        let mut headers = Headers::new();
        inject(&child, &mut headers);
        assert!(headers.is_empty(), "such ids cannot be said in headers: {headers:?}");
    });
    let rows = rows_of(&logger, &rows);
    assert_eq!(rows.len(), 2);
    for row in &rows {
        assert_eq!((&row["root_span_id"], &row["experiment_id"]), (&root.into(), &object.into()), "{row:?}");
        assert!(!row.contains_key("log_id"));
    }
    // Which row comes first depends on where a window of the exporter's ends.
    let row = |name: &str| rows.iter().find(|row| row["span_attributes"]["name"] == name).unwrap();
    assert_eq!(row("child")["span_parents"], serde_json::json!([parent]));
    assert_eq!(row("grandchild")["span_parents"], serde_json::json!([row("child")["span_id"]]));
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = ALPHABET[(word >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() { digit as char } else { '=' });
        }
    }
    text
}

#[test]
fn headers_make_two_services_one_trace() {
    let (client, client_rows) = memory_logger();
    let mut headers = Headers::from([("Baggage".to_owned(), "user=7".to_owned())]);
    client.in_scope(|| inject(&start_span("client").start(), &mut headers));
    let [parent] = rows_of(&client, &client_rows).try_into().unwrap();
    let text = |key: &str| parent[key].as_str().unwrap().to_owned();
    assert_eq!(headers["traceparent"], format!("00-{}-{}-01", text("root_span_id"), text("span_id")));
    assert!(headers["baggage"].starts_with("user=7,braintrust.parent=project_name"), "{headers:?}");

    let child = only_row(|| start_span("server").parent(extract(&headers)).start().end());
    assert_eq!(child["span_parents"], serde_json::json!([parent["span_id"]]));
    assert_eq!(child["root_span_id"], parent["root_span_id"]);
}

#[traced]
fn call_on(work: &str) -> Headers {
    let mut headers = Headers::new();
    current_span().log(Event::new().metadata("work", work));
    inject(&current_span(), &mut headers);
    headers
}

/// More projects than a program ever meets at once, so that some are handed down in the one way and some in the other.
#[test]
fn whatever_the_headers_say_goes_down_the_tree_and_on_in_the_same_words() {
    let (logger, rows) = memory_logger();
    let said: Vec<Headers> = (0..1_500)
        .map(|request| {
            let (flags, state) = (["00", "01", "03"][request % 3], format!("vendor={request}"));
            let mut headers = Headers::from([
                ("traceparent".to_owned(), format!("00-{:032x}-{:016x}-{flags}", request + 1, request + 1)),
                ("baggage".to_owned(), format!("braintrust.parent=project_name%3Aproject-{request}")),
            ]);
            headers.extend((request % 5 == 0).then(|| ("tracestate".to_owned(), state)));
            headers
        })
        .collect();
    logger.in_scope(|| {
        for headers in &said {
            let request = start_span("request").parent(extract(headers)).start();
            let mut passed_on = request.in_scope(|| call_on(&headers["baggage"]));
            let (ours, theirs) = (passed_on.remove("traceparent").unwrap(), &headers["traceparent"]);
            assert_eq!((&ours[..36], &ours[52..]), (&theirs[..36], &theirs[52..]), "the trace, and its flags");
            assert_eq!(passed_on["baggage"], headers["baggage"]);
            assert_eq!(passed_on.get("tracestate"), headers.get("tracestate"));
        }
    });
    let rows = rows_of(&logger, &rows);
    assert_eq!(rows.len(), 2 * said.len());
    for row in rows {
        let project = row["project_name"].as_str().unwrap();
        if let Some(work) = row.get("metadata").and_then(|metadata| metadata.get("work")) {
            assert_eq!(*work, format!("braintrust.parent=project_name%3A{project}"));
        }
        let trace = u64::from_str_radix(row["root_span_id"].as_str().unwrap(), 16).unwrap();
        assert_eq!(project, format!("project-{}", trace - 1));
    }
}

#[traced(parent = headers)]
fn borrow(headers: &HeaderMap) -> usize {
    headers.len()
}

#[traced(parent = headers)]
fn take(headers: HeaderMap) -> usize {
    headers.len()
}

#[traced(parent = job)]
fn resume(job: &Headers) -> usize {
    job.len()
}

#[test]
fn headers_are_a_parent_as_they_are() {
    let client = capture_blocking(|| {
        let (mut headers, mut job) = (HeaderMap::new(), Headers::new());
        let span = start_span("client").start();
        inject(&span, &mut headers);
        inject(&span, &mut job);
        borrow(&headers);
        take(headers);
        resume(&job);
        start_span("by hand").parent(&job).start().end();
    });
    assert_eq!(client.find("client").children().len(), 4, "{}", client.tree());
}

#[test]
fn tracestate_and_flags_are_passed_on_to_every_descendant() {
    let inbound = BTreeMap::from([
        ("Traceparent".to_owned(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00".to_owned()),
        ("tracestate".to_owned(), "vendor=abc,other=1".to_owned()),
        ("baggage".to_owned(), "braintrust.parent=project_id%3Ap1".to_owned()),
    ]);
    let (logger, rows) = memory_logger();
    let mut outbound = Headers::new();
    logger.in_scope(|| {
        let span = start_span("a").parent(extract(&inbound)).start();
        span.in_scope(|| start_span("b").start().in_scope(|| inject(&current_span(), &mut outbound)));
    });
    let rows = rows_of(&logger, &rows);
    assert!(rows.iter().all(|row| row["root_span_id"] == "0af7651916cd43dd8448eb211c80319c"));
    assert!(rows.iter().all(|row| row["project_id"] == "p1"), "{rows:?}");
    assert_eq!(outbound["tracestate"], "vendor=abc,other=1");
    assert!(outbound["traceparent"].ends_with("-00") && outbound["traceparent"].contains("0af7651916cd43dd"));
    assert_eq!(outbound["baggage"], "braintrust.parent=project_id%3Ap1");
}

#[test]
fn headers_that_are_malformed_mean_as_usual() {
    for traceparent in ["", "00-0-0-01", "00-00000000000000000000000000000000-b7ad6b7169203331-01", "é"] {
        let headers = Headers::from([("traceparent".to_owned(), traceparent.to_owned())]);
        let traces = capture_blocking(|| {
            start_span("outer").start().in_scope(|| start_span("inner").parent(extract(&headers)).start().end());
        });
        assert_eq!(traces.find("inner").parent(), Some(traces.find("outer")));
    }
}

/// A job that another process took out of a database: any type can be a carrier.
struct Job {
    traceparent: String,
}

impl Extractor for Job {
    fn get(&self, key: &str) -> Option<&str> {
        (key == "traceparent").then_some(&self.traceparent)
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent"]
    }
}

/// Ten thousand conversations over two projects, each resumed several times from its stored headers, in an order that
/// has nothing to do with them.
#[test]
fn conversations_resumed_in_any_order_keep_their_trace_and_project() {
    const CONVERSATIONS: usize = 10_000;
    const TURNS: usize = 3;
    let projects = [memory_logger(), memory_logger()];
    let mut jobs: Vec<Job> = Vec::new();
    let mut roots = Vec::new();
    for index in 0..CONVERSATIONS {
        let root = projects[index % 2].0.start_span("conversation").input(index).start();
        let mut headers = Headers::new();
        root.inject(&mut headers);
        roots.push(root.root_span_id());
        jobs.push(Job { traceparent: headers.remove("traceparent").unwrap() });
    }
    // 7,919 is prime and no factor of the count, so this walks through all of them in a scattered order.
    for turn in 0..TURNS {
        for step in 0..CONVERSATIONS {
            let index = (step * 7_919 + turn) % CONVERSATIONS;
            let turn = projects[index % 2].0.start_span("turn").parent(extract(&jobs[index])).input(index);
            turn.start().in_scope(|| start_span("reply").input(index).start().end());
        }
    }
    let mut seen = 0;
    for (parity, (logger, rows)) in projects.iter().enumerate() {
        for row in rows_of(logger, rows) {
            let index = usize::try_from(row["input"].as_u64().unwrap()).unwrap();
            assert_eq!(index % 2, parity, "in the wrong project: {row:?}");
            assert_eq!(row["root_span_id"], roots[index].as_str(), "in the wrong trace: {row:?}");
            seen += 1;
        }
    }
    assert_eq!(seen, CONVERSATIONS * (1 + 2 * TURNS));
}

/// An update by row id says nothing of where the row is, and must not take what its span says along to another object.
#[test]
fn an_update_on_the_way_takes_no_row_away_from_where_its_trace_is_kept() {
    const LIMIT: Duration = Duration::from_secs(60);
    for object in ["experiment_id:there", "project_id:there"] {
        let headers = Headers::from([
            ("traceparent".to_owned(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
            ("baggage".to_owned(), format!("braintrust.parent={object}")),
        ]);
        let (logger, rows) = memory_logger();
        let span = logger.start_span("open for long").parent(extract(&headers)).start();
        logger.flush_blocking(LIMIT).unwrap();
        logger.update_span(&span.id(), Event::new().tag("updated")).unwrap();
        span.log(Event::new().output(7));
        span.end();
        logger.flush_blocking(LIMIT).unwrap();
        let (field, _) = object.split_once(':').unwrap();
        // The update may have gone ahead, if the machine held up this thread.
        let mut said: Vec<_> = rows.rows();
        said.retain(|row| !row["span_attributes"].is_null() || !row["output"].is_null());
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said.iter().all(|row| row[field] == "there" && row["project_name"].is_null()), "{said:?}");
    }
}
