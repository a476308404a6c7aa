//! The rows of one request, as they are sent; and parts of them, for requests that have to be sent in parts.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;

use super::queue::{Limits, RowFacts};
use crate::api::{Envelope, Row};
use crate::container::Container;
use crate::spool::Ticket;

/// What closes the rows of one container: the fields that name it, and the brace.
pub(super) type Closing = Rc<[u8]>;

/// Rows on their way. At most one of any span is in it, and none of a span that another parcel under way has one of.
#[derive(Debug)]
pub(super) struct Parcel {
    /// The whole request.
    body: Bytes,
    /// Where a row is on disk may change while it is under way.
    rows: Vec<ParcelRow>,
    tickets: RefCell<Vec<Option<Ticket>>>,
    closings: Vec<(Closing, Option<Rc<Container>>)>,
}

/// A row in a parcel's body.
#[derive(Clone, Copy, Debug)]
pub(super) struct ParcelRow {
    start: usize,
    /// Without the closing.
    len: usize,
    closing: usize,
    facts: RowFacts,
}

/// A row of a parcel without its closing, for whoever has to keep it.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenParcelRow<'a> {
    pub(super) text: &'a [u8],
    pub(super) container: Option<&'a Rc<Container>>,
    pub(super) facts: RowFacts,
}

impl Parcel {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = u64> + '_ {
        self.rows.iter().map(|row| row.facts.key)
    }

    /// The row with this index, which is one of the parcel's.
    pub(super) fn open(&self, index: usize) -> OpenParcelRow<'_> {
        let row = self.rows[index];
        OpenParcelRow {
            text: &self.body[row.start..row.start + row.len],
            container: self.closings[row.closing].1.as_ref(),
            facts: RowFacts { ticket: self.tickets.borrow()[index], ..row.facts },
        }
    }

    pub(super) fn set_ticket(&self, index: usize, ticket: Ticket) {
        self.tickets.borrow_mut()[index] = Some(ticket);
    }

    /// Whether all rows are on disk, too.
    pub(super) fn is_on_disk(&self) -> bool {
        self.tickets.borrow().iter().all(Option::is_some)
    }

    fn closed(&self, index: usize) -> Row<'_> {
        let ParcelRow { start, len, closing, .. } = self.rows[index];
        Row { text: &self.body[start..start + len], closing: &self.closings[closing].0 }
    }
}

/// Some rows of a parcel, by their indices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part(Vec<usize>);

impl Part {
    pub(super) fn whole(parcel: &Parcel) -> Self {
        Self((0..parcel.len()).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn indices(&self) -> &[usize] {
        &self.0
    }

    /// Whether all rows go to the logger's own project.
    pub(super) fn is_own(&self, parcel: &Parcel) -> bool {
        self.0.iter().all(|index| parcel.open(*index).container.is_none())
    }

    /// The request for these rows.
    pub(super) fn body(&self, parcel: &Parcel) -> Bytes {
        if self.len() == parcel.len() {
            return parcel.body.clone();
        }
        let size = self.0.iter().map(|index| parcel.closed(*index).len() + 1).sum();
        let mut envelope = Envelope::with_room(size);
        for index in &self.0 {
            envelope.push(parcel.closed(*index));
        }
        envelope.seal()
    }

    pub(super) fn rows<'a>(&'a self, parcel: &'a Parcel) -> impl Iterator<Item = Row<'a>> + 'a {
        self.0.iter().map(|index| parcel.closed(*index))
    }

    pub(super) fn halves(&self) -> [Self; 2] {
        let (first, second) = self.0.split_at(self.len() / 2);
        [Self(first.to_vec()), Self(second.to_vec())]
    }

    /// What closes these rows, if it is the same for all.
    pub(super) fn closing<'a>(&self, parcel: &'a Parcel) -> Option<&'a Closing> {
        let mut closings = self.0.iter().map(|index| parcel.rows[*index].closing);
        let first = closings.next()?;
        closings.all(|closing| closing == first).then(|| &parcel.closings[first].0)
    }

    /// A part for each container.
    pub(super) fn by_container(&self, parcel: &Parcel) -> Vec<Self> {
        let mut parts: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for index in &self.0 {
            parts.entry(parcel.rows[*index].closing).or_default().push(*index);
        }
        parts.into_values().map(Self).collect()
    }
}

/// A parcel that is being packed.
pub(super) struct Packing {
    limits: Limits,
    envelope: Envelope,
    rows: Vec<ParcelRow>,
    tickets: Vec<Option<Ticket>>,
    closings: Vec<(Closing, Option<Rc<Container>>)>,
}

impl Packing {
    /// An empty parcel; `waiting` bytes of rows are there to be packed.
    pub(super) fn new(limits: Limits, waiting: usize) -> Self {
        let room = limits.bytes.min(waiting + waiting / 8);
        let envelope = Envelope::with_room(room);
        Self { limits, envelope, rows: Vec::new(), tickets: Vec::new(), closings: Vec::new() }
    }

    /// The closing of a container that rows are in already.
    pub(super) fn known(&self, container: Option<&Rc<Container>>) -> Option<usize> {
        self.closings.iter().rposition(|(_, known)| match (known, container) {
            (None, None) => true,
            (Some(known), Some(container)) => Rc::ptr_eq(known, container),
            _ => false,
        })
    }

    /// Makes the closing of a container known. Containers that are closed in the same way count as one.
    pub(super) fn learn(&mut self, container: Option<&Rc<Container>>, closing: Closing) -> usize {
        if let Some(known) = self.closings.iter().position(|(known, _)| *known == closing) {
            return known;
        }
        self.closings.push((closing, container.cloned()));
        self.closings.len() - 1
    }

    /// Whether a row of so many bytes may be added. The first one always may: the backend, not this side, has the last
    /// word on what is too large.
    pub(super) fn has_room(&self, len: usize, closing: usize) -> bool {
        let size = len + self.closings[closing].0.len() + 1;
        self.rows.is_empty() || self.rows.len() < self.limits.rows && self.envelope.len() + size <= self.limits.bytes
    }

    pub(super) fn is_full(&self) -> bool {
        self.rows.len() >= self.limits.rows || self.envelope.len() >= self.limits.bytes
    }

    pub(super) fn push(&mut self, text: &[u8], closing: usize, facts: RowFacts) {
        let start = self.envelope.push(Row { text, closing: &self.closings[closing].0 });
        self.rows.push(ParcelRow { start, len: text.len(), closing, facts });
        self.tickets.push(facts.ticket);
    }

    /// The parcel, if there are rows in it.
    pub(super) fn seal(self) -> Option<Parcel> {
        let Self { envelope, rows, tickets, closings, .. } = self;
        (!rows.is_empty()).then(|| Parcel { body: envelope.seal(), rows, closings, tickets: RefCell::new(tickets) })
    }
}
