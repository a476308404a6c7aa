//! Responses that are too long to keep: bounded in memory and time, and what they cost is found all the same.

use std::time::{Duration, Instant};

use braintrust::llm::{CallOptions, Endpoint, ModelCall, WireApi};
use braintrust::testing::memory_logger;
use braintrust::{TracedSpan, Traces};
use bytes::Bytes;

/// Longer than any busy machine needs.
const LIMIT: Duration = Duration::from_secs(60);
const MEGABYTE: usize = 1024 * 1024;

/// The one test of this binary: the memory that is measured is the process's.
#[test]
fn nothing_is_too_long() {
    a_line_of_a_hundred_megabytes();
    a_stream_without_end();
    pings_without_end();
    much_text_in_one_event_after_many();
    an_answer_that_is_too_long_still_says_what_it_cost();
    #[cfg(target_os = "linux")]
    {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let peak: usize = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(peak / 1024 < 300, "at its peak the process took {} MiB", peak / 1024);
    }
}

/// The span of one call whose response comes in these chunks.
fn traces_of(content_type: &str, chunks: impl IntoIterator<Item = Bytes>) -> Traces {
    let started = Instant::now();
    let (logger, rows) = memory_logger();
    let options = CallOptions::new("test-client").with_logger(&logger);
    let request = Bytes::from_static(br#"{"model":"m","messages":[]}"#);
    let mut call = ModelCall::begin(Endpoint::new("acme", WireApi::ChatCompletions), request, &options);
    call.respond(200, Some(content_type));
    chunks.into_iter().for_each(|chunk| call.chunk(&chunk));
    call.finish();
    logger.flush_blocking(LIMIT).unwrap();
    assert!(started.elapsed() < LIMIT);
    let traces = rows.traces();
    assert!(traces.tree().to_string().len() < 5 * MEGABYTE);
    traces
}

fn call(traces: &Traces) -> TracedSpan<'_> {
    traces.find("Chat Completion")
}

fn notes(traces: &Traces) -> String {
    call(traces).span_attributes().unwrap()["response_notes"].to_string()
}

fn repeated(chunk: Bytes, total: usize) -> impl Iterator<Item = Bytes> {
    let count = total / chunk.len();
    std::iter::repeat_n(chunk, count)
}

fn a_line_of_a_hundred_megabytes() {
    let head = Bytes::from_static(br#"data: {"choices":[{"index":0,"delta":{"content":""#);
    let line = repeated(Bytes::from(vec![b'x'; 64 * 1024]), 100 * MEGABYTE);
    let tail = Bytes::from_static(b"\"}}]}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":3}}\n\n");
    let traces = traces_of("text/event-stream", std::iter::once(head).chain(line).chain([tail]));
    assert!(notes(&traces).contains("were not kept"), "{}", notes(&traces));
    assert_eq!(call(&traces).metric("prompt_tokens"), Some(3.0), "what comes at the end is found");
}

fn a_stream_without_end() {
    let event = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"again \"}}]}\n\n".repeat(1000);
    let chunks = repeated(Bytes::from(event), 80 * MEGABYTE);
    let usage =
        Bytes::from_static(b"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n");
    let traces = traces_of("text/event-stream", chunks.chain([usage]));
    assert!(notes(&traces).contains("were not kept"));
    let text = &call(&traces).output().unwrap()[0]["message"]["content"];
    assert!(text.as_str().unwrap().starts_with("again again "));
    assert_eq!(call(&traces).metric("tokens"), Some(7.0));
}

fn pings_without_end() {
    let traces = traces_of("text/event-stream", repeated(Bytes::from(": ping\n\n".repeat(8000)), 80 * MEGABYTE));
    assert!(notes(&traces).contains("no events"), "{}", notes(&traces));
}

/// What is read while it arrives is bounded by what it comes to, wherever in the stream that is.
fn much_text_in_one_event_after_many() {
    let event = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"again \"}}]}\n\n".repeat(1000);
    let line = std::iter::once(Bytes::from_static(br#"data: {"choices":[{"index":0,"delta":{"content":""#))
        .chain(repeated(Bytes::from(vec![b'x'; 64 * 1024]), 40 * MEGABYTE));
    let end = Bytes::from_static(b"\"}}]}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":3}}\n\n");
    let traces = traces_of("text/event-stream", std::iter::once(Bytes::from(event)).chain(line).chain([end]));
    assert!(notes(&traces).contains("were not kept"));
    let text = &call(&traces).output().unwrap()[0]["message"]["content"];
    assert!(text.as_str().unwrap().starts_with("again again "));
    assert_eq!(call(&traces).metric("prompt_tokens"), Some(3.0));
}

fn an_answer_that_is_too_long_still_says_what_it_cost() {
    let head = Bytes::from_static(br#"{"model":"m-1","choices":[{"index":0,"message":{"role":"assistant","content":""#);
    let text = repeated(Bytes::from(r#"\"usage\":{\"prompt_tokens\":99}"#.repeat(2000)), 40 * MEGABYTE);
    let tail = br#""}}],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}"#;
    let traces = traces_of("application/json", std::iter::once(head).chain(text).chain([Bytes::from_static(tail)]));
    assert!(notes(&traces).contains("were not kept"));
    assert_eq!(call(&traces).metric("tokens"), Some(7.0));
    assert_eq!(call(&traces).metadata().unwrap()["model"], "m-1");
}
