//! Work that traced code leaves to the exporter's thread: done before the next drain, so that a flush covers it.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::capture::panic_message;
use crate::diagnostics;
use crate::record::bound::Held;
use crate::record::log;

/// One piece of work.
pub(super) struct Task {
    work: Box<dyn FnOnce() + Send>,
    /// What it keeps in memory until it is done.
    held: Held,
}

/// In the order in which it was deferred.
static QUEUE: Mutex<VecDeque<Task>> = Mutex::new(VecDeque::new());

/// Has the exporter's thread do `work`, within a tick; `held` is what it keeps in memory until then.
///
/// No wake-up: the exporter looks here whenever it drains the record log, and so before it answers a flush.
pub(crate) fn defer(held: Held, work: impl FnOnce() + Send + 'static) {
    queue().push_back(Task { work: Box::new(work), held });
}

/// Does what has been deferred so far, until it has handled `budget` bytes; asks for another turn if something is left.
pub(super) fn run(budget: usize) {
    let mut done = 0;
    let mut left = queue().len();
    while left > 0 && done <= budget {
        let Some(task) = queue().pop_front() else { return };
        left -= 1;
        done = done.saturating_add(task.held.bytes());
        do_guarded(task);
    }
    if left > 0 {
        log::hurry();
    }
}

/// A panic is a defect of this library, which must not end the exporter.
fn do_guarded(task: Task) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(task.work)) {
        diagnostics::warn_once("deferred work", || {
            format!("a model call could not be read: {}; this is a defect", panic_message(&*payload))
        });
    }
}

/// Nothing that can panic runs under this lock but an allocation.
pub(super) fn queue() -> MutexGuard<'static, VecDeque<Task>> {
    QUEUE.lock().unwrap_or_else(PoisonError::into_inner)
}
