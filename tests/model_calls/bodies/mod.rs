//! What each wire format comes to: requests and responses in, exactly these fields out, whole or cut anywhere.

mod anthropic;
mod bedrock;
mod chat;
mod cohere;
mod dialects;
mod gemini;
mod media;
mod ollama;
mod responses;

use std::collections::BTreeMap;

use braintrust::llm::detect;
use braintrust::testing::memory_logger;
use proptest::prelude::*;
use serde_json::{Value, json};

pub use self::bedrock::message as event_stream_message;
use super::strangers::METADATA;
use super::{LIMIT, Response, call, merged};

/// What a call must come to. A field that is null must not be there.
struct Case {
    name: &'static str,
    address: (&'static str, &'static str),
    request: Value,
    response: Response,
    span: &'static str,
    input: Value,
    output: Value,
    metadata: Value,
    metrics: Value,
    error: Value,
}

fn sse(events: &[Value]) -> Response {
    Response::sse(events.iter().map(|event| format!("data: {event}\n\n")).collect::<String>() + "data: [DONE]\n\n")
}

/// Events as Anthropic and the responses API send them: named by their type.
fn named_sse(events: &[Value]) -> Response {
    let event = |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    Response::sse(events.iter().map(event).collect::<String>())
}

/// An event with all that providers repeat in each.
pub fn padded(mut event: Value) -> Value {
    event["id"] = "0123456789abcdef0123456789abcdef".into();
    event["model"] = "a-model-with-a-long-name-2026-01-01".into();
    event["p"] = "abcdefghijklmnopqrstuvwxyz0123456789".into();
    event
}

fn parameters() -> Value {
    json!({"type": "object", "properties": {"city": {"type": "string"}}})
}

fn weather_tool() -> Value {
    json!({"type": "function", "function": {"name": "weather", "description": "Of a city", "parameters": parameters()}})
}

/// The other lists that a span of a model's call must keep to.
const ATTRIBUTES: [&str; 5] = ["name", "type", "exec_counter", "request_notes", "response_notes"];
const FIELDS: [&str; 15] = [
    "id",
    "span_id",
    "root_span_id",
    "span_parents",
    "created",
    "input",
    "output",
    "error",
    "metadata",
    "metrics",
    "context",
    "span_attributes",
    "_is_merge",
    "project_name",
    "log_id",
];

fn check(case: &Case, row: &Value) {
    let name = case.name;
    for field in ["input", "output", "metadata", "error"] {
        let expected = match field {
            "input" => &case.input,
            "output" => &case.output,
            "metadata" => &case.metadata,
            _ => &case.error,
        };
        assert_eq!(&row[field], expected, "{name}: {field} of {row}");
    }
    let mut metrics = row["metrics"].as_object().unwrap().clone();
    assert!(metrics.remove("start").is_some() && metrics.remove("end").is_some(), "{name}");
    if let Some(first) = metrics.get_mut("time_to_first_token") {
        assert!((0.0..60.0).contains(&first.as_f64().unwrap()), "{name}: {first}");
        *first = true.into();
    }
    assert_eq!(Value::Object(metrics), case.metrics, "{name}");
    assert_eq!(
        (&row["span_attributes"]["name"], &row["span_attributes"]["type"]),
        (&case.span.into(), &"llm".into()),
        "{name}"
    );
    let within =
        |object: &Value, list: &[&str]| object.as_object().unwrap().keys().all(|key| list.contains(&key.as_str()));
    assert!(within(&row["metadata"], &METADATA), "{name}: {row}");
    assert!(within(&row["span_attributes"], &ATTRIBUTES), "{name}: {row}");
    assert!(within(row, &FIELDS), "{name}: {row}");
}

fn run(lengths: &[usize]) {
    let cases = [
        chat::cases(),
        dialects::cases(),
        responses::cases(),
        media::cases(),
        media::rerankings(),
        anthropic::cases(),
        anthropic::of_its_own(),
        gemini::cases(),
        bedrock::cases(),
        bedrock::invoked(),
        cohere::cases(),
        ollama::cases(),
    ];
    let cases: Vec<_> = cases.into_iter().flatten().collect();
    let (logger, rows) = memory_logger();
    let mut ids = BTreeMap::new();
    for case in &cases {
        let endpoint = detect(case.address.0, case.address.1).unwrap();
        ids.insert(call(&logger, &endpoint, &case.request.to_string(), &case.response, lengths), case);
    }
    logger.flush_blocking(LIMIT).unwrap();
    let rows = merged(&rows);
    assert_eq!(rows.len(), cases.len());
    rows.iter().for_each(|row| check(ids[row["id"].as_str().unwrap()], row));
}

#[test]
fn every_format_comes_to_its_fields_and_no_others() {
    run(&[]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn however_they_are_cut(lengths in prop::collection::vec(1usize..=64, 1..40)) {
        run(&lengths);
    }
}
