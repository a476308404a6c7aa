//! The state of one logger's sending: where each row is, and who waits for it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::{Notify, oneshot};

use super::aim::Aim;
use super::courier::{Fate, Verdict};
use super::driver::Trouble;
use super::parcel::{Closing, OpenParcelRow, Parcel, Part};
use super::queue::{Held, Limits, Queue, RowFacts, Window};
use super::resolver::Resolver;
use super::storage::Storage;
use super::store::{Placed, Store};
use crate::api::{Failure, Pacing, Remedy};
use crate::container::Container;
use crate::diagnostics;
use crate::ledger::{Ledger, Tally};
use crate::report::LossReason;
use crate::sink::RowBatch;
use crate::spool::{Spool, SpoolRow, Ticket};

mod aside;
mod put_off;
mod to_disk;

/// How often a large row may run out of time, each time after all repetitions, before others go first.
const LONG_TRIES: u32 = 3;

/// See the module's documentation.
pub(super) struct Core {
    pub(super) resolver: Rc<Resolver>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) pacing: Pacing,
    pub(super) storage: Rc<Storage>,
    /// Told of new rows, of flushes, and of the end.
    pub(super) wake: Notify,
    pub(super) is_closed: Cell<bool>,
    /// Whether somebody has asked for a flush since the driver last looked.
    pub(super) is_urged: Cell<bool>,
    /// Whether the server has asked not to be sent anything for long: a flush then does not wait for that.
    pub(super) is_left_alone: Cell<bool>,
    /// What requests aim at, as far as that is found out.
    pub(super) aim: Cell<Aim>,
    /// Whether rows on disk were read, and let go undelivered: they are to be read again, in their order with all others.
    is_read_in_vain: Cell<bool>,
    state: RefCell<State>,
}

struct State {
    queue: Queue,
    store: Store,
    /// Whether the backend is taken to be out of reach.
    is_away: bool,
    under_way: BTreeMap<u64, Rc<Parcel>>,
    parcels: u64,
    /// How many flushes were asked for.
    epoch: u64,
    /// How many rows of each epoch are neither settled nor on disk.
    unsettled: BTreeMap<u64, usize>,
    flushes: Vec<Flush>,
    /// How often large rows have run out of time, by their spans.
    long_tries: BTreeMap<u64, u32>,
}

/// Somebody who waits for all rows up to an epoch.
struct Flush {
    epoch: u64,
    /// The point on disk up to which rows are waited for, if they are.
    mark: Option<Ticket>,
    /// Whether rows leave sooner for it.
    is_urgent: bool,
    done: oneshot::Sender<()>,
}

impl Core {
    pub(super) fn new(resolver: Rc<Resolver>, ledger: Arc<Ledger>, pacing: Pacing, spool: Option<Spool>) -> Self {
        let store = Store::new(spool, resolver.settings.durable, resolver.own());
        let state = RefCell::new(State {
            queue: Queue::default(),
            store,
            is_away: false,
            under_way: BTreeMap::new(),
            parcels: 0,
            epoch: 0,
            unsettled: BTreeMap::new(),
            flushes: Vec::new(),
            long_tries: BTreeMap::new(),
        });
        let (wake, is_closed, is_urged, is_left_alone, aim, is_read_in_vain) = Default::default();
        let core = Self {
            resolver,
            ledger,
            pacing,
            storage: Rc::new(Storage::new(pacing)),
            wake,
            is_closed,
            is_urged,
            is_left_alone,
            aim,
            is_read_in_vain,
            state,
        };
        core.count_removed(&mut core.state.borrow_mut());
        core
    }

    /// Takes over a window's rows.
    pub(super) fn accept(&self, rows: RowBatch) {
        if rows.is_empty() {
            return;
        }
        let state = &mut *self.state.borrow_mut();
        *state.unsettled.entry(state.epoch).or_default() += rows.len();
        let window = Window::new(rows, state.epoch);
        let may_go_to_disk = state.may_go_to_disk();
        match state.store.place(window, state.is_away, may_go_to_disk) {
            Placed::Queue(window) => state.queue.push(window),
            // Rows that wait in memory and have begun to move to the queue are older than what would go to disk now.
            Placed::Waits if may_go_to_disk && (state.is_away || !state.store.is_read()) => {
                let on_disk = state.store.spool_behind();
                self.count_spooled(state);
                self.forget(state, &on_disk);
            }
            Placed::Waits => {}
        }
        self.count_spooled(state);
        self.wake.notify_one();
    }

