//! Large pieces of memory that the exporter's thread uses again and again.
//!
//! Fresh memory costs as much as writing a row into it: the system clears it page by page, and takes it back when it is
//! freed. So the buffers of batches and of requests, which are all of one size, are kept from one to the next while
//! there is work, and freed when there is none.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// What a batch of rows, and a request, aim at. A row costs the same in any request above a few hundred KiB, and larger
/// ones fall out of the processor's caches.
pub(crate) const FULL_BYTES: usize = 1024 * 1024;
/// Room for what is begun before a buffer is full.
const CAPACITY: usize = FULL_BYTES + 64 * 1024;
const MOST_SPARES: usize = 4;

thread_local! {
    static SPARES: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Bytes in memory that goes back to the thread for reuse.
#[derive(Debug, Default)]
pub(crate) struct Buffer(Vec<u8>);

impl Buffer {
    /// An empty buffer that a full batch or request fits in.
    pub(crate) fn large() -> Self {
        let spare = SPARES.try_with(|spares| spares.borrow_mut().pop()).ok().flatten();
        Self(spare.unwrap_or_else(|| Vec::with_capacity(CAPACITY)))
    }

    /// An empty buffer for so many bytes.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        if bytes > CAPACITY / 2 && bytes <= CAPACITY { Self::large() } else { Self(Vec::with_capacity(bytes)) }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len() >= FULL_BYTES
    }

    /// Gives memory back that holds nothing: what is in the buffer may have to wait for long.
    pub(crate) fn shrink(&mut self) {
        if self.len() < self.capacity() / 2 {
            *self = Self(self.to_vec());
        }
    }
}

/// Frees the memory that is kept for further buffers of this thread.
pub(crate) fn free_spares() {
    let _ = SPARES.try_with(RefCell::take);
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.capacity() == CAPACITY {
            let mut spare = std::mem::take(&mut self.0);
            spare.clear();
            // A thread that is being torn down keeps nothing.
            let _ = SPARES.try_with(|spares| {
                let mut spares = spares.borrow_mut();
                if spares.len() < MOST_SPARES {
                    spares.push(spare);
                }
            });
        }
    }
}

impl Deref for Buffer {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_buffers_are_used_again_and_empty_then() {
        let mut first = Buffer::large();
        first.push(1);
        let place = first.as_ptr();
        drop(first);
        let again = Buffer::large();
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
        drop(again);
        free_spares();
        assert!(SPARES.with(|spares| spares.borrow().is_empty()));
    }

    #[test]
    fn a_buffer_that_holds_little_takes_little() {
        let mut buffer = Buffer::large();
        buffer.extend_from_slice(b"row");
        buffer.shrink();
        assert_eq!(buffer.as_slice(), b"row");
        assert!(buffer.capacity() < 100);
    }
}
