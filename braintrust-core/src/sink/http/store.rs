//! What waits behind the queue: rows on disk, and rows that could not be put there.
//!
//! In the order of their age: the queue, the spool, the rows behind it in memory. So while anything waits in the spool,
//! new rows go to its end, and are read back in their turn.

use std::collections::VecDeque;
use std::rc::Rc;

use super::parcel::Parcel;
use super::queue::{Held, Queue, RowFacts, Window};
use crate::container::Container;
use crate::diagnostics;
use crate::ledger::Tally;
use crate::sink::RowBatch;
use crate::spool::{NotSpooled, Removed, Spool, SpoolRow, Ticket};

/// The epoch of rows that nobody waits for any more: those that were on disk already.
pub(super) const ON_DISK: u64 = u64::MAX;

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Store {
    spool: Option<Spool>,
    /// Whether rows are put on disk before they are sent.
    is_durable: bool,
    /// The logger's own container, encoded.
    own: Vec<u8>,
    behind: VecDeque<Window>,
    /// Rows that have been put on disk since this was last asked.
    spooled: u64,
    /// Whether rows stayed in memory for want of room on disk. Younger ones are not to go there before them.
    has_found_no_room: bool,
}

/// What became of a window that came.
pub(super) enum Placed {
    /// It may be sent.
    Queue(Window),
    /// It waits here.
    Waits,
}

impl Store {
    pub(super) fn new(spool: Option<Spool>, is_durable: bool, own: &Container) -> Self {
        let (behind, spooled, has_found_no_room) = Default::default();
        Self { spool, is_durable, own: own.encode(), behind, spooled, has_found_no_room }
    }

    /// Whether there is a place on disk for rows.
    pub(super) fn has_spool(&self) -> bool {
        self.spool.is_some()
    }

    pub(super) fn spool_mut(&mut self) -> Option<&mut Spool> {
        self.spool.as_mut()
    }

    /// Whether all that waits here is on disk.
    pub(super) fn is_on_disk(&self) -> bool {
        self.spool.is_some() && self.behind.is_empty()
    }

    /// Whether nothing waits here to be read back.
    pub(super) fn is_empty(&self) -> bool {
        self.behind.is_empty() && self.spool.as_ref().is_none_or(Spool::is_read)
    }

    /// How many rows have been put on disk since this was last asked.
    pub(super) fn take_spooled(&mut self) -> u64 {
        std::mem::take(&mut self.spooled)
    }

    /// Whether rows stayed in memory for want of room on disk, since [`has_room_again`](Self::has_room_again).
    pub(super) fn has_found_no_room(&self) -> bool {
        self.has_found_no_room
    }

    /// No rows have to go to disk before the next ones.
    pub(super) fn has_room_again(&mut self) {
        self.has_found_no_room = false;
    }

    /// Finds a place for the newest rows.
    pub(super) fn place(&mut self, mut window: Window, is_away: bool, may_go_to_disk: bool) -> Placed {
        if is_away || !self.is_empty() {
            self.behind.push_back(window);
            return Placed::Waits;
        }
        if self.is_durable
            && may_go_to_disk
            && let Some(tickets) = self.put_on_disk(&window)
        {
            window.tickets = tickets;
            self.skip_to_end();
        }
        Placed::Queue(window)
    }

    /// Moves everything that waits in `queue` here: those rows are older than all that waits in memory here. Rows that
    /// are on disk already are let go; it is returned what they were.
    pub(super) fn take_over(&mut self, queue: &mut Queue) -> Vec<RowFacts> {
        let (held, windows) = queue.take_all();
        let mut let_go = Vec::new();
        for window in windows_of(held).into_iter().chain(windows).rev() {
            if window.tickets.is_empty() {
                self.behind.push_front(window);
            } else {
                let_go.extend(window.waiting().map(|(_, facts)| facts));
            }
        }
        let_go
    }

    /// Puts the rows behind on disk, as far as that goes; it is returned what they were.
    pub(super) fn spool_behind(&mut self) -> Vec<RowFacts> {
        let mut let_go = Vec::new();
        while self.spool.is_some()
            && let Some(window) = self.behind.pop_front()
        {
            if window.tickets.is_empty() && self.put_on_disk(&window).is_none() {
                self.behind.push_front(window);
                break;
            }
            let_go.extend(window.waiting().map(|(_, facts)| facts));
        }
        let_go
    }

    /// Puts rows on disk that are under way and not there yet; whether all are there.
    pub(super) fn secure_parcel(&mut self, parcel: &Parcel) -> bool {
        let rows: Vec<usize> = (0..parcel.len()).filter(|index| parcel.open(*index).facts.ticket.is_none()).collect();
        let was_empty = self.is_read();
        let own = std::mem::take(&mut self.own);
        let encoded = Encoded::of(rows.iter().map(|index| parcel.open(*index).container), &own);
        let open = rows.iter().zip(&encoded.0).map(|(index, container)| {
            let row = parcel.open(*index);
            SpoolRow { key: row.facts.key, container, text: row.text }
        });
        let tickets = self.append(open);
        drop(encoded);
        self.own = own;
        for (index, ticket) in rows.iter().zip(tickets.into_iter().flatten()) {
            parcel.set_ticket(*index, ticket);
        }
        if was_empty {
            self.skip_to_end();
        }
        parcel.is_on_disk()
    }

