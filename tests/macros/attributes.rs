//! AR and RT: other attributes on the same function.

use std::panic::Location;
use std::sync::Mutex;

use braintrust::testing::{capture, capture_blocking};
use braintrust::traced;
use serde_json::json;

#[track_caller]
#[traced]
fn above(n: u8) -> (u8, u32) {
    (n, Location::caller().line())
}

#[traced]
#[track_caller]
fn below() -> u32 {
    Location::caller().line()
}

#[test]
fn ar_02_the_caller_is_the_caller() {
    let traces = capture_blocking(|| {
        assert_eq!(above(1).1, line!());
        assert_eq!(below(), line!());
    });
    assert_eq!(traces.find("above").input(), Some(&json!({"n": 1})));
    assert_eq!(traces.find("above").output().unwrap()[0], json!(1));
}

#[track_caller]
#[traced]
fn early(n: u8) -> Result<u8, String> {
    if n == 0 {
        return Err("zero".to_owned());
    }
    fine();
    Ok(n)
}

#[track_caller]
#[traced]
fn fine() {}

#[track_caller]
#[traced]
fn diverges() -> u8 {
    panic!("at the caller")
}

#[test]
fn ar_03_early_returns_of_tracked_functions_are_marked() {
    let traces = capture_blocking(|| (early(0).is_err(), early(1).is_ok()));
    let spans = traces.find_all("early");
    assert_eq!(spans.len(), 2);
    assert!(spans.iter().all(|span| span.is_finished()));
    let marked = spans.iter().find(|span| span.metadata().is_some()).unwrap();
    assert!(marked.metadata().unwrap()["outcome"].as_str().unwrap().starts_with("returned early"));
    assert_eq!((marked.output(), marked.error()), (None, None));
    assert_eq!(traces.find("fine").parent().unwrap().name(), "early");
    let traces = capture_blocking(|| assert!(std::panic::catch_unwind(diverges).is_err()));
    assert_eq!(traces.find("diverges").metadata().unwrap()["outcome"], json!("panicked"));
}

#[test]
fn ar_05_inner_attributes_count() {
    #[traced]
    fn f() {
        #![allow(unused_variables)]
        let x = 1;
    }
    assert_eq!(capture_blocking(f).len(), 1);
}

#[test]
fn ar_06_two_names_make_two_spans() {
    #[traced("a")]
    #[traced("b")]
    fn f(n: u8) -> u8 {
        n
    }
    #[traced("c")]
    #[traced("d")]
    async fn g(n: u8) -> u8 {
        n
    }
    let traces = capture_blocking(|| (f(1), futures::executor::block_on(g(2))));
    // The upper attribute sees the function first, so the lower one wraps what that made of it.
    assert_eq!(traces.find("a").parent().unwrap().name(), "b");
    assert_eq!(traces.find("c").parent().unwrap().name(), "d");
    assert_eq!(traces.find("d").input(), Some(&json!({"n": 2})));
}

#[test]
fn ar_07_beside_the_attributes_of_other_tracing_crates() {
    #[traced]
    #[tracing::instrument]
    fn a(n: u8) -> u8 {
        n
    }
    #[tracing::instrument(ret)]
    #[traced]
    async fn b(n: u8) -> u8 {
        n
    }
    #[traced]
    #[fastrace::trace]
    async fn c(n: u8) -> u8 {
        n
    }
    #[fastrace::trace]
    #[traced]
    fn d(n: u8) -> u8 {
        n
    }
    let traces =
        capture_blocking(|| futures::executor::block_on(b(1)) + futures::executor::block_on(c(1)) + a(1) + d(1));
    assert_eq!(traces.len(), 4);
}

#[test]
fn ar_09_attributes_that_describe_the_function() {
    /// Documented.
    #[must_use]
    #[inline(never)]
    #[doc(alias = "other")]
    #[cfg_attr(all(), doc = "More.")]
    #[traced]
    #[cfg(true)]
    fn f() -> u8 {
        1
    }
    #[traced]
    #[cfg(any())]
    fn f() -> NoSuchType {}
    assert_eq!(capture_blocking(f).find("f").output(), Some(&json!(1)));
}

#[traced]
fn child() {}

#[traced]
#[tokio::test]
async fn rt_01_traced_above_the_test_attribute() {
    let traces = capture(async { child() }).await;
    assert_eq!(traces.len(), 1);
}

#[tokio::test]
#[traced]
async fn rt_02_traced_below_the_test_attribute() {
    let traces = capture(async { child() }).await;
    assert_eq!(traces.len(), 1);
}

#[traced]
#[test]
fn rt_03_above() {
    RAN.lock().unwrap().push("above");
}

#[test]
#[traced]
fn rt_03_below() {
    RAN.lock().unwrap().push("below");
}

#[test]
#[traced]
#[should_panic(expected = "as it should")]
fn rt_03_should_panic() {
    panic!("as it should");
}

static RAN: Mutex<Vec<&str>> = Mutex::new(Vec::new());

#[test]
fn rt_04_main_functions_in_either_order() {
    #[traced("above")]
    #[tokio::main(flavor = "current_thread")]
    async fn above() {
        child();
    }
    #[tokio::main(flavor = "current_thread")]
    #[traced("below")]
    async fn below() {
        child();
    }
    let traces = capture_blocking(|| {
        above();
        below();
    });
    let parents: Vec<_> = traces.find_all("child").iter().map(|span| span.parent().unwrap().name()).collect();
    assert_eq!(parents, ["above", "below"]);
}

#[expect(dead_code)]
#[traced]
fn li_03_functions_that_are_never_called_are_told() {}

#[expect(dead_code)]
#[traced]
async fn li_03_async_functions_too() {}

struct Uncalled;

impl Uncalled {
    #[expect(dead_code)]
    #[traced]
    fn li_03_methods_too(&self) {}
}

#[test]
fn li_03_expectations_above_are_fulfilled() {
    // That they are is checked by the compiler, which is told to deny what it would only warn of.
    let _ = Uncalled;
}
