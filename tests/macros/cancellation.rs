//! CN: futures that are dropped before they are done.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use braintrust::testing::{capture, capture_blocking};
use braintrust::{start_span, traced};
use serde_json::json;

fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[traced]
async fn forever(n: u8) -> u8 {
    std::future::pending::<()>().await;
    n
}

fn is_cancelled(span: &braintrust::TracedSpan<'_>) -> bool {
    span.is_finished()
        && span.output().is_none()
        && span.metadata().is_some_and(|metadata| metadata["outcome"] == json!("cancelled"))
        && span.error().is_some_and(|error| error.starts_with("cancelled"))
}

#[test]
fn cn_01_dropped_before_ready() {
    let traces = capture_blocking(|| assert!(poll_once(pin!(forever(1))).is_pending()));
    let span = traces.find("forever");
    assert!(is_cancelled(&span));
    assert_eq!(span.input(), Some(&json!({"n": 1})));
}

#[tokio::test]
async fn cn_02_timeouts_losers_of_select_and_aborts() {
    let traces = capture(async {
        assert!(tokio::time::timeout(Duration::ZERO, forever(1)).await.is_err());
        tokio::select! {
            biased;
            _ = forever(2) => unreachable!(),
            () = tokio::task::yield_now() => {}
        }
    })
    .await;
    let spans = traces.find_all("forever");
    assert_eq!(spans.len(), 2);
    assert!(spans.iter().all(is_cancelled));
}

#[test]
fn cn_03_a_runtime_that_is_dropped_with_a_live_task() {
    use braintrust::Instrument;
    let traces = capture_blocking(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            tokio::spawn(forever(1).in_current_span());
            tokio::task::yield_now().await;
        });
        drop(runtime);
    });
    assert!(is_cancelled(&traces.find("forever")));
}

#[test]
fn cn_04_never_polled_is_no_span() {
    let traces = capture_blocking(|| drop(forever(1)));
    assert!(traces.is_empty());
}

struct SpanOnDrop;

impl Drop for SpanOnDrop {
    fn drop(&mut self) {
        start_span("while dropped").start().end();
    }
}

#[test]
fn cn_06_destructors_run_in_the_span() {
    #[traced]
    async fn f(waits: bool) {
        let _local = SpanOnDrop;
        if waits {
            std::future::pending::<()>().await;
        }
    }
    for waits in [true, false] {
        let traces = capture_blocking(|| drop(poll_once(pin!(f(waits)))));
        assert_eq!(traces.find("while dropped").parent().unwrap().name(), "f", "waits: {waits}");
    }
}

#[test]
fn cn_07_polling_after_the_end_changes_nothing() {
    #[traced]
    fn eager() -> impl Future<Output = u8> {
        async { 1 }
    }
    let traces = capture_blocking(|| {
        let mut future = pin!(eager());
        assert!(poll_once(future.as_mut()).is_ready());
        let payload = catch_unwind(AssertUnwindSafe(|| poll_once(future.as_mut()))).unwrap_err();
        assert!(payload.downcast_ref::<&str>().unwrap().contains("resumed after completion"));
    });
    assert_eq!(traces.len(), 1);
    let span = traces.find("eager");
    assert_eq!((span.output(), span.error()), (Some(&json!(1)), None));
}

#[tokio::test]
async fn cn_08_select_on_a_borrowed_future_makes_one_span() {
    #[traced]
    async fn slow() -> u8 {
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
        1
    }
    let traces = capture(async {
        let mut future = pin!(slow());
        loop {
            tokio::select! {
                biased;
                n = &mut future => break n,
                () = tokio::task::yield_now() => {}
            }
        }
    })
    .await;
    assert_eq!(traces.len(), 1);
    assert_eq!(traces.find("slow").output(), Some(&json!(1)));
}

#[test]
fn cn_09_a_destructor_that_panics_does_not_leave_the_span_open() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in a destructor")
        }
    }
    #[traced]
    async fn f() {
        let _bomb = Bomb;
        std::future::pending::<()>().await;
    }
    let traces = capture_blocking(|| {
        let dropped = catch_unwind(|| drop(poll_once(pin!(f()))));
        assert!(dropped.is_err());
        assert!(braintrust::current_span().is_noop());
    });
    assert!(is_cancelled(&traces.find("f")));
}
