//! The rare parts of records: each a kind, a length, and bytes.

/// What only some records have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Section {
    /// The span's name, where it is not that of the callsite. Numbers begin at one: zeros are room between sections.
    Name = 1,
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
    /// A parent's id as text, where it is not 16 hex digits.
    ForeignParent,
    /// The id of the trace as text, where it is not 32 hex digits.
    RootId,
    /// The object that holds the row, encoded, where it is not the logger's project.
    Container,
    /// The id of the row as text: the record is about a row that was made elsewhere.
    RowId,
    /// The id of that row's span as text.
    SpanId,
    /// What instrumented the call, where it is neither the macro nor a hand.
    Instrumentation,
    /// When it happened, on the monotonic clock, where that was before it was recorded: eight bytes.
    Moment,
}

impl Section {
    const ALL: [Self; 13] = [
        Self::Name,
        Self::Kind,
        Self::File,
        Self::Line,
        Self::At,
        Self::Parent,
        Self::ForeignParent,
        Self::RootId,
        Self::Container,
        Self::RowId,
        Self::SpanId,
        Self::Instrumentation,
        Self::Moment,
    ];

    fn from_index(index: u8) -> Option<Self> {
        Self::ALL.get(usize::from(index).checked_sub(1)?).copied()
    }
}

/// Room for what a span by hand has mostly: its name and place.
const USUAL_BYTES: usize = 128;

/// The rare parts of a record, collected before it is written.
#[derive(Debug, Default)]
pub(crate) struct Sections(Vec<u8>);

impl Sections {
    /// None yet.
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// The sections one after the other, as a record holds them.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes of each section of a kind.
    pub(crate) fn of(&self, wanted: Section) -> impl Iterator<Item = &[u8]> {
        read(&self.0).filter(move |(section, _)| *section == wanted).map(|(_, bytes)| bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn push(&mut self, section: Section, bytes: &[u8]) {
        let Ok(length) = u32::try_from(bytes.len()) else { return };
        if self.0.is_empty() {
            self.0.reserve(USUAL_BYTES);
        }
        self.0.push(section as u8);
        self.0.extend_from_slice(&length.to_le_bytes());
        self.0.extend_from_slice(bytes);
    }
}

/// The sections in `bytes`, in the order in which they were pushed. There may be zeros between two.
pub(crate) fn read(bytes: &[u8]) -> impl Iterator<Item = (Section, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let padding = rest.iter().take_while(|byte| **byte == 0).count();
        let (header, tail) = rest[padding..].split_first_chunk::<5>()?;
        let length = u32::from_le_bytes([header[1], header[2], header[3], header[4]]) as usize;
        let (bytes, tail) = tail.split_at_checked(length)?;
        rest = tail;
        Some((Section::from_index(header[0])?, bytes))
    })
}
