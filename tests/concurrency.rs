//! One shared client, a thousand concurrent callers: every span has its own caller as parent, on every executor.

use std::collections::HashMap;
use std::time::Duration;

use braintrust::{Instrument, Logger, Traces, current_span, traced};
use futures::StreamExt as _;
use futures::future::{Either, join_all, select};
use futures::stream::FuturesUnordered;
use serde_json::Value;

/// A client that every caller shares. It stores no span: whose child a call is, the call itself knows.
#[derive(Clone)]
struct Client;

/// Lifts the bound on what may wait: these tests make spans faster than a busy machine exports them, and count them all.
fn lift_bound() {
    let folder = tempfile::tempdir().unwrap();
    let anything = Logger::builder().project("unused").local_folder(folder.path());
    anything.queue_spans(usize::MAX).queue_bytes(usize::MAX).build().unwrap();
}

/// Gives way to other tasks, which with several workers moves this one between threads.
async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|task| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        task.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

impl Client {
    #[traced("complete", type = "llm")]
    async fn complete(&self, marker: u64) -> u64 {
        yield_now().await;
        let tokens = self.count(marker).await;
        yield_now().await;
        self.parse(marker) + tokens
    }

    #[traced("count")]
    async fn count(&self, marker: u64) -> u64 {
        yield_now().await;
        marker
    }

    #[traced("parse")]
    fn parse(&self, marker: u64) -> u64 {
        marker
    }
}

/// One caller: calls in sequence, side by side, raced, timed out, and collected.
#[traced("caller", type = "task")]
async fn caller(client: Client, marker: u64) -> u64 {
    let first = client.complete(marker).await;
    let (left, right) = futures::join!(client.complete(marker), client.complete(marker));
    let loser = std::pin::pin!(client.complete(marker));
    let winner = std::pin::pin!(client.complete(marker));
    let raced = match select(winner, loser).await {
        Either::Left((value, _)) | Either::Right((value, _)) => value,
    };
    let mut unordered: FuturesUnordered<_> = (0..4).map(|_| client.complete(marker)).collect();
    let mut sum = first + left + right + raced;
    while let Some(value) = unordered.next().await {
        sum += value;
    }
    sum
}

/// Calls that each caller makes; one of the two raced ones may not get to its children.
const CALLS: usize = 9;

/// Whether each span hangs under its own caller, all the way up.
fn assert_none_crossed(traces: &Traces, callers: usize) {
    let spans = traces.spans();
    let markers: HashMap<String, Value> =
        spans.iter().map(|span| (span.span_id().to_owned(), span.input().unwrap()["marker"].clone())).collect();
    let mut calls = 0;
    for span in &spans {
        let parent = span.parent();
        let expected = match span.name() {
            "caller" => None,
            "complete" => Some("caller"),
            _ => Some("complete"),
        };
        assert_eq!(parent.as_ref().map(|parent| parent.name()), expected, "{span:?}");
        assert!(span.is_finished(), "{span:?}");
        if let Some(parent) = parent {
            assert_eq!(markers[span.span_id()], markers[parent.span_id()], "crossed: {span:?} under {parent:?}");
            assert_eq!(span.root_span_id(), parent.root_span_id());
        }
        calls += usize::from(span.name() == "complete");
    }
    assert_eq!(spans.iter().filter(|span| span.name() == "caller").count(), callers);
    assert_eq!(calls, callers * CALLS);
}

/// Callers on a runtime of several threads: 1,000 at a time, half of them spawned within the capture's context, with
/// some aborted and some timed out on the way.
#[test]
fn no_span_is_crossed_on_a_multi_thread_runtime() {
    const ROUNDS: usize = 12;
    const CALLERS: usize = 1_000;
    const { assert!(ROUNDS * CALLERS * CALLS > 100_000) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    lift_bound();
    let client = Client;
    for round in 0..ROUNDS {
        // A capture for each, so that no more than the spans of one are in memory.
        let traces = runtime.block_on(braintrust::testing::capture(async {
            let tasks = (0..CALLERS).map(|index| {
                let marker = (round * CALLERS + index) as u64;
                tokio::spawn(caller(client.clone(), marker).in_current_span())
            });
            for (index, done) in join_all(tasks).await.into_iter().enumerate() {
                let marker = (round * CALLERS + index) as u64;
                assert_eq!(done.unwrap(), 2 * marker * 8);
            }
        }));
        assert_none_crossed(&traces, CALLERS);
    }
}

#[test]
fn no_span_is_crossed_by_timeouts_and_aborts() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    lift_bound();
    let traces = runtime.block_on(braintrust::testing::capture(async {
        let tasks = (0..1_000u64).map(|marker| {
            let call = caller(Client, marker).in_current_span();
            let limit = Duration::from_micros(if marker % 3 == 0 { marker } else { 60_000_000 });
            let task = tokio::spawn(tokio::time::timeout(limit, call));
            if marker % 3 == 1 {
                task.abort();
            }
            task
        });
        for task in join_all(tasks).await {
            assert!(task.is_ok() || task.unwrap_err().is_cancelled());
        }
    }));
    for span in traces.spans() {
        assert!(span.is_finished(), "{span:?}");
        if let Some(parent) = span.parent() {
            assert_eq!(span.input().unwrap()["marker"], parent.input().unwrap()["marker"]);
        }
    }
    assert!(traces.find_all("caller").len() >= 333);
}

#[test]
fn no_span_is_crossed_on_a_current_thread_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    lift_bound();
    let traces = runtime.block_on(braintrust::testing::capture(async {
        let tasks = (0..1_000).map(|marker| tokio::spawn(caller(Client, marker).in_current_span()));
        for done in join_all(tasks).await {
            done.unwrap();
        }
    }));
    assert_none_crossed(&traces, 1_000);
}

#[test]
fn no_span_is_crossed_without_any_runtime() {
    lift_bound();
    let traces = futures::executor::block_on(braintrust::testing::capture(async {
        join_all((0..1_000).map(|marker| caller(Client, marker))).await;
    }));
    assert_none_crossed(&traces, 1_000);
}

/// The executor's own state is not ours: after everything, nothing is current.
#[test]
fn nothing_stays_current() {
    futures::executor::block_on(braintrust::testing::capture(caller(Client, 1)));
    assert!(current_span().is_noop());
}