    /// Resolves once everything accepted so far is settled, and has it sent without delay.
    pub(super) fn barrier(&self) -> oneshot::Receiver<()> {
        let settled = self.watch(true);
        self.is_urged.set(true);
        self.wake.notify_one();
        settled
    }

    /// Resolves once everything accepted so far is settled, in its own time.
    pub(super) fn watch(&self, is_urgent: bool) -> oneshot::Receiver<()> {
        let (done, settled) = oneshot::channel();
        let mut state = self.state.borrow_mut();
        let (epoch, mark) = (state.epoch, state.store.mark());
        state.epoch += 1;
        state.flushes.push(Flush { epoch, mark, is_urgent, done });
        if self.is_left_alone.get() {
            state.end_flushes_in_vain(false);
        } else {
            state.end_flushes();
        }
        settled
    }

    /// The place on disk, for what is kept there beside the rows.
    pub(super) fn with_spool<T>(&self, use_it: impl FnOnce(&mut Spool) -> T) -> Option<T> {
        self.state.borrow_mut().store.spool_mut().map(use_it)
    }

    /// Tells those who wait for nothing any more.
    pub(super) fn end_flushes(&self) {
        self.state.borrow_mut().end_flushes();
    }

    fn count_spooled(&self, state: &mut State) {
        self.ledger.spooled(state.store.take_spooled());
        self.count_removed(state);
    }

    /// Enters the loss of refused rows that had to go from the disk.
    fn count_removed(&self, state: &mut State) {
        let removed = state.store.take_removed();
        let why = "rows that the backend had refused were kept on disk, until there was no more room, or for a week";
        self.ledger.lost(LossReason::SpoolFull, removed, why);
    }

    /// Gives up the oldest rows that are in memory only.
    pub(super) fn drop_oldest(&self, bytes: usize, rows: usize) {
        let state = &mut *self.state.borrow_mut();
        let mut dropped = state.queue.drop_oldest(bytes, rows);
        let mut dropped_bytes: usize = dropped.iter().map(|row| row.counted).sum();
        while (dropped_bytes < bytes || dropped.len() < rows)
            && let Some(row) = state.store.drop_oldest()
        {
            dropped_bytes += row.counted;
            dropped.push(row);
        }
        let why = "the oldest rows made room for new ones; the backend is too slow, or away";
        self.ledger.lost(LossReason::QueueFull, Tally::in_memory(dropped.len()), why);
        self.forget(state, &dropped);
    }

    /// No more rows will come.
    pub(super) fn close(&self) {
        self.is_closed.set(true);
        self.wake.notify_one();
    }

    /// Whether rows can wait on disk.
    pub(super) fn has_spool(&self) -> bool {
        self.state.borrow().store.has_spool()
    }

    /// Whether there is anything to send.
    pub(super) fn has_rows(&self) -> bool {
        let state = self.state.borrow();
        !state.queue.is_empty() || !state.store.is_empty() || self.is_read_in_vain.get()
    }

    /// Whether rows have to be read again before any others leave.
    pub(super) fn has_read_in_vain(&self) -> bool {
        self.is_read_in_vain.get()
    }

    /// Whether somebody waits for rows to arrive.
    fn is_awaited(&self) -> bool {
        self.state.borrow().flushes.iter().any(|flush| flush.is_urgent)
    }

    /// Whether rows of the logger's own project are next, of which nothing is known yet.
    pub(super) fn needs_own_project(&self) -> bool {
        self.resolver.known_closing(None).is_none() && self.state.borrow().queue.has_own()
    }

    /// The logger's own project is known: its rows were passed over where they came behind others.
    pub(super) fn release_own(&self) {
        self.state.borrow_mut().queue.release();
    }

    /// Fills the queue from what waits behind it.
    pub(super) fn refill(&self, limits: Limits) {
        let state = &mut *self.state.borrow_mut();
        state.store.refill(&mut state.queue, limits.bytes);
        let why = "rows that waited on disk could not be read back: their files were damaged, or cut";
        self.ledger.lost(LossReason::Disk, state.store.take_lost(), why);
    }

