//! Where rows go. A sink knows rows, never spans; a lane of the exporter drives one sink for one logger.

mod http;
mod immediate;
mod local;
#[cfg(feature = "testing")]
pub(crate) mod memory;
mod refusing;
mod rows;
mod uploads;

use futures::future::LocalBoxFuture;

pub(crate) use http::HttpSink;
pub(crate) use immediate::Immediate;
pub(crate) use local::{ATTACHMENTS, LocalSink, is_row_file};
#[cfg(feature = "testing")]
pub use memory::MemoryRows;
#[cfg(feature = "testing")]
pub(crate) use memory::MemorySink;
pub(crate) use refusing::RefusingSink;
pub(crate) use rows::{OpenRow, RowBatch};
pub(crate) use uploads::UploadingSink;

/// A destination of rows. It lives on the exporter's thread, and tells its logger's ledger what becomes of the rows.
///
/// A sink never waits: what takes time goes on in a task of its own, which outlives the sink until all its rows are
/// settled.
pub(crate) trait Sink {
    /// Takes over rows, which the ledger counts as queued: at most one row of any span is in a batch.
    fn accept(&mut self, rows: RowBatch);

    /// Has everything accepted so far sent without delay, and resolves once each of its rows is delivered, lost, or on
    /// disk while the destination cannot be reached.
    fn settled(&mut self) -> LocalBoxFuture<'static, ()>;

    /// Puts on disk what is in memory only, if the sink has a place for it: the process may be about to end.
    fn secure(&mut self) {}

    /// Frees the memory that rows take, as far as they can wait elsewhere: nothing leaves, and new rows need room.
    fn relieve(&mut self) {}

    /// Gives up the oldest rows that are in memory only, until `bytes` and `rows` of them are gone or there are no more.
    fn drop_oldest(&mut self, _bytes: usize, _rows: usize) {}
}
