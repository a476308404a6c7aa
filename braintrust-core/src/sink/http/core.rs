//! The state of one logger's sending: where each row is, and who waits for it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::{Notify, oneshot};

use super::courier::{Fate, Verdict};
use super::driver::Trouble;
use super::parcel::{Closing, Parcel, Part};
use super::queue::{Held, Limits, Queue, RowFacts, Window};
use super::resolver::Resolver;
use super::store::Store;
use crate::api::{Failure, Pacing};
use crate::container::Container;
use crate::ledger::{Ledger, Tally};
use crate::report::LossReason;
use crate::sink::RowBatch;

/// See the module's documentation.
pub(super) struct Core {
    pub(super) resolver: Rc<Resolver>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) pacing: Pacing,
    /// Told of new rows, of flushes, and of the end.
    pub(super) wake: Notify,
    pub(super) is_closed: Cell<bool>,
    /// Whether somebody has asked for a flush since the driver last looked.
    pub(super) is_urged: Cell<bool>,
    state: RefCell<State>,
}

#[derive(Default)]
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
}

/// Somebody who waits for all rows up to an epoch.
struct Flush {
    epoch: u64,
    done: oneshot::Sender<()>,
}

impl Core {
    pub(super) fn new(resolver: Rc<Resolver>, ledger: Arc<Ledger>, pacing: Pacing) -> Self {
        let (wake, is_closed, is_urged, state) = (Notify::new(), Cell::default(), Cell::default(), RefCell::default());
        Self { resolver, ledger, pacing, wake, is_closed, is_urged, state }
    }

    /// Takes over a window's rows.
    pub(super) fn accept(&self, rows: RowBatch) {
        if rows.is_empty() {
            return;
        }
        let state = &mut *self.state.borrow_mut();
        *state.unsettled.entry(state.epoch).or_default() += rows.len();
        let window = Window::new(rows, state.epoch);
        if state.is_away || !state.store.is_empty() {
            state.store.push(window);
        } else {
            state.queue.push(window);
        }
        self.wake.notify_one();
    }

    /// Resolves once everything accepted so far is settled.
    pub(super) fn barrier(&self) -> oneshot::Receiver<()> {
        let (done, settled) = oneshot::channel();
        let mut state = self.state.borrow_mut();
        let epoch = state.epoch;
        state.epoch += 1;
        state.flushes.push(Flush { epoch, done });
        state.end_flushes();
        self.is_urged.set(true);
        self.wake.notify_one();
        settled
    }

    /// Puts on disk what is in memory only.
    pub(super) fn secure(&self) {}

    /// Gives up the oldest rows that are in memory only.
    pub(super) fn drop_oldest(&self, bytes: usize, rows: usize) {
        let mut state = self.state.borrow_mut();
        let dropped = state.queue.drop_oldest(bytes, rows);
        self.forget(&mut state, &dropped);
        drop(state);
        let why = "the oldest rows made room for new ones; the backend is too slow, or away";
        self.ledger.lost(LossReason::QueueFull, Tally::in_memory(dropped.len()), why);
    }

    /// No more rows will come.
    pub(super) fn close(&self) {
        self.is_closed.set(true);
        self.wake.notify_one();
    }

    /// Whether there is anything to send.
    pub(super) fn has_rows(&self) -> bool {
        let state = self.state.borrow();
        !state.queue.is_empty() || !state.store.is_empty()
    }

    /// Whether somebody waits for rows to arrive.
    fn is_awaited(&self) -> bool {
        !self.state.borrow().flushes.is_empty()
    }

    /// Whether rows of the logger's own project are next, of which nothing is known yet.
    pub(super) fn needs_own_project(&self) -> bool {
        self.resolver.known_closing(None).is_none() && self.state.borrow().queue.has_own()
    }

    /// Fills the queue from what waits behind it.
    pub(super) fn refill(&self, limits: Limits) {
        let state = &mut *self.state.borrow_mut();
        state.store.refill(&mut state.queue, limits.bytes);
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
        })?;
        let parcel = Rc::new(parcel);
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
            match fate {
                Fate::Delivered => {
                    was_delivered = true;
                    self.ledger.delivered(Tally::in_memory(part.len()));
                    self.forget(&mut state, &facts_of(&parcel, &part));
                }
                Fate::Refused(failure) => {
                    if failure.disowns() {
                        disowned.extend(part.closing(&parcel).cloned());
                    }
                    self.give_up(&mut state, &facts_of(&parcel, &part), LossReason::Rejected, &failure.text);
                }
                Fate::TooLarge(text) => {
                    self.give_up(&mut state, &facts_of(&parcel, &part), LossReason::TooLarge, &text);
                }
                Fate::NotNow(failure) => {
                    state.queue.give_back(held_rows(&parcel, &part));
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

    /// Gives up all rows of a container that cannot be had.
    pub(super) fn refuse_container(&self, container: Option<&Container>, failure: &Failure) {
        let mut state = self.state.borrow_mut();
        let taken = state.queue.take_of(container);
        let facts: Vec<_> = taken.iter().map(|held| held.facts).collect();
        self.give_up(&mut state, &facts, LossReason::Rejected, &failure.text);
    }

    /// A container that was asked for is known now.
    pub(super) fn release(&self) {
        self.state.borrow_mut().queue.release();
        self.wake.notify_one();
    }

    /// The backend cannot be reached, or refuses everything.
    pub(super) fn go_away(&self, trouble: &Trouble) {
        let state = &mut *self.state.borrow_mut();
        state.is_away = true;
        state.store.take_over(&mut state.queue);
        if trouble.is_refusal {
            self.resolver.forget_everything();
            self.give_up_all(state, &trouble.text);
        }
    }

    /// The backend has answered.
    pub(super) fn come_back(&self) {
        self.state.borrow_mut().is_away = false;
    }

    fn give_up_all(&self, state: &mut State, why: &str) {
        let mut all = Queue::default();
        state.store.refill(&mut all, usize::MAX);
        let mut facts = Vec::new();
        all.each(|_, _, row| facts.push(row));
        self.give_up(state, &facts, LossReason::Rejected, why);
    }

    fn give_up(&self, state: &mut State, rows: &[RowFacts], reason: LossReason, why: &str) {
        self.ledger.lost(reason, Tally::in_memory(rows.len()), why);
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
    /// Tells those whose rows are all settled.
    fn end_flushes(&mut self) {
        let first_open = self.unsettled.keys().next().copied().unwrap_or(u64::MAX);
        for flush in self.flushes.extract_if(.., |flush| flush.epoch < first_open) {
            // Who asked may have stopped waiting.
            let _ = flush.done.send(());
        }
    }
}

fn facts_of(parcel: &Parcel, part: &Part) -> Vec<RowFacts> {
    part.indices().iter().map(|index| parcel.open(*index).facts).collect()
}

fn held_rows<'a>(parcel: &'a Parcel, part: &'a Part) -> impl DoubleEndedIterator<Item = Held> + 'a {
    part.indices().iter().map(|index| {
        let row = parcel.open(*index);
        Held { text: row.text.into(), container: row.container.cloned(), facts: row.facts }
    })
}
