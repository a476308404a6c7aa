//! Moments at which the exporter's thread does nothing, and so holds nothing that a forked child would miss.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How long either side sleeps before it looks again.
const BLINK: Duration = Duration::from_micros(100);

/// Whether a thread that forks waits for the exporter's to stand still.
static WANTED: AtomicBool = AtomicBool::new(false);

/// Held by the exporter's thread whenever it runs, and not while it waits for something to do.
static AT_WORK: Mutex<()> = Mutex::new(());

thread_local! {
    static HERE: RefCell<Option<MutexGuard<'static, ()>>> = const { RefCell::new(None) };
}

/// The exporter's thread has something to do.
pub(super) fn begin_work() {
    let guard = AT_WORK.lock().unwrap_or_else(PoisonError::into_inner);
    HERE.with_borrow_mut(|here| *here = Some(guard));
}

/// The exporter's thread waits for something to do.
pub(super) fn end_work() {
    HERE.with_borrow_mut(|here| *here = None);
}

/// Whether this is the exporter's thread, at work.
pub(super) fn is_at_work_here() -> bool {
    HERE.try_with(|here| here.try_borrow().is_ok_and(|here| here.is_some())).unwrap_or(false)
}

/// Lets a fork happen, on the exporter's thread: called now and then where it holds nothing, for when there is so much to
/// do that it never waits.
pub(super) fn pause() {
    if WANTED.load(Ordering::Relaxed) {
        end_work();
        while WANTED.load(Ordering::Relaxed) {
            thread::sleep(BLINK);
        }
        begin_work();
    }
}

/// Keeps the exporter's thread from working until it is dropped; `None` if that does not stop in time.
#[cfg(all(unix, not(braintrust_loom)))]
pub(super) fn stand_still() -> Option<MutexGuard<'static, ()>> {
    use std::sync::TryLockError;
    use std::time::Instant;

    /// How long a fork may be held up. Far longer than the exporter is ever busy without a pause, but where a machine has
    /// much else to do, or a program's own mask never returns.
    const PATIENCE: Duration = Duration::from_secs(2);

    let deadline = Instant::now() + PATIENCE;
    WANTED.store(true, Ordering::Relaxed);
    let guard = loop {
        match AT_WORK.try_lock() {
            Ok(guard) => break Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => break Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(BLINK),
            Err(TryLockError::WouldBlock) => break None,
        }
    };
    WANTED.store(false, Ordering::Relaxed);
    guard
}
