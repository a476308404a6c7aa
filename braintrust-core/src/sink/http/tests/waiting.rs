//! Servers that fail for now, ask to be left alone, hang, or go on for ever.

use super::*;

#[tokio::test]
async fn a_server_error_is_tried_again() {
    let backend =
        Backend::start(|seen| ready(if seen.is("/logs3") && seen.nth <= 3 { answer(500, "boom") } else { None })).await;
    let mut sink = sink(&backend);
    deliver_well(&mut sink, batch([1, 2])).await;
    let requests = backend.requests_to("/logs3");
    assert_eq!(ids(&requests), [[1, 2], [1, 2], [1, 2], [1, 2]]);
}

#[tokio::test]
async fn the_wait_that_the_server_asks_for_is_kept() {
    let backend = Backend::start(|seen| {
        let busy = seen.is("/logs3") && seen.nth == 1;
        ready(busy.then(|| (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "1")], "slow down").into_response()))
    })
    .await;
    deliver_well(&mut sink(&backend), batch([1])).await;
    let requests = backend.requests_to("/logs3");
    assert_eq!(requests.len(), 2);
    let waited = requests[1].at - requests[0].at;
    assert!(waited >= Duration::from_secs(1), "{waited:?}");
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    static SENT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    const PIECE: usize = 1024 * 1024;
    let backend = Backend::start(|seen| {
        let pieces = std::iter::repeat_with(|| {
            SENT.fetch_add(PIECE, std::sync::atomic::Ordering::Relaxed);
            Ok::<_, std::io::Error>(axum::body::Bytes::from(vec![b' '; PIECE]))
        });
        let endless = || Response::new(axum::body::Body::from_stream(futures::stream::iter(pieces.take(400))));
        ready((seen.is("/logs3") && seen.nth == 1).then(endless))
    })
    .await;
    deliver_well(&mut sink(&backend), batch([1])).await;
    let sent = SENT.load(std::sync::atomic::Ordering::Relaxed);
    assert!(sent < 100 * PIECE, "{sent}");
}

#[tokio::test]
async fn the_wait_that_the_server_asks_for_is_kept_by_all_requests() {
    let backend = Backend::start(|seen| {
        let busy = seen.is("/logs3") && seen.nth == 1;
        ready(busy.then(|| (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "1")], "slow down").into_response()))
    })
    .await;
    let mut sink = sink(&backend);
    sink.accept(batch([1]));
    trouble(&mut sink).await;
    sink.accept(batch([2]));
    sink.settled().await;
    let requests = backend.requests_to("/logs3");
    assert!(requests[1..].iter().all(|later| later.at - requests[0].at >= Duration::from_secs(1)), "{requests:?}");
}

#[tokio::test]
async fn the_wait_that_the_server_asks_for_is_kept_when_somebody_flushes() {
    let backend = Backend::start(|seen| {
        let busy = seen.is("/logs3") && seen.nth == 1;
        ready(busy.then(|| (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "1")], "slow down").into_response()))
    })
    .await;
    // The failed request is not repeated, so the backend is away; the flush comes then.
    let mut sink = sink_with(target(&backend.url), &[("BRAINTRUST_NUM_RETRIES", "0")]);
    sink.accept(batch([1]));
    let trouble = trouble(&mut sink).await;
    assert!(trouble.contains("; trying again in"), "{trouble}");
    sink.settled().await;
    let requests = backend.requests_to("/logs3");
    assert_eq!(requests.len(), 2);
    let waited = requests[1].at - requests[0].at;
    assert!(waited >= Duration::from_secs(1), "{waited:?}");
}

#[tokio::test]
async fn a_single_request_finds_out_whether_the_backend_is_back() {
    let backend = Backend::start(|seen| {
        let fails = seen.is("/api/apikey/login") && seen.nth == 1 || seen.is("/logs3") && seen.nth <= 3;
        ready(if fails { answer(503, "") } else { None })
    })
    .await;
    let variables = [("BRAINTRUST_NUM_RETRIES", "0"), ("BRAINTRUST_DEFAULT_BATCH_SIZE", "1")];
    deliver_well(&mut sink_with(target(&backend.url), &variables), batch(1..=6)).await;
    // Requests that go out at once are answered before any row is sent again: the second would be of another row.
    assert_eq!(ids(&backend.requests_to("/logs3"))[..4], [[1], [1], [1], [1]]);
}

#[tokio::test]
async fn a_server_that_hangs_is_tried_again() {
    let backend = Backend::start(|seen| async move {
        if seen.is("/logs3") && seen.nth == 1 {
            pending::<()>().await;
        }
        None
    })
    .await;
    let mut sink = sink_with(target(&backend.url), &[("BRAINTRUST_HTTP_TIMEOUT", "0.5")]);
    deliver_well(&mut sink, batch([1])).await;
    assert!(backend.requests_to("/logs3").len() >= 2);
}
