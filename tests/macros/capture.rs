//! CA: arguments of any type.

use std::fmt::{Debug, Display};
use std::rc::Rc;
use std::sync::{Arc, Mutex, RwLock};

use braintrust::testing::capture_blocking;
use braintrust::{Capture, Secret, Slot, traced};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

fn input<R>(work: impl FnOnce() -> R) -> Value {
    capture_blocking(work).find("f").input().cloned().unwrap_or_default()
}

#[derive(Serialize)]
struct Plain {
    n: u8,
}

#[test]
fn ca_01_trait_objects() {
    #[traced]
    fn f(a: &dyn Debug, b: &dyn Display, c: &dyn erased_serde::Serialize) -> usize {
        format!("{a:?}{b}").len() + size_of_val(c)
    }
    assert_eq!(input(|| f(&Some(1), &"text", &Plain { n: 2 })), json!({"a": "Some(1)", "b": "text", "c": {"n": 2}}));
}

#[test]
fn ca_02_pointers() {
    #[traced]
    fn f(a: Arc<Plain>, b: Rc<Plain>, c: std::pin::Pin<Box<Plain>>, d: &Arc<str>, e: Box<Plain>) -> usize {
        usize::from(a.n + b.n + c.n + e.n) + d.len()
    }
    let plain = |n| Plain { n };
    assert_eq!(
        input(|| f(Arc::new(plain(1)), Rc::new(plain(2)), Box::pin(plain(3)), &Arc::from("s"), Box::new(plain(4)))),
        json!({"a": {"n": 1}, "b": {"n": 2}, "c": {"n": 3}, "d": "s", "e": {"n": 4}})
    );
}

#[test]
fn ca_03_locks_are_never_waited_for() {
    #[traced]
    fn f(a: &Mutex<Vec<u8>>, b: &Arc<RwLock<u8>>, c: &Mutex<Plain>) -> bool {
        a.try_lock().is_err() && b.try_read().is_err() && c.try_lock().is_err()
    }
    let (a, b, c) = (Mutex::new(vec![1]), Arc::new(RwLock::new(2)), Mutex::new(Plain { n: 3 }));
    let shown = {
        let _held = (a.lock().unwrap(), b.write().unwrap(), c.lock().unwrap());
        input(|| assert!(f(&a, &b, &c)))
    };
    assert!(shown["a"].as_str().unwrap().contains("<locked>"));
    assert!(shown["b"].as_str().unwrap().contains("<locked>"));
    assert_eq!(shown["c"], json!("<&std::sync::poison::mutex::Mutex<macros::capture::Plain>>"));
    let shown = input(|| f(&a, &b, &c));
    assert!(shown["a"].as_str().unwrap().contains("[1]"));
}

#[test]
fn ca_05_a_debug_that_panics_leaves_the_type() {
    struct Bomb;
    impl Debug for Bomb {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("boom")
        }
    }
    #[traced]
    fn f(bomb: Bomb, n: u8) -> u8 {
        drop(bomb);
        n
    }
    let traces = capture_blocking(|| assert_eq!(f(Bomb, 3), 3));
    let name = "<macros::capture::ca_05_a_debug_that_panics_leaves_the_type::Bomb>";
    assert_eq!(traces.find("f").input(), Some(&json!({"bomb": name, "n": 3})));
    assert_eq!(traces.find("f").output(), Some(&json!(3)));
}

#[test]
fn ca_05_a_serialize_that_fails_leaves_a_note() {
    struct Panics;
    impl Serialize for Panics {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("boom")
        }
    }
    struct Refuses;
    impl Serialize for Refuses {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("not today"))
        }
    }
    #[traced]
    fn f(a: (u8, Panics), b: Vec<Refuses>) -> u8 {
        a.0 + b.len() as u8
    }
    let shown = input(|| f((1, Panics), vec![Refuses]));
    assert!(shown["a"].as_str().unwrap().ends_with("Panics) could not be serialized: it panicked: boom>"), "{shown}");
    assert!(shown["b"].as_str().unwrap().ends_with("could not be serialized: not today>"), "{shown}");
}

#[test]
fn ca_06_capture_borrows_do_not_live_across_awaits() {
    #[traced]
    async fn f(cell: std::cell::Cell<u8>, receiver: std::sync::mpsc::Receiver<u8>) -> u8 {
        std::future::ready(()).await;
        cell.get() + receiver.recv().unwrap()
    }
    fn assert_send<T: Send>(value: T) -> T {
        value
    }
    let (sender, receiver) = std::sync::mpsc::channel();
    sender.send(1).unwrap();
    let traces = capture_blocking(|| {
        futures::executor::block_on(assert_send(f(std::cell::Cell::new(2), receiver)));
    });
    assert_eq!(traces.find("f").output(), Some(&json!(3)));
}

