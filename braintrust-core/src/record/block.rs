//! A block of memory that one thread fills with records while another reads them: without a lock, and without waiting.
//!
//! The writer stores words, and then publishes how many there are; the reader looks no further than that. A word that
//! is published is never written again, so what was read stays true.

use std::ops::Range;
use std::sync::atomic::Ordering;

use super::sync::AtomicU64;
use super::write::{WORD, Words};

/// The memory, and how much of it has been published.
#[derive(Debug)]
pub(super) struct Block {
    words: Box<[AtomicU64]>,
    /// An [`Extent`] in one word, so that its numbers are always of the same moment.
    published: AtomicU64,
}

/// How much has been written: words of whole records, and how many spans start in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) words: u32,
    pub(super) starts: u32,
}

impl Extent {
    fn pack(self) -> u64 {
        u64::from(self.starts) << 32 | u64::from(self.words)
    }

    fn unpack(packed: u64) -> Self {
        Self { words: packed as u32, starts: (packed >> 32) as u32 }
    }
}

impl Block {
    pub(super) fn new(words: u32) -> Self {
        Self { words: (0..words).map(|_| AtomicU64::new(0)).collect(), published: AtomicU64::new(0) }
    }

    pub(super) fn words(&self) -> u32 {
        self.words.len() as u32
    }

    /// The words after those that were published, for the one thread that writes; `None` if there are fewer than
    /// `words`.
    #[inline]
    pub(super) fn room(&self, from: u32, words: u32) -> Option<Room<'_>> {
        let from = from as usize;
        Some(Room(self.words.get(from..from + words as usize)?))
    }

    /// Makes what has been stored visible, in the order in which it was stored: only the thread that writes may.
    #[inline]
    pub(super) fn publish(&self, extent: Extent) {
        // Release: a reader that sees this extent sees the words in it.
        self.published.store(extent.pack(), Ordering::Release);
    }

    pub(super) fn published(&self) -> Extent {
        Extent::unpack(self.published.load(Ordering::Acquire))
    }

    /// A block in memory that was one before, whatever is in it.
    pub(super) fn in_memory(memory: Vec<u64>) -> Self {
        // Where an atomic word is as large as another, this is the same memory.
        Self { words: memory.into_iter().map(AtomicU64::new).collect(), published: AtomicU64::new(0) }
    }

    /// The memory, to be read as bytes.
    pub(super) fn into_memory(self) -> Vec<u64> {
        self.words.into_vec().into_iter().map(|word| word.into_inner().to_le()).collect()
    }

    /// Copies published words behind what is in `into`.
    pub(super) fn copy(&self, words: Range<u32>, into: &mut Vec<u8>) {
        let words = &self.words[words.start as usize..words.end as usize];
        into.reserve(words.len() * WORD);
        // By cache lines: the compiler joins neither loads nor the growing of the buffer.
        let (lines, rest) = words.as_chunks::<8>();
        for line in lines {
            into.extend_from_slice(line.each_ref().map(load).as_flattened());
        }
        for word in rest {
            into.extend_from_slice(&load(word));
        }
    }
}

#[inline]
fn load(word: &AtomicU64) -> [u8; WORD] {
    word.load(Ordering::Relaxed).to_le_bytes()
}

/// Words that are not published yet.
pub(super) struct Room<'a>(&'a [AtomicU64]);

impl Words for Room<'_> {
    #[inline]
    fn put<const N: usize>(&mut self, words: [u64; N]) {
        let Some((room, rest)) = self.0.split_first_chunk::<N>() else {
            debug_assert!(false, "room for a record was measured before");
            return;
        };
        for (place, word) in room.iter().zip(words) {
            place.store(word, Ordering::Relaxed);
        }
        self.0 = rest;
    }

    #[inline]
    fn put_bytes(&mut self, bytes: &[u8]) {
        let (words, tail) = bytes.as_chunks::<WORD>();
        let Some((room, rest)) = self.0.split_at_checked(words.len()) else {
            debug_assert!(false, "room for a record was measured before");
            return;
        };
        for (place, word) in room.iter().zip(words) {
            place.store(u64::from_le_bytes(*word), Ordering::Relaxed);
        }
        self.0 = rest;
        if !tail.is_empty() {
            let mut last = [0; WORD];
            last[..tail.len()].copy_from_slice(tail);
            self.put([u64::from_le_bytes(last)]);
        }
    }
}

#[cfg(all(test, not(braintrust_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_reader_beside_the_writer_sees_whole_records_only() {
        const RECORDS: u32 = if cfg!(miri) { 100 } else { 10_000 };
        let block = Block::new(3 * RECORDS);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..RECORDS {
                    let mut room = block.room(3 * number, 3).unwrap();
                    room.put([u64::from(number)]);
                    room.put_bytes(&[number as u8; 11]);
                    block.publish(Extent { words: 3 * (number + 1), starts: number + 1 });
                }
            });
            let (mut taken, mut seen) = (Extent::default(), Vec::new());
            while taken.words < 3 * RECORDS {
                let extent = block.published();
                assert_eq!(extent.words, 3 * extent.starts);
                block.copy(taken.words..extent.words, &mut seen);
                taken = extent;
            }
            for (number, record) in seen.chunks_exact(3 * WORD).enumerate() {
                assert_eq!(record[..WORD], (number as u64).to_le_bytes());
                assert_eq!(record[WORD..], [[number as u8; 11].as_slice(), &[0; 5]].concat());
            }
        });
        assert!(block.room(3 * RECORDS, 1).is_none());
    }
}
