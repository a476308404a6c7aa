//! The way of one logger's rows from the exporter to their sink, which keeps them apart from all others: a slow or
//! broken destination holds up no other.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::content::{Content, Prepared};
use super::worker::MakeSink;
use crate::ledger::{Ledger, Tally};
use crate::record::bound::Amount;
use crate::report::LossReason;
use crate::sink::{RowBatch, Sink};

/// A logger's lane, as the exporter sees it. Its sink goes on after the lane is dropped, until its rows are settled.
pub(super) struct Lane {
    pub(super) ledger: Arc<Ledger>,
    content: Arc<Content>,
    sink: Rc<RefCell<Box<dyn Sink>>>,
}

impl Lane {
    /// Opens a lane on the calling thread, whose runtime the sink's requests are made on.
    pub(super) fn open(ledger: Arc<Ledger>, content: Arc<Content>, make_sink: &MakeSink) -> Self {
        let sink = make_sink(Arc::clone(&ledger));
        Self { ledger, content, sink: Rc::new(RefCell::new(sink)) }
    }

    /// Rows as they may go out; those that may not are written off.
    pub(super) fn prepared(&self, rows: RowBatch) -> RowBatch {
        let Prepared { rows, withheld } = self.content.prepare(rows);
        let why = "rows that are no JSON cannot be masked, and were left out; this is a defect";
        self.ledger.queued(usize::try_from(withheld).unwrap_or(usize::MAX), 0);
        self.ledger.lost(LossReason::Rejected, Tally { queued: withheld, ..Tally::default() }, why);
        rows
    }

    /// Sends rows on their way; they count as waiting already. How many may wait is bounded where spans begin, not here.
    pub(super) fn send(&self, rows: RowBatch) {
        self.ledger.queued(rows.len(), rows.bytes());
        self.sink.borrow_mut().accept(rows);
    }

    /// The sink, for a flush.
    pub(super) fn sink(&self) -> Rc<RefCell<Box<dyn Sink>>> {
        Rc::clone(&self.sink)
    }

    /// What waits in memory.
    pub(super) fn waiting(&self) -> Amount {
        let (rows, bytes) = self.ledger.waiting();
        Amount {
            bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
            spans: usize::try_from(rows).unwrap_or(usize::MAX),
        }
    }

    /// Has rows wait elsewhere than in memory, if they can.
    pub(super) fn relieve(&self) {
        self.sink.borrow_mut().relieve();
    }

    /// Gives up the oldest rows that are in memory only, as far as they make up `excess`.
    pub(super) fn drop_oldest(&self, excess: Amount) {
        self.sink.borrow_mut().drop_oldest(excess.bytes, excess.spans);
    }
}

/// What rows count for while they wait.
pub(super) fn amount(rows: &RowBatch) -> Amount {
    Amount { bytes: rows.bytes(), spans: rows.len() }
}
