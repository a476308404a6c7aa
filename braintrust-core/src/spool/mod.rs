//! Rows on disk, until they can be delivered.

/// Where a row is in a spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) segment: u32,
    pub(crate) row: u32,
}
