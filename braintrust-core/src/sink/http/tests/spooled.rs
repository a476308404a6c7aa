//! Rows that wait on disk: while the backend is away or refuses, in durable mode, and from one process to the next.

use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};

use tempfile::TempDir;
use tokio::sync::Notify;

use super::*;
use crate::report::FlushReport;

/// A backend whose requests for rows are answered with a status that a test changes as it goes; 200 is the usual answer.
async fn moody() -> (Backend, Arc<AtomicU16>) {
    let mood = Arc::new(AtomicU16::new(200));
    let status = Arc::clone(&mood);
    let backend = Backend::start(move |seen| {
        let status = status.load(Ordering::Relaxed);
        let refused = seen.is("/logs3") && status != 200;
        ready(if refused { answer(status, "not now") } else { None })
    })
    .await;
    (backend, mood)
}

fn sink_in(dir: &TempDir, backend: &Backend, more: &[(&str, &str)]) -> TestSink {
    let dir = dir.path().to_str().expect("text");
    let variables: Vec<_> = more.iter().copied().chain([("BRAINTRUST_SPOOL_DIR", dir)]).collect();
    sink_with(target(&backend.url), &variables)
}

fn scratch() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// The files of the one tenant.
fn files(dir: &TempDir) -> Vec<std::path::PathBuf> {
    let entries =
        |path: &Path| std::fs::read_dir(path).into_iter().flatten().map(|entry| entry.expect("an entry").path());
    entries(dir.path()).flat_map(|tenant| entries(&tenant).collect::<Vec<_>>()).collect()
}

async fn flush(sink: &mut TestSink) -> Result<FlushReport, String> {
    sink.settled().await;
    sink.ledger.report(None).map_err(|error| error.to_string())
}

fn report(delivered: u64, spooled: u64) -> Result<FlushReport, String> {
    Ok(FlushReport { delivered, spooled, ..FlushReport::default() })
}

fn sorted(backend: &Backend) -> Vec<u64> {
    let mut all = ids(&backend.requests_to("/logs3")).concat();
    all.sort();
    all.dedup();
    all
}

#[tokio::test]
async fn rows_wait_on_disk_while_the_backend_is_away() {
    let (dir, (backend, mood)) = (scratch(), moody().await);
    let mut sink = sink_in(&dir, &backend, &[]);
    mood.store(503, Ordering::Relaxed);
    sink.accept(batch(1..=3));
    assert_eq!(flush(&mut sink).await, report(0, 3));
    sink.accept(batch(4..=6));
    assert_eq!(flush(&mut sink).await, report(0, 6));
    let stats = sink.stats();
    assert_eq!((stats.queued, stats.queued_bytes, stats.spooled), (0, 0, 6), "what is on disk takes no memory");
    assert!(stats.last_error.expect("an error").contains("HTTP 503"));

    mood.store(200, Ordering::Relaxed);
    sink.accept(batch([7]));
    assert_eq!(flush(&mut sink).await, report(7, 0));
    assert_eq!(files(&dir).len(), 0, "what is delivered takes no space");
    let arrived = ids(&backend.requests_to("/logs3"));
    assert_eq!(arrived.last(), Some(&vec![1, 2, 3, 4, 5, 6, 7]), "in their order: {arrived:?}");
}

#[tokio::test]
async fn a_flush_does_not_wait_while_the_server_wants_to_be_left_alone() {
    let backend = Backend::start(|seen| {
        let busy = || (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "300")], "later").into_response();
        ready(seen.is("/logs3").then(busy))
    })
    .await;
    let dir = scratch();
    let mut sink = sink_in(&dir, &backend, &[("BRAINTRUST_NUM_RETRIES", "0")]);
    for id in 1..=3 {
        sink.accept(batch([id]));
        assert_eq!(flush(&mut sink).await, report(0, u64::from(id)));
    }
    assert_eq!(backend.requests_to("/logs3").len(), 1, "it is left alone");
}

