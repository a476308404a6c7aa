//! `tracing`: `#[instrument]` everywhere, to a registry that does nothing, or by way of OpenTelemetry.

use std::hint::black_box;
use std::ops::Range;

use opentelemetry::trace::TracerProvider as _;
use tracing::instrument;
use tracing_subscriber::layer::SubscriberExt as _;

use super::opentelemetry::{Queue, flush, provider};
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

pub const REGISTRY: Stack = Stack {
    name: "tracing",
    title: "tracing `#[instrument]`, a registry, nothing kept",
    install: |_| {
        struct Nothing;
        impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Nothing {}
        set(tracing_subscriber::registry().with(Nothing));
        Box::new(|| ())
    },
    works: WORKS,
};

pub const OTEL: Stack = Stack {
    name: "tracing-otel",
    title: "tracing + OpenTelemetry, batch export, defaults",
    install: |destination| with_opentelemetry(destination, Queue::Default),
    works: WORKS,
};

pub const OTEL_WIDE: Stack = Stack {
    name: "tracing-otel-wide",
    title: "tracing + OpenTelemetry, batch export, queue of 300,000",
    install: |destination| with_opentelemetry(destination, Queue::Wide),
    works: WORKS,
};

fn with_opentelemetry(destination: Destination, queue: Queue) -> Box<dyn Fn()> {
    let provider = provider(destination, queue);
    set(tracing_subscriber::registry().with(tracing_opentelemetry::layer().with_tracer(provider.tracer("benches"))));
    Box::new(move || flush(&provider))
}

fn set(subscriber: impl tracing::Subscriber + Send + Sync) {
    tracing::subscriber::set_global_default(subscriber).expect("only one is set");
}

#[inline(never)]
#[instrument]
fn add(a: u64, b: u64) -> u64 {
    work::add(a, b)
}

#[inline(never)]
#[instrument]
async fn add_async(a: u64, b: u64) -> u64 {
    work::add(a, b)
}

#[inline(never)]
#[instrument]
async fn wait() {
    Never::default().await;
}

#[inline(never)]
#[instrument(skip_all)]
fn step() {
    black_box(());
}

#[inline(never)]
#[instrument(skip_all)]
fn descend(levels: u64) {
    if levels > 1 {
        descend(black_box(levels - 1));
    }
    black_box(());
}

#[inline(never)]
#[instrument(ret)]
fn answer(question: &str, pages: &[String]) -> String {
    work::reply(question, pages)
}

#[inline(never)]
#[instrument]
fn complete(prompt: &str) -> usize {
    black_box(prompt).len()
}

#[instrument(skip_all)]
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
