//! PA: patterns in arguments. Every binding is a key of the input.

use braintrust::testing::capture_blocking;
use braintrust::traced;
use serde_json::{Value, json};

fn input<R>(work: impl FnOnce() -> R) -> Value {
    capture_blocking(work).find("f").input().cloned().unwrap_or_default()
}

struct Pt {
    x: u8,
    y: u8,
}

struct Tup(u8, u8);

#[derive(Debug)]
struct Opaque;

#[test]
fn pa_02_nested_tuples_and_arrays() {
    #[traced]
    fn f(((a, b), [c, d]): ((u8, u8), [u8; 2])) -> u8 {
        a + b + c + d
    }
    assert_eq!(input(|| f(((1, 2), [3, 4]))), json!({"a": 1, "b": 2, "c": 3, "d": 4}));
}

#[test]
fn pa_03_struct_patterns() {
    #[traced]
    fn f(Pt { x, y: why }: Pt) -> u8 {
        x + why
    }
    assert_eq!(input(|| f(Pt { x: 1, y: 2 })), json!({"x": 1, "why": 2}));
}

#[test]
fn pa_03_struct_patterns_that_change_their_bindings() {
    #[traced]
    fn f(Pt { mut x, y: mut why }: Pt) -> u8 {
        x += 1;
        why += x;
        why
    }
    assert_eq!(input(|| f(Pt { x: 1, y: 2 })), json!({"x": 1, "why": 2}));
}

#[test]
fn pa_04_references_and_ref_bindings() {
    #[traced]
    fn f(&Tup(a, ref b): &Tup) -> u8 {
        a + *b
    }
    assert_eq!(input(|| f(&Tup(1, 2))), json!({"a": 1, "b": 2}));
}

#[test]
fn pa_05_bindings_with_a_subpattern() {
    #[derive(Clone, Copy, serde::Serialize)]
    struct Copied(u8, u8);
    #[traced]
    fn f(whole @ Copied(a, _): Copied) -> u8 {
        whole.1 + a
    }
    assert_eq!(input(|| f(Copied(1, 2))), json!({"whole": [1, 2], "a": 1}));
}

#[test]
fn pa_06_or_patterns_bind_once() {
    #[traced]
    fn f((Ok(x) | Err(x)): Result<u8, u8>) -> u8 {
        x
    }
    assert_eq!(input(|| f(Err(3))), json!({"x": 3}));
}

#[test]
fn pa_07_unnamed_values_live_as_long_as_the_body() {
    struct Noisy<'a>(&'a std::cell::RefCell<Vec<&'static str>>);
    impl Drop for Noisy<'_> {
        fn drop(&mut self) {
            self.0.borrow_mut().push("argument");
        }
    }
    #[traced]
    fn f(_: Noisy<'_>, log: &std::cell::RefCell<Vec<&'static str>>, b: u8) -> u8 {
        log.borrow_mut().push("body");
        b
    }
    let log = std::cell::RefCell::default();
    let traces = capture_blocking(|| f(Noisy(&log), &log, 3));
    assert_eq!(traces.find("f").input().unwrap()["b"], json!(3));
    assert_eq!(traces.find("f").input().unwrap().as_object().unwrap().len(), 2);
    assert_eq!(*log.borrow(), ["body", "argument"]);
}

#[test]
fn pa_08_slice_patterns() {
    #[traced]
    fn f([a, rest @ ..]: [u8; 3]) -> usize {
        rest.len() + usize::from(a)
    }
    assert_eq!(input(|| f([1, 2, 3])), json!({"a": 1, "rest": [2, 3]}));
}

#[test]
fn pa_11_arguments_are_shown_as_they_came_in() {
    #[traced]
    fn f(mut a: Vec<u8>, mut b: u8) -> usize {
        a.push(b);
        b += 1;
        a.len() + usize::from(b)
    }
    assert_eq!(input(|| f(vec![1], 2)), json!({"a": [1], "b": 2}));
}

