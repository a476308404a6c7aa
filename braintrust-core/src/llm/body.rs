//! The bytes of a response while they arrive: kept, timed and bounded.

use bytes::Bytes;

use super::ahead::Ahead;
use crate::clock::Timestamp;
use crate::record::bound::Held;

/// How much of a body is kept from its beginning.
pub(super) const HEAD_BYTES: usize = 16 * 1024 * 1024;
/// How much of a body is taken that is read while it arrives, of which little is kept: more than the longest answers.
const STREAM_BYTES: usize = 64 * 1024 * 1024;
/// How much is kept of the end of a body that is longer: where streams say what they cost.
const TAIL_BYTES: usize = 256 * 1024;
/// Chunks from this size on are kept by reference. One to a smaller chunk would keep alive the whole read buffer that it
/// is a slice of, which may be many times larger.
const SHARED_BYTES: usize = 4 * 1024;
/// Chunks from this size on are kept by reference if they follow the last one in memory, and so share its buffer. Below,
/// a copy costs no more than a reference.
const SHARED_IN_A_ROW_BYTES: usize = 1024;
/// What may lie between two chunks in a read buffer: the line that says how long the second is.
const FRAMING_BYTES: usize = 32;
/// Copies are gathered in blocks. Growing one buffer would move what it holds over and over.
const BLOCK_BYTES: usize = 64 * 1024;
const FIRST_BLOCK_BYTES: usize = 1024;
/// How many arrivals are remembered: the first token of a stream is among its first chunks.
const ARRIVALS: usize = 4 * 1024;
/// How much of a stream waits to be read ahead of its end.
const UNREAD_BYTES: usize = 32 * 1024;
/// A block that has room for it all: the last chunk that is copied to it may go beyond.
const UNREAD_BLOCK_BYTES: usize = UNREAD_BYTES + SHARED_BYTES;
/// By how much the count of held bytes grows, at least and at most: not every chunk is to touch what all threads share.
const HELD_STEP: (usize, usize) = (4 * 1024, 1024 * 1024);

/// A response's body as far as it has arrived.
#[derive(Debug, Default)]
pub(super) struct Body {
    parts: Vec<Bytes>,
    /// Small chunks since the last of `parts`.
    block: Vec<u8>,
    /// Where the last chunk ends in memory.
    last_end: usize,
    kept: usize,
    /// How much of that was taken to be read ahead.
    taken: usize,
    total: u64,
    /// Whether the head is full; what comes then goes to the tail.
    is_full: bool,
    tail: Tail,
    arrivals: Vec<Arrival>,
    held: Held,
}

/// When the body had reached a length.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    length: u64,
    at: Timestamp,
}

impl Body {
    /// Keeps a chunk, and when it came.
    pub(super) fn add(&mut self, chunk: &Bytes) {
        if chunk.is_empty() {
            return;
        }
        self.total += chunk.len() as u64;
        if self.arrivals.len() < ARRIVALS {
            self.arrivals.push(Arrival { length: self.total, at: Timestamp::now() });
        }
        if self.has_room(chunk.len()) {
            self.keep(chunk);
        } else {
            self.tail.add(chunk);
        }
    }

    fn has_room(&mut self, more: usize) -> bool {
        let most = if self.taken > 0 { STREAM_BYTES } else { HEAD_BYTES };
        if self.is_full || self.kept + more > most {
            self.is_full = true;
            return false;
        }
        let needed = self.kept - self.taken + more;
        let counted = self.held.bytes();
        if needed > counted {
            let step = (needed - counted).max(counted.clamp(HELD_STEP.0, HELD_STEP.1));
            self.is_full = !self.held.grow(step);
        }
        !self.is_full
    }

    fn keep(&mut self, chunk: &Bytes) {
        let start = chunk.as_ptr().addr();
        let follows = start.checked_sub(self.last_end).is_some_and(|gap| gap <= FRAMING_BYTES);
        self.last_end = start + chunk.len();
        if chunk.len() >= SHARED_BYTES || (follows && chunk.len() >= SHARED_IN_A_ROW_BYTES) {
            self.end_block();
            self.parts.push(chunk.clone());
        } else {
            self.copy(chunk);
        }
        self.kept += chunk.len();
    }

    fn copy(&mut self, chunk: &[u8]) {
        if self.block.capacity() - self.block.len() < chunk.len() {
            self.end_block();
            let size =
                if self.taken > 0 { UNREAD_BLOCK_BYTES } else { self.kept.clamp(FIRST_BLOCK_BYTES, BLOCK_BYTES) };
            self.block.reserve_exact(size.max(chunk.len()));
        }
        self.block.extend_from_slice(chunk);
    }

    fn end_block(&mut self) {
        if !self.block.is_empty() {
            self.parts.push(std::mem::take(&mut self.block).into());
        }
    }

    /// Whether what has arrived since [`take_unread`](Self::take_unread) is worth reading.
    pub(super) fn has_unread(&self) -> bool {
        self.kept - self.taken >= UNREAD_BYTES
    }

    /// What has arrived since this was last asked, and its count.
    pub(super) fn take_unread(&mut self) -> (Vec<Bytes>, Held) {
        self.taken = self.kept;
        self.end_block();
        (std::mem::take(&mut self.parts), self.take_held())
    }

