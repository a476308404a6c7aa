//! Many streams that are open at once: they take the memory of what they say, not of the many times as much in which
//! they say it, whatever their framing.

use std::process::Command;

use braintrust::llm::{CallOptions, Endpoint, ModelCall, WireApi};
use braintrust::testing::memory_logger;
use bytes::Bytes;
use serde_json::{Value, json};

use super::bodies::{event_stream_message, padded};
use super::{LIMIT, begin, merged};

/// The bound on memory for all that waits.
const BOUND: usize = 4 * 1024 * 1024;
const STREAMS: usize = 16;
/// What each stream brings: all of them, four times the bound.
const BYTES: usize = 1024 * 1024;

/// A stream: its API, its content type, one event of it, and the text of a response that is made of events.
struct Kind {
    api: WireApi,
    content_type: &'static str,
    event: Bytes,
    text: fn(&Value) -> &Value,
}

fn kinds() -> [Kind; 5] {
    let line = padded(json!({"message": {"role": "assistant", "content": "word "}, "done": false}));
    let delta = padded(json!({"contentBlockIndex": 0, "delta": {"text": "word "}}));
    let chunk = padded(json!({"choices": [{"index": 0, "delta": {"content": "word "}}]}));
    let content = padded(json!({"candidates": [{"index": 0, "content": {"parts": [{"text": "word "}]}}]}));
    let kind = |api, content_type, event: Vec<u8>, text| Kind { api, content_type, event: event.into(), text };
    let of_message: fn(&Value) -> &Value = |output| &output[0]["message"]["content"];
    [
        kind(WireApi::ChatCompletions, "text/event-stream", format!("data: {chunk}\n\n").into(), of_message),
        kind(WireApi::OllamaChat, "application/x-ndjson", format!("{line}\n").into(), of_message),
        kind(WireApi::OllamaChat, "text/plain", format!("{line}\n").into(), of_message),
        kind(
            WireApi::Converse,
            "application/vnd.amazon.eventstream",
            event_stream_message(":event-type", "contentBlockDelta", delta.to_string().as_bytes()),
            |output| &output[0]["content"][0]["text"],
        ),
        // An array, which its content type does not tell from any other JSON.
        kind(WireApi::GenerateContent, "application/json", format!("[{content}\n,\r\n").into(), |output| {
            &output["candidates"][0]["content"]["parts"][0]["text"]
        }),
    ]
}

/// The bound is the process's, so each of these tests has a process of its own.
fn alone(test: &str, work: fn()) {
    const CHILD: &str = "BRAINTRUST_TESTS_OPEN_STREAMS";
    if std::env::var(CHILD).is_ok_and(|child| child == test) {
        return work();
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args([&format!("open_streams::{test}"), "--exact", "--nocapture"]);
    child.env(CHILD, test).env("BRAINTRUST_QUEUE_BYTES", BOUND.to_string());
    assert!(child.status().unwrap().success(), "{test} failed; see above");
}

#[test]
fn streams_of_every_framing_are_read_while_they_are_open() {
    alone("streams_of_every_framing_are_read_while_they_are_open", || kinds().iter().for_each(keep_open));
}

/// A hundred thousand tokens, each in an event of hundreds of bytes, and all of them again in the last.
#[test]
fn an_answer_of_many_events_is_read_to_its_end() {
    const WORDS: usize = 100_000;
    alone("an_answer_of_many_events_is_read_to_its_end", || {
        let (logger, rows) = memory_logger();
        let event = |event: Value| Bytes::from(format!("data: {event}\n\n"));
        let delta = event(padded(
            json!({"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "word "}),
        ));
        let text = "word ".repeat(WORDS);
        let output =
            json!([{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}]);
        let usage = json!({"input_tokens": 3, "output_tokens": WORDS});
        let last = event(json!({"type": "response.completed", "response": {"output": output, "usage": usage}}));
        assert!(delta.len() * WORDS > 16 * 1024 * 1024 && last.len() > 400 * 1024);

        let mut call = begin(&logger, &Endpoint::new("acme", WireApi::Responses), "{}");
        call.respond(200, Some("text/event-stream"));
        for number in 0..WORDS {
            call.chunk(&delta);
            if number % 2_000 == 0 {
                logger.flush_blocking(LIMIT).unwrap();
            }
        }
        call.chunk(&last);
        call.finish();
        logger.flush_blocking(LIMIT).unwrap();
        let row = &merged(&rows)[0];
        assert_eq!(row["span_attributes"]["response_notes"], Value::Null);
        assert!(row["output"] == output);
        assert_eq!(row["metrics"]["tokens"], WORDS + 3);
    });
}

fn keep_open(kind: &Kind) {
    let (logger, rows) = memory_logger();
    let endpoint = Endpoint::new("acme", kind.api);
    let mut calls: Vec<_> = (0..STREAMS).map(|_| begin(&logger, &endpoint, r#"{"model":"m"}"#)).collect();
    for call in &mut calls {
        call.respond(200, Some(kind.content_type));
        assert!(!call.span().is_noop());
    }
    let events = BYTES / kind.event.len();
    for number in 0..events {
        calls.iter_mut().for_each(|call| call.chunk(&kind.event));
        // What is read while it arrives is read at the latest by then.
        if number % 100 == 0 {
            logger.flush_blocking(LIMIT).unwrap();
        }
    }
    logger.flush_blocking(LIMIT).unwrap();
    let more = ModelCall::begin(endpoint, Bytes::new(), &CallOptions::new("test-client").with_logger(&logger));
    assert!(!more.span().is_noop(), "{}: there is room for another", kind.content_type);
    calls.into_iter().for_each(ModelCall::finish);
    more.finish();
    logger.flush_blocking(LIMIT).unwrap();
    let rows = merged(&rows);
    assert_eq!(rows.len(), STREAMS + 1);
    for row in &rows[..STREAMS] {
        let text = (kind.text)(&row["output"]).as_str().unwrap_or_default();
        assert!(text == "word ".repeat(events), "{}: {} of {events} events", kind.content_type, text.len() / 5);
        assert_eq!(row["span_attributes"]["response_notes"], Value::Null);
        assert!(row["metrics"]["time_to_first_token"].is_number());
    }
}
