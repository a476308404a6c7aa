//! The rows that wait to be sent, from which requests are cut.
//!
//! Rows leave in the order in which they came, except for those that have to be passed over: rows of a span that has a
//! row under way, or one that storage does not take for now, and rows of a container of which is not yet known what it is
//! called. Passed-over rows are *held*, and
//! with them all later rows of their spans, so that two rows of one span never overtake each other and are never under
//! way together.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use super::parcel::{Closing, OpenParcelRow, Packing, Parcel};
use crate::container::Container;
use crate::sink::{OpenRow, RowBatch};
use crate::spool::Ticket;

/// What one request may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) rows: usize,
    /// The most bytes of a request as a whole, envelope included.
    pub(super) bytes: usize,
}

/// What goes with a row beside its text.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowFacts {
    /// The same for rows of the same span.
    pub(super) key: u64,
    /// How many flushes were asked for before it came.
    pub(super) epoch: u64,
    /// The bytes of memory that it counts with.
    pub(super) counted: usize,
    /// Where it is on disk, if it is.
    pub(super) ticket: Option<Ticket>,
}

/// One window's rows while they wait.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) rows: RowBatch,
    /// Where each row is on disk; empty if none is.
    pub(super) tickets: Vec<Ticket>,
    /// How many flushes came before it.
    pub(super) epoch: u64,
    /// Whether its bytes count as waiting. Those read back from disk do not.
    pub(super) counts: bool,
    /// The first row that has not left.
    next: usize,
}

impl Window {
    pub(super) fn new(rows: RowBatch, epoch: u64) -> Self {
        Self { rows, tickets: Vec::new(), epoch, counts: true, next: 0 }
    }

    /// Rows that were read back from disk.
    pub(super) fn read_back(rows: RowBatch, tickets: Vec<Ticket>, epoch: u64) -> Self {
        Self { rows, tickets, epoch, counts: false, next: 0 }
    }

    /// The rows that have not left, with what goes with them.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (OpenRow<'_>, RowFacts)> {
        (self.next..self.rows.len()).filter_map(|index| self.row(index))
    }

    /// Gives up the oldest row that has not left.
    pub(super) fn drop_one(&mut self) -> Option<RowFacts> {
        let (_, facts) = self.row(self.next)?;
        self.next += 1;
        Some(facts)
    }

    /// The size of the oldest row that has not left.
    fn next_bytes(&self) -> usize {
        self.row(self.next).map_or(0, |(row, _)| row.text.len())
    }

    fn row(&self, index: usize) -> Option<(OpenRow<'_>, RowFacts)> {
        let row = self.rows.get(index)?;
        let counted = if self.counts { row.text.len() } else { 0 };
        let ticket = self.tickets.get(index).copied();
        Some((row, RowFacts { key: row.key, epoch: self.epoch, counted, ticket }))
    }
}

/// A row that had to be passed over.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) text: Box<[u8]>,
    pub(super) container: Option<Rc<Container>>,
    pub(super) facts: RowFacts,
}

impl Held {
    pub(super) fn open(&self) -> OpenParcelRow<'_> {
        OpenParcelRow { text: &self.text, container: self.container.as_ref(), facts: self.facts }
    }

    fn as_row(&self) -> OpenRow<'_> {
        OpenRow { text: &self.text, container: self.container.as_ref(), key: self.facts.key, may_hold_messages: false }
    }
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Before all windows, in their order.
    held: VecDeque<Held>,
    /// The spans that `held` has rows of, and how many.
    held_keys: HashMap<u64, usize, ByKey>,
    windows: VecDeque<Window>,
    /// The spans that have a row under way.
    under_way: HashSet<u64, ByKey>,
    /// The spans that have a row which storage does not take for now.
    aside: HashSet<u64, ByKey>,
    /// Whether rows of those are held.
    holds_aside: bool,
    /// How much of the windows has not left.
    rows: usize,
    bytes: usize,
    /// Whether something has happened since that may let held rows go.
    may_release: bool,
}