#[test]
fn pa_12_arguments_may_be_assigned_local_borrows() {
    #[traced]
    async fn f(mut arg: &str) -> usize {
        let local = String::from("local");
        if arg.is_empty() {
            arg = &local;
        }
        std::future::ready(()).await;
        arg.len()
    }
    assert_eq!(input(|| futures::executor::block_on(f(""))), json!({"arg": ""}));
}

#[test]
fn pa_13_compiled_out_parameters_are_gone() {
    #[traced]
    fn f(#[cfg(any())] a: NoSuch, #[cfg(true)] b: u8) -> u8 {
        b
    }
    assert_eq!(input(|| f(7)), json!({"b": 7}));
}

#[test]
fn pa_14_lint_attributes_of_parameters_count() {
    #[traced]
    fn f(#[allow(unused_variables)] c: u8, #[expect(unused_variables)] d: u8) {}
    assert_eq!(input(|| f(7, 8)), json!({"c": 7, "d": 8}));
}

#[test]
fn pa_15_no_parentheses_are_left_over() {
    #[traced]
    fn f(&(mut x): &u8) -> u8 {
        x += 1;
        x
    }
    assert_eq!(input(|| f(&1)), json!({"x": 1}));
}

struct Unit;

#[test]
fn unit_structs_and_upper_case_names() {
    #[traced]
    #[expect(non_snake_case)]
    fn f(Unit: Unit, N: u8) -> u8 {
        N
    }
    assert_eq!(input(|| f(Unit, 3)), json!({"N": 3}));
}

#[test]
fn values_without_any_trait_are_named() {
    #[traced]
    fn f(a: Opaque, b: Tup) -> u8 {
        drop(a);
        b.0 + b.1
    }
    assert_eq!(input(|| f(Opaque, Tup(1, 2))), json!({"a": "Opaque", "b": "<macros::patterns::Tup>"}));
}

struct Owned {
    name: String,
    r#type: String,
}

#[test]
fn names_beside_unbound_parts_are_recorded_as_all_are() {
    #[traced(redact(key), skip(hidden))]
    #[allow(clippy::toplevel_ref_arg, clippy::too_many_arguments)]
    fn f(
        (a, _): (String, String),
        Owned { mut name, .. }: Owned,
        Owned { ref r#type, name: _ }: Owned,
        [first, .., ref last]: [String; 3],
        (key, hidden, ..): (String, String, u8),
        (&b, _, (c, _)): (&u8, String, &(u8, u8)),
        ref whole @ (ref d, _): (String, u8),
        _: String,
        _a: u8,
    ) -> usize {
        name.push('!');
        let texts = [&a, &name, r#type, &first, last, &key, &hidden, d, &whole.0];
        texts.map(String::len).into_iter().sum::<usize>() + usize::from(b + c + _a)
    }
    let text = |text: &str| text.to_owned();
    let owned = |name| Owned { name: text(name), r#type: text("type") };
    let seen = input(|| {
        f(
            (text("a"), text("")),
            owned("name"),
            owned(""),
            [text("first"), text(""), text("last")],
            (text("key"), text("hidden"), 0),
            (&1, text(""), &(2, 0)),
            (text("d"), 3),
            text(""),
            4,
        )
    });
    let expected = json!({
        "a": "a", "name": "name", "type": "type", "first": "first", "last": "last", "key": "[REDACTED]", "b": 1, "c": 2,
        "whole": ["d", 3], "d": "d", "_a": 4
    });
    assert_eq!(seen, expected);
}

#[test]
fn expressions_of_the_attribute_see_the_values_beside_unbound_parts() {
    #[traced("{name}", metadata(count, more = count > 1))]
    fn f((name, count, _): (String, u8, String)) -> usize {
        name.len() + usize::from(count)
    }
    let traces = capture_blocking(|| f(("named".to_owned(), 2, String::new())));
    assert_eq!(traces.find("named").metadata(), json!({"count": 2, "more": true}).as_object());
}