#[test]
fn ca_07_things_without_content() {
    #[traced]
    fn f(a: impl Fn() -> u8, b: fn(u8) -> u8, c: *const u8) -> u8 {
        a() + b(1) + u8::from(c.is_null())
    }
    let shown = input(|| f(|| 1, |n| n, std::ptr::null()));
    assert!(shown["a"].as_str().unwrap().starts_with("<macros::capture::ca_07"), "{shown}");
    assert!(shown["b"].as_str().unwrap().starts_with("0x"), "{shown}");
    assert_eq!(shown["c"], json!("0x0"));
}

#[test]
fn ca_08_mutable_borrows_are_shown_as_they_came_in() {
    #[traced]
    fn f(list: &mut Vec<u8>) {
        list.clear();
    }
    assert_eq!(input(|| f(&mut vec![1, 2])), json!({"list": [1, 2]}));
}

#[test]
fn ca_09_large_arguments_are_cut_and_say_so() {
    #[traced]
    fn f(text: &str, list: &[u64]) -> usize {
        text.len() + list.len()
    }
    let (text, list) = ("é".repeat(10_000_000), vec![1234567; 2_000_000]);
    let shown = input(|| f(&text, &list));
    let cut = shown["text"].as_str().unwrap();
    assert!(cut.len() < 5_000_000 && cut.contains("of 20000000 bytes are cut]"));
    let items = shown["list"].as_array().unwrap();
    let note = items.last().unwrap().as_str().unwrap();
    let left_out: usize = note.split(' ').next().unwrap()[1..].parse().unwrap();
    assert_eq!(left_out + items.len() - 1, 2_000_000, "{note}");
}

#[test]
fn ca_10_a_type_may_decide_itself() {
    #[derive(Debug, Serialize)]
    struct Image(Vec<u8>);
    impl Capture for Image {
        fn capture(&self, slot: &mut Slot<'_>) {
            slot.display(format_args!("image of {} bytes", self.0.len()));
        }
    }
    #[traced]
    fn f(a: Image, b: &Image, c: Option<Arc<Image>>) -> usize {
        a.0.len() + b.0.len() + c.map_or(0, |image| image.0.len())
    }
    let image = |n| Image(vec![0; n]);
    assert_eq!(
        input(|| f(image(1), &image(2), Some(Arc::new(image(3))))),
        json!({"a": "image of 1 bytes", "b": "image of 2 bytes", "c": "image of 3 bytes"})
    );
}

#[test]
fn ca_11_secrets_stay_secret() {
    #[derive(Debug, Serialize)]
    struct Login {
        user: &'static str,
        password: Secret<String>,
    }
    #[traced]
    fn f(login: Login, token: &Secret<String>) -> usize {
        login.user.len() + login.password.expose().len() + token.expose().len()
    }
    let shown = input(|| f(Login { user: "ada", password: Secret::new("p".into()) }, &Secret::new("t".into())));
    assert_eq!(shown, json!({"login": {"user": "ada", "password": "[REDACTED]"}, "token": "[REDACTED]"}));
}

#[test]
fn ca_12_odd_values() {
    use std::collections::BTreeMap;
    #[traced]
    fn f(a: f64, b: f64, c: i128, d: u128, e: BTreeMap<(u8, u8), u8>) -> usize {
        drop((a, b, c, d));
        e.len()
    }
    assert_eq!(
        input(|| f(f64::NAN, f64::INFINITY, i128::MIN, 7, BTreeMap::from([((1, 2), 3)]))),
        json!({"a": null, "b": null, "c": i128::MIN.to_string(), "d": 7, "e": {"[1,2]": 3}})
    );
}

/// A list, one element within the other.
#[derive(Debug, Serialize)]
struct Deep(Option<Box<Deep>>);

#[derive(Debug)]
struct DeepDebug {
    next: Option<Box<DeepDebug>>,
}

impl Drop for Deep {
    fn drop(&mut self) {
        let mut next = self.0.take();
        while let Some(mut deep) = next {
            next = deep.0.take();
        }
    }
}

impl Drop for DeepDebug {
    fn drop(&mut self) {
        let mut next = self.next.take();
        while let Some(mut deep) = next {
            next = deep.next.take();
        }
    }
}

#[test]
fn ca_13_deep_values_do_not_overflow_the_stack() {
    #[traced]
    fn f(a: &Deep, b: &DeepDebug) -> bool {
        a.0.is_some() && b.next.is_some()
    }
    let a = (0..10_000).fold(Deep(None), |deep, _| Deep(Some(Box::new(deep))));
    let b = (0..10_000).fold(DeepDebug { next: None }, |deep, _| DeepDebug { next: Some(Box::new(deep)) });
    let shown = input(|| assert!(f(&a, &b)));
    assert_eq!(shown["a"], json!("<max depth exceeded>"));
    assert!(shown["b"].as_str().unwrap().ends_with("nested too deep]"));
}
