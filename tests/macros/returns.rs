//! RE: what functions return.

use std::fmt::Debug;
use std::sync::Mutex;

use braintrust::testing::capture_blocking;
use braintrust::traced;
use serde_json::{Value, json};

fn ends<R>(work: impl FnOnce() -> R) -> (Option<Value>, Option<String>) {
    let traces = capture_blocking(work);
    let span = traces.find("f");
    (span.output().cloned(), span.error().map(|error| error.into_owned()))
}

#[test]
fn re_03_none_is_no_error() {
    #[traced]
    fn f(some: bool) -> Option<u8> {
        some.then_some(1)
    }
    assert_eq!(ends(|| f(false)).1, None);
    assert_eq!(ends(|| f(true)), (Some(json!(1)), None));
}

#[test]
fn re_05_coercions_work_at_every_return() {
    #[traced]
    fn f(early: bool) -> Box<dyn Fn() -> u8 + Send> {
        if early {
            return Box::new(|| 1);
        }
        Box::new(|| 2)
    }
    #[traced]
    async fn g(early: bool) -> Box<dyn Fn() -> u8 + Send> {
        if early {
            return Box::new(|| 1);
        }
        Box::new(|| 2)
    }
    let traces = capture_blocking(|| f(true)() + futures::executor::block_on(g(false))());
    assert_eq!(traces.len(), 2);
}

trait Outputs {
    type Out;
    fn f(&self) -> Self::Out;
}

impl Outputs for u8 {
    type Out = Result<u8, String>;
    #[traced]
    fn f(&self) -> Self::Out {
        Err(format!("no {self}"))
    }
}

#[test]
fn re_06_errors_behind_associated_types_are_seen() {
    assert_eq!(ends(|| 3u8.f()), (None, Some("no 3".to_owned())));
}

#[test]
fn re_07_errors_behind_impl_trait_are_seen() {
    #[traced]
    fn f() -> impl Debug {
        Err::<u8, _>("hidden")
    }
    assert_eq!(ends(|| drop(format!("{:?}", f()))), (None, Some("hidden".to_owned())));
}

#[test]
fn re_08_errors_behind_a_type_parameter_are_not_seen() {
    #[traced]
    fn f<R>(g: impl FnOnce() -> R) -> R {
        g()
    }
    let (output, error) = ends(|| f(|| Err::<u8, _>("unseen")));
    assert_eq!(error, None);
    assert_eq!(output, Some(json!("<core::result::Result<u8, &str>>")));
}

#[test]
fn re_09_inference_of_the_last_expression() {
    #[traced]
    fn f(text: &str) -> String {
        text.into()
    }
    #[traced]
    async fn g(n: u8) -> Vec<u8> {
        (0..n).collect()
    }
    assert_eq!(ends(|| f("a")).0, Some(json!("a")));
    let traces = capture_blocking(|| futures::executor::block_on(g(2)));
    assert_eq!(traces.find("g").output(), Some(&json!([0, 1])));
}

#[test]
fn re_10_temporaries_of_the_last_expression_die_first() {
    #[traced]
    fn f(m: Mutex<Vec<u8>>) -> usize {
        m.lock().unwrap().len()
    }
    #[traced]
    async fn g(m: Mutex<Vec<u8>>) -> usize {
        m.lock().unwrap().len()
    }
    assert_eq!(ends(|| f(Mutex::new(vec![1]))).0, Some(json!(1)));
    assert_eq!(futures::executor::block_on(g(Mutex::new(vec![1]))), 1);
}

#[test]
fn re_11_an_inner_err_is_a_value() {
    #[traced]
    fn f() -> Result<Result<u8, String>, String> {
        Ok(Err("inner".to_owned()))
    }
    assert_eq!(ends(f), (Some(json!({"Err": "inner"})), None));
}

#[test]
fn re_12_impl_trait_within_a_tuple() {
    #[traced]
    fn f() -> (impl Debug, u8) {
        ("a", 2)
    }
    assert_eq!(ends(|| f().1).0, Some(json!(["a", 2])));
}

#[test]
fn an_option_of_a_result_may_be_neither() {
    #[traced]
    fn f(n: u8) -> Option<Result<u8, &'static str>> {
        match n {
            0 => None,
            1 => Some(Ok(1)),
            _ => Some(Err("two")),
        }
    }
    assert_eq!(ends(|| f(0)), (None, None));
    assert_eq!(ends(|| f(1)), (Some(json!(1)), None));
    assert_eq!(ends(|| f(2)), (None, Some("two".to_owned())));
}

#[test]
fn closures_that_learn_their_parameters_from_the_signature() {
    #[traced]
    fn same() -> impl Fn(&str) -> &str {
        |text| text
    }
    #[traced]
    fn at(n: usize) -> impl for<'a> Fn(&'a [u8]) -> Option<&'a u8> {
        move |list| list.get(n)
    }
    #[traced]
    fn push(early: bool) -> Result<impl FnMut(&mut Vec<u8>), String> {
        if early {
            return Err("early".to_owned());
        }
        Ok(|list: &mut Vec<u8>| list.push(1))
    }
    #[traced]
    fn count(mut n: u8, (_a, b): (u8, u8)) -> impl FnMut(&mut u8) + Send {
        n += b;
        move |sum| {
            n += 1;
            *sum += n;
        }
    }
    let traces = braintrust::testing::capture_blocking(|| {
        assert_eq!(same()("a"), "a");
        assert_eq!(at(1)(&[1, 2]), Some(&2));
        assert!(push(true).is_err());
        let mut sum = 0;
        count(1, (2, 3))(&mut sum);
        assert_eq!(sum, 5);
    });
    assert_eq!(traces.find("at").input(), Some(&serde_json::json!({"n": 1})));
    assert_eq!((traces.find("same").metadata(), traces.find("same").output()), (None, None));
    assert!(traces.find("same").is_finished());
}

