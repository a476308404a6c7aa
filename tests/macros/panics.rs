//! PN: panics end the span with their message, and go on as they were.

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};

use braintrust::testing::capture_blocking;
use braintrust::{current_span, traced};
use futures::executor::block_on;
use serde_json::json;

fn quietly<R>(work: impl FnOnce() -> R) -> std::thread::Result<R> {
    catch_unwind(AssertUnwindSafe(work))
}

#[test]
fn pn_01_sync() {
    #[traced]
    fn f(n: u8) -> u8 {
        panic!("x {n}")
    }
    let traces = capture_blocking(|| {
        let payload = quietly(|| f(1)).unwrap_err();
        assert_eq!(payload.downcast_ref::<String>().unwrap(), "x 1");
        assert!(current_span().is_noop());
    });
    let span = traces.find("f");
    assert_eq!(span.error().as_deref(), Some("panicked: x 1"));
    assert_eq!(span.metadata().unwrap()["outcome"], json!("panicked"));
    assert_eq!(span.output(), None);
    assert!(span.is_finished());
}

#[test]
fn pn_02_async_with_every_kind_of_payload() {
    #[traced]
    async fn f(kind: u8) -> u8 {
        std::future::ready(()).await;
        match kind {
            0 => panic!("literal"),
            1 => panic!("formatted {kind}"),
            2 => [1, 2][usize::from(kind)],
            _ => panic_any(42),
        }
    }
    let errors: Vec<_> = (0..4)
        .map(|kind| {
            let traces = capture_blocking(|| assert!(quietly(|| block_on(f(kind))).is_err()));
            traces.find("f").error().unwrap().into_owned()
        })
        .collect();
    assert_eq!(
        errors,
        [
            "panicked: literal",
            "panicked: formatted 1",
            "panicked: index out of bounds: the len is 2 but the index is 2",
            "panicked: non-string panic payload",
        ]
    );
}

#[traced]
fn fine() -> u8 {
    1
}

#[traced]
fn fails() {
    panic!("inner")
}

struct OnDrop(fn());

impl Drop for OnDrop {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn pn_03_a_call_while_unwinding_that_returns_is_fine() {
    let traces = capture_blocking(|| {
        assert!(
            quietly(|| {
                let _guard = OnDrop(|| drop(fine()));
                panic!("outer")
            })
            .is_err()
        );
    });
    assert_eq!(traces.find("fine").error(), None);
    assert_eq!(traces.find("fine").output(), Some(&json!(1)));
}

#[test]
fn pn_04_a_panic_while_unwinding_is_one() {
    let traces = capture_blocking(|| {
        assert!(
            quietly(|| {
                let _guard = OnDrop(|| assert!(quietly(fails).is_err()));
                panic!("outer")
            })
            .is_err()
        );
    });
    assert_eq!(traces.find("fails").error().as_deref(), Some("panicked: inner"));
}

#[test]
fn pn_05_nested_spans_all_say_so() {
    #[traced]
    fn outer() {
        fails();
    }
    let traces = capture_blocking(|| assert!(quietly(outer).is_err()));
    assert_eq!(traces.find("outer").error().as_deref(), Some("panicked: inner"));
    assert_eq!(traces.find("fails").parent().unwrap().name(), "outer");
    let place = |span: &str| traces.find(span).metadata().unwrap()["panic_location"].clone();
    assert!(place("fails").is_string());
    assert_eq!(place("fails"), place("outer"));
}

#[test]
fn a_panic_from_elsewhere_has_no_place_here() {
    #[traced]
    fn resumed() {
        std::panic::resume_unwind(Box::new("from elsewhere".len()))
    }
    let traces = capture_blocking(|| {
        assert!(quietly(|| panic_any(5u8)).is_err());
        assert!(quietly(resumed).is_err());
    });
    assert!(!traces.find("resumed").metadata().unwrap().contains_key("panic_location"));
}

#[test]
fn pn_07_streams_and_eager_futures() {
    use futures::StreamExt;
    #[traced]
    fn early() -> impl Future<Output = u8> {
        fails();
        async { 1 }
    }
    #[traced]
    fn items() -> impl futures::Stream<Item = u8> {
        futures::stream::iter([1, 2]).map(|n| if n == 2 { panic!("second") } else { n })
    }
    let traces = capture_blocking(|| {
        assert!(quietly(|| drop(early())).is_err());
        assert!(quietly(|| block_on(items().collect::<Vec<_>>())).is_err());
    });
    assert_eq!(traces.find("early").error().as_deref(), Some("panicked: inner"));
    assert_eq!(traces.find("items").error().as_deref(), Some("panicked: second"));
    assert_eq!(traces.find("items").output(), Some(&json!([1])));
}

/// What a panic carries may have a destructor that panics as well.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("a payload that is dropped");
    }
}

struct Explosive;

impl serde::Serialize for Explosive {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic_any(Bomb)
    }
}

struct ExplosiveText;

impl std::fmt::Debug for ExplosiveText {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic_any(Bomb)
    }
}

#[test]
fn payloads_of_contained_panics_are_contained_too() {
    #[traced]
    fn f(_a: Explosive, _b: ExplosiveText) -> Result<u8, ExplosiveText> {
        Err(ExplosiveText)
    }
    fn explode(_: &u8) -> u8 {
        panic_any(Bomb)
    }
    #[traced(output = explode)]
    fn g() -> u8 {
        1
    }
    let traces = capture_blocking(|| {
        assert!(f(Explosive, ExplosiveText).is_err());
        assert_eq!(g(), 1);
    });
    assert!(traces.find("f").input().unwrap()["_a"].as_str().unwrap().contains("it panicked"));
    assert!(traces.find("g").output().unwrap().as_str().unwrap().contains("recording the result panicked"));
}
