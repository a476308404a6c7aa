//! Whole programs: what has been recorded by the time a process ends is delivered, whatever runtimes there were.
//!
//! Each case is a program of its own: this binary runs itself, with the name of the case and the address of a backend.

mod backend;

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use backend::Backend;
use braintrust::{Logger, start_span, traced};

/// A program, and what comes of it.
struct Case {
    name: &'static str,
    program: fn(&Logger),
    exit_code: i32,
    /// The names of the spans that arrive, sorted.
    spans: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        name: "threads without a runtime",
        program: threads,
        exit_code: 0,
        spans: &["leaf", "leaf", "leaf", "leaf"],
    },
    Case { name: "normal return without a flush", program: one_call, exit_code: 0, spans: &["leaf"] },
    Case { name: "process exit", program: process_exit, exit_code: 3, spans: &["leaf"] },
    Case { name: "panic in main", program: panic_in_main, exit_code: 101, spans: &["leaf"] },
    Case { name: "runtime dropped before the flush", program: runtime_dropped, exit_code: 0, spans: &["step"] },
    Case { name: "flush on a current-thread runtime", program: current_thread, exit_code: 0, spans: &["step"] },
    Case { name: "blocking flush inside a runtime", program: blocking_inside, exit_code: 0, spans: &["step"] },
    Case { name: "open span at exit", program: open_at_exit, exit_code: 0, spans: &["open"] },
    Case { name: "span of a thread-local destructor", program: destructor, exit_code: 0, spans: &["last"] },
];

#[traced]
fn leaf(value: u32) -> u32 {
    value
}

#[traced]
async fn step(value: u32) -> u32 {
    value
}

fn one_call(_: &Logger) {
    leaf(1);
}

fn threads(_: &Logger) {
    let threads: Vec<_> = (0..4).map(|value| std::thread::spawn(move || leaf(value))).collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

fn process_exit(_: &Logger) {
    leaf(1);
    std::process::exit(3);
}

fn panic_in_main(_: &Logger) {
    leaf(1);
    panic!("as meant");
}

fn runtime_dropped(logger: &Logger) {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    runtime.block_on(step(1));
    drop(runtime);
    assert_eq!(logger.flush_blocking(Duration::from_secs(20)).unwrap().delivered, 1);
}

fn current_thread(logger: &Logger) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let report = runtime.block_on(async {
        step(1).await;
        logger.flush().await
    });
    assert_eq!(report.unwrap().delivered, 1);
}

fn blocking_inside(logger: &Logger) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        step(1).await;
        assert_eq!(logger.flush_blocking(Duration::from_secs(20)).unwrap().delivered, 1);
    });
}

fn open_at_exit(_: &Logger) {
    std::mem::forget(start_span("open").start());
}

/// A value whose destructor runs when its thread is torn down, maybe after this library's own thread-locals.
struct Late;

impl Drop for Late {
    fn drop(&mut self) {
        start_span("last").start().end();
    }
}

fn destructor(_: &Logger) {
    thread_local!(static LATE: Late = const { Late });
    std::thread::spawn(|| LATE.with(|_| ())).join().unwrap();
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().collect();
    if let Ok(backend) = std::env::var("BRAINTRUST_TEST_BACKEND") {
        let logger = Logger::builder().project("p").api_key(backend::KEY).app_url(backend).build().unwrap();
        logger.install();
        let case = CASES.iter().find(|case| case.name == arguments[1]).unwrap();
        (case.program)(&logger);
        return ExitCode::SUCCESS;
    }
    CASES.iter().for_each(run);
    run_without_a_backend();
    println!("{} passed, 0 failed", CASES.len() + 1);
    ExitCode::SUCCESS
}

fn run(case: &Case) {
    let backend = Backend::start();
    let output = program(case.name).env("BRAINTRUST_TEST_BACKEND", backend.url()).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(case.exit_code), "{}: {stderr}", case.name);
    let rows = backend.rows();
    let mut names: Vec<_> = rows.iter().map(|row| row["span_attributes"]["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, case.spans, "{}: {stderr}", case.name);
    println!("ok: {}", case.name);
}

/// A program whose backend is not there ends all the same, within the deadline, and says what was not delivered.
fn run_without_a_backend() {
    let begun = Instant::now();
    let output =
        program("normal return without a flush").env("BRAINTRUST_TEST_BACKEND", "http://127.0.0.1:9").output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("1 still queued") && stderr.contains("127.0.0.1:9"), "{stderr}");
    // The deadline is five seconds; a busy machine may need far longer to start a process.
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    println!("ok: no backend");
}

fn program(case: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(case).env("NO_PROXY", "127.0.0.1");
    command
}