impl Queue {
    /// Nothing waits here, and nothing is held.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty() && self.windows.is_empty()
    }

    /// Whether rows may be there for a request: they are not all held for good reason.
    pub(super) fn is_ready(&self) -> bool {
        !self.windows.is_empty() || self.may_release && !self.held.is_empty()
    }

    /// Whether there is enough for a whole request.
    pub(super) fn fills(&self, limits: Limits) -> bool {
        self.rows >= limits.rows || self.bytes >= limits.bytes
    }

    /// The bytes of the rows in windows.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether rows of the logger's own container wait.
    pub(super) fn has_own(&self) -> bool {
        let in_windows = self.windows.iter().any(|window| window.waiting().any(|(row, _)| row.container.is_none()));
        in_windows || self.held.iter().any(|held| held.container.is_none())
    }

    pub(super) fn push(&mut self, window: Window) {
        if window.rows.is_empty() {
            return;
        }
        self.rows += window.rows.len() - window.next;
        self.bytes += window.waiting().map(|(row, _)| row.text.len()).sum::<usize>();
        self.windows.push_back(window);
    }

    /// Packs the next rows that may leave. `place` says what closes the rows of a container, and nothing if that is not
    /// known yet.
    pub(super) fn cut(
        &mut self,
        limits: Limits,
        mut place: impl FnMut(Option<&Rc<Container>>) -> Option<Closing>,
    ) -> Option<Parcel> {
        let mut packing = Packing::new(limits, self.bytes.max(1024));
        if self.may_release {
            self.cut_held(&mut packing, &mut place);
        }
        self.cut_windows(&mut packing, &mut place);
        packing.seal()
    }

    fn cut_held(&mut self, packing: &mut Packing, place: &mut dyn FnMut(Option<&Rc<Container>>) -> Option<Closing>) {
        let mut blocked: HashSet<u64, ByKey> = HashSet::default();
        let mut kept = VecDeque::with_capacity(self.held.len());
        let mut is_full = false;
        for held in std::mem::take(&mut self.held) {
            let key = held.facts.key;
            let waits = is_full || blocked.contains(&key) || self.under_way.contains(&key) || self.aside.contains(&key);
            let closing = if waits { None } else { closing_of(held.container.as_ref(), packing, place) };
            match closing {
                Some(closing) if packing.has_room(held.text.len(), closing) => {
                    packing.push(&held.text, closing, held.facts);
                    self.under_way.insert(key);
                    self.forget_held(key);
                }
                unplaced => {
                    is_full |= unplaced.is_some();
                    blocked.insert(key);
                    kept.push_back(held);
                }
            }
        }
        self.held = kept;
        self.may_release = is_full;
    }

    fn cut_windows(&mut self, packing: &mut Packing, place: &mut dyn FnMut(Option<&Rc<Container>>) -> Option<Closing>) {
        while let Some(window) = self.windows.front_mut() {
            let Some((row, facts)) = window.row(window.next) else {
                self.windows.pop_front();
                continue;
            };
            if packing.is_full() {
                return;
            }
            let key = facts.key;
            let is_aside = self.aside.contains(&key);
            let waits = is_aside || self.under_way.contains(&key) || self.held_keys.contains_key(&key);
            let closing = if waits { None } else { closing_of(row.container, packing, place) };
            match closing {
                Some(closing) if packing.has_room(row.text.len(), closing) => {
                    packing.push(row.text, closing, facts);
                    self.under_way.insert(key);
                }
                Some(_) => return,
                None => {
                    self.held.push_back(Held { text: row.text.into(), container: row.container.cloned(), facts });
                    *self.held_keys.entry(key).or_default() += 1;
                    self.holds_aside |= is_aside;
                }
            }
            self.rows -= 1;
            self.bytes -= row.text.len();
            window.next += 1;
        }
    }

    fn forget_held(&mut self, key: u64) {
        if let Some(count) = self.held_keys.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                self.held_keys.remove(&key);
            }
        }
    }

    /// The rows of these spans are no longer under way.
    pub(super) fn arrived(&mut self, keys: impl Iterator<Item = u64>) {
        for key in keys {
            self.under_way.remove(&key);
            self.may_release |= self.held_keys.contains_key(&key);
        }
    }

    /// Takes rows back that were under way; they come before all others.
    pub(super) fn give_back(&mut self, rows: impl DoubleEndedIterator<Item = Held>) {
        for held in rows.rev() {
            self.under_way.remove(&held.facts.key);
            *self.held_keys.entry(held.facts.key).or_default() += 1;
            self.held.push_front(held);
        }
        self.may_release = true;
    }

    /// Passes over all rows of these spans, until [`end_aside`](Self::end_aside).
    pub(super) fn set_aside(&mut self, keys: impl Iterator<Item = u64>) {
        self.aside.extend(keys);
        self.holds_aside = true;
    }

    pub(super) fn end_aside(&mut self) {
        self.aside.clear();
        self.may_release = true;
    }

    /// Whether rows have been passed over since this was last asked because storage does not take those of their spans.
    pub(super) fn take_holds_aside(&mut self) -> bool {
        std::mem::take(&mut self.holds_aside)
    }

    /// Containers that were not known may be known now.
    pub(super) fn release(&mut self) {
        self.may_release = true;
    }

    /// Takes out all rows of a container.
    pub(super) fn take_of(&mut self, container: Option<&Container>) -> Vec<Held> {
        let is_of = |other: Option<&Rc<Container>>| other.map(|other| &**other) == container;
        self.hold_windows();
        let all = std::mem::take(&mut self.held).into_iter();
        let (taken, kept): (Vec<_>, Vec<_>) = all.partition(|held| is_of(held.container.as_ref()));
        self.held = kept.into();
        taken.iter().for_each(|held| self.forget_held(held.facts.key));
        self.may_release = true;
        taken
    }

    /// Has `put` put the held rows on disk whose span is set aside or whose container `is_meant`, and lets them go; what
    /// cannot be put there stays, and with it all that is younger. So do spans that have a row under way, which may come
    /// back.
    pub(super) fn let_go_held(
        &mut self,
        is_meant: impl Fn(&Container) -> bool,
        mut put: impl FnMut(&OpenRow<'_>) -> Option<Ticket>,
    ) -> Vec<RowFacts> {
        let (mut let_go, mut has_room) = (Vec::new(), true);
        for mut held in std::mem::take(&mut self.held) {
            let key = held.facts.key;
            let is_meant = self.aside.contains(&key) || held.container.as_deref().is_some_and(&is_meant);
            let may_go = has_room && is_meant && !self.under_way.contains(&key);
            if may_go && held.facts.ticket.is_none() {
                held.facts.ticket = put(&held.as_row());
                has_room = held.facts.ticket.is_some();
            }
            if may_go && has_room {
                self.forget_held(key);
                // Rows of the span that go elsewhere may have waited for this one.
                self.may_release |= self.held_keys.contains_key(&key);
                let_go.push(held.facts);
            } else {
                self.held.push_back(held);
            }
        }
        let_go
    }

    /// Takes out everything that waits, in its order.
    pub(super) fn take_all(&mut self) -> (VecDeque<Held>, VecDeque<Window>) {
        self.held_keys.clear();
        (self.rows, self.bytes) = (0, 0);
        (std::mem::take(&mut self.held), std::mem::take(&mut self.windows))
    }

    /// Gives up the oldest rows, as long as they are in memory only, until they make up `bytes` and `rows`.
    pub(super) fn drop_oldest(&mut self, bytes: usize, rows: usize) -> Vec<RowFacts> {
        let mut dropped: Vec<RowFacts> = Vec::new();
        let mut dropped_bytes = 0;
        while dropped_bytes < bytes || dropped.len() < rows {
            let Some(facts) = self.drop_one() else { break };
            dropped_bytes += facts.counted;
            dropped.push(facts);
        }
        dropped
    }

    fn drop_one(&mut self) -> Option<RowFacts> {
        if let Some(held) = self.held.pop_front_if(|held| held.facts.ticket.is_none()) {
            self.forget_held(held.facts.key);
            // Others of the span may have waited for this one alone.
            self.may_release |= self.held_keys.contains_key(&held.facts.key);
            return Some(held.facts);
        }
        loop {
            let window = self.windows.front_mut()?;
            if !window.tickets.is_empty() {
                return None;
            }
            let bytes = window.next_bytes();
            if let Some(dropped) = window.drop_one() {
                self.rows -= 1;
                self.bytes -= bytes;
                return Some(dropped);
            }
            self.windows.pop_front();
        }
    }

    /// Whether all that waits is on disk, too.
    pub(super) fn is_on_disk(&self) -> bool {
        let are_windows =
            self.windows.iter().all(|window| !window.tickets.is_empty() || window.waiting().next().is_none());
        are_windows && self.held.iter().all(|held| held.facts.ticket.is_some())
    }

    /// Has `put` put rows on disk that are not there yet, and notes where they are; it is given a window's rows at a time,
    /// in their order, up to those that it cannot put there.
    pub(super) fn give_tickets(&mut self, mut put: impl FnMut(&[OpenRow<'_>]) -> Option<Vec<Ticket>>) {
        for held in self.held.iter_mut().filter(|held| held.facts.ticket.is_none()) {
            let Some(tickets) = put(&[held.as_row()]) else { return };
            held.facts.ticket = tickets.first().copied();
        }
        for window in self.windows.iter_mut().filter(|window| window.tickets.is_empty()) {
            let rows: Vec<_> = window.waiting().map(|(row, _)| row).collect();
            let Some(tickets) = put(&rows) else { return };
            // Those that have left need none.
            let Some(first) = tickets.first() else { continue };
            window.tickets = vec![*first; window.next];
            window.tickets.extend(tickets);
        }
    }

    /// Moves the rows of windows to those that are held: a rare thing to do.
    fn hold_windows(&mut self) {
        for (row, facts) in self.windows.iter().flat_map(Window::waiting) {
            *self.held_keys.entry(facts.key).or_default() += 1;
            self.held.push_back(Held { text: row.text.into(), container: row.container.cloned(), facts });
        }
        self.windows.clear();
        (self.rows, self.bytes) = (0, 0);
        self.may_release = true;
    }
}

/// The place of a container's closing in `packing`, as far as it is known.
fn closing_of(
    container: Option<&Rc<Container>>,
    packing: &mut Packing,
    place: &mut dyn FnMut(Option<&Rc<Container>>) -> Option<Closing>,
) -> Option<usize> {
    if let Some(known) = packing.known(container) {
        return Some(known);
    }
    place(container).map(|closing| packing.learn(container, closing))
}

type ByKey = BuildHasherDefault<KeyHasher>;

/// Keys are random already: they need no hashing.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

#[cfg(test)]
mod tests;
