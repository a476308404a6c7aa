//! What the books say of rows on disk, whoever put them there.

use std::sync::atomic::{AtomicU16, Ordering};

use super::*;

#[tokio::test]
async fn rows_of_another_process_are_never_taken_from_this_ones() {
    let (dir, mood) = (tempfile::tempdir().expect("a temporary folder"), Arc::new(AtomicU16::new(503)));
    let status = Arc::clone(&mood);
    let backend = Backend::start(move |seen| {
        let status = status.load(Ordering::Relaxed);
        ready(if seen.is("/logs3") && status != 200 { answer(status, "no") } else { None })
    })
    .await;
    let variables = [
        ("BRAINTRUST_SPOOL_DIR", dir.path().to_str().expect("text")),
        ("BRAINTRUST_SPOOL_BYTES", "4000"),
        ("BRAINTRUST_NUM_RETRIES", "0"),
    ];
    let mut earlier = sink_with(target(&backend.url), &variables);
    earlier.accept(batch(1..=10));
    earlier.settled().await;
    assert_eq!(earlier.stats().spooled, 10);
    drop(earlier);

    let mut sink = sink_with(target(&backend.url), &variables);
    mood.store(400, Ordering::Relaxed);
    sink.settled().await;
    assert_eq!((sink.stats().spooled, sink.stats().lost), (0, Losses::NONE), "they are kept, and are not its own");
    // Its own rows need the room.
    mood.store(503, Ordering::Relaxed);
    let mut recorded = 0;
    while sink.stats().lost == Losses::NONE {
        sink.accept(batch(recorded + 100..recorded + 105));
        recorded += 5;
        sink.settled().await;
    }
    let stats = sink.stats();
    assert_eq!(stats.spooled + stats.queued, u64::from(recorded), "{stats:?}");
}
