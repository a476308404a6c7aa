//! Functions of every shape, traced. Compiling them is the test; what they record is tested elsewhere.
#![allow(clippy::future_not_send, clippy::missing_const_for_fn, clippy::must_use_candidate, clippy::unused_async)]
#![allow(clippy::missing_errors_doc, clippy::missing_panics_doc, clippy::needless_pass_by_value, missing_docs)]
#![allow(clippy::needless_pass_by_ref_mut, clippy::trivially_copy_pass_by_ref, clippy::return_self_not_must_use)]
#![allow(clippy::unused_self, clippy::needless_lifetimes, clippy::elidable_lifetime_names, clippy::type_complexity)]
#![allow(clippy::missing_safety_doc, clippy::use_self, clippy::extra_unused_lifetimes, clippy::redundant_pub_crate)]
#![allow(clippy::many_single_char_names, clippy::multiple_bound_locations, clippy::type_repetition_in_bounds)]
#![allow(clippy::uninlined_format_args, clippy::manual_let_else, clippy::option_if_let_else)]
#![allow(clippy::must_use_unit, clippy::double_must_use, clippy::boxed_local, clippy::unnecessary_wraps)]

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use braintrust::traced;
use futures::Stream;

#[traced]
pub fn unit() {}

#[traced]
pub async fn unit_later() {}

#[traced]
pub fn plain(a: u8, b: &str) -> String {
    format!("{}{}", a, b)
}

#[traced]
pub async fn later(a: u8, b: &str) -> String {
    std::future::ready(()).await;
    format!("{}{}", a, b)
}

#[traced]
pub fn never(n: i32) -> ! {
    std::process::exit(n)
}

#[traced]
pub async fn never_later(n: i32) -> ! {
    std::process::exit(n)
}

#[traced]
pub fn diverges() -> u8 {
    panic!("always")
}

#[traced]
pub async fn diverges_later() -> u8 {
    panic!("always")
}

#[traced]
pub fn changes(mut a: Vec<u8>, mut b: u8) -> usize {
    a.push(b);
    b += 1;
    a.len() + usize::from(b)
}

#[traced]
pub async fn assigns(mut text: &str) -> usize {
    let local = String::from("local");
    if text.is_empty() {
        text = &local;
    }
    std::future::ready(()).await;
    text.len()
}

#[traced]
pub fn ignored(_: u8, _b: u8) {}

pub struct Pair {
    pub x: u8,
    pub y: u8,
}

#[traced]
pub fn patterns(Pair { x, y: why }: Pair, (a, _): (u8, u8), [b, .., c]: [u8; 4], &d: &u8) -> u8 {
    x + why + a + b + c + d
}

#[traced]
pub fn more_patterns((Ok(x) | Err(x)): Result<u8, u8>, &(mut y): &u8, whole @ (z, _): (u8, u8)) -> u8 {
    y += x;
    y + z + whole.1
}

#[traced]
pub fn generic<T: Debug, const N: usize>(value: [T; N]) -> usize
where
    T: Clone,
{
    value.to_vec().len()
}

#[traced]
pub fn opaque(value: impl Into<String>) -> impl Iterator<Item = char> {
    value.into().chars().collect::<Vec<_>>().into_iter()
}

#[traced]
pub fn borrowed<'a>(a: &'a str, b: &str) -> &'a str {
    &a[b.len()..]
}

#[traced]
pub async fn borrowed_later<'a>(a: &'a str, b: &str) -> &'a str {
    &a[b.len()..]
}

#[traced]
pub fn captured<'a>(text: &'a str) -> impl Iterator<Item = char> + 'a {
    text.chars()
}

#[traced]
pub fn fails(text: &str) -> Result<u8, Box<dyn std::error::Error + Send + Sync>> {
    if text.is_empty() {
        return Err("empty".into());
    }
    Ok(text.parse()?)
}

#[traced]
pub async fn fails_later(text: &str) -> Result<u8, Box<dyn std::error::Error + Send + Sync>> {
    if text.is_empty() {
        return Err("empty".into());
    }
    Ok(text.parse()?)
}

#[traced]
pub fn locked(list: Mutex<Vec<u8>>) -> usize {
    list.lock().unwrap().len()
}

#[traced]
pub async fn locked_later(list: Mutex<Vec<u8>>) -> usize {
    list.lock().unwrap().len()
}

#[traced]
pub fn future(n: u8) -> impl Future<Output = u8> {
    async move { n }
}

#[traced]
pub fn boxed<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>> {
    Box::pin(async move { text.len() })
}

#[traced]
pub fn stream(n: u8) -> impl Stream<Item = u8> {
    futures::stream::iter(0..n)
}

#[traced]
pub fn boxed_stream(n: u8) -> Pin<Box<dyn Stream<Item = u8> + Send>> {
    Box::pin(futures::stream::iter(0..n))
}

#[traced(boxed = "send")]
pub async fn recursive(n: u8) -> u8 {
    n
}

#[traced]
#[track_caller]
pub fn tracked(n: u8) -> u32 {
    if n == 0 {
        return 0;
    }
    std::panic::Location::caller().line()
}

#[traced]
#[track_caller]
pub fn tracked_diverging() -> u8 {
    panic!("always")
}

#[traced("step {n}", type = "task", input = n, metadata(n, twice = n * 2), tags("a"), output = |r| r + 1)]
pub fn options(n: u8) -> Result<u8, std::fmt::Error> {
    Ok(n)
}

