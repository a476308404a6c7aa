//! The exporter's loop: drains the record log, joins records into rows, and sends rows down their lanes.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures::future::{LocalBoxFuture, join_all};
use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use super::join::{Cut, Flushed, Joined, Joiner};
use super::lane::{Lane, amount};
use super::row::RowFacts;
use super::{Opened, deferred, standstill};
use crate::active::{self, LoggerId};
use crate::attachment::pending;
use crate::buffer;
use crate::clock::{Timestamp, WallClock};
use crate::diagnostics;
use crate::ledger::Ledger;
use crate::record::bound::Amount;
use crate::record::log::Drained;
use crate::record::{RecordKind, Records, bound, log};
use crate::sink::{RowBatch, Sink};

/// How often records become rows, when no thread's buffer fills earlier.
const TICK: Duration = Duration::from_millis(250);
/// How long a span may stay open before its start is sent on its own.
const PATIENCE: Duration = Duration::from_millis(500);

/// How much deferred work is done in one turn: the exporter's thread has requests to look after too.
const DEFERRED_BYTES: usize = 8 * 1024 * 1024;

/// Makes a sink on the exporter's thread, where it will run; again in every forked child.
pub(crate) type MakeSink = Arc<dyn Fn(Arc<Ledger>) -> Box<dyn Sink> + Send + Sync>;

/// What the rest of the program asks of the exporter.
pub(super) enum Command {
    Open(Opened),
    #[cfg(feature = "testing")]
    Close {
        logger: LoggerId,
    },
    Flush {
        logger: Option<LoggerId>,
        limit: Duration,
        done: Done,
    },
    Run(Box<dyn FnOnce() -> LocalBoxFuture<'static, ()> + Send>),
}

/// Called when a flush is over, with whether it ran out of time.
pub(super) type Done = Box<dyn FnOnce(bool) + Send>;

/// What the exporter does next.
enum Next {
    Command(Command),
    Export,
    Stop,
}

pub(super) struct Worker {
    commands: mpsc::UnboundedReceiver<Command>,
    /// Commands that were received while looking for new lanes.
    deferred: VecDeque<Command>,
    lanes: BTreeMap<LoggerId, Lane>,
    carried: Vec<u8>,
    carried_amount: Amount,
    joiner: Joiner,
}

impl Worker {
    pub(super) fn new(commands: mpsc::UnboundedReceiver<Command>, environment: Option<String>) -> Self {
        Self {
            commands,
            deferred: VecDeque::new(),
            lanes: BTreeMap::new(),
            carried: Vec::new(),
            carried_amount: Amount::default(),
            joiner: Joiner::new(environment),
        }
    }

    /// Runs until every sender of commands is gone.
    pub(super) async fn run(mut self) {
        bound::never_wait_here();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            standstill::pause();
            diagnostics::hush_dependencies();
            match self.next(&mut ticks).await {
                Next::Command(command) => self.obey(command),
                Next::Export => self.export(Flushed::Nobodys),
                Next::Stop => return,
            }
        }
    }