    /// The next rows to send, if there are any that may leave: at least a whole request of them, unless `eagerly`, or
    /// somebody waits for them. Containers that have to be asked for are added to `unknown`.
    pub(super) fn next_parcel(
        &self,
        limits: Limits,
        eagerly: bool,
        unknown: &mut Vec<Rc<Container>>,
    ) -> Option<(u64, Rc<Parcel>)> {
        let in_time = eagerly || self.is_awaited();
        let state = &mut *self.state.borrow_mut();
        if !state.queue.is_ready() || !in_time && !state.queue.fills(limits) {
            return None;
        }
        let parcel = state.queue.cut(limits, |container| {
            let closing = self.resolver.known_closing(container.map(|container| &**container));
            if let (None, Some(container)) = (&closing, container) {
                unknown.push(Rc::clone(container));
            }
            closing
        });
        let has_put_off = unknown.iter().any(|container| self.resolver.is_put_off(container));
        if state.queue.take_holds_aside() || has_put_off {
            self.leave_on_disk(state);
        }
        let parcel = Rc::new(parcel?);
        state.parcels += 1;
        state.under_way.insert(state.parcels, Rc::clone(&parcel));
        Some((state.parcels, parcel))
    }

    /// Enters what has been decided about a parcel's rows; the trouble if some of them could not be delivered.
    pub(super) fn settle(&self, number: u64, verdicts: Vec<Verdict>) -> Option<Trouble> {
        let mut state = self.state.borrow_mut();
        let parcel = state.under_way.remove(&number)?;
        state.queue.arrived(parcel.keys());
        let mut trouble = None;
        let mut disowned = BTreeSet::new();
        let mut was_delivered = false;
        for Verdict { part, fate } in verdicts {
            let rows = facts_of(&parcel, &part);
            match fate {
                Fate::Delivered => {
                    was_delivered = true;
                    self.ledger.delivered(state.store.settle(&rows));
                    self.forget(&mut state, &rows);
                }
                // The key has no right to the logger's own project: somebody may give it one.
                Fate::Refused(failure) if failure.disowns() && state.store.has_spool() && part.is_own(&parcel) => {
                    self.take_back(&mut state, &parcel, &part);
                    trouble = Some(Trouble::from(failure));
                }
                Fate::Refused(failure) => {
                    if failure.disowns() {
                        disowned.extend(part.closing(&parcel).cloned());
                    }
                    let refused: Vec<_> = part.indices().iter().map(|index| parcel.open(*index)).collect();
                    self.refuse(&mut state, &refused, &failure.text);
                }
                Fate::TooLarge(text) => self.give_up(&mut state, &rows, LossReason::TooLarge, &text),
                Fate::NotNow(failure) | Fate::NotStored(failure) if state.gives_up_on(&parcel, &part, &failure) => {
                    let why = format!(
                        "{}, {LONG_TRIES} times over: a row of {} bytes may be more than gets through in time; log less \
                         in one span, or set BRAINTRUST_HTTP_TIMEOUT",
                        failure.text,
                        parcel.open(part.indices()[0]).text.len()
                    );
                    self.refuse(&mut state, &[parcel.open(part.indices()[0])], &why);
                }
                Fate::NotStored(failure) => self.set_aside(&mut state, &parcel, &part, &failure),
                Fate::NotNow(failure) => {
                    self.take_back(&mut state, &parcel, &part);
                    trouble = Some(Trouble::from(failure));
                }
            }
        }
        drop(state);
        self.reconsider(&disowned, was_delivered);
        trouble
    }

    /// Has what refusals put in doubt asked anew: the ids of projects and, unless other rows have arrived, the key and
    /// the data plane.
    fn reconsider(&self, disowned: &BTreeSet<Closing>, was_delivered: bool) {
        self.resolver.forget_projects(disowned);
        if !disowned.is_empty() && !was_delivered {
            self.resolver.forget_session();
        }
    }

