//! However a traced call ends, its span ends with it and says how; the program sees no difference.

use std::panic::{AssertUnwindSafe, catch_unwind};

use braintrust::testing::{capture, capture_blocking};
use braintrust::{start_span, traced};

#[derive(Debug)]
struct Refused(&'static str);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "refused: {}", self.0)
    }
}

impl std::error::Error for Refused {}

#[traced]
fn divide(a: u32, b: u32) -> Result<u32, Refused> {
    if b == 0 {
        return Err(Refused("b is zero"));
    }
    Ok(a / b)
}

#[traced]
async fn explode(message: &str) -> u32 {
    std::future::ready(()).await;
    panic!("boom: {message}");
}

#[traced]
async fn wait_for_ever() {
    let _cleanup = SpanOnDrop;
    std::future::pending::<()>().await;
}

/// Opens a span when it is dropped, as a connection that is given back might.
struct SpanOnDrop;

impl Drop for SpanOnDrop {
    fn drop(&mut self) {
        start_span("cleanup").start().end();
    }
}

#[test]
fn an_error_is_the_spans_error_and_reaches_the_caller() {
    let traces = capture_blocking(|| {
        assert_eq!(divide(4, 2).unwrap(), 2);
        assert_eq!(divide(4, 0).unwrap_err().0, "b is zero");
    });
    let spans = traces.find_all("divide");
    assert_eq!((spans[0].output().unwrap(), spans[0].error()), (&2.into(), None));
    assert!(spans[1].error().unwrap().contains("refused: b is zero"), "{:?}", spans[1].error());
    assert_eq!(spans[1].output(), None);
}

#[test]
fn a_panic_ends_the_span_and_goes_on_unchanged() {
    let traces = futures::executor::block_on(capture(async {
        let call = AssertUnwindSafe(explode("now"));
        let payload = futures::FutureExt::catch_unwind(call).await.unwrap_err();
        assert_eq!(payload.downcast_ref::<String>().unwrap(), "boom: now");
    }));
    let span = traces.find("explode");
    assert!(span.is_finished());
    assert!(span.error().unwrap().contains("boom: now"), "{:?}", span.error());
    let location = span.metadata().unwrap()["panic_location"].as_str().unwrap();
    assert!(location.starts_with(file!()), "{location}");
}

#[test]
fn a_future_that_is_dropped_ends_its_span_as_cancelled_and_its_destructors_run_inside() {
    let traces = futures::executor::block_on(capture(async {
        let mut call = Box::pin(wait_for_ever());
        assert!(futures::poll!(call.as_mut()).is_pending());
        drop(call);
    }));
    let span = traces.find("wait_for_ever");
    assert!(span.is_finished());
    assert!(span.error().unwrap().contains("cancelled"), "{:?}", span.error());
    assert_eq!(traces.find("cleanup").parent(), Some(span));
}

#[test]
fn a_panic_under_a_scope_leaves_nothing_current() {
    let traces = capture_blocking(|| {
        let span = start_span("outer").start();
        let unwound = catch_unwind(AssertUnwindSafe(|| span.in_scope(|| panic!("inside"))));
        assert!(unwound.is_err());
        start_span("after").start().end();
    });
    assert_eq!(traces.find("after").parent(), None);
}

#[test]
fn a_span_ends_with_its_last_handle_and_only_once() {
    let traces = capture_blocking(|| {
        let span = start_span("kept").start();
        let clone = span.clone();
        drop(span);
        start_span("meanwhile").start().end();
        clone.end();
        clone.end();
        drop(clone);
    });
    let (kept, meanwhile) = (traces.find("kept"), traces.find("meanwhile"));
    assert!(kept.metric("end").unwrap() >= meanwhile.metric("end").unwrap());
    assert_eq!(kept.parent(), None);
    assert_eq!(meanwhile.parent(), None);
}