#[traced(skip_all, redact(key), no_output, err = debug, error_if = |r| *r > 3)]
pub async fn more_options(key: &str, n: u8) -> Result<u8, std::fmt::Error> {
    if key.is_empty() { Ok(n) } else { Err(std::fmt::Error) }
}

/// Documented.
#[must_use]
#[inline]
#[cfg_attr(all(), doc = "More.")]
#[traced]
pub(crate) fn described() -> u8 {
    #![allow(clippy::let_and_return)]
    let n = 1;
    n
}

#[traced]
pub extern "C" fn foreign(n: u8) -> u8 {
    described() + n
}

pub struct S {
    pub text: String,
}

impl S {
    #[traced]
    pub fn by_ref(&self, n: usize) -> usize {
        self.text.len() + n
    }

    #[traced]
    pub fn by_mut(&mut self) -> &mut String {
        self.text.push('!');
        &mut self.text
    }

    #[traced]
    pub async fn by_mut_later(&mut self) -> &mut String {
        self.text.push('!');
        &mut self.text
    }

    #[traced]
    pub fn by_value(self) -> String {
        self.text
    }

    #[traced]
    pub fn by_mut_value(mut self) -> Self {
        self.text.push('?');
        self
    }

    #[traced]
    pub fn by_box(self: Box<Self>) -> String {
        self.text
    }

    #[traced]
    pub async fn by_arc(self: Arc<Self>) -> usize {
        self.text.len()
    }

    #[traced]
    pub fn by_rc(self: &Rc<Self>) -> usize {
        self.text.len()
    }

    #[traced]
    pub fn by_pin(mut self: Pin<&mut Self>) -> usize {
        self.text.push('p');
        self.text.len()
    }

    #[traced(capture(self), metadata(len = self.text.len()))]
    pub fn shown(&self) -> &str {
        &self.text
    }
}

impl Debug for S {
    #[traced]
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S").finish_non_exhaustive()
    }
}

pub trait Animal {
    type Out;

    #[traced]
    fn legs(&self) -> u8 {
        4
    }

    fn out(&self) -> Self::Out;
}

impl Animal for S {
    type Out = Result<u8, String>;

    #[traced]
    fn out(&self) -> Self::Out {
        Err(self.text.clone())
    }
}

#[traced]
pub fn flow(limit: Option<u8>) -> Result<u8, String> {
    let limit = match limit {
        Some(limit) => limit,
        None => return Err(String::from("none")),
    };
    'rows: for a in 0..limit {
        for b in 0..limit {
            if b > a {
                continue 'rows;
            }
        }
    }
    "9".parse::<u8>().map_err(|error| error.to_string())
}

#[traced]
pub fn left_over((a, _): (String, String), Pair { x, .. }: Pair, _: Vec<u8>, ref b: String) -> usize {
    a.len() + usize::from(x) + b.len()
}

#[traced]
pub async fn left_over_later((a, _): (String, String), [b, ..]: [String; 3], _: S, ref mut c: String) -> usize {
    c.push('!');
    a.len() + b.len() + c.len()
}

#[traced]
pub fn left_over_and_borrowed((a, (b, _)): (String, &(u8, u8)), &(c, _): &(u8, u8), _: &str) -> usize {
    a.len() + usize::from(b + c)
}

macro_rules! with_a_pattern {
    ($pattern:pat, $ty:ty, $body:expr) => {
        #[traced]
        pub fn from_a_macro($pattern: $ty) -> usize {
            $body
        }
    };
}
with_a_pattern!((a, _), (String, String), a.len());

#[traced]
pub fn test_of<'a>(text: &'a str) -> impl Fn(&str) -> bool + 'a {
    assert!(!text.is_empty(), "no text");
    let n = text.len();
    move |other| other.len() == n
}

#[traced]
pub fn test_returned(n: usize) -> impl Fn(&str) -> bool {
    move |text| text.len() == n
}

#[traced]
pub fn test_by_lock(n: Mutex<usize>) -> impl Fn(&str) -> bool {
    test_returned(*n.lock().unwrap())
}

#[traced]
pub fn tests(n: usize) -> (impl Fn(&str) -> bool, usize) {
    (move |text| text.len() == n, n)
}

#[traced]
pub fn results(text: &str) -> impl Future<Output = Result<u8, String>> + '_ {
    async move {
        if text.is_empty() {
            return Err("empty".into());
        }
        Ok(1)
    }
}

#[traced]
pub fn stream_of_results() -> impl Stream<Item = Result<u8, String>> {
    futures::stream::iter(vec![Ok(1)])
}

pub struct Page;

#[traced]
pub fn no_pages() -> impl Iterator<Item = Page> {
    Vec::new().into_iter()
}

#[traced]
pub async fn pages_later(text: String) -> Result<impl Iterator<Item = Page>, std::num::ParseIntError> {
    let _: u8 = text.parse()?;
    Ok(Vec::new().into_iter())
}

/// Traits of the program's own.
pub mod namesakes {
    pub trait Future {
        type Output;
    }

    pub trait Stream {
        type Item;
    }

    impl Future for u8 {
        type Output = Self;
    }

    impl Stream for u8 {
        type Item = Self;
    }

    #[braintrust::traced]
    pub fn future(n: u8) -> impl Future<Output = u8> {
        n
    }

    #[braintrust::traced]
    pub fn stream(n: u8) -> impl Stream<Item = u8> + Send {
        n
    }
}
