//! Calls of models: what their spans say, whatever the provider, the way the bytes came, and what was wrong with them.

mod bodies;
mod hostile;
mod open_streams;
mod recorded;
mod spans;
mod strangers;
mod streams;

use std::time::Duration;

use braintrust::Logger;
use braintrust::llm::{CallOptions, Endpoint, ModelCall, WireApi};
use braintrust::testing::MemoryRows;
use bytes::Bytes;
use serde_json::Value;

/// Longer than any busy machine needs.
const LIMIT: Duration = Duration::from_secs(60);

/// The rows that were delivered, those of each span put together: one that is read late comes in two.
fn merged(rows: &MemoryRows) -> Vec<Value> {
    let mut spans: Vec<Value> = Vec::new();
    for row in rows.rows() {
        match spans.iter_mut().find(|span| span["id"] == row["id"]) {
            Some(span) => merge(span, row),
            None => spans.push(row),
        }
    }
    spans
}

fn merge(known: &mut Value, later: Value) {
    match (known, later) {
        (Value::Object(known), Value::Object(later)) => {
            later.into_iter().for_each(|(key, value)| merge(known.entry(key).or_insert(Value::Null), value));
        }
        (known, later) => *known = later,
    }
}

/// A response as a server sends it.
#[derive(Clone, Debug)]
struct Response {
    status: u16,
    content_type: String,
    body: Bytes,
}

impl Response {
    fn json(body: impl Into<Bytes>) -> Self {
        Self { status: 200, content_type: "application/json".to_owned(), body: body.into() }
    }

    fn sse(body: impl Into<Bytes>) -> Self {
        Self { content_type: "text/event-stream".to_owned(), ..Self::json(body) }
    }
}

fn begin(logger: &Logger, endpoint: &Endpoint, request: &str) -> ModelCall {
    let request = Bytes::copy_from_slice(request.as_bytes());
    ModelCall::begin(endpoint.clone(), request, &CallOptions::new("test-client").with_logger(logger))
}

/// A call whose response comes in chunks of the given lengths, over and over.
fn call(logger: &Logger, endpoint: &Endpoint, request: &str, response: &Response, lengths: &[usize]) -> String {
    let mut call = begin(logger, endpoint, request);
    let id = call.span().id();
    call.respond(response.status, Some(&response.content_type));
    let mut rest = response.body.clone();
    let mut lengths = lengths.iter().cycle();
    while !rest.is_empty() {
        let length = rest.len().min(lengths.next().copied().unwrap_or(usize::MAX));
        call.chunk(&rest.split_to(length));
    }
    call.finish();
    id
}