    /// Rows were not delivered, and may be later: those that are on disk are left there.
    fn take_back(&self, state: &mut State, parcel: &Parcel, part: &Part) {
        let rows = part.indices().iter().map(|index| parcel.open(*index));
        let (on_disk, in_memory): (Vec<_>, Vec<_>) = rows.partition(|row| row.facts.ticket.is_some());
        let on_disk: Vec<_> = on_disk.iter().map(|row| row.facts).collect();
        self.forget(state, &on_disk);
        let held = |row: OpenParcelRow<'_>| Held {
            text: row.text.into(),
            container: row.container.cloned(),
            facts: row.facts,
        };
        state.queue.give_back(in_memory.into_iter().map(held));
    }

    /// Sets all rows of a container aside that cannot be had.
    pub(super) fn refuse_container(&self, container: Option<&Container>, failure: &Failure) {
        let mut state = self.state.borrow_mut();
        let taken = state.queue.take_of(container);
        let rows: Vec<_> = taken.iter().map(Held::open).collect();
        self.refuse(&mut state, &rows, &failure.text);
    }

    /// The backend refuses these rows: they are kept for another process to try, if there is a place for them.
    fn refuse(&self, state: &mut State, rows: &[OpenParcelRow<'_>], why: &str) {
        let own = state.store.own().to_owned();
        let (mut kept, mut left) = (Vec::new(), Vec::new());
        for row in rows {
            let container = row.container.map_or_else(|| own.clone(), |container| container.encode());
            let spooled = SpoolRow { key: row.facts.key, container: &container, text: row.text };
            let place = if state.store.keep_refused(spooled, row.facts.ticket) { &mut kept } else { &mut left };
            place.push(row.facts);
        }
        if !kept.is_empty() {
            let newly_on_disk = state.store.settle(&kept).queued;
            self.ledger.spooled(newly_on_disk);
            self.count_removed(state);
            self.ledger.refused_by_backend(why, &state.store.place_in_words());
            self.forget(state, &kept);
        }
        if !left.is_empty() {
            self.give_up(state, &left, LossReason::Rejected, why);
        }
    }

    /// There is trouble: everything in memory is put on disk, but for what is under way, which may still arrive.
    pub(super) fn step_back(&self) {
        self.state.borrow_mut().is_away = true;
        self.put_behind();
    }

    /// The backend cannot be reached, or refuses everything; nothing is under way any more.
    pub(super) fn go_away(&self, trouble: &Trouble) {
        self.step_back();
        self.is_read_in_vain.set(false);
        let state = &mut *self.state.borrow_mut();
        state.store.rewind();
        if trouble.is_refusal {
            self.resolver.forget_everything();
            if state.store.has_spool() {
                self.ledger.refused_by_backend(&trouble.text, &state.store.place_in_words());
            } else {
                self.give_up_all(state, &trouble.text);
            }
        } else if state.store.is_on_disk() {
            let place = state.store.place_in_words();
            diagnostics::error(&format!("away: {place}"), || {
                format!("{}; rows are kept in {place}, and sent as soon as they can be", trouble.text)
            });
        }
        state.end_flushes_in_vain(trouble.is_refusal);
    }

    /// The backend has answered.
    pub(super) fn come_back(&self) {
        self.state.borrow_mut().is_away = false;
    }

    fn give_up_all(&self, state: &mut State, why: &str) {
        let mut facts = Vec::new();
        while let Some(row) = state.store.drop_oldest() {
            facts.push(row);
        }
        self.give_up(state, &facts, LossReason::Rejected, why);
    }

    fn give_up(&self, state: &mut State, rows: &[RowFacts], reason: LossReason, why: &str) {
        self.ledger.lost(reason, state.store.settle(rows), why);
        self.forget(state, rows);
    }

    /// Rows have left memory for good.
    fn forget(&self, state: &mut State, rows: &[RowFacts]) {
        for row in rows {
            if let Some(unsettled) = state.unsettled.get_mut(&row.epoch) {
                *unsettled -= 1;
                if *unsettled == 0 {
                    state.unsettled.remove(&row.epoch);
                }
            }
        }
        let counted = rows.iter().filter(|row| row.counted > 0);
        self.ledger.freed(counted.clone().count(), counted.map(|row| row.counted).sum());
        state.end_flushes();
    }
}

impl State {
    /// Tells those whose rows are all settled, but for those on disk that cannot leave for now.
    fn end_flushes(&mut self) {
        let first_open = self.unsettled.keys().next().copied().unwrap_or(u64::MAX);
        let is_over = |store: &Store, flush: &Flush| {
            flush.epoch < first_open && flush.mark.is_none_or(|mark| store.is_through_to(mark))
        };
        if self.flushes.iter().any(|flush| is_over(&self.store, flush)) {
            self.store.tidy();
        }
        for flush in self.flushes.extract_if(.., |flush| is_over(&self.store, flush)) {
            // Who asked may have stopped waiting.
            let _ = flush.done.send(());
        }
    }

    /// Tells those whose rows are all settled or on disk: nothing more will become of them for now. If everything is
    /// refused, there is nothing to wait for at all.
    fn end_flushes_in_vain(&mut self, is_refusal: bool) {
        for flush in &mut self.flushes {
            flush.mark = None;
        }
        self.end_flushes();
        if is_refusal {
            for flush in self.flushes.drain(..) {
                let _ = flush.done.send(());
            }
        }
    }
}

fn facts_of(parcel: &Parcel, part: &Part) -> Vec<RowFacts> {
    part.indices().iter().map(|index| parcel.open(*index).facts).collect()
}