    /// Puts the rows of a queue on disk that are not there yet; they stay in the queue. Whether all are there.
    pub(super) fn secure_queue(&mut self, queue: &mut Queue) -> bool {
        let was_empty = self.is_read();
        let own = std::mem::take(&mut self.own);
        queue.give_tickets(|rows| {
            let encoded = Encoded::of(rows.iter().map(|row| row.container), &own);
            let open = rows.iter().zip(&encoded.0);
            self.append(open.map(|(row, container)| SpoolRow { key: row.key, container, text: row.text }))
        });
        self.own = own;
        if was_empty {
            self.skip_to_end();
        }
        queue.is_on_disk()
    }

    /// Puts the held rows on disk whose span is set aside or whose container `is_put_off`, and lets them go; it is
    /// returned what they were.
    pub(super) fn put_off_held(&mut self, queue: &mut Queue, is_put_off: impl Fn(&Container) -> bool) -> Vec<RowFacts> {
        if self.spool.is_none() {
            return Vec::new();
        }
        let was_empty = self.is_read();
        let own = std::mem::take(&mut self.own);
        let let_go = queue.let_go_held(is_put_off, |row| {
            // What waits to be read there is younger, and must stay so.
            if !was_empty {
                return None;
            }
            let container = row.container.map_or_else(|| own.clone(), |container| container.encode());
            let row = SpoolRow { key: row.key, container: &container, text: row.text };
            self.append(std::iter::once(row))?.first().copied()
        });
        self.own = own;
        if was_empty {
            self.skip_to_end();
        }
        self.leave(&let_go);
        let_go
    }

    /// Rows on disk stay there for now, and nobody waits for them.
    pub(super) fn leave(&mut self, rows: &[RowFacts]) {
        if let Some(spool) = &mut self.spool {
            spool.leave(rows.iter().filter_map(|row| row.ticket));
        }
    }

    /// Rows that were left may go, once they are read again.
    pub(super) fn reopen_left(&mut self) {
        if let Some(spool) = &mut self.spool {
            spool.reopen_left();
        }
    }

    fn put_on_disk(&mut self, window: &Window) -> Option<Vec<Ticket>> {
        let own = std::mem::take(&mut self.own);
        let encoded = Encoded::of(window.rows.iter().map(|row| row.container), &own);
        let rows = window.rows.iter().zip(&encoded.0);
        let skipped = window.rows.len() - window.waiting().count();
        let rows = rows.skip(skipped);
        let tickets = self.append(rows.map(|(row, container)| SpoolRow { key: row.key, container, text: row.text }));
        drop(encoded);
        self.own = own;
        tickets
    }

