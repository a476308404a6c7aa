//! What happens to a span, as bytes: started, a field, ended.
//!
//! A record is a header of fixed size, optional sections for what is rare, and a body. Nothing in it points anywhere,
//! so records may lie in any buffer, be copied, and be read by whoever has the bytes.
//!
//! [`log`] takes records from all threads to the exporter, by way of [`block`]s; [`bound`] says how much may wait.

mod block;
pub(crate) mod bound;
mod chunk;
pub(crate) mod log;
mod read;
mod sync;
mod wake;
mod write;

use crate::fields;

pub(crate) use chunk::Chunk;
pub(crate) use read::{Record, Records};
pub(crate) use write::Entry;
#[cfg(test)]
pub(crate) use write::RecordWriter;

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum RecordKind {
    /// The span began. The body is the id of its parent, zero for none.
    Start,
    /// A field was logged. The body is its JSON.
    Field,
    /// The span ended.
    End,
    /// A row that merges into nothing: a comment on another row.
    Remark,
    /// A whole row that was made elsewhere. The body is its JSON, without the closing brace.
    Row,
}

impl RecordKind {
    fn from_index(index: u8) -> Option<Self> {
        [Self::Start, Self::Field, Self::End, Self::Remark, Self::Row].get(usize::from(index)).copied()
    }
}

/// How long a header is. Its layout, all numbers little-endian: record kind (1), field (1), unused (2), length of sections (4),
/// length of the body (4), logger (4), callsite (4), number of the lineage (4), span (8), trace (16), time (8). Sections and body each
/// begin at a multiple of eight bytes.
const HEADER: usize = fields::HEADER;
