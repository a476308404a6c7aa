//! When spans of calls end, and what a flush covers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use braintrust::Logger;
use braintrust::llm::{CallOptions, Endpoint, ModelCall, WireApi};
use braintrust::testing::memory_logger;
use bytes::Bytes;

use super::{LIMIT, merged};

fn begin(logger: &Logger) -> ModelCall {
    let request = Bytes::from_static(br#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#);
    let endpoint = Endpoint::new("acme", WireApi::ChatCompletions);
    ModelCall::begin(endpoint, request, &CallOptions::new("test-client").with_logger(logger))
}

#[test]
fn a_flush_covers_calls_that_ended_before_it() {
    let (logger, rows) = memory_logger();
    for round in 1..=50 {
        let mut call = begin(&logger);
        call.respond(200, Some("application/json"));
        call.chunk(&Bytes::from_static(br#"{"choices":[]}"#));
        call.finish();
        logger.flush_blocking(LIMIT).unwrap();
        let rows = merged(&rows);
        assert_eq!(rows.len(), round, "each call is there after the flush");
        let row = &rows[round - 1];
        assert!(!row["output"].is_null(), "{row}");
        assert_eq!(row["metadata"]["provider"], "acme");
        assert_eq!(row["context"]["span_origin"]["instrumentation"]["name"], "test-client");
        let time = |key: &str| row["metrics"][key].as_f64().unwrap();
        assert!(time("start") <= time("end"), "{row}");
    }
}

#[test]
fn the_span_ends_when_the_call_does_however_late_it_is_read() {
    let (logger, rows) = memory_logger();
    begin(&logger).finish();
    let ended = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    logger.flush_blocking(LIMIT).unwrap();
    let end = merged(&rows)[0]["metrics"]["end"].as_f64().unwrap();
    // Half of the pause as slack for the two clocks.
    assert!(end < ended.as_secs_f64() + 0.025, "{end}");
}

#[test]
fn a_call_that_is_dropped_or_fails_ends_its_span_with_an_error() {
    let (logger, rows) = memory_logger();
    drop(begin(&logger));
    begin(&logger).fail(&std::io::Error::other("connection reset"));
    logger.flush_blocking(LIMIT).unwrap();
    let rows = merged(&rows);
    let errors: Vec<_> = rows.iter().map(|row| row["error"].as_str().unwrap()).collect();
    assert_eq!(errors, ["cancelled: the response was dropped before it ended", "connection reset"]);
    assert!(rows.iter().all(|row| row["metrics"]["end"].is_number()));
}
