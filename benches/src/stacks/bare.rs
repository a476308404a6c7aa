//! No instrumentation.

use std::hint::black_box;
use std::ops::Range;

use super::{Stack, nothing_to_send};
use crate::work::{self, Never, Question, Work};

pub const BARE: Stack = Stack {
    name: "bare",
    title: "no instrumentation",
    install: nothing_to_send,
    works: &[
        (Work::Call, |numbers| numbers.for_each(|n| work::keep(add(black_box(n), 7)))),
        (Work::AsyncCall, |numbers| numbers.for_each(|n| work::keep(work::now(add_async(black_box(n), 7))))),
        (Work::Poll, |numbers| work::poll_again(wait(), numbers.end - numbers.start)),
        (Work::Span, |numbers| numbers.for_each(|_| step())),
        (Work::SpanOn4Threads, |numbers| numbers.for_each(|_| step())),
        (Work::Depth, |numbers| numbers.step_by(100).for_each(|_| descend(100))),
        (Work::Root, |numbers| numbers.for_each(|_| step())),
        (Work::Payload, payload),
        (Work::Prompt, prompt),
    ],
};

#[inline(never)]
fn add(a: u64, b: u64) -> u64 {
    work::add(a, b)
}

#[inline(never)]
async fn add_async(a: u64, b: u64) -> u64 {
    work::add(a, b)
}

#[inline(never)]
async fn wait() {
    Never::default().await;
}

#[inline(never)]
fn step() {
    black_box(());
}

#[inline(never)]
fn descend(levels: u64) {
    if levels > 1 {
        descend(black_box(levels - 1));
    }
    black_box(());
}

#[inline(never)]
fn answer(question: &str, pages: &[String]) -> String {
    work::reply(question, pages)
}

#[inline(never)]
fn complete(prompt: &str) -> usize {
    black_box(prompt).len()
}

fn payload(numbers: Range<u64>) {
    let mut question = Question::default();
    for number in numbers {
        question.numbered(number);
        black_box(answer(&question.text, &question.pages));
    }
}

fn prompt(numbers: Range<u64>) {
    let prompt = work::prompt();
    numbers.for_each(|_| work::keep(complete(&prompt)));
}
