//! FU: functions that return a future without being `async`.

use std::pin::Pin;

use braintrust::testing::{capture, capture_blocking};
use braintrust::{current_span, traced};
use futures::future::BoxFuture;
use serde_json::json;

#[traced]
fn eager(n: u8) -> impl Future<Output = u8> {
    async move { n + 1 }
}

#[traced]
fn parent<T>(work: impl FnOnce() -> T) -> T {
    work()
}

#[test]
fn fu_01_the_span_ends_with_the_future() {
    let traces = capture_blocking(|| futures::executor::block_on(eager(1)));
    let span = traces.find("eager");
    assert_eq!(span.input(), Some(&json!({"n": 1})));
    assert_eq!(span.output(), Some(&json!(2)));
    assert!(span.is_finished());
}

#[test]
fn fu_02_statements_before_the_box_run_in_the_span() {
    #[traced]
    fn f(n: u8) -> Pin<Box<dyn Future<Output = u8> + Send>> {
        inner(n);
        Box::pin(async move { inner(n + 1) })
    }
    #[traced]
    fn inner(n: u8) -> u8 {
        n
    }
    let traces = capture_blocking(|| futures::executor::block_on(f(1)));
    assert_eq!(traces.find("f").output(), Some(&json!(2)));
    assert_eq!(traces.find("f").children().len(), 2);
}

#[test]
fn fu_02_boxes_that_are_not_send() {
    #[traced]
    fn f<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = usize> + 'a>> {
        let kept = std::rc::Rc::new(text);
        Box::pin(async move { kept.len() })
    }
    let traces = capture_blocking(|| futures::executor::block_on(f("abc")));
    assert_eq!(traces.find("f").output(), Some(&json!(3)));
}

#[test]
fn fu_03_aliases_are_seen_through() {
    #[traced]
    fn f(fails: bool) -> BoxFuture<'static, Result<u8, String>> {
        Box::pin(async move { if fails { Err("failed".to_owned()) } else { Ok(1) } })
    }
    let traces = capture_blocking(|| futures::executor::block_on(f(true)));
    assert_eq!(traces.find("f").error().as_deref(), Some("failed"));
    let traces = capture_blocking(|| futures::executor::block_on(f(false)));
    assert_eq!(traces.find("f").output(), Some(&json!(1)));
}

#[test]
fn fu_05_precise_captures_are_unchanged() {
    #[traced]
    fn some<'a>(x: &'a str, _y: &str) -> impl Iterator<Item = char> + use<'a> {
        x.chars()
    }
    #[traced]
    fn none(_x: &str) -> impl Future<Output = u8> + use<> {
        async { 1 }
    }
    #[traced]
    fn old(x: &str) -> impl Iterator<Item = char> + '_ {
        x.chars()
    }
    let traces = capture_blocking(|| {
        let x = "ab".to_owned();
        let chars = some(&x, &"y".to_owned());
        let future = none(&"short lived".to_owned());
        assert_eq!(chars.count() + old(&x).count(), 4);
        futures::executor::block_on(future)
    });
    assert_eq!(traces.find("none").output(), Some(&json!(1)));
}

#[test]
fn fu_06_dropped_unpolled_is_cancelled() {
    let traces = capture_blocking(|| drop(eager(1)));
    let span = traces.find("eager");
    assert!(span.error().unwrap().starts_with("cancelled"));
    assert_eq!(span.metadata().unwrap()["outcome"], json!("cancelled"));
    assert_eq!(span.output(), None);
}

#[test]
fn fu_07_the_creator_stays_the_parent() {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let traces = runtime.block_on(capture(async {
        let task = parent(|| tokio::spawn(eager(1)));
        task.await.unwrap();
    }));
    assert_eq!(traces.find("eager").parent().unwrap().name(), "parent");
}

#[test]
fn a_future_within_something_else_is_opaque() {
    #[traced]
    fn f() -> (u8, impl Future<Output = ()>) {
        (1, async {
            current_span().set_name("never");
        })
    }
    let traces = capture_blocking(|| drop(f().1));
    let span = traces.find("f");
    assert!(span.is_finished());
    assert_eq!(span.error(), None);
}

#[test]
fn what_a_future_resolves_to_may_be_said_by_the_signature_alone() {
    #[traced]
    fn ok(n: u8) -> impl Future<Output = Result<u8, String>> {
        async move { Ok(n) }
    }
    #[traced]
    fn converted(text: &str) -> impl Future<Output = Result<u8, Box<dyn std::error::Error>>> {
        async move { Ok(text.parse::<u8>()?) }
    }
    #[traced]
    fn nothing() -> impl Future<Output = Option<u8>> + Send {
        async { None }
    }
    #[traced]
    fn ready<'a>() -> impl Future<Output = Result<&'a str, std::io::Error>> + 'a {
        futures::future::ready(Ok("ready"))
    }
    #[traced]
    fn hidden() -> impl Future<Output = Result<impl Iterator<Item = u8>, String>> {
        async { Ok(Vec::new().into_iter()) }
    }
    let traces = capture_blocking(|| {
        futures::executor::block_on(async {
            assert_eq!(ok(1).await, Ok(1));
            assert!(converted("a").await.is_err());
            assert_eq!(nothing().await, None);
            assert_eq!(ready().await.unwrap(), "ready");
            assert_eq!(hidden().await.unwrap().count(), 0);
        });
    });
    assert_eq!(traces.find("ok").output(), Some(&json!(1)));
    assert_eq!(traces.find("converted").error().as_deref(), Some("invalid digit found in string"));
    assert_eq!(traces.find("nothing").output(), Some(&json!(null)));
    assert_eq!(traces.find("ready").output(), Some(&json!("ready")));
    assert_eq!(traces.find("hidden").error(), None);
}

#[test]
fn bounds_that_the_wrapper_meets_too_are_no_obstacle() {
    use std::panic::{RefUnwindSafe, UnwindSafe};

    use futures::future::FusedFuture;

    #[traced]
    fn safe(n: u8) -> impl UnwindSafe + RefUnwindSafe + Future<Output = u8> + Send + Sync + Unpin {
        std::future::ready(n)
    }
    #[traced]
    fn fused(n: u8) -> impl FusedFuture<Output = u8> {
        futures::FutureExt::fuse(async move { n })
    }
    let traces = capture_blocking(|| {
        futures::executor::block_on(async {
            assert_eq!(safe(1).await, 1);
            let mut future = std::pin::pin!(fused(2));
            assert!(!future.is_terminated());
            assert_eq!(future.as_mut().await, 2);
            assert!(future.is_terminated());
        });
    });
    assert_eq!(traces.find("safe").output(), Some(&json!(1)));
    assert_eq!(traces.find("fused").output(), Some(&json!(2)));
}

#[test]
fn traits_that_only_have_the_name_of_a_future_are_none() {
    trait Future {
        type Output;
    }
    impl Future for u8 {
        type Output = String;
    }
    #[traced]
    fn f(n: u8) -> impl Future<Output = String> {
        n
    }
    let traces = capture_blocking(|| drop(f(1)));
    assert!(traces.find("f").is_finished());
    assert_eq!((traces.find("f").output(), traces.find("f").error()), (None, None));
}
