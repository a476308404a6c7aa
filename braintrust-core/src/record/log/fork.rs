//! The log across a fork: the child has a copy of what its parent recorded, and must not send it a second time.

use std::sync::{Arc, MutexGuard};

use super::{Block, SHARED, ThreadLog, WRITER, Writer, lock};
use crate::record::bound::BooksHeld;
use crate::record::wake::Notice;

/// All locks of the log that threads have in common, taken so that none of them is copied while a thread that will not
/// be in the child holds it.
pub(crate) struct LogHeld {
    departing: MutexGuard<'static, Option<Writer>>,
    threads: MutexGuard<'static, Vec<Arc<ThreadLog>>>,
    spare_blocks: MutexGuard<'static, Vec<Block>>,
    spare_buffers: MutexGuard<'static, Vec<Vec<u8>>>,
    books: BooksHeld,
    filled: MutexGuard<'static, Notice>,
}

impl LogHeld {
    /// Takes the locks, in the order in which threads take them that need more than one.
    pub(crate) fn take() -> Self {
        Self {
            departing: lock(&SHARED.departing),
            threads: lock(&SHARED.threads),
            spare_blocks: lock(&SHARED.spare_blocks),
            spare_buffers: lock(&SHARED.spare_buffers),
            books: BooksHeld::take(),
            filled: SHARED.filled.lock(),
        }
    }

    /// In the child: forgets what was recorded before the fork, which the parent sends. The forking thread begins a new
    /// log; those of the others are let go as they are, for their locks may be held for ever.
    pub(crate) fn leave_to_parent(mut self) {
        let _ = WRITER.try_with(|writer| writer.try_borrow_mut().map(|mut writer| *writer = None));
        *self.departing = None;
        self.threads.clear();
        self.spare_blocks.clear();
        self.spare_buffers.clear();
        self.books.leave_to_parent();
        self.filled.leave_to_parent();
    }
}