    fn append<'a>(&mut self, rows: impl Iterator<Item = SpoolRow<'a>>) -> Option<Vec<Ticket>> {
        let spool = self.spool.as_mut()?;
        match spool.append(rows) {
            Ok(tickets) => {
                self.spooled += tickets.len() as u64;
                Some(tickets)
            }
            Err(problem) => {
                self.has_found_no_room = true;
                tell_of(&problem);
                None
            }
        }
    }

    /// Whether nothing on disk waits to be read: what is in the queue may then be in memory only.
    pub(super) fn is_read(&self) -> bool {
        self.spool.as_ref().is_none_or(Spool::is_read)
    }

    fn skip_to_end(&mut self) {
        if let Some(spool) = &mut self.spool {
            spool.skip_to_end();
        }
    }

    /// Has everything on disk read again that is not settled. Nothing of it may be in memory.
    pub(super) fn rewind(&mut self) {
        if let Some(spool) = &mut self.spool {
            spool.rewind();
        }
    }

    /// Moves rows to `queue`, until enough is there for a request.
    pub(super) fn refill(&mut self, queue: &mut Queue, enough: usize) {
        if let Some(spool) = &mut self.spool
            && queue.bytes() < enough
            && !spool.is_read()
        {
            let (mut rows, mut tickets) = (RowBatch::default(), Vec::new());
            spool.read(enough - queue.bytes(), |row, ticket| {
                let container = (row.container != self.own).then_some(row.container);
                rows.push_with(row.key, container, |out| out.extend_from_slice(row.text));
                tickets.push(ticket);
            });
            queue.push(Window::read_back(rows, tickets, ON_DISK));
        }
        while self.is_read()
            && queue.bytes() < enough
            && let Some(window) = self.behind.pop_front()
        {
            queue.push(window);
        }
    }

    /// Gives up the oldest rows that are in memory only.
    pub(super) fn drop_oldest(&mut self) -> Option<RowFacts> {
        loop {
            if let Some(dropped) = self.behind.front_mut()?.drop_one() {
                return Some(dropped);
            }
            self.behind.pop_front();
        }
    }

    /// These rows are delivered, or lost; the places that they are counted in.
    pub(super) fn settle(&mut self, rows: &[RowFacts]) -> Tally {
        if let Some(spool) = &mut self.spool {
            spool.settle(rows.iter().filter_map(|row| row.ticket));
        }
        tally(rows)
    }

    /// Keeps a row that the backend has refused; `false` if there is no place for it.
    pub(super) fn keep_refused(&mut self, row: SpoolRow<'_>, ticket: Option<Ticket>) -> bool {
        let Some(spool) = &mut self.spool else { return false };
        let since = ticket.and_then(|ticket| spool.refused_since(ticket));
        let is_own = ticket.is_none_or(|ticket| !ticket.is_earlier());
        let kept = spool.keep_refused(std::iter::once(row), since, is_own);
        kept.inspect_err(tell_of).is_ok()
    }

    /// How many rows that were kept as refused are gone, by the place that they are counted in.
    pub(super) fn take_removed(&mut self) -> Tally {
        self.spool.as_mut().map(|spool| on_disk(spool.take_removed())).unwrap_or_default()
    }

    /// How many rows on disk could not be read back, by the place that they are counted in.
    pub(super) fn take_lost(&mut self) -> Tally {
        self.spool.as_mut().map(|spool| on_disk(spool.take_lost())).unwrap_or_default()
    }

    /// The point that all rows on disk come before.
    pub(super) fn mark(&self) -> Option<Ticket> {
        self.spool.as_ref().map(Spool::mark)
    }

    /// Whether the rows before a point are settled, or put off.
    pub(super) fn is_through_to(&self, mark: Ticket) -> bool {
        self.spool.as_ref().is_none_or(|spool| spool.is_through_to(mark))
    }

    /// Removes what is no longer needed on disk.
    pub(super) fn tidy(&mut self) {
        if let Some(spool) = &mut self.spool {
            spool.tidy();
        }
    }

    /// Where the rows on disk are, in words.
    pub(super) fn place_in_words(&self) -> String {
        self.spool.as_ref().map_or_else(|| "memory".to_owned(), |spool| spool.path().display().to_string())
    }

    /// The logger's own container, encoded.
    pub(super) fn own(&self) -> &[u8] {
        &self.own
    }
}

fn on_disk(rows: Removed) -> Tally {
    Tally { queued: 0, spooled: rows.own, earlier: rows.earlier }
}

/// The places that rows are counted in.
pub(super) fn tally(rows: &[RowFacts]) -> Tally {
    let mut tally = Tally::default();
    for row in rows {
        match row.ticket {
            None => tally.queued += 1,
            Some(ticket) if ticket.is_earlier() => tally.earlier += 1,
            Some(_) => tally.spooled += 1,
        }
    }
    tally
}

/// The containers of rows, encoded.
struct Encoded<'a>(Vec<std::borrow::Cow<'a, [u8]>>);

impl<'a> Encoded<'a> {
    fn of<'r>(containers: impl Iterator<Item = Option<&'r Rc<Container>>>, own: &'a [u8]) -> Self {
        let mut last: Option<(Rc<Container>, Vec<u8>)> = None;
        Self(
            containers
                .map(|container| {
                    let Some(container) = container else { return std::borrow::Cow::Borrowed(own) };
                    let known = last.as_ref().filter(|(known, _)| Rc::ptr_eq(known, container));
                    let encoded = known.map_or_else(|| container.encode(), |(_, encoded)| encoded.clone());
                    last = Some((Rc::clone(container), encoded.clone()));
                    std::borrow::Cow::Owned(encoded)
                })
                .collect(),
        )
    }
}

fn tell_of(problem: &NotSpooled) {
    diagnostics::error(&format!("{:?}", std::mem::discriminant(problem)), || {
        format!("{problem}; rows wait in memory, as far as its bound allows")
    });
}

/// Held rows as windows: one for each run of rows of the same kind.
fn windows_of(held: VecDeque<Held>) -> Vec<Window> {
    let mut windows: Vec<Window> = Vec::new();
    for Held { text, container, facts } in held {
        let container = container.as_deref().map(Container::encode);
        let fits = |window: &Window| {
            (window.epoch, window.counts) == (facts.epoch, facts.counted > 0)
                && window.tickets.is_empty() == facts.ticket.is_none()
        };
        if !windows.last().is_some_and(fits) {
            let mut window = Window::new(RowBatch::default(), facts.epoch);
            window.counts = facts.counted > 0;
            windows.push(window);
        }
        if let Some(window) = windows.last_mut() {
            window.rows.push_with(facts.key, container.as_deref(), |out| out.extend_from_slice(&text));
            window.tickets.extend(facts.ticket);
        }
    }
    windows
}
