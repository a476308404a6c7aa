//! ER: errors of any type.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use braintrust::testing::capture_blocking;
use braintrust::traced;
use serde_json::{Value, json};

#[derive(Debug, Clone)]
struct Outer(Inner);

#[derive(Debug, Clone)]
struct Inner;

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("outer failed")
    }
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("inner failed")
    }
}

impl std::error::Error for Inner {}

impl std::error::Error for Outer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

const CHAIN: &str = "outer failed\n\nCaused by:\n    0: inner failed";

/// The error's text, and what the metadata has on it.
fn error<R>(work: impl FnOnce() -> R) -> (String, Value) {
    let traces = capture_blocking(work);
    let span = traces.find("f");
    assert_eq!(span.output(), None);
    (span.error().unwrap().into_owned(), span.metadata().unwrap()["error"].clone())
}

#[test]
fn er_01_the_message_the_type_and_the_causes() {
    #[traced]
    fn f() -> Result<u8, Outer> {
        Err(Outer(Inner))
    }
    let (text, details) = error(|| f().is_err());
    assert_eq!(text, CHAIN);
    assert_eq!(
        details,
        json!({"type": "macros::errors::Outer", "message": "outer failed", "causes": ["inner failed"]})
    );
}

/// A function that fails with an error of the type, and the text it leaves.
macro_rules! fails_with {
    ($type:ty, $error:expr) => {{
        #[traced]
        fn f() -> Result<u8, $type> {
            Err($error)
        }
        error(|| f().is_err()).0
    }};
}

#[test]
fn er_02_pointers_to_errors() {
    assert_eq!(fails_with!(anyhow::Error, anyhow::Error::new(Inner).context("outer failed")), CHAIN);
    assert_eq!(fails_with!(eyre::Report, eyre::Report::new(Inner).wrap_err("outer failed")), CHAIN);
    assert_eq!(fails_with!(Box<dyn std::error::Error + Send + Sync>, Box::new(Outer(Inner))), CHAIN);
    assert_eq!(fails_with!(Box<dyn std::error::Error>, Outer(Inner).into()), CHAIN);
    assert_eq!(fails_with!(Arc<dyn std::error::Error>, Arc::new(Outer(Inner))), CHAIN);
    assert_eq!(fails_with!(Rc<Outer>, Rc::new(Outer(Inner))), CHAIN);
    assert_eq!(fails_with!(&'static Outer, &Outer(Inner)), CHAIN);
}

#[test]
fn er_03_errors_that_are_none() {
    struct OnlyDisplay;
    impl fmt::Display for OnlyDisplay {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("displayed")
        }
    }
    #[derive(Debug)]
    struct OnlyDebug;
    struct Opaque;
    assert_eq!(fails_with!(OnlyDisplay, OnlyDisplay), "displayed");
    assert_eq!(fails_with!(OnlyDebug, OnlyDebug), "OnlyDebug");
    assert_eq!(fails_with!(Opaque, Opaque), "<macros::errors::er_03_errors_that_are_none::Opaque>");
    assert_eq!(fails_with!((), ()), "()");
    assert_eq!(fails_with!(String, "text".to_owned()), "text");
}

#[test]
fn er_04_results_within_other_types_are_values() {
    use std::ops::ControlFlow;
    #[traced]
    fn a() -> Poll<Result<u8, Inner>> {
        Poll::Ready(Err(Inner))
    }
    #[traced]
    fn b() -> ControlFlow<Result<u8, Inner>> {
        ControlFlow::Break(Err(Inner))
    }
    #[traced]
    fn c() -> Vec<Result<u8, Inner>> {
        vec![Err(Inner)]
    }
    let traces = capture_blocking(|| (a().is_ready(), b().is_break(), c().len()));
    assert!(traces.spans().iter().all(|span| span.error().is_none() && span.output().is_some()));
    assert_eq!(traces.find("c").output(), Some(&json!("[Err(Inner)]")));
}

#[test]
fn er_05_errors_of_a_type_parameter() {
    #[traced]
    fn f<E>(error: E) -> Result<u8, E> {
        Err(error)
    }
    assert_eq!(error(|| f(Inner).is_err()).0, "<macros::errors::Inner>");
    #[traced(name = "f")]
    fn g<E: std::error::Error>(error: E) -> Result<u8, E> {
        Err(error)
    }
    assert_eq!(error(|| g(Outer(Inner)).is_err()).0, CHAIN);
}

#[test]
fn er_06_endless_chains_are_cut() {
    #[derive(Debug)]
    struct Endless;
    impl fmt::Display for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("again")
        }
    }
    impl std::error::Error for Endless {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&Self)
        }
    }
    #[traced]
    fn f() -> Result<u8, Endless> {
        Err(Endless)
    }
    let (_, details) = error(|| f().is_err());
    assert_eq!(details["causes"].as_array().unwrap().len(), 32);
}

/// What only `Debug` shows, however deep it is.
#[derive(Debug)]
struct Nested {
    _inner: Option<Box<Nested>>,
}

#[test]
fn errors_are_cut_like_values() {
    #[traced]
    fn long() -> Result<(), String> {
        Err("x".repeat(20_000_000))
    }
    #[traced(err = display)]
    fn long_text() -> Result<(), String> {
        Err("x".repeat(20_000_000))
    }
    #[traced(skip_all)]
    fn deep(nested: &Nested) -> Result<(), &Nested> {
        Err(nested)
    }
    let nested = (0..10_000).fold(Nested { _inner: None }, |inner, _| Nested { _inner: Some(Box::new(inner)) });
    // On a stack on which a text that deep would not end well.
    let traces = capture_blocking(|| {
        let work = braintrust::propagate(|| (long().is_err(), long_text().is_err(), deep(&nested).is_err()));
        std::thread::scope(|threads| {
            let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn_scoped(threads, work);
            assert_eq!(thread.unwrap().join().unwrap(), (true, true, true));
        });
    });
    for name in ["long", "long_text"] {
        let error = traces.find(name).error().unwrap().into_owned();
        assert!(error.len() < 5_000_000 && error.ends_with("… [the rest is cut]"), "{name}: {} bytes", error.len());
    }
    assert!(traces.find("deep").error().unwrap().ends_with("… [the rest is cut: nested too deep]"));
}
