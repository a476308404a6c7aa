//! GE: generic functions. What can be shown depends on the bounds in scope, and no bound is ever asked for.

use std::fmt::Debug;

use braintrust::testing::capture_blocking;
use braintrust::traced;
use serde::Serialize;
use serde_json::json;

#[test]
fn ge_01_without_bounds_the_type_is_named() {
    #[traced]
    fn f<T, U>(t: &T, u: U) -> usize {
        size_of_val(t) + size_of_val(&u)
    }
    let traces = capture_blocking(|| f(&1u8, "x".to_owned()));
    assert_eq!(traces.find("f").input(), Some(&json!({"t": "<&u8>", "u": "<alloc::string::String>"})));
}

#[test]
fn ge_03_with_serialize_the_value_is_shown() {
    #[traced]
    fn f<T: Serialize>(t: T, v: Vec<T>) -> usize {
        drop(t);
        v.len()
    }
    let traces = capture_blocking(|| f((1, "a"), vec![(2, "b")]));
    assert_eq!(traces.find("f").input(), Some(&json!({"t": [1, "a"], "v": [[2, "b"]]})));
}

#[test]
fn ge_04_const_generics() {
    #[traced]
    fn f<const N: usize>(a: [u8; N]) -> usize {
        a.len()
    }
    let traces = capture_blocking(|| f([1, 2]));
    assert_eq!(traces.find("f").input(), Some(&json!({"a": "[1, 2]"})));
    let traces = capture_blocking(|| f([0; 40]));
    assert!(traces.find("f").input().unwrap()["a"].as_str().unwrap().starts_with("[0, 0, 0,"));
}

#[test]
fn ge_05_lifetimes_are_unchanged() {
    #[traced]
    fn f<'a>(a: &'a str, b: &str) -> &'a str {
        if b.is_empty() { a } else { &a[b.len()..] }
    }
    #[traced]
    async fn g<'a>(a: &'a str, b: &str) -> &'a str {
        if b.is_empty() { a } else { &a[b.len()..] }
    }
    let traces = capture_blocking(|| {
        let a = "abc".to_owned();
        let kept = {
            let b = "x".to_owned();
            f(&a, &b)
        };
        assert_eq!(kept, "bc");
        assert_eq!(futures::executor::block_on(g(&a, "")), "abc");
    });
    assert_eq!(traces.find("f").output(), Some(&json!("bc")));
}

#[test]
fn ge_07_bounds_on_associated_types_count() {
    #[traced]
    fn f<I: Iterator>(i: I::Item) -> usize
    where
        I::Item: Debug,
    {
        format!("{i:?}").len()
    }
    let traces = capture_blocking(|| f::<std::vec::IntoIter<Option<u8>>>(Some(1)));
    assert_eq!(traces.find("f").input(), Some(&json!({"i": "Some(1)"})));
}

type Shorten = for<'a> fn(&'a str) -> &'a str;

#[test]
fn ge_08_higher_ranked_arguments() {
    #[traced]
    fn f(g: Shorten, h: &dyn for<'a> Fn(&'a u8) -> &'a u8) -> usize {
        g("abc").len() + usize::from(*h(&1))
    }
    #[traced]
    async fn a(g: Shorten, h: &(dyn for<'a> Fn(&'a u8) -> &'a u8 + Sync)) -> usize {
        std::future::ready(()).await;
        g("abc").len() + usize::from(*h(&1))
    }
    fn assert_send<T: Send>(value: T) -> T {
        value
    }
    let traces = capture_blocking(|| {
        f(|text| &text[1..], &|number| number);
        futures::executor::block_on(assert_send(a(|text| &text[1..], &|number| number)));
    });
    assert_eq!(traces.find("f").output(), Some(&json!(3)));
    assert_eq!(traces.find("a").output(), Some(&json!(3)));
}

/// Serializable for one lifetime only: the compiler picks the implementation, and the borrow does not fit it.
struct Fixed<'a>(&'a str);

impl Serialize for Fixed<'static> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

#[test]
fn ge_09_implementations_for_one_lifetime_are_skipped_by_hand() {
    #[traced(skip(x))]
    fn f(x: Fixed<'_>) -> usize {
        x.0.len()
    }
    #[traced(input = x.0)]
    fn g(x: Fixed<'_>) -> usize {
        x.0.len()
    }
    let traces = capture_blocking(|| f(Fixed(&"ab".to_owned())) + g(Fixed(&"ab".to_owned())));
    assert_eq!(traces.find("f").input(), None);
    assert_eq!(traces.find("g").input(), Some(&json!("ab")));
}

#[test]
fn ge_10_async_closures() {
    #[traced]
    async fn f<F: AsyncFn(u8) -> u8>(f: F) -> u8 {
        f(1).await + f(2).await
    }
    let traces = capture_blocking(|| futures::executor::block_on(f(async |n| n + 1)));
    assert_eq!(traces.find("f").output(), Some(&json!(5)));
}

#[test]
fn impl_trait_arguments_are_shown_by_their_bounds() {
    #[traced]
    fn f(shown: impl Serialize, text: impl Debug, opaque: impl Fn() -> u8) -> u8 {
        drop((shown, text));
        opaque()
    }
    let traces = capture_blocking(|| f(vec![1], Some(2), || 3));
    let input = traces.find("f").input().unwrap().clone();
    assert_eq!((&input["shown"], &input["text"]), (&json!([1]), &json!("Some(2)")));
    assert!(input["opaque"].as_str().unwrap().starts_with('<'));
}
