//! Whole records as bytes, in the memory that they were recorded in where that is possible.

use std::ops::{Deref, Range};

use super::block::Block;
use super::write::WORD;

/// Records of one thread in their order.
#[derive(Debug)]
pub(crate) enum Chunk {
    /// In a buffer of bytes.
    Bytes(Vec<u8>),
    /// In a block that is nobody else's any more, so that nothing has to be copied out of it.
    Block {
        /// All of the block, as it lies in memory.
        memory: Vec<u64>,
        /// Which words are to be read.
        words: Range<usize>,
    },
}

impl Chunk {
    /// Words that were published in a block which no one else has.
    pub(super) fn of_block(block: Block, words: Range<u32>) -> Self {
        Self::Block { memory: block.into_memory(), words: words.start as usize..words.end as usize }
    }

    /// Whether there is memory behind this.
    pub(crate) fn has_memory(&self) -> bool {
        match self {
            Self::Bytes(bytes) => bytes.capacity() > 0,
            Self::Block { .. } => true,
        }
    }
}

impl Default for Chunk {
    fn default() -> Self {
        Self::Bytes(Vec::new())
    }
}

impl From<Vec<u8>> for Chunk {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl Deref for Chunk {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Block { memory, words } => &bytemuck::cast_slice(memory)[words.start * WORD..words.end * WORD],
        }
    }
}
