//! The books of one logger: what was queued, delivered and lost, for its flush reports.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::diagnostics;
use crate::error::{Error, Kind};
use crate::report::{FlushReport, LossReason, Losses};
use crate::sink::{Delivery, Progress};

/// What became of a logger's rows, and how its sink is doing.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    books: Mutex<Books>,
    pub(crate) progress: Progress,
}

#[derive(Debug, Default)]
struct Books {
    queued: u64,
    /// Since the last report.
    delivered: u64,
    lost: Losses,
    error: Option<String>,
}

impl Ledger {
    pub(crate) fn queued(&self, rows: usize) {
        self.books().queued += rows as u64;
    }

    pub(crate) fn refused(&self, spans: u64) {
        self.books().lost.add(Losses::of(LossReason::QueueFull, spans));
        diagnostics::dropped(spans);
    }

    pub(crate) fn settled(&self, rows: usize, delivery: Delivery) {
        if delivery.lost.total() > 0 {
            let why = delivery.error.as_deref().unwrap_or("no reason is known");
            diagnostics::error(why, || format!("{}: {why}", delivery.lost));
        }
        let mut books = self.books();
        books.queued = books.queued.saturating_sub(rows as u64);
        books.delivered += delivery.delivered;
        books.lost.add(delivery.lost);
        books.error = delivery.error.or(books.error.take());
    }

    /// Whether rows are still on their way.
    pub(crate) fn has_queued(&self) -> bool {
        self.books().queued > 0
    }

    /// Closes the books since the last report.
    ///
    /// # Errors
    ///
    /// If rows were lost, or (`late`) the flush ran out of time with rows still queued.
    pub(crate) fn report(&self, late: Option<Duration>) -> Result<FlushReport, Error> {
        let mut books = self.books();
        let error = books.error.take();
        let report = FlushReport {
            delivered: std::mem::take(&mut books.delivered),
            spooled: 0,
            queued: if late.is_some() { books.queued } else { 0 },
            lost: std::mem::take(&mut books.lost),
        };
        drop(books);
        if report.lost.total() > 0 {
            return Err(flush_error(error.unwrap_or_else(|| "the queue was full".to_owned()), report, late.is_some()));
        }
        let Some(limit) = late else { return Ok(report) };
        let why = self.progress.last_error().unwrap_or_else(|| "the destination did not answer in time".to_owned());
        Err(flush_error(format!("no answer within {limit:?}; {why}"), report, true))
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn flush_error(why: String, report: FlushReport, timed_out: bool) -> Error {
    Kind::Flush { message: format!("flush was not complete: {report}; {why}"), report, timed_out }.into()
}
