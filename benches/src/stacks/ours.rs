//! `braintrust`: the attribute everywhere, and a logger to a server on loopback.

use std::hint::black_box;
use std::ops::Range;
use std::time::Duration;

use braintrust::{Logger, WhenFull, traced};

use super::{Destination, Run, Stack};
use crate::work::{self, Never, Question, Work};

const WORKS: &[(Work, Run)] = &[
    (Work::Call, |numbers| numbers.for_each(|n| work::keep(add(black_box(n), 7)))),
    (Work::AsyncCall, |numbers| numbers.for_each(|n| work::keep(work::now(add_async(black_box(n), 7))))),
    (Work::Poll, |numbers| work::poll_again(wait(), numbers.end - numbers.start)),
    (Work::Span, spans),
    (Work::SpanOn4Threads, spans),
    (Work::Depth, |numbers| numbers.step_by(100).for_each(|_| descend(100))),
    (Work::Root, |numbers| numbers.for_each(|_| step())),
    (Work::Payload, payload),
    (Work::Prompt, prompt),
];

pub const STACK: Stack = Stack {
    name: "braintrust",
    title: "braintrust `#[traced]`, defaults: drops what finds no room",
    install: |destination| install(destination, WhenFull::DropNewest),
    works: WORKS,
};

pub const WAITING: Stack = Stack {
    name: "braintrust-waiting",
    title: "braintrust `#[traced]`, waits for room",
    install: |destination| install(destination, WhenFull::Block(Duration::from_secs(60))),
    works: WORKS,
};

fn install(destination: Destination, when_full: WhenFull) -> Box<dyn Fn()> {
    let url = format!("http://{}", destination.server());
    let builder = Logger::builder().project("benches").api_key("sk-benches").app_url(url);
    let logger = builder.when_full(when_full).build().expect("a logger");
    logger.install();
    Box::new(move || {
        if let Err(error) = logger.flush_blocking(Duration::from_secs(120)) {
            eprintln!("{error}");
        }
    })
}

#[inline(never)]
#[traced]
fn add(a: u64, b: u64) -> u64 {
    work::add(a, b)
}

#[inline(never)]
#[traced]
async fn add_async(a: u64, b: u64) -> u64 {
    work::add(a, b)
}

#[inline(never)]
#[traced]
async fn wait() {
    Never::default().await;
}

#[inline(never)]
#[traced(no_input, no_output)]
fn step() {
    black_box(());
}

#[inline(never)]
#[traced(no_input, no_output)]
fn descend(levels: u64) {
    if levels > 1 {
        descend(black_box(levels - 1));
    }
    black_box(());
}

#[inline(never)]
#[traced]
fn answer(question: &str, pages: &[String]) -> String {
    work::reply(question, pages)
}

#[inline(never)]
#[traced(no_output)]
fn complete(prompt: &str) -> usize {
    black_box(prompt).len()
}

#[traced(no_input, no_output)]
fn root(family: &mut dyn FnMut()) {
    family();
}

fn spans(numbers: Range<u64>) {
    work::in_families(numbers, root, |_| step());
}

fn payload(numbers: Range<u64>) {
    let mut question = Question::default();
    work::in_families(numbers, root, |number| {
        question.numbered(number);
        black_box(answer(&question.text, &question.pages));
    });
}

fn prompt(numbers: Range<u64>) {
    let prompt = work::prompt();
    work::in_families(numbers, root, |_| work::keep(complete(&prompt)));
}
