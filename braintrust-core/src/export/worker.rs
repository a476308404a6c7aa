//! The exporter's loop: drains the record log, joins records into rows, and sends rows down their lanes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures::future::{LocalBoxFuture, join_all};
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::{Interval, MissedTickBehavior, interval, sleep, timeout};

use super::join::{Carried, Cut, Flushed, Joiner, Parked, Rows, Window};
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
use crate::record::{Chunk, bound, log};
use crate::sink::{RowBatch, Sink};

/// How often records become rows, when no thread's buffer fills earlier.
const TICK: Duration = Duration::from_millis(250);
/// How long a span may stay open before its start is sent on its own.
const PATIENCE: Duration = Duration::from_millis(500);

/// How much deferred work is done in one turn: the exporter's thread has requests to look after too.
const DEFERRED_BYTES: usize = 8 * 1024 * 1024;

/// How often it is looked whether rows have left: the less often, the longer none have.
const BLINK: Duration = Duration::from_millis(1);
const LONGEST_BLINK: Duration = Duration::from_millis(50);
/// How long no row may leave before the backend is taken to be away.
const STANDSTILL: Duration = Duration::from_millis(500);

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
    carried: Carried,
    parked: Parked,
    joiner: Joiner,
    /// Where the latest window ended.
    latest_cut: Timestamp,
}

impl Worker {
    pub(super) fn new(commands: mpsc::UnboundedReceiver<Command>, environment: Option<String>) -> Self {
        Self {
            commands,
            deferred: VecDeque::new(),
            lanes: BTreeMap::new(),
            carried: Carried::default(),
            parked: Parked::default(),
            joiner: Joiner::new(environment),
            latest_cut: Timestamp(0),
        }
    }

    /// Runs until every sender of commands is gone.
    pub(super) async fn run(mut self) {
        bound::never_wait_here();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            before_others_run();
            match self.next(&mut ticks).await {
                Next::Command(command) => self.obey(command).await,
                Next::Export => self.export(Flushed::Nobodys, None).await,
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

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Open(opened) => self.open(opened),
            #[cfg(feature = "testing")]
            Command::Close { logger } => {
                self.export(Flushed::Of(logger), Some(Duration::ZERO)).await;
                self.lanes.remove(&logger);
            }
            Command::Flush { logger, limit, done } => self.flush(logger, limit, done).await,
            Command::Run(task) => {
                tokio::task::spawn_local(task());
            }
        }
    }

    fn open(&mut self, opened: Opened) {
        let Opened { logger, ledger, content, make_sink, .. } = opened;
        self.lanes.insert(logger, Lane::open(ledger, content, &make_sink));
    }

    /// Opens the lanes that are asked for, ahead of other commands. A logger asks for its lane before it records
    /// anything, so after this every record that has been drained has one.
    fn open_lanes(&mut self) {
        while let Ok(command) = self.commands.try_recv() {
            match command {
                Command::Open(opened) => self.open(opened),
                other => self.deferred.push_back(other),
            }
        }
    }

