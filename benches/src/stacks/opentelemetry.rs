//! `opentelemetry` used directly: a tracer, and attributes as JSON.

use std::hint::black_box;
use std::ops::Range;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use opentelemetry::global::{self, BoxedTracer};
use opentelemetry::trace::{FutureExt as _, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, SpanData, SpanExporter as Exporter,
};

use super::{Destination, Stack};
use crate::work::{self, Input, Never, Question, Work};

pub const STACK: Stack = Stack {
    name: "opentelemetry",
    title: "opentelemetry directly, batch export, queue of 300,000",
    install,
    works: &[
        (Work::Call, |numbers| numbers.for_each(|n| work::keep(add(black_box(n), 7)))),
        (Work::AsyncCall, |numbers| numbers.for_each(|n| work::keep(work::now(add_async(black_box(n), 7))))),
        (Work::Poll, |numbers| work::poll_again(wait(), numbers.end - numbers.start)),
        (Work::Span, spans),
        (Work::SpanOn4Threads, spans),
        (Work::Depth, |numbers| numbers.step_by(100).for_each(|_| descend(100))),
        (Work::Root, |numbers| numbers.for_each(|_| step())),
        (Work::Payload, payload),
        (Work::Prompt, prompt),
    ],
};

/// How many spans may wait.
pub(super) enum Queue {
    Default,
    /// All of a flood, so that none is dropped.
    Wide,
}

/// An exporter that drops what it is given.
#[derive(Debug)]
struct Discard;

impl Exporter for Discard {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        work::keep(batch);
        Ok(())
    }
}

/// A provider that exports in batches.
pub(super) fn provider(destination: Destination, queue: Queue) -> SdkTracerProvider {
    let config = match queue {
        Queue::Default => BatchConfigBuilder::default(),
        Queue::Wide => BatchConfigBuilder::default().with_max_queue_size(300_000).with_max_export_batch_size(4_096),
    };
    let config = config.build();
    let processor = match destination {
        Destination::Nowhere(_) => BatchSpanProcessor::builder(Discard).with_batch_config(config).build(),
        Destination::Server(_) => BatchSpanProcessor::builder(otlp(destination)).with_batch_config(config).build(),
    };
    SdkTracerProvider::builder().with_span_processor(processor).build()
}

/// Waits until all is sent. A single flush gives up after five seconds, which cannot be configured, and leaves the rest behind.
pub(super) fn flush(provider: &SdkTracerProvider) {
    let begun = Instant::now();
    while let Err(error) = provider.force_flush() {
        if begun.elapsed() > Duration::from_secs(120) {
            eprintln!("{error}");
            return;
        }
    }
}

/// An exporter to the server, as protobuf over HTTP.
pub(super) fn otlp(destination: Destination) -> SpanExporter {
    SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("http://{}/v1/traces", destination.server()))
        .with_timeout(Duration::from_secs(60))
        .build()
        .expect("an exporter")
}

fn install(destination: Destination) -> Box<dyn Fn()> {
    let provider = provider(destination, Queue::Wide);
    global::set_tracer_provider(provider.clone());
    Box::new(move || flush(&provider))
}

fn tracer() -> &'static BoxedTracer {
    static TRACER: OnceLock<BoxedTracer> = OnceLock::new();
    TRACER.get_or_init(|| global::tracer("benches"))
}

#[inline(never)]
fn add(a: u64, b: u64) -> u64 {
    tracer().in_span("add", |_| work::add(a, b))
}

#[inline(never)]
async fn add_async(a: u64, b: u64) -> u64 {
    let context = Context::current_with_span(tracer().start("add_async"));
    async move { work::add(a, b) }.with_context(context).await
}

#[inline(never)]
async fn wait() {
    let context = Context::current_with_span(tracer().start("wait"));
    Never::default().with_context(context).await;
}

#[inline(never)]
fn step() {
    tracer().in_span("step", |_| black_box(()));
}

#[inline(never)]
fn descend(levels: u64) {
    tracer().in_span("descend", |_| {
        if levels > 1 {
            descend(black_box(levels - 1));
        }
        black_box(());
    });
}

#[inline(never)]
fn answer(question: &str, pages: &[String]) -> String {
    tracer().in_span("answer", |context| {
        let span = context.span();
        span.set_attribute(KeyValue::new("input", json(&Input { question, pages })));
        let reply = work::reply(question, pages);
        span.set_attribute(KeyValue::new("output", json(&reply)));
        reply
    })
}

#[inline(never)]
fn complete(prompt: &str) -> usize {
    tracer().in_span("complete", |context| {
        context.span().set_attribute(KeyValue::new("input", json(&prompt)));
        black_box(prompt).len()
    })
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn root(family: &mut dyn FnMut()) {
    tracer().in_span("root", |_| family());
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
