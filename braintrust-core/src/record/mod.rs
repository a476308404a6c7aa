//! What happens to a span, as bytes: started, a field, ended.
//!
//! A record is a header of fixed size, optional sections for what is rare, and a body. Nothing in it points anywhere,
//! so records may lie in any buffer, be copied, and be read by whoever has the bytes.

pub(crate) mod log;
mod read;
mod write;

pub(crate) use read::{Record, Records};
pub(crate) use write::{RecordWriter, Sections};

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
}

impl RecordKind {
    fn from_index(index: u8) -> Option<Self> {
        [Self::Start, Self::Field, Self::End].get(usize::from(index)).copied()
    }
}

/// What only some records have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Section {
    /// The span's name, where it is not that of the callsite.
    Name,
    /// The span's kind, one byte.
    Kind,
    /// The source file of a span made by hand.
    File,
    /// The line in that file, four bytes.
    Line,
    /// A time that the user gave: nanoseconds since the Unix epoch, eight bytes.
    At,
    /// Another parent's id, eight bytes; several may follow one another.
    Parent,
}

impl Section {
    fn from_index(index: u8) -> Option<Self> {
        [Self::Name, Self::Kind, Self::File, Self::Line, Self::At, Self::Parent].get(usize::from(index)).copied()
    }
}

/// The layout of the header, all numbers little-endian: record kind (1), field (1), unused (2), length of sections (4),
/// length of the body (4), logger (4), callsite (4), unused (4), span (8), trace (16), time (8).
const HEADER: usize = 56;
