//! Expressions in the attribute: they are the program's code, and may panic, or be closures of any form.

use braintrust::testing::capture_blocking;
use braintrust::{Parent, traced};
use serde_json::json;

/// What cannot be displayed.
struct Hidden;

impl std::fmt::Display for Hidden {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Err(std::fmt::Error)
    }
}

#[test]
fn a_panic_in_an_expression_before_the_body_is_contained() {
    #[traced("step {name}", skip_all)]
    fn a(name: &Hidden) -> bool {
        name.to_string().is_empty()
    }
    #[traced(input = list[7])]
    fn b(list: &[u8]) -> usize {
        list.len()
    }
    #[traced(metadata(first = list[7]), parent = parents[7])]
    async fn c(list: &[u8], parents: &[Parent]) -> usize {
        list.len() + parents.len()
    }
    let traces = capture_blocking(|| {
        assert!(std::panic::catch_unwind(|| a(&Hidden)).is_err(), "by the body itself");
        assert_eq!(b(&[1]), 1);
        assert_eq!(futures::executor::block_on(c(&[1], &[])), 1);
    });
    assert_eq!(traces.find("a").error().unwrap().split_once(':').unwrap().0, "panicked");
    for name in ["a", "b", "c"] {
        assert!(traces.find(name).metadata().unwrap()["options_panicked"].is_string(), "{name}");
    }
}

#[test]
fn closures_may_name_what_they_return_and_return_early() {
    #[traced(output = |list| -> String { list.iter().map(ToString::to_string).collect() })]
    fn a() -> Vec<u8> {
        vec![1, 2]
    }
    struct Reply {
        body: String,
        is_short: bool,
    }
    #[traced(output = |r: &Reply| -> &str { if r.is_short { return &r.body; } "long" })]
    async fn b() -> Reply {
        Reply { body: "b".to_owned(), is_short: true }
    }
    #[traced(error_if = |n: &u8| -> bool { *n > 1 })]
    fn c() -> u8 {
        2
    }
    let traces = capture_blocking(|| {
        a();
        futures::executor::block_on(b());
        c();
    });
    assert_eq!(traces.find("a").output(), Some(&json!("12")));
    assert_eq!(traces.find("b").output(), Some(&json!("b")));
    assert!(traces.find("c").error().is_some());
}
