//! Values that cannot be captured as they are: the function's result is untouched, and the span says what was wrong.

use std::collections::HashMap;

use braintrust::testing::{capture_blocking, capture_blocking_with_output};
use braintrust::traced;
use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::{Value, json};

#[derive(Serialize, Debug, Clone, PartialEq, Eq, Hash)]
struct Point {
    x: i32,
    y: i32,
}

struct Failing;

impl Serialize for Failing {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("the disk is on fire"))
    }
}

struct Panicking;

impl Serialize for Panicking {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("do not look at me");
    }
}

#[derive(Serialize, Debug)]
struct Nested(Option<Box<Nested>>);

impl Nested {
    fn of_depth(depth: usize) -> Self {
        (0..depth).fold(Self(None), |inner, _| Self(Some(Box::new(inner))))
    }
}

impl Drop for Nested {
    /// Takes the list apart from the outside, so that it is capture alone that is tested.
    fn drop(&mut self) {
        let mut next = self.0.take();
        while let Some(mut inner) = next {
            next = inner.0.take();
        }
    }
}

#[traced]
fn echo<T: Serialize>(value: T, other: u8) -> u8 {
    drop(value);
    other
}

#[traced]
fn debugged(value: &Nested) -> usize {
    usize::from(value.0.is_some())
}

fn input_of<T: Serialize>(value: T) -> Value {
    let (result, traces) = capture_blocking_with_output(|| echo(value, 7));
    assert_eq!(result, 7);
    let span = traces.find("echo");
    assert_eq!((span.output(), span.error()), (Some(&json!(7)), None));
    let input = span.input().unwrap();
    assert_eq!(input["other"], 7, "the other argument is there");
    input["value"].clone()
}

#[test]
fn numbers_as_keys_become_strings() {
    assert_eq!(input_of(HashMap::from([(5, "five")])), json!({"5": "five"}));
}

#[test]
fn a_key_that_is_a_struct_leaves_a_note_or_a_text_but_not_a_hole() {
    let input = input_of(HashMap::from([(Point { x: 1, y: 2 }, "here")]));
    assert!(!input.is_null(), "{input}");
    assert!(input.to_string().contains("key") || input.to_string().contains("here"), "{input}");
}

#[test]
fn a_failing_serialize_leaves_a_note_that_says_why() {
    let note = input_of(Failing).to_string();
    assert!(note.contains("the disk is on fire") && note.contains("Failing"), "{note}");
}

#[test]
fn a_panicking_serialize_leaves_a_note_that_says_why() {
    let note = input_of(Panicking).to_string();
    assert!(note.contains("do not look at me") && note.contains("Panicking"), "{note}");
}

#[test]
fn a_value_that_fails_half_way_leaves_no_half() {
    let note = input_of((1, Failing)).to_string();
    assert!(note.contains("the disk is on fire") && !note.starts_with("[1,"), "{note}");
}

#[test]
fn ten_thousand_levels_neither_overflow_nor_hide() {
    let input = input_of(Nested::of_depth(10_000));
    assert!(input.to_string().contains("max depth"), "{input}");
    let traces = capture_blocking(|| assert_eq!(debugged(&Nested::of_depth(10_000)), 1));
    assert!(traces.find("debugged").input().is_some());
}

#[test]
fn numbers_that_json_does_not_have_become_null() {
    assert_eq!(input_of([f64::NAN, f64::INFINITY, 1.5]), json!([null, null, 1.5]));
}

#[test]
fn fifty_megabytes_are_cut_and_say_so() {
    let input = input_of("x".repeat(50_000_000));
    let text = input.as_str().unwrap();
    assert!(text.len() < 10_000_000, "{} bytes", text.len());
    assert!(!text.ends_with('x'), "no word of the cut");
}