/// One row of a span, with so many bytes in it.
fn large(span: u64, id: u64, bytes: usize) -> RowBatch {
    let mut rows = RowBatch::default();
    let text = format!(r#"{{"id":{id},"input":"{}""#, "x".repeat(bytes));
    rows.push_with(span, None, |out| out.extend_from_slice(text.as_bytes()));
    rows
}

#[tokio::test]
async fn rows_that_fill_memory_go_to_disk_while_requests_hang_and_keep_their_order() {
    relieved_while_requests_hang("0").await;
}

#[tokio::test]
async fn rows_that_are_on_disk_already_are_read_back_after_they_had_to_leave_memory() {
    relieved_while_requests_hang("1").await;
}

async fn relieved_while_requests_hang(durable: &str) {
    let (dir, go_on) = (scratch(), Arc::new(Notify::new()));
    let answered = Arc::clone(&go_on);
    let backend = Backend::start(move |seen| {
        let answered = Arc::clone(&answered);
        async move {
            if seen.is("/logs3") && seen.nth == 1 {
                answered.notified().await;
            }
            None
        }
    })
    .await;
    let more = [("BRAINTRUST_MAX_CONCURRENT_LOG_REQUESTS", "1"), ("BRAINTRUST_DURABLE", durable)];
    let mut sink = sink_in(&dir, &backend, &more);
    (1..=20).for_each(|id| sink.accept(large(id % 5, id, 500_000)));
    within(sink.local.run_until(async {
        while backend.requests_to("/logs3").is_empty() {
            tokio::task::yield_now().await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }))
    .await;
    sink.sink.relieve();
    let stats = sink.stats();
    assert_eq!((stats.queued, stats.spooled), (0, 20));
    assert!(stats.queued_bytes < 3_000_000, "only what is under way: {}", stats.queued_bytes);
    go_on.notify_one();
    assert_eq!(flush(&mut sink).await, report(20, 0));
    let arrived = ids(&backend.requests_to("/logs3")).concat();
    assert_eq!(arrived, (1..=20).collect::<Vec<_>>());
}

#[tokio::test]
async fn rows_of_a_span_keep_their_order_after_the_disk_was_full() {
    let (dir, mood) = (scratch(), Arc::new(AtomicU16::new(503)));
    let (reached, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let arrived = Arc::new(std::sync::Mutex::new(Vec::new()));
    let script = (Arc::clone(&mood), Arc::clone(&reached), Arc::clone(&go_on), Arc::clone(&arrived));
    let backend = Backend::start(move |seen| {
        let (mood, reached, go_on, arrived) = script.clone();
        async move {
            if !seen.is("/logs3") {
                return None;
            }
            if seen.text().contains(r#""id":1000,"#) && mood.load(Ordering::Relaxed) == 200 {
                mood.store(503, Ordering::Relaxed);
                reached.notify_one();
                go_on.notified().await;
                return answer(503, "not now");
            }
            if mood.load(Ordering::Relaxed) == 503 {
                return answer(503, "not now");
            }
            arrived.lock().expect("no handler panicked").extend(ids(&[seen]).concat());
            None
        }
    })
    .await;
    let more = [
        ("BRAINTRUST_SPOOL_BYTES", "4000000"),
        ("BRAINTRUST_NUM_RETRIES", "0"),
        ("BRAINTRUST_MAX_CONCURRENT_LOG_REQUESTS", "1"),
        // So that there is room on disk when the start is under way, whatever requests aim at.
        ("BRAINTRUST_DEFAULT_BATCH_SIZE", "1"),
    ];
    let mut sink = sink_in(&dir, &backend, &more);
    (1..=3).for_each(|id| sink.accept(large(id, id, 1_200_000)));
    assert_eq!(flush(&mut sink).await, report(0, 3));
    // The disk is full, so these wait in memory: the start of span 7, and others.
    for (span, id) in [(7, 1000), (8, 1001), (9, 1002)] {
        sink.accept(large(span, id, 1_000_000));
    }
    mood.store(200, Ordering::Relaxed);
    within(sink.local.run_until(reached.notified())).await;
    // There is room again, the start is under way, and the span goes on.
    sink.accept(large(7, 2000, 10));
    go_on.notify_one();
    drop(flush(&mut sink).await);
    mood.store(201, Ordering::Relaxed);
    drop(flush(&mut sink).await);
    let arrived = arrived.lock().expect("no handler panicked");
    let place = |id: u64| arrived.iter().position(|arrived| *arrived == id);
    assert!(place(1000).is_some() && place(1000) < place(2000), "{arrived:?}");
}

#[tokio::test]
async fn the_next_process_sends_what_one_has_left() {
    let (dir, (backend, mood)) = (scratch(), moody().await);
    mood.store(503, Ordering::Relaxed);
    let mut first = sink_in(&dir, &backend, &[]);
    first.accept(batch(1..=3));
    assert_eq!(flush(&mut first).await, report(0, 3));
    drop(first);

    mood.store(200, Ordering::Relaxed);
    let mut second = sink_in(&dir, &backend, &[]);
    second.accept(batch([4]));
    assert_eq!(flush(&mut second).await, report(1, 0), "others' rows are in no report");
    let stats = second.stats();
    assert_eq!((stats.delivered, stats.recovered, stats.recorded), (1, 3, 1));
    let arrived = ids(&backend.requests_to("/logs3"));
    assert_eq!(arrived.last(), Some(&vec![1, 2, 3, 4]), "{arrived:?}");
    assert_eq!(files(&dir).len(), 0);
}

#[tokio::test]
async fn rows_of_one_span_keep_their_order_through_the_disk() {
    let (dir, (backend, mood)) = (scratch(), moody().await);
    mood.store(503, Ordering::Relaxed);
    let mut sink = sink_in(&dir, &backend, &[]);
    let row_of_one_span = |id: u32| {
        let mut batch = RowBatch::default();
        batch.push_with(1, None, |text| text.extend_from_slice(format!(r#"{{"id":{id}"#).as_bytes()));
        batch
    };
    for id in 1..=4 {
        sink.accept(row_of_one_span(id));
    }
    assert_eq!(flush(&mut sink).await, report(0, 4));
    mood.store(200, Ordering::Relaxed);
    sink.accept(row_of_one_span(5));
    assert_eq!(flush(&mut sink).await, report(5, 0));
    let arrived = ids(&backend.requests_to("/logs3"));
    assert_eq!(arrived[arrived.len() - 4..], [[2], [3], [4], [5]], "one at a time: {arrived:?}");
}

#[tokio::test]
async fn what_a_key_may_not_send_is_kept_and_told_of() {
    let (dir, (backend, mood)) = (scratch(), moody().await);
    mood.store(401, Ordering::Relaxed);
    let mut sink = sink_in(&dir, &backend, &[]);
    sink.accept(batch(1..=3));
    let error = flush(&mut sink).await.expect_err("a refusal");
    assert!(error.contains("0 delivered, 3 spooled, none lost") && error.contains("HTTP 401"), "{error}");
    assert!(error.contains("BRAINTRUST_API_KEY") && error.contains("kept on disk"), "{error}");

    mood.store(200, Ordering::Relaxed);
    assert_eq!(flush(&mut sink).await, report(3, 0));
    assert_eq!(sorted(&backend), [1, 2, 3]);
}

#[tokio::test]
async fn what_is_refused_for_good_is_kept_for_the_next_process_only() {
    let dir = scratch();
    let is_fixed = Arc::new(AtomicU16::new(0));
    let fixed = Arc::clone(&is_fixed);
    let backend = Backend::start(move |seen| {
        let bad = seen.is("/logs3") && seen.text().contains(r#""id":2,"#) && fixed.load(Ordering::Relaxed) == 0;
        ready(if bad { answer(400, "bad row") } else { None })
    })
    .await;
    let mut sink = sink_in(&dir, &backend, &[]);
    sink.accept(batch(1..=3));
    let error = flush(&mut sink).await.expect_err("a refusal");
    assert!(error.contains("2 delivered, 1 spooled, none lost") && error.contains("bad row"), "{error}");
    let before = backend.requests_to("/logs3").len();
    assert_eq!(flush(&mut sink).await, report(0, 1));
    assert_eq!(backend.requests_to("/logs3").len(), before, "not again");
    drop(sink);

    let mut again = sink_in(&dir, &backend, &[]);
    assert!(flush(&mut again).await.expect_err("a refusal").contains("bad row"));
    drop(again);
    is_fixed.store(1, Ordering::Relaxed);
    let mut last = sink_in(&dir, &backend, &[]);
    assert_eq!(flush(&mut last).await, report(0, 0));
    assert_eq!((last.stats().recovered, files(&dir).len()), (1, 0));
}

#[tokio::test]
async fn in_durable_mode_rows_are_on_disk_before_they_are_sent() {
    let dir = scratch();
    let path = dir.path().to_owned();
    let backend = Backend::start(move |seen| {
        let on_disk = || {
            let folders = std::fs::read_dir(&path).expect("the spool").map(|entry| entry.expect("an entry").path());
            let files = folders.flat_map(|folder| std::fs::read_dir(folder).expect("a folder"));
            let files: Vec<_> =
                files.map(|entry| std::fs::read(entry.expect("an entry").path()).expect("a file")).collect();
            files.concat().windows(7).any(|part| part == br#"{"id":1"#)
        };
        ready(if seen.is("/logs3") && !on_disk() { answer(400, "not on disk") } else { None })
    })
    .await;
    let mut sink = sink_in(&dir, &backend, &[("BRAINTRUST_DURABLE", "true")]);
    sink.accept(batch([1]));
    assert_eq!(sink.stats().spooled, 1);
    assert_eq!(flush(&mut sink).await, report(1, 0));
    assert_eq!(files(&dir).len(), 0);
}

#[tokio::test]
async fn a_process_that_ends_while_requests_hang_leaves_its_rows_on_disk() {
    let (dir, hangs, request_is_there) = (scratch(), Arc::new(AtomicU16::new(1)), Arc::new(Notify::new()));
    let script = (Arc::clone(&hangs), Arc::clone(&request_is_there));
    let backend = Backend::start(move |seen| {
        let hangs = seen.is("/logs3") && script.0.load(Ordering::Relaxed) == 1;
        if hangs {
            script.1.notify_one();
        }
        async move { if hangs { pending().await } else { None } }
    })
    .await;
    let variables = [("BRAINTRUST_DEFAULT_BATCH_SIZE", "2"), ("BRAINTRUST_MAX_CONCURRENT_LOG_REQUESTS", "1")];
    let mut sink = sink_in(&dir, &backend, &variables);
    sink.accept(batch(1..=5));
    within(sink.local.run_until(request_is_there.notified())).await;
    for _ in 0..2 {
        sink.sink.secure();
        assert_eq!((sink.stats().queued, sink.stats().spooled), (0, 5), "those under way, too, and each once");
    }
    drop(sink);

    hangs.store(0, Ordering::Relaxed);
    let mut next = sink_in(&dir, &backend, &[]);
    assert_eq!(flush(&mut next).await, report(0, 0));
    assert_eq!((next.stats().recovered, sorted(&backend)), (5, vec![1, 2, 3, 4, 5]));
    assert_eq!(files(&dir).len(), 0);
}

#[tokio::test]
async fn a_row_too_long_under_way_holds_up_no_others_for_ever() {
    let dir = scratch();
    let backend = Backend::start(|seen| async move {
        if seen.is("/logs3") && seen.body.len() > 1_000_000 {
            pending::<()>().await;
        }
        None
    })
    .await;
    let variables = [("BRAINTRUST_HTTP_TIMEOUT", "0.5"), ("BRAINTRUST_NUM_RETRIES", "0")];
    let mut sink = sink_in(&dir, &backend, &variables);
    // From here on, only requests for rows take time.
    sink.accept(batch([3]));
    arrive_alone(&mut sink, 0).await;
    sink.accept(large(1, 1, 1_100_000));
    let mut outcome = flush(&mut sink).await;
    for _ in 1..3 {
        assert_eq!(outcome, report(0, 1), "it may be the backend's fault");
        outcome = flush(&mut sink).await;
    }
    let error = outcome.expect_err("a refusal");
    assert!(error.contains("0 delivered, 1 spooled") && error.contains("BRAINTRUST_HTTP_TIMEOUT"), "{error}");
    sink.accept(batch([2]));
    arrive_alone(&mut sink, 1).await;
}

/// Flushes until the one row that has not arrived before has, beside so many that stay on disk: where the machine is busy,
/// a request may take longer than it is given.
async fn arrive_alone(sink: &mut TestSink, spooled: u64) {
    let arriving = async {
        loop {
            let outcome = flush(sink).await;
            if outcome == report(1, spooled) {
                return;
            }
            assert_eq!(outcome, report(0, spooled + 1));
        }
    };
    within(arriving).await;
}

#[tokio::test]
async fn without_a_disk_rows_wait_in_memory() {
    let (dir, (backend, mood)) = (scratch(), moody().await);
    mood.store(503, Ordering::Relaxed);
    let not_a_folder = dir.path().join("file");
    std::fs::write(&not_a_folder, "").expect("it can be written");
    let mut sink = sink_with(
        target(&backend.url),
        &[("BRAINTRUST_SPOOL_DIR", not_a_folder.to_str().expect("text")), ("BRAINTRUST_NUM_RETRIES", "0")],
    );
    sink.accept(batch(1..=3));
    let _ = trouble(&mut sink).await;
    sink.accept(batch(4..=6));
    assert_eq!((sink.stats().queued, sink.stats().spooled), (6, 0));
    mood.store(200, Ordering::Relaxed);
    assert_eq!(flush(&mut sink).await, report(6, 0));
    assert_eq!(sorted(&backend), [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn in_durable_mode_too_each_row_is_sent_once() {
    let (dir, (backend, _)) = (scratch(), moody().await);
    let mut sink = sink_in(&dir, &backend, &[("BRAINTRUST_DURABLE", "true")]);
    for ids in [1..=3, 4..=6] {
        sink.accept(batch(ids));
        assert_eq!(flush(&mut sink).await, report(3, 0));
    }
    assert_eq!(ids(&backend.requests_to("/logs3")), [[1, 2, 3], [4, 5, 6]]);
}

#[tokio::test]
async fn rows_that_were_secured_while_others_were_under_way_leave_the_disk_when_they_arrive() {
    let (dir, go_on) = (scratch(), Arc::new(Notify::new()));
    let answered = Arc::clone(&go_on);
    let backend = Backend::start(move |seen| {
        let answered = Arc::clone(&answered);
        async move {
            if seen.is("/logs3") && seen.nth == 2 {
                answered.notified().await;
            }
            None
        }
    })
    .await;
    let variables = [("BRAINTRUST_DEFAULT_BATCH_SIZE", "2"), ("BRAINTRUST_MAX_CONCURRENT_LOG_REQUESTS", "1")];
    let mut sink = sink_in(&dir, &backend, &variables);
    sink.accept(batch(1..=6));
    let second_is_under_way = async {
        while backend.requests_to("/logs3").len() < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    within(sink.local.run_until(second_is_under_way)).await;
    sink.sink.secure();
    assert_eq!((sink.stats().delivered, sink.stats().spooled), (2, 4));
    go_on.notify_one();
    assert_eq!(flush(&mut sink).await, report(6, 0));
    assert_eq!(files(&dir).len(), 0, "what is delivered takes no space");
}

/// A row of the project `slow`.
fn slow(span: u64, id: u64) -> RowBatch {
    let mut rows = RowBatch::default();
    let container = Container::Project(ProjectRef::Name("slow".to_owned())).encode();
    let text = format!(r#"{{"id":{id},"input":"{}""#, "x".repeat(100_000));
    rows.push_with(span, Some(&container), |out| out.extend_from_slice(text.as_bytes()));
    rows
}

#[tokio::test]
async fn rows_of_a_project_that_cannot_be_had_for_now_wait_on_disk_and_keep_their_order() {
    for durable in ["0", "1"] {
        let (dir, mood) = (scratch(), Arc::new(AtomicU16::new(503)));
        let status = Arc::clone(&mood);
        let backend = Backend::start(move |seen| {
            let status = status.load(Ordering::Relaxed);
            let is_slow = seen.is("/api/project/register") && seen.json()["project_name"] == "slow";
            ready(if is_slow && status != 200 { answer(status, "not now") } else { None })
        })
        .await;
        let mut sink = sink_in(&dir, &backend, &[("BRAINTRUST_NUM_RETRIES", "1"), ("BRAINTRUST_DURABLE", durable)]);
        for round in 0..3 {
            (0..20).for_each(|row| sink.accept(slow(row % 5, 100 + 20 * round + row)));
            sink.accept(batch([u32::try_from(round).expect("small") + 1]));
            assert_eq!(flush(&mut sink).await, report(1, 20 * (round + 1)));
            let stats = sink.stats();
            assert_eq!((stats.queued, stats.queued_bytes), (0, 0), "they take no memory");
            assert!(stats.last_error.expect("an error").contains("/api/project/register: HTTP 503"));
        }
        assert_eq!(sorted(&backend), [1, 2, 3], "no other rows wait for them");

        mood.store(200, Ordering::Relaxed);
        let mut delivered = 0;
        within(async {
            while delivered < 60 {
                let report = flush(&mut sink).await.expect("nothing is lost");
                delivered += report.delivered;
                assert_eq!(delivered + report.spooled, 60);
                sink.local.run_until(tokio::time::sleep(Duration::from_millis(1))).await;
            }
        })
        .await;
        let arrived = ids(&backend.requests_to("/logs3")).concat();
        for span in 0..5 {
            let of_span: Vec<_> = arrived.iter().filter(|id| **id >= 100 && **id % 5 == span).collect();
            assert!(of_span.len() == 12 && of_span.is_sorted(), "{span}: {of_span:?}");
        }
        assert_eq!((arrived.len(), files(&dir).len()), (63, 0));
    }
}

#[tokio::test]
async fn rows_of_a_project_that_is_refused_after_all_do_not_stay_among_those_that_wait() {
    let (dir, mood) = (scratch(), Arc::new(AtomicU16::new(503)));
    let status = Arc::clone(&mood);
    let backend = Backend::start(move |seen| {
        let is_slow = seen.is("/api/project/register") && seen.json()["project_name"] == "slow";
        ready(if is_slow { answer(status.load(Ordering::Relaxed), "no") } else { None })
    })
    .await;
    let mut sink = sink_in(&dir, &backend, &[("BRAINTRUST_NUM_RETRIES", "0")]);
    sink.accept(slow(1, 1));
    assert_eq!(flush(&mut sink).await, report(0, 1));
    mood.store(403, Ordering::Relaxed);
    within(async {
        while flush(&mut sink).await.is_ok() {
            sink.local.run_until(tokio::time::sleep(Duration::from_millis(1))).await;
        }
    })
    .await;
    assert!(sink.stats().last_error.expect("an error").contains("/api/project/register: HTTP 403"));
}
