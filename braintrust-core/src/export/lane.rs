//! The way of one logger's rows from the exporter to their sink: a task of its own, so that a slow or broken
//! destination holds up no other.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::content::{Content, Prepared};
use super::ledger::Ledger;
use crate::record::bound::{self, Amount};
use crate::report::{LossReason, Losses};
use crate::sink::{Delivery, RowBatch, Sink};

/// A logger's lane, as the exporter sees it.
pub(super) struct Lane {
    pub(super) ledger: Arc<Ledger>,
    content: Content,
    messages: mpsc::UnboundedSender<Message>,
}

enum Message {
    Rows(RowBatch),
    /// Answered once everything sent before it is delivered or lost.
    Barrier(oneshot::Sender<()>),
}

impl Lane {
    /// Opens a lane to `sink` on the runtime of the calling thread.
    pub(super) fn open(ledger: Arc<Ledger>, content: Content, sink: Box<dyn Sink>) -> Self {
        let (messages, inbox) = mpsc::unbounded_channel();
        tokio::task::spawn_local(carry(inbox, sink, Arc::clone(&ledger)));
        Self { ledger, content, messages }
    }

    /// Rows as they may go out; those that may not are written off.
    pub(super) fn prepared(&self, rows: RowBatch) -> RowBatch {
        let Prepared { rows, withheld } = self.content.prepare(rows);
        if withheld > 0 {
            let error = Some("rows that are no JSON cannot be masked, and were left out; this is a defect".to_owned());
            let lost = Losses::of(LossReason::Rejected, withheld);
            self.ledger.settled(0, Delivery { lost, error, ..Delivery::default() });
        }
        rows
    }

    /// Sends rows on their way; they count as waiting already. How many may wait is bounded where spans begin, not here.
    pub(super) fn send(&self, rows: RowBatch) {
        self.ledger.queued(rows.len());
        // The task ends only with the lane.
        let _ = self.messages.send(Message::Rows(rows));
    }

    /// Resolves once everything sent so far is delivered or lost.
    pub(super) fn barrier(&self) -> oneshot::Receiver<()> {
        let (reached, waiting) = oneshot::channel();
        let _ = self.messages.send(Message::Barrier(reached));
        waiting
    }
}

/// What rows count for while they wait.
pub(super) fn amount(rows: &RowBatch) -> Amount {
    Amount { bytes: rows.bytes(), spans: rows.len() }
}

async fn carry(mut inbox: mpsc::UnboundedReceiver<Message>, mut sink: Box<dyn Sink>, ledger: Arc<Ledger>) {
    while let Some(message) = inbox.recv().await {
        match message {
            Message::Rows(rows) => {
                let (count, amount) = (rows.len(), amount(&rows));
                // One window after the other: two rows of one span are never under way at once.
                let delivery = sink.deliver(rows, &ledger.progress).await;
                bound::release(amount);
                ledger.settled(count, delivery);
            }
            Message::Barrier(reached) => {
                let _ = reached.send(());
            }
        }
    }
}
