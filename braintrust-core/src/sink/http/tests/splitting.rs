//! Requests that are sent in parts because they are too large, or too slow.

use std::cell::Cell;
use std::fmt::Debug;
use std::pin::pin;
use std::time::Instant;

use futures::future::{Either, select};

use super::*;

const A_HUNDRED_KB: usize = 100_000;

fn rows_of(size: usize, ids: impl IntoIterator<Item = u32>) -> RowBatch {
    let mut batch = RowBatch::default();
    for id in ids {
        batch.push_with(u64::from(id), None, |text| {
            text.extend_from_slice(format!(r#"{{"id":{id},"input":"{}""#, "x".repeat(size)).as_bytes());
        });
    }
    batch
}

/// A server that never answers a request for rows of more than `size` bytes, the first `times` times.
async fn overwhelmed_by(size: usize, times: usize) -> Backend {
    Backend::start(move |seen| async move {
        if seen.is("/logs3") && seen.body.len() > size && seen.nth <= times {
            pending::<()>().await;
        }
        None
    })
    .await
}

const HTTP_TIMEOUT: Duration = Duration::from_secs(1);

fn impatient(backend: &Backend) -> TestSink {
    let timeout = HTTP_TIMEOUT.as_secs().to_string();
    sink_with(target(&backend.url), &[("BRAINTRUST_HTTP_TIMEOUT", &*timeout)])
}

#[tokio::test]
async fn too_large_a_request_is_halved_until_it_fits() {
    let backend = Backend::start(|seen| {
        let too_large = seen.is("/logs3") && seen.json()["rows"].as_array().is_some_and(|rows| rows.len() > 2);
        ready(if too_large { answer(413, "") } else { None })
    })
    .await;
    deliver_well(&mut sink(&backend), batch(1..=5)).await;
    let tried: &[&[u64]] = &[&[1, 2, 3, 4, 5], &[1, 2], &[3, 4, 5], &[3], &[4, 5]];
    assert_eq!(ids(&backend.requests_to("/logs3")), tried);
}

#[tokio::test]
async fn what_a_server_takes_is_remembered() {
    const MOST: usize = 4 * A_HUNDRED_KB;
    let backend =
        Backend::start(|seen| ready(if seen.is("/logs3") && seen.body.len() > MOST { answer(413, "") } else { None }))
            .await;
    let mut sink = sink(&backend);
    let too_large = || backend.requests_to("/logs3").iter().filter(|seen| seen.body.len() > MOST).count();
    deliver_well(&mut sink, rows_of(10_000, 1..=90)).await;
    let at_first = too_large();
    assert!(at_first > 0);
    deliver_well(&mut sink, rows_of(10_000, 101..=120)).await;
    deliver_well(&mut sink, rows_of(10_000, 201..=290)).await;
    assert!(too_large() <= at_first + 1, "{} requests were too large, {at_first} of them at first", too_large());
}

#[tokio::test]
async fn a_row_that_never_fits_is_lost_alone() {
    let backend = Backend::start(|seen| {
        let too_large = seen.is("/logs3") && seen.text().contains(r#""id":3"#);
        ready(if too_large { answer(413, "") } else { None })
    })
    .await;
    let delivery = deliver(&mut sink(&backend), batch(1..=5)).await;
    assert_eq!((delivery.delivered, delivery.lost), (4, Losses::of(LossReason::TooLarge, 1)));
    let error = delivery.error.expect("a reason");
    assert!(error.contains("HTTP 413 Payload Too Large; a row of"), "{error}");
    assert!(error.contains("log less in one span"), "{error}");
}

/// Asserts that `scenario`, in which the limit of time is for requests that nobody answers, ends like this. It may begin
/// anew where the machine held this thread up for about as long: then others have run out of time, too.
async fn assert_ends<T: Debug + PartialEq>(expected: T, scenario: impl AsyncFn() -> T) {
    const ATTEMPTS: u32 = 10;
    for attempt in 1..=ATTEMPTS {
        let held_up = Cell::new(Duration::ZERO);
        let watch = async {
            loop {
                let begun = Instant::now();
                tokio::time::sleep(Duration::from_millis(10)).await;
                held_up.set(held_up.get().max(begun.elapsed()));
            }
        };
        let ended = match within(select(pin!(scenario()), pin!(watch))).await {
            Either::Left((ended, _)) => ended,
            Either::Right((never, _)) => never,
        };
        if ended == expected {
            return;
        }
        let was_held_up = held_up.get() > HTTP_TIMEOUT / 2;
        assert!(was_held_up && attempt < ATTEMPTS, "{ended:?}, expected {expected:?}; held up for {held_up:?}");
    }
}

#[tokio::test]
async fn a_large_request_that_runs_out_of_time_is_halved() {
    let tried = vec![vec![1, 2, 3, 4], vec![1, 2], vec![3, 4]];
    let told = "/logs3: no answer in time; sending the rows in smaller requests".to_owned();
    assert_ends((tried, told), async || {
        let backend = overwhelmed_by(250_000, usize::MAX).await;
        let mut sink = impatient(&backend);
        let ledger = Arc::clone(&sink.ledger);
        let notes = async {
            loop {
                match ledger.trouble() {
                    Some(error) => break error,
                    None => tokio::time::sleep(Duration::from_millis(1)).await,
                }
            }
        };
        let both = futures::future::join(deliver(&mut sink, rows_of(A_HUNDRED_KB, 1..=4)), notes);
        let (delivery, note) = within(both).await;
        assert_eq!((delivery.delivered, delivery.lost, delivery.error), (4, Losses::NONE, None));
        let note = note.trim_start_matches(&format!("POST {}", backend.url)).to_owned();
        (ids(&backend.requests_to("/logs3")), note)
    })
    .await;
}

#[tokio::test]
async fn a_small_request_that_runs_out_of_time_is_repeated_as_it_is() {
    assert_ends(vec![vec![1, 2], vec![1, 2]], async || {
        let backend = overwhelmed_by(0, 1).await;
        deliver_well(&mut impatient(&backend), batch([1, 2])).await;
        ids(&backend.requests_to("/logs3"))
    })
    .await;
}

#[tokio::test]
async fn a_large_row_that_runs_out_of_time_is_repeated_and_not_lost() {
    assert_ends(vec![vec![1], vec![1]], async || {
        let backend = overwhelmed_by(250_000, 1).await;
        deliver_well(&mut impatient(&backend), rows_of(3 * A_HUNDRED_KB, [1])).await;
        ids(&backend.requests_to("/logs3"))
    })
    .await;
}