    /// Sends everything recorded so far, and calls `done` once it has arrived or `limit` has passed.
    async fn flush(&mut self, logger: Option<LoggerId>, limit: Duration, done: Done) {
        let begun = Instant::now();
        self.export(logger.map_or(Flushed::All, Flushed::Of), Some(limit)).await;
        let limit = limit.saturating_sub(begun.elapsed());
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

    /// Makes rows of everything recorded so far. For a flush, `limit` says how long it may take.
    async fn export(&mut self, flushed: Flushed, limit: Option<Duration>) {
        match flushed {
            Flushed::Nobodys => deferred::run(DEFERRED_BYTES),
            // Work that was deferred before a flush belongs to it.
            Flushed::Of(_) | Flushed::All => deferred::run(usize::MAX),
        }
        let until = Timestamp::passed();
        // Some counters do while a machine sleeps.
        let began_anew = until < std::mem::replace(&mut self.latest_cut, until);
        let cut = Cut { until, began_anew, patience: PATIENCE, flushed };
        let Drained { chunks, amount: drained } = log::drain();
        self.open_lanes();
        if chunks.is_empty() {
            // Nothing is going on, so nothing is kept for it.
            buffer::free_spares();
        }
        let (unparked, carried) = (self.unpark(flushed), std::mem::take(&mut self.carried));
        let mut counted = drained;
        counted += carried.amount();
        counted += unparked.amount();
        // In the order of their age.
        let waited = [unparked.records.into(), carried.records.into()];
        let chunks = waited.into_iter().chain(chunks).collect();
        self.join(chunks, cut, counted, limit).await;
        pending::expire();
    }

    /// Joins a window, a batch at a time, and sends on its rows, which count in place of their records from then on.
    ///
    /// Between two batches it is the turn of the requests: they need not wait until all of a large window is joined, and
    /// what has left makes room for what is still to be joined.
    async fn join(&mut self, chunks: Vec<Chunk>, cut: Cut, counted: Amount, limit: Option<Duration>) {
        let facts = RowFacts { wall: WallClock::read(), id_style: active::id_style() };
        let parked = std::mem::take(&mut self.parked);
        let mut held = counted;
        held += parked.amount();
        let mut window = self.joiner.begin(chunks, counted, cut, facts, parked);
        let (begun, mut may_wait) = (Instant::now(), true);
        while !window.is_joined() {
            let rows = self.joiner.join(&mut window, log::recycle);
            let left = window.amount();
            self.send(rows, held, left);
            held = left;
            // However much there is to join.
            before_others_run();
            yield_now().await;
            if may_wait
                && !self.room_for_rows(&mut window, limit.map(|limit| limit.saturating_sub(begun.elapsed()))).await
            {
                // Once there is nothing more to park, all goes on: who flushes is to be told of what there is.
                may_wait = self.park(&mut window, cut.flushed);
            }
        }
        (self.carried, self.parked) = self.joiner.end(window, log::recycle);
        let mut left = self.carried.amount();
        left += self.parked.amount();
        bound::exchange(held, left);
        self.keep_to_bound();
    }

    /// Has the records of those loggers wait whose rows fill the memory, but for those that are flushed; whether there are
    /// such.
    fn park(&self, window: &mut Window, flushed: Flushed) -> bool {
        let parked = window.parked();
        let mut has_parked = false;
        for (id, lane) in &self.lanes {
            let bytes = lane.ledger.queued_bytes();
            if bytes > 0 && !flushed.includes(*id) && !parked.includes(*id) {
                parked.park(*id, bytes);
                has_parked = true;
            }
        }
        has_parked
    }

    /// The records that waited until rows of their logger left, or somebody asked for them.
    fn unpark(&mut self, flushed: Flushed) -> Carried {
        let Self { parked, lanes, .. } = self;
        parked.leave(|id, bytes| {
            !flushed.includes(id) && lanes.get(&id).is_some_and(|lane| lane.ledger.queued_bytes() >= bytes)
        })
    }

    /// Waits while rows take all the memory that may wait: they are larger than their records, so these stay as they are
    /// until rows leave, or somebody asks for something. Returns whether there is room.
    async fn room_for_rows(&mut self, window: &mut Window, limit: Option<Duration>) -> bool {
        let most = bound::most().bytes as u64;
        let begun = Instant::now();
        let (mut least, mut since, mut blink, mut is_relieved) = (u64::MAX, begun, BLINK, false);
        loop {
            // What is parked gets no more rows, and is not waited for.
            let others = self.lanes.iter().filter(|(id, _)| !window.parked().includes(**id));
            let waiting = others.map(|(_, lane)| lane.ledger.queued_bytes()).sum::<u64>();
            if waiting < most {
                return true;
            }
            if !self.commands.is_empty() || !self.deferred.is_empty() {
                return false;
            }
            if waiting < least {
                (least, since, blink) = (waiting, Instant::now(), BLINK);
            }
            if since.elapsed() > STANDSTILL && !is_relieved {
                self.lanes.values().for_each(Lane::relieve);
                is_relieved = true;
                continue;
            }
            // Who flushes is told soon if nothing leaves, and other loggers' rows are not held up.
            let is_awaited = limit.is_some() || self.lanes.len() > 1;
            if is_awaited && since.elapsed() > STANDSTILL || limit.is_some_and(|limit| begun.elapsed() >= limit) {
                return false;
            }
            self.keep_to_bound();
            before_others_run();
            sleep(blink).await;
            blink = LONGEST_BLINK.min(blink * 2);
        }
    }

    /// Sends rows down their lanes; they and `left` count as waiting in place of `held`.
    fn send(&self, rows: Rows, held: Amount, left: Amount) {
        let rows: Vec<_> = rows.into_iter().map(|(logger, rows)| (logger, self.prepared(logger, rows))).collect();
        let mut taken = left;
        rows.iter().for_each(|(_, rows)| taken += amount(rows));
        bound::exchange(held, taken);
        for (logger, rows) in rows {
            // No lane: the logger was closed, and with it whoever wanted its rows.
            match self.lanes.get(&logger) {
                Some(lane) => lane.send(rows),
                None => bound::release(amount(&rows)),
            }
        }
        self.keep_to_bound();
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
    /// Makes room where the oldest rows are to make it, and enters spans that found none.
    fn keep_to_bound(&self) {
        if bound::excess().is_some() {
            let mut lanes: Vec<_> = self.lanes.values().filter(|lane| self.has_more_than_its_share(lane)).collect();
            lanes.sort_by_cached_key(|lane| Reverse(lane.ledger.queued_bytes()));
            for lane in lanes {
                let Some(excess) = bound::excess() else { break };
                lane.drop_oldest(excess);
            }
        }
        for (logger, spans) in bound::take_refused() {
            if let Some(lane) = self.lanes.get(&logger) {
                lane.ledger.refused(spans);
            }
        }
    }
}

impl Worker {
    /// Whether a lane's rows take more than is its own of what may wait: those of others do not make room for them.
    fn has_more_than_its_share(&self, lane: &Lane) -> bool {
        let (most, lanes, has) = (bound::most(), self.lanes.len(), lane.waiting());
        lanes == 1 || has.bytes.saturating_mul(lanes) > most.bytes || has.spans.saturating_mul(lanes) > most.spans
    }
}

/// To be done whenever it is the turn of the tasks that share this thread.
fn before_others_run() {
    standstill::pause();
    diagnostics::hush_dependencies();
}
