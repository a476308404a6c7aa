//! Where rows go. A sink knows rows, never spans; a lane of the exporter drives one sink for one logger.

mod http;
mod local;
#[cfg(feature = "testing")]
pub(crate) mod memory;
mod refusing;
mod rows;

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

pub(crate) use http::HttpSink;
pub(crate) use local::{LocalSink, is_row_file};
#[cfg(feature = "testing")]
pub use memory::MemoryRows;
#[cfg(feature = "testing")]
pub(crate) use memory::MemorySink;
pub(crate) use refusing::RefusingSink;
pub(crate) use rows::RowBatch;

use crate::report::Losses;

/// A future that a sink returns; it runs on the exporter's own thread.
pub(crate) type Delivering<'a> = Pin<Box<dyn Future<Output = Delivery> + 'a>>;

/// A destination of rows.
///
/// `deliver` resolves when every row of the batch has been accepted or is lost for good. It retries what a retry can
/// cure for as long as that takes (the caller bounds memory, and a flush has its own deadline), so it must be
/// cancel-safe only in the sense that dropping the future may deliver rows twice, never half a row.
pub(crate) trait Sink {
    /// Delivers one window's rows: at most one row of any span is in it.
    fn deliver<'a>(&'a mut self, rows: RowBatch, progress: &'a Progress) -> Delivering<'a>;
}

/// What became of one batch.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    pub(crate) delivered: u64,
    pub(crate) lost: Losses,
    /// Why rows were lost, in words for the user; the last of several.
    pub(crate) error: Option<String>,
}

/// What a sink tells of a delivery that is under way, for reports of a flush that runs out of time.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    last_error: Mutex<Option<String>>,
}

impl Progress {
    /// Notes why the latest attempt failed (`None`: it went well).
    pub(crate) fn note(&self, error: Option<String>) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }

    /// Why the latest attempt failed.
    pub(crate) fn last_error(&self) -> Option<String> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
