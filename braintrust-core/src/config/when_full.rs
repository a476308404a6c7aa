//! What happens to spans that find no room in memory.

use std::time::Duration;

/// How long a span waits for room where `BRAINTRUST_QUEUE_DROP_WHEN_FULL` says not to drop, and nothing says how long.
const BLOCK_LIMIT: Duration = Duration::from_secs(5);

/// What happens to spans that find no room in memory, because a backend is away or slower than the program.
///
/// Spans are dropped as a whole, never in halves, and each is counted: a flush reports them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// New spans are not recorded; what was recorded before stays. Never holds up the program.
    #[default]
    DropNewest,
    /// The oldest rows that are not being sent make room for new ones. Never holds up the program.
    DropOldest,
    /// Whoever begins a span waits for room, up to this long; after that the span is not recorded.
    Block(Duration),
}

impl WhenFull {
    /// The values of `BRAINTRUST_QUEUE_DROP_WHEN_FULL`, for messages.
    pub(super) const EXPECTED: &'static str = "true (or newest), oldest, or false to wait for room";

    /// What a value of `BRAINTRUST_QUEUE_DROP_WHEN_FULL` says. True and false mean what they mean elsewhere: to drop
    /// what arrives, or to wait; but the wait has an end here.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "newest" => Some(Self::DropNewest),
            "oldest" => Some(Self::DropOldest),
            _ => super::reader::parse_switch(text)
                .map(|drop| if drop { Self::DropNewest } else { Self::Block(BLOCK_LIMIT) }),
        }
    }
}
