//! The hot paths, each in a function of its own name, so that callgrind can say what each takes.

use std::collections::HashMap;
use std::hint::black_box;
use std::pin::pin;
use std::process::ExitCode;
use std::task::{Context, Waker};
use std::time::Duration;

use braintrust::{Logger, Parent, start_span, traced};

/// How often each path is gone; `run.sh` divides by it.
const TIMES: u64 = 10_000;
/// How often the one that takes a large text is.
const LARGE_TIMES: u64 = 100;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().collect();
    let [_, side, destination] = arguments.as_slice() else { return ExitCode::FAILURE };
    if side == "caller" {
        // Before anything listens.
        call_off();
        async_call_off();
    }
    let builder = Logger::builder().project("instructions");
    // A server, for profiles of all that the exporter does; counts are taken with a folder.
    let builder = match destination.starts_with("http:") {
        true => builder.api_key("sk-instructions").app_url(destination),
        false => builder.local_folder(destination),
    };
    let logger = builder.build().expect("a logger");
    logger.install();
    if side == "caller" {
        // What a thread does once.
        step();
        for path in
            [poll, async_call, span, root_span, remote_span, span_by_hand, debug, payload, remote_payload, prompt]
        {
            path();
            let _ = logger.flush_blocking(Duration::from_secs(60));
        }
    } else {
        payload();
    }
    // For the exporter: this is where it joins what the paths have recorded.
    match logger.flush_blocking(Duration::from_secs(60)) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[inline(never)]
fn call_off() {
    (0..TIMES).for_each(|n| keep(add(n, 7)));
}

#[inline(never)]
fn async_call_off() {
    (0..TIMES).for_each(|n| keep(pin!(add_async(n, 7)).poll(&mut Context::from_waker(Waker::noop()))));
}

/// Calls that are polled once, each a trace of its own.
#[inline(never)]
fn async_call() {
    (0..TIMES).for_each(|_| keep(pin!(step_async()).poll(&mut Context::from_waker(Waker::noop()))));
}

/// Polls of a future whose span has begun.
#[inline(never)]
fn poll() {
    let mut future = pin!(wait());
    (0..TIMES).for_each(|_| keep(future.as_mut().poll(&mut Context::from_waker(Waker::noop()))));
}

/// Spans without fields, under one root.
#[inline(never)]
fn span() {
    under_a_root(&|| (0..TIMES).for_each(|_| step()));
}

/// Spans without fields, each a trace of its own.
#[inline(never)]
fn root_span() {
    (0..TIMES).for_each(|_| step());
}

/// Spans without fields, in a trace of another program's project.
#[inline(never)]
fn remote_span() {
    under_a_remote_root(&|| (0..TIMES).for_each(|_| step()));
}

/// Spans without fields that no macro made, under one root.
#[inline(never)]
fn span_by_hand() {
    under_a_root(&|| (0..TIMES).for_each(|_| start_span("step").start().end()));
}

/// Spans with an argument that can only be formatted.
#[inline(never)]
fn debug() {
    let options = Options { model: "small", retries: 3, stop: vec![10, 13] };
    under_a_root(&|| (0..TIMES).for_each(|_| configure(&options)));
}

/// Spans with 651 bytes of JSON.
#[inline(never)]
fn payload() {
    under_a_root(&answers);
}

/// The same in a trace of another program's project.
#[inline(never)]
fn remote_payload() {
    under_a_remote_root(&answers);
}

fn answers() {
    let question = "what does a span cost? ".repeat(9);
    let pages: Vec<String> = (0..5).map(|page| format!("page {page}: a line of just forty characters.")).collect();
    (0..TIMES).for_each(|_| keep(answer(&question, &pages)));
}

/// Spans with a text of 64 KiB.
#[inline(never)]
fn prompt() {
    let mut text =
        "You answer questions about tracing. Say what you know, and say what you do not know.\n".repeat(1024);
    text.truncate(64 * 1024);
    under_a_root(&|| (0..LARGE_TIMES).for_each(|_| keep(complete(&text))));
}

#[inline(always)]
fn keep<T>(value: T) {
    black_box(value);
}

#[inline(never)]
#[traced]
fn add(a: u64, b: u64) -> u64 {
    black_box(a) + b
}

#[inline(never)]
#[traced]
async fn add_async(a: u64, b: u64) -> u64 {
    black_box(a) + b
}

#[traced]
async fn wait() {
    std::future::pending::<()>().await;
}

#[inline(never)]
#[traced(no_input, no_output)]
fn step() {
    black_box(());
}

#[inline(never)]
#[traced(no_input, no_output)]
async fn step_async() {
    black_box(());
}

#[inline(never)]
#[traced(no_output)]
fn complete(text: &str) -> usize {
    black_box(text).len()
}

#[derive(Debug)]
#[expect(dead_code, reason = "read by `Debug` alone")]
struct Options {
    model: &'static str,
    retries: u32,
    stop: Vec<u8>,
}

#[inline(never)]
#[traced(no_output)]
fn configure(options: &Options) {
    black_box(options);
}

#[traced(no_input, no_output)]
fn under_a_root(work: &dyn Fn()) {
    work();
}

/// As in a service that is called by another one, which keeps its traces in a project of its own.
fn under_a_remote_root(work: &dyn Fn()) {
    let headers = HashMap::from([
        ("traceparent".to_owned(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        ("baggage".to_owned(), "braintrust.parent=project_name:caller".to_owned()),
    ]);
    start_span("request").parent(Parent::from_headers(&headers)).start().in_scope(work);
}

#[inline(never)]
#[traced]
fn answer(question: &str, pages: &[String]) -> &'static str {
    black_box((question, pages));
    const REPLY: &str = "Two records in a block of memory that belongs to the thread, and a row that is written later, \
                         by another thread; what is captured is copied once, escaped, and never parsed again by us. \
                         Yes.";
    REPLY
}
