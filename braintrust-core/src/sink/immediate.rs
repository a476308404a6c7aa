//! Sinks that need no time: rows are written when they come.

use std::sync::Arc;

use futures::future::{FutureExt as _, LocalBoxFuture, ready};

use super::{RowBatch, Sink};
use crate::ledger::{Ledger, Tally};
use crate::report::Losses;

/// What takes rows at once.
pub(crate) trait RowWriter {
    /// Writes one window's rows, and says what became of them.
    fn write(&mut self, rows: &RowBatch) -> Delivery;
}

/// What became of one window.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    pub(crate) delivered: u64,
    pub(crate) lost: Losses,
    /// Why rows were lost, in words for the user.
    pub(crate) error: Option<String>,
    /// What became of each attachment that was new; an error is in words for the user.
    pub(crate) attachments: Vec<Result<(), String>>,
}

/// A sink that writes rows as they come.
#[derive(Debug)]
pub(crate) struct Immediate<W> {
    writer: W,
    ledger: Arc<Ledger>,
}

impl<W: RowWriter> Immediate<W> {
    pub(crate) fn new(writer: W, ledger: Arc<Ledger>) -> Self {
        Self { writer, ledger }
    }
}

impl<W: RowWriter> Sink for Immediate<W> {
    fn accept(&mut self, rows: RowBatch) {
        let Delivery { delivered, lost, error, attachments } = self.writer.write(&rows);
        self.ledger.freed(rows.len(), rows.bytes());
        self.ledger.delivered(Tally { queued: delivered, ..Tally::default() });
        for (reason, count) in lost.iter() {
            let tally = Tally { queued: count, ..Tally::default() };
            self.ledger.lost(reason, tally, error.as_deref().unwrap_or_default());
        }
        for outcome in attachments {
            self.ledger.attachment_queued();
            match outcome {
                Ok(()) => self.ledger.attachment_delivered(Tally::in_memory(1)),
                Err(why) => self.ledger.attachment_lost(Tally::in_memory(1), &why),
            }
        }
    }

    fn settled(&mut self) -> LocalBoxFuture<'static, ()> {
        ready(()).boxed_local()
    }
}