#[test]
fn closures_whose_body_goes_on_after_a_block() {
    #[traced]
    fn matching(all: bool) -> impl Fn(&str) -> bool {
        move |text| match text.len() {
            0 => true,
            1 => text == "b",
            _ => false,
        } || all
    }
    #[traced]
    fn choosing(n: usize) -> impl Fn(&str) -> usize {
        if n > 9 {
            panic!("too large");
        }
        move |text| if text.is_empty() { n } else { 1 } | 8
    }
    #[traced]
    fn paired(n: usize) -> (impl Fn(&str) -> bool, usize) {
        {
            assert!(n < 9);
        }
        (|text| text.is_empty(), n)
    }
    assert!(paired(1).0(""));
    assert!(matching(true)("a") && !matching(false)("a"));
    assert_eq!((choosing(2)(""), choosing(2)("a")), (10, 9));
}

/// A trait that a closure meets, and learns its parameter from.
trait Test: Fn(&str) -> bool {}

impl<F: Fn(&str) -> bool> Test for F {}

#[test]
fn closures_that_learn_their_parameters_from_the_signature_wherever_it_stands() {
    #[traced]
    fn in_a_tuple(n: u8) -> (impl Fn(&[u8]) -> Option<&u8>, u8) {
        (|list| list.first(), n)
    }
    #[traced]
    fn by_a_trait(text: String) -> impl Test {
        move |other| other.len() == text.len()
    }
    #[traced]
    fn early(n: u8) -> impl Test + Clone {
        if n == 0 {
            return move |text| text.len() == usize::from(n);
        }
        panic!("too large")
    }
    #[traced]
    fn later() -> impl AsyncFn(&str) -> usize {
        async |text| text.len()
    }
    #[traced]
    #[track_caller]
    fn tracked() -> impl Fn(&str) -> (usize, u32) {
        let line = std::panic::Location::caller().line();
        move |text| (text.len(), line)
    }
    #[traced]
    fn boxed() -> Box<dyn Fn(&str) -> &str> {
        Box::new(|text| text.trim())
    }
    #[traced]
    async fn boxed_later(n: usize) -> Result<Box<dyn Fn(&str) -> &str>, String> {
        let n = Some(n).ok_or("none")?;
        Ok(Box::new(move |text| &text[n..]))
    }
    let traces = capture_blocking(|| {
        assert_eq!(in_a_tuple(1).0(&[2]), Some(&2));
        assert!(by_a_trait("a".to_owned())("b"));
        assert!(early(0)(""));
        assert_eq!(futures::executor::block_on(later()("a")), 1);
        assert_eq!(tracked()("a"), (1, line!()));
        assert_eq!(boxed()(" a"), "a");
        assert_eq!(futures::executor::block_on(boxed_later(1)).unwrap()("ab"), "b");
    });
    assert_eq!(traces.len(), 7);
    for name in ["in_a_tuple", "by_a_trait", "early", "later", "tracked", "boxed", "boxed_later"] {
        let span = traces.find(name);
        assert!(span.is_finished() && span.error().is_none(), "{name}");
    }
}

#[test]
fn temporaries_of_the_last_expression_die_before_what_a_returned_function_is_made_of() {
    fn greater<'a>(than: &u8) -> impl Fn(&u8) -> bool + use<'a> {
        let than = *than;
        move |n| *n > than
    }
    #[traced]
    fn f(than: Mutex<u8>) -> impl Fn(&u8) -> bool {
        greater(&than.lock().unwrap())
    }
    assert!(f(Mutex::new(1))(&2));
}

#[test]
fn the_type_behind_impl_trait_may_be_said_by_the_signature_alone() {
    struct Page;
    #[traced]
    fn pages() -> impl Iterator<Item = Page> {
        Vec::new().into_iter()
    }
    #[traced]
    async fn later<'a>(text: &'a str) -> Result<impl Iterator<Item = Page> + 'a, std::num::ParseIntError> {
        let count: usize = text.parse()?;
        Ok((0..count).map(|_| Page).chain(std::iter::empty()))
    }
    #[traced]
    fn parsed(text: &mut String) -> Result<Option<impl Extend<Page> + use<>>, Box<dyn std::error::Error>> {
        text.push('1');
        Ok(if text.parse::<u8>()? > 1 { Some(Vec::new()) } else { None })
    }
    let traces = capture_blocking(|| {
        assert_eq!(pages().count(), 0);
        assert_eq!(futures::executor::block_on(later("2")).unwrap().count(), 2);
        assert!(parsed(&mut "a".to_owned()).is_err());
    });
    assert!(traces.find("pages").is_finished());
    assert_eq!(traces.find("later").error(), None);
    assert_eq!(traces.find("parsed").error().as_deref(), Some("invalid digit found in string"));
}

#[test]
fn a_body_that_is_still_to_be_written_compiles_behind_impl_trait() {
    #[traced]
    fn f(n: u8) -> impl Debug {
        todo!("{n}")
    }
    #[traced]
    async fn later() -> Result<impl Debug, String> {
        if false {
            return Ok(1);
        }
        todo!();
    }
    #[traced]
    fn future() -> impl Future<Output = Result<u8, String>> {
        async { todo!() }
    }
    let _ = (later, future);
    assert_eq!(
        ends(|| drop(std::panic::catch_unwind(|| drop(f(1))))),
        (None, Some("panicked: not yet implemented: 1".to_owned()))
    );
}