    /// Waits for a command, a full block, or the next tick.
    async fn next(&mut self, ticks: &mut Interval) -> Next {
        if let Some(command) = self.deferred.pop_front() {
            return Next::Command(command);
        }
        let mut filled = pin!(log::filled());
        poll_fn(|task| {
            if let Poll::Ready(command) = self.commands.poll_recv(task) {
                return Poll::Ready(command.map_or(Next::Stop, Next::Command));
            }
            let due = filled.as_mut().poll(task).is_ready() || ticks.poll_tick(task).is_ready();
            if due { Poll::Ready(Next::Export) } else { Poll::Pending }
        })
        .await
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Open(Opened { logger, ledger, content, make_sink, .. }) => {
                self.lanes.insert(logger, Lane::open(ledger, content, &make_sink));
            }
            #[cfg(feature = "testing")]
            Command::Close { logger } => {
                self.export(Flushed::Of(logger));
                self.lanes.remove(&logger);
            }
            Command::Flush { logger, limit, done } => self.flush(logger, limit, done),
            Command::Run(task) => {
                tokio::task::spawn_local(task());
            }
        }
    }

    /// Opens the lanes that are asked for, ahead of other commands. A logger asks for its lane before it records
    /// anything, so after this every record that has been drained has one.
    fn open_lanes(&mut self) {
        while let Ok(command) = self.commands.try_recv() {
            match command {
                Command::Open(_) => self.obey(command),
                other => self.deferred.push_back(other),
            }
        }
    }

    /// Sends everything recorded so far, and calls `done` once it has arrived or `limit` has passed.
    fn flush(&mut self, logger: Option<LoggerId>, limit: Duration, done: Done) {
        self.export(logger.map_or(Flushed::All, Flushed::Of));
        let asked = self.lanes.iter().filter(|(id, _)| logger.is_none_or(|wanted| wanted == **id));
        let sinks: Vec<_> = asked.map(|(_, lane)| lane.sink()).collect();
        let settled = join_all(sinks.iter().map(|sink| sink.borrow_mut().settled()));
        tokio::task::spawn_local(async move {
            let late = timeout(limit, settled).await.is_err();
            if late {
                sinks.iter().for_each(|sink| sink.borrow_mut().secure());
            }
            done(late);
        });
    }

    fn export(&mut self, flushed: Flushed) {
        match flushed {
            Flushed::Nobodys => deferred::run(DEFERRED_BYTES),
            // Work that was deferred before a flush belongs to it.
            Flushed::Of(_) | Flushed::All => deferred::run(usize::MAX),
        }
        let cut = Cut { until: Timestamp::passed(), patience: PATIENCE, flushed };
        let Drained { chunks, amount: drained } = log::drain();
        self.open_lanes();
        if chunks.is_empty() {
            // Nothing is going on, so nothing is kept for it.
            buffer::free_spares();
        }
        let facts = RowFacts { wall: WallClock::read(), id_style: active::id_style() };
        let window = std::iter::once(std::mem::take(&mut self.carried).into()).chain(chunks).collect();
        let Joined { rows, carried } = self.joiner.join(window, cut, facts, log::recycle);
        let rows: Vec<_> = rows.into_iter().map(|(logger, rows)| (logger, self.prepared(logger, rows))).collect();
        let mut released = drained;
        released += self.carried_amount;
        self.carried_amount = amount_carried(&carried);
        let mut taken = self.carried_amount;
        rows.iter().for_each(|(_, rows)| taken += amount(rows));
        bound::exchange(released, taken);
        self.carried = carried;
        for (logger, rows) in rows {
            // No lane: the logger was closed, and with it whoever wanted its rows.
            match self.lanes.get(&logger) {
                Some(lane) => lane.send(rows),
                None => bound::release(amount(&rows)),
            }
        }
        pending::expire();
        self.drop_oldest();
        for (logger, spans) in bound::take_refused() {
            if let Some(lane) = self.lanes.get(&logger) {
                lane.ledger.refused(spans);
            }
        }
    }

    /// Rows as they may go out.
    fn prepared(&self, logger: LoggerId, rows: RowBatch) -> RowBatch {
        match self.lanes.get(&logger) {
            Some(lane) => lane.prepared(rows),
            None => rows,
        }
    }
}

impl Worker {
    /// Keeps to the bound, where the oldest rows are to make room.
    fn drop_oldest(&self) {
        for lane in self.lanes.values() {
            let Some(excess) = bound::excess() else { return };
            lane.drop_oldest(excess);
        }
    }
}

/// What records of spans that are still open count for.
fn amount_carried(carried: &[u8]) -> Amount {
    let starts = Records::new(carried).filter(|record| record.kind == RecordKind::Start);
    Amount { bytes: carried.len(), spans: starts.count() }
}