    /// The first bytes that are no spaces, as long as nothing was taken.
    pub(super) fn beginning(&self, length: usize) -> Vec<u8> {
        let bytes = self.parts.iter().flatten().chain(&self.block);
        bytes.skip_while(|byte| byte.is_ascii_whitespace()).take(length).copied().collect()
    }

    /// Hands over the count of the memory that the body takes.
    pub(super) fn take_held(&mut self) -> Held {
        std::mem::take(&mut self.held)
    }

    /// All that was kept, in one piece; on the exporter's thread, since it may be copied.
    pub(super) fn into_arrived(mut self) -> Arrived {
        self.end_block();
        let head = match self.parts.as_slice() {
            [only] => only.clone(),
            parts => parts.concat().into(),
        };
        Arrived { head, ahead: None, tail: self.tail.0, total: self.total, arrivals: self.arrivals }
    }
}

/// The end of what is too long to keep.
#[derive(Debug, Default)]
pub(super) struct Tail(pub(super) Vec<u8>);

impl Tail {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL_BYTES)..]);
        if self.0.len() > 2 * TAIL_BYTES {
            self.0.drain(..self.0.len() - TAIL_BYTES);
        }
    }
}

/// A body that has ended, as far as it was kept.
#[derive(Debug, Default)]
pub(super) struct Arrived {
    pub(super) head: Bytes,
    /// What was read of it, or waits to be, before `head`.
    pub(super) ahead: Option<Ahead>,
    /// The end of a body that was too long, after a gap.
    pub(super) tail: Vec<u8>,
    /// How long the body was.
    pub(super) total: u64,
    arrivals: Vec<Arrival>,
}

impl Arrived {
    /// When the byte at `place` arrived; `None` if it came after all arrivals that are remembered.
    pub(super) fn arrival_of(&self, place: u64) -> Option<Timestamp> {
        let index = self.arrivals.partition_point(|arrival| arrival.length <= place);
        self.arrivals.get(index).map(|arrival| arrival.at)
    }

    /// How many bytes are neither kept nor among those that were `read` before.
    pub(super) fn missing(&self, read: u64) -> u64 {
        self.total.saturating_sub(read + (self.head.len() + self.tail.len()) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_of_all_sizes_come_back_as_one_body() {
        let mut body = Body::default();
        let mut sent = Vec::new();
        for length in [3, 1, 5000, 0, 7, 9000, 8000, 2] {
            let chunk = Bytes::from(vec![sent.len() as u8; length]);
            body.add(&chunk);
            sent.extend_from_slice(&chunk);
        }
        assert!(body.held.bytes() >= sent.len());
        let arrived = body.into_arrived();
        assert_eq!(arrived.head, sent);
        assert_eq!((arrived.total, arrived.missing(0)), (sent.len() as u64, 0));
        let times: Vec<_> = (0..sent.len() as u64).map(|place| arrived.arrival_of(place).unwrap()).collect();
        assert!(times.is_sorted() && times[2] < times[3]);
        assert_eq!(arrived.arrival_of(sent.len() as u64), None);
    }

    #[test]
    fn chunks_that_share_a_buffer_are_not_copied() {
        let buffer = Bytes::from((0..100_000_u32).map(|index| index as u8).collect::<Vec<_>>());
        let (mut body, mut sent) = (Body::default(), Vec::new());
        for start in (0..buffer.len()).step_by(2_008).take(40) {
            let chunk = buffer.slice(start..start + 2_000);
            body.add(&chunk);
            sent.extend_from_slice(&chunk);
        }
        let is_shared = |part: &&Bytes| buffer.as_ptr_range().contains(&part.as_ptr());
        assert_eq!(body.parts.iter().filter(is_shared).count(), 39, "all but the first");
        assert_eq!(body.into_arrived().head, sent);
    }

    #[test]
    fn small_chunks_take_little_more_memory_than_their_bytes() {
        let mut body = Body::default();
        (0..1_000_usize).for_each(|index| body.add(&Bytes::from(vec![b'x'; index % 700])));
        let taken: usize = body.parts.iter().map(Bytes::len).sum::<usize>() + body.block.capacity();
        assert!(taken <= body.kept + BLOCK_BYTES, "{taken} for {}", body.kept);
        assert!(body.parts.len() < 20, "{} blocks", body.parts.len());
    }

    #[test]
    fn a_body_without_end_is_kept_at_both_ends() {
        let mut body = Body::default();
        let chunk = Bytes::from(vec![b'x'; 1024 * 1024]);
        (0..100).for_each(|_| body.add(&chunk));
        body.add(&Bytes::from_static(b"the end"));
        assert!(body.held.bytes() <= 2 * HEAD_BYTES && body.tail.0.capacity() <= 8 * TAIL_BYTES);
        let arrived = body.into_arrived();
        assert_eq!(arrived.head.len(), HEAD_BYTES);
        assert!(arrived.tail.ends_with(b"xthe end") && arrived.tail.len() >= TAIL_BYTES);
        assert_eq!(arrived.total, 100 * 1024 * 1024 + 7);
        assert!(arrived.missing(0) > 0);
    }
}
