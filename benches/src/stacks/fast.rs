//! `fastrace`: `#[trace]` everywhere, with arguments and result as properties.

use std::borrow::Cow;
use std::hint::black_box;
use std::ops::Range;

use fastrace::collector::{Config, Reporter, SpanRecord};
use fastrace::prelude::{LocalSpan, Span, SpanContext};
use fastrace::trace;
use fastrace_opentelemetry::OpenTelemetryReporter;
use opentelemetry::InstrumentationScope;
use opentelemetry_sdk::Resource;

use super::opentelemetry::otlp;
use super::{Destination, Run, Stack};
use crate::work::{self, Never, Question, Work};

const WORKS: &[(Work, Run)] = &[
    (Work::Call, |numbers| numbers.for_each(|n| work::keep(add(black_box(n), 7)))),
    (Work::AsyncCall, |numbers| numbers.for_each(|n| work::keep(work::now(add_async(black_box(n), 7))))),
    (Work::Poll, |numbers| root(&mut || work::poll_again(wait(), numbers.end - numbers.start))),
    (Work::Span, spans),
    (Work::SpanOn4Threads, spans),
    (Work::Depth, |numbers| numbers.step_by(100).for_each(|_| root(&mut || descend(99)))),
    (Work::Root, |numbers| numbers.for_each(|_| root(&mut || black_box(())))),
    (Work::Payload, payload),
    (Work::Prompt, prompt),
];

pub const STACK: Stack = Stack {
    name: "fastrace",
    title: "fastrace `#[trace]`, its OpenTelemetry reporter",
    install: |destination| install(destination, usize::MAX),
    works: WORKS,
};

/// The reporter gets all spans at once, which is more than its exporter may send.
pub const SPLITTING: Stack = Stack {
    name: "fastrace-splitting",
    title: "fastrace `#[trace]`, its reporter given 4,096 spans at a time",
    install: |destination| install(destination, 4_096),
    works: WORKS,
};

struct Discard;

impl Reporter for Discard {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        work::keep(spans);
    }
}

struct Splitting {
    reporter: OpenTelemetryReporter,
    most: usize,
}

impl Reporter for Splitting {
    fn report(&mut self, mut spans: Vec<SpanRecord>) {
        while spans.len() > self.most {
            let rest = spans.split_off(self.most);
            self.reporter.report(std::mem::replace(&mut spans, rest));
        }
        self.reporter.report(spans);
    }
}

fn install(destination: Destination, most: usize) -> Box<dyn Fn()> {
    match destination {
        Destination::Nowhere(_) => fastrace::set_reporter(Discard, Config::default()),
        Destination::Server(_) => {
            let resource = Cow::Owned(Resource::builder().build());
            let scope = InstrumentationScope::builder("benches").build();
            let reporter = OpenTelemetryReporter::new(otlp(destination), resource, scope);
            fastrace::set_reporter(Splitting { reporter, most }, Config::default());
        }
    }
    Box::new(fastrace::flush)
}

#[inline(never)]
#[trace]
fn add(a: u64, b: u64) -> u64 {
    work::add(a, b)
}

#[inline(never)]
#[trace]
async fn add_async(a: u64, b: u64) -> u64 {
    work::add(a, b)
}

#[inline(never)]
#[trace]
async fn wait() {
    Never::default().await;
}

#[inline(never)]
#[trace]
fn step() {
    black_box(());
}

#[inline(never)]
#[trace]
fn descend(levels: u64) {
    if levels > 1 {
        descend(black_box(levels - 1));
    }
    black_box(());
}

#[inline(never)]
#[trace(properties = { "question": "{question:?}", "pages": "{pages:?}" })]
fn answer(question: &str, pages: &[String]) -> String {
    let reply = work::reply(question, pages);
    LocalSpan::add_property(|| ("output", format!("{reply:?}")));
    reply
}

#[inline(never)]
#[trace(properties = { "prompt": "{prompt:?}" })]
fn complete(prompt: &str) -> usize {
    black_box(prompt).len()
}

fn root(family: &mut dyn FnMut()) {
    let root = Span::root("root", SpanContext::random());
    let _current = root.set_local_parent();
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
