//! What is done, whoever watches: the bodies of the functions that each stack instruments in its own way.

use std::fmt::Write as _;
use std::hint::black_box;
use std::ops::Range;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use serde::{Deserialize, Serialize};

/// A kind of work, measured on the calling thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// A call of a function that adds two numbers.
    Call,
    /// The same of an `async fn`, polled once.
    AsyncCall,
    /// A poll of a future that is not ready, with its span begun.
    Poll,
    /// A call with nothing captured; a hundred of them under one root.
    Span,
    /// The same on four threads at once.
    SpanOn4Threads,
    /// The same, each within the one before, a hundred deep.
    Depth,
    /// A call that is the root of a trace of its own.
    Root,
    /// A call whose arguments and result are 651 bytes of JSON, and are captured.
    Payload,
    /// A call whose argument is a text of 64 KiB, and is captured.
    Prompt,
}

impl Work {
    /// What an operation of this work is, for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Call => "call, off",
            Self::AsyncCall => "async call, off",
            Self::Poll => "poll",
            Self::Span => "span",
            Self::SpanOn4Threads => "span, 4 threads",
            Self::Depth => "span, 100 deep",
            Self::Root => "root span",
            Self::Payload => "651 bytes captured",
            Self::Prompt => "64 KiB captured",
        }
    }

    /// How many operations make one sample: long enough for the clock, few enough that what they record fits any queue.
    pub fn operations(self) -> u64 {
        match self {
            Self::Call | Self::AsyncCall | Self::Poll => 100_000,
            Self::Span | Self::SpanOn4Threads | Self::Depth | Self::Root => 5_000,
            Self::Payload => 1_000,
            Self::Prompt => 50,
        }
    }
}

/// How many calls share a root.
pub const FAMILY: u64 = 100;

/// The least that a function can do.
#[inline(always)]
pub fn add(a: u64, b: u64) -> u64 {
    black_box(a).wrapping_mul(31).wrapping_add(b)
}

/// A future that is never ready, and counts how often it was asked.
#[derive(Default)]
pub struct Never(u64);

impl Future for Never {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        self.0 = black_box(self.0 + 1);
        Poll::Pending
    }
}

/// Uses a value as far as the compiler knows.
#[inline(always)]
pub fn keep<T>(value: T) {
    black_box(value);
}

/// What a future is worth that is ready at once.
#[inline(always)]
pub fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("nothing here waits"),
    }
}

/// Polls a future that is never ready, over and over.
#[inline(always)]
pub fn poll_again<T>(future: impl Future<Output = T>, times: u64) {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..times {
        black_box(ask(future.as_mut(), &mut context));
    }
}

/// A poll as an executor makes it: a call that the compiler knows nothing about.
#[inline(never)]
fn ask<T>(future: Pin<&mut impl Future<Output = T>>, context: &mut Context<'_>) -> bool {
    future.poll(context).is_pending()
}

/// Calls `operation` for each number, a family at a time: `root` is to run what it is given under a root.
#[inline(always)]
pub fn in_families(numbers: Range<u64>, root: impl Fn(&mut dyn FnMut()), mut operation: impl FnMut(u64)) {
    let mut first = numbers.start;
    while first < numbers.end {
        let end = numbers.end.min(first + FAMILY);
        root(&mut || (first..end).for_each(&mut operation));
        first = end;
    }
}

/// What tells the spans of a flood apart on the wire: this, and seven digits.
pub const MARK: &str = "span#";
/// How many digits follow the mark.
pub const MARK_DIGITS: usize = 7;

/// The arguments of [`reply`].
pub struct Question {
    pub text: String,
    pub pages: Vec<String>,
}

/// The arguments as they are captured.
#[derive(Serialize)]
pub struct Input<'a> {
    pub question: &'a str,
    pub pages: &'a [String],
}

impl Default for Question {
    fn default() -> Self {
        let mut text = format!("{MARK}0000000 ");
        while text.len() < 209 {
            text.push_str("what does a span cost? ");
        }
        text.truncate(209);
        Self { text, pages: (0..5).map(|page| format!("page {page}: a line of just forty characters.")).collect() }
    }
}

impl Question {
    /// The question with another number in it.
    pub fn numbered(&mut self, number: u64) -> &str {
        let rest = self.text.split_off(MARK.len() + MARK_DIGITS);
        self.text.truncate(MARK.len());
        let _ = write!(self.text, "{number:07}{rest}");
        &self.text
    }
}

/// A result of 200 bytes.
#[inline(always)]
pub fn reply(question: &str, pages: &[String]) -> String {
    let mut reply = String::with_capacity(200);
    for page in pages {
        reply.push_str(page);
    }
    reply.truncate(200);
    black_box(question);
    reply
}

/// A text of 64 KiB, with a line break here and there.
pub fn prompt() -> String {
    let mut prompt =
        "You answer questions about tracing. Say what you know, and say what you do not know.\n".repeat(1024);
    prompt.truncate(64 * 1024);
    prompt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_is_651_bytes_of_json() {
        let mut question = Question::default();
        question.numbered(1_234_567);
        let input = Input { question: &question.text, pages: &question.pages };
        let output = reply(&question.text, &question.pages);
        let bytes = serde_json::to_vec(&input).unwrap().len() + serde_json::to_vec(&output).unwrap().len();
        assert_eq!(bytes, 651, "{}", question.pages[0].len());
    }
}
