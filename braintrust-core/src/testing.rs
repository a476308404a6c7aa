//! The test kit: what code under test traced, captured without touching any other test.

use std::time::Duration;

pub use crate::sink::memory::MemoryRows;

use crate::error::Error;
use crate::logger::Logger;
use crate::report::FlushReport;
use crate::traces::Traces;

/// How long a capture waits for its spans: far longer than a busy machine needs to hand them over in memory.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs `future` and returns the spans that it traced.
///
/// Captures do not see each other: each has a logger of its own, which is current wherever `future` is polled and nowhere
/// else, so tests run side by side, and the process's default logger is neither used nor changed. What `future` hands
/// to other threads and tasks is captured as far as the context is handed over with it, as always.
///
/// A span that is still open when `future` is done is captured as far as it is.
///
/// ```
/// use braintrust::{Event, start_span, testing};
///
/// async fn answer(question: &str) -> usize {
///     let span = start_span("answer").input(question).start();
///     span.run(async { start_span("count").start().in_scope(|| question.len()) }).await
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let traces = testing::capture(answer("hi")).await;
///
/// assert_eq!(traces.find("count").parent(), Some(traces.find("answer")));
/// assert_eq!(traces.find("answer").input().unwrap(), "hi");
/// # });
/// ```
///
/// # Panics
/// If the spans cannot be collected.
pub async fn capture<F: Future>(future: F) -> Traces {
    capture_with_output(future).await.1
}

/// As [`capture`], and returns what the future resolved to as well.
///
/// # Panics
/// If the spans cannot be collected.
pub async fn capture_with_output<F: Future>(future: F) -> (F::Output, Traces) {
    let (logger, rows) = memory_logger();
    let output = logger.run(future).await;
    let flushed = logger.flush_within(LIMIT).await;
    (output, collected(&rows, flushed))
}

/// Runs `work` and returns the spans that it traced: [`capture`] for code that is not async.
///
/// ```
/// use braintrust::{start_span, testing};
///
/// let traces = testing::capture_blocking(|| {
///     let _span = start_span("step").start();
/// });
///
/// assert_eq!(traces.len(), 1);
/// ```
///
/// # Panics
/// If the spans cannot be collected.
pub fn capture_blocking<R>(work: impl FnOnce() -> R) -> Traces {
    capture_blocking_with_output(work).1
}

/// As [`capture_blocking`], and returns what `work` returned as well.
///
/// # Panics
/// If the spans cannot be collected.
pub fn capture_blocking_with_output<R>(work: impl FnOnce() -> R) -> (R, Traces) {
    let (logger, rows) = memory_logger();
    let output = logger.in_scope(work);
    let flushed = logger.flush_blocking(LIMIT);
    (output, collected(&rows, flushed))
}

/// A logger that writes to memory, and what it has written.
///
/// For tests of code that is handed a logger, or makes one current itself. Flush the logger before looking at the rows.
///
/// ```
/// use std::time::Duration;
/// use braintrust::{Event, testing};
///
/// let (logger, rows) = testing::memory_logger();
/// logger.log(Event::new().input("question").output("answer"));
/// logger.flush_blocking(Duration::from_secs(5))?;
///
/// assert_eq!(rows.rows()[0]["input"], "question");
/// assert_eq!(rows.traces().len(), 1);
/// # Ok::<(), braintrust::Error>(())
/// ```
///
/// # Panics
/// If the system refuses the thread that hands spans over.
#[must_use]
pub fn memory_logger() -> (Logger, MemoryRows) {
    let rows = MemoryRows::new();
    match Logger::builder().project("test").memory(rows.clone()).build() {
        Ok(logger) => (logger, rows),
        Err(error) => panic!("a logger to memory cannot be made: {error}"),
    }
}

impl MemoryRows {
    /// The spans that the rows delivered so far tell of.
    #[must_use]
    pub fn traces(&self) -> Traces {
        Traces::from_rows(self.rows())
    }
}

fn collected(rows: &MemoryRows, flushed: Result<FlushReport, Error>) -> Traces {
    match flushed {
        Ok(_) => rows.traces(),
        Err(error) => panic!("the captured spans cannot be collected: {error}"),
    }
}
