//! Rows that a server fails at, without refusing them.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// A backend that fails at requests with one of these rows; at all, while it is down.
async fn backend(bad: &'static [u64], is_down: &Arc<AtomicBool>) -> Backend {
    let is_down = Arc::clone(is_down);
    Backend::start(move |seen| {
        let fails = seen.is("/logs3")
            && (is_down.load(Ordering::Relaxed) || ids(&[seen]).concat().iter().any(|id| bad.contains(id)));
        ready(if fails { answer(500, "boom") } else { None })
    })
    .await
}

#[tokio::test]
async fn a_row_that_a_server_fails_at_does_not_hold_up_all_others_for_ever() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for spool in ["off", dir.path().to_str().expect("text")] {
        let backend = backend(&[7, 40], &Arc::default()).await;
        let variables = [("BRAINTRUST_SPOOL_DIR", spool), ("BRAINTRUST_NUM_RETRIES", "0")];
        let mut sink = sink_with(target(&backend.url), &variables);
        sink.accept(batch(1..=50));
        within(async {
            while sink.stats().delivered < 48 {
                sink.settled().await;
            }
        })
        .await;
        let stats = sink.stats();
        let (kept, lost) = if spool == "off" { (0, Losses::of(LossReason::Rejected, 2)) } else { (2, Losses::NONE) };
        assert_eq!((stats.spooled, stats.lost, stats.queued), (kept, lost, 0));
        assert!(stats.last_error.expect("an error").contains("boom"));
        let report = sink.ledger.report(None).expect_err("somebody has to look into it").to_string();
        assert!(report.contains("HTTP 500"), "{report}");
        sink.accept(batch([51]));
        sink.settled().await;
        assert_eq!(sink.stats().delivered, 49);
    }
}

#[tokio::test]
async fn while_a_server_fails_at_all_rows_none_is_blamed_and_few_requests_are_spent() {
    let is_down = Arc::new(AtomicBool::new(true));
    let backend = backend(&[], &is_down).await;
    let mut sink = sink_with(target(&backend.url), &[("BRAINTRUST_NUM_RETRIES", "0")]);
    sink.accept(batch(1..=100));
    let failures = 20;
    until(&sink, || backend.requests_to("/logs3").len() >= failures).await;
    is_down.store(false, Ordering::Relaxed);
    sink.settled().await;
    let stats = sink.stats();
    assert_eq!((stats.delivered, stats.lost, stats.queued), (100, Losses::NONE, 0));
    // What is halved down to single rows, and a few of these.
    let sizes: Vec<_> = ids(&backend.requests_to("/logs3")).iter().map(Vec::len).collect();
    let probes = sizes.iter().filter(|size| **size == 100).count();
    assert!(sizes.len() <= 16 * probes, "{sizes:?}");
}

async fn until(sink: &TestSink, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    within(sink.local.run_until(waiting)).await;
}
