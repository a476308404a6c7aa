//! While a backend is away, memory is bounded: new spans are refused, counted, and told of; those that began are whole.

use std::time::Duration;

use braintrust::{Logger, LossReason};

/// The one test of this binary: the bound is the process's.
#[test]
fn spans_beyond_the_bound_are_refused_and_counted() {
    // Port 9 discards, where anyone listens at all.
    let away = Logger::builder().project("away").api_key("sk-test").app_url("http://127.0.0.1:9").build().unwrap();
    let prompt = "x".repeat(3 * 1024 * 1024);
    let spans: Vec<_> = (0..120).map(|_| away.start_span("call").input(&prompt).start()).collect();
    let refused = spans.iter().filter(|span| span.is_noop()).count();
    // 256 MiB hold 85 of these.
    assert!((20..50).contains(&refused), "{refused} refused");
    assert!(spans.iter().map(|span| span.is_noop()).is_sorted(), "refused only once it is full");
    drop(spans);

    let error = away.flush_blocking(Duration::from_millis(500)).unwrap_err();
    let report = error.report().unwrap();
    assert_eq!(report.lost.count(LossReason::QueueFull), refused as u64, "{error}");
    assert_eq!(report.delivered, 0);
    assert!(report.queued >= 120 - refused as u64, "{error}");
}
