//! Tracing in a forked child: it goes on there with an exporter of its own, and leaves to the parent what was recorded
//! before.
//!
//! A child has a copy of all memory, but only the thread that forked. So whatever another thread holds at that moment
//! is held for ever; so much of it as the child needs is taken before the fork and let go after it, on both sides. The
//! child's exporter is started by the first span or flush there: most children run another program, and need none.
#![expect(unsafe_code, reason = "the C library's `pthread_atfork` has no safe equivalent in the standard library")]

use std::any::Any;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{MutexGuard, OnceLock};

use super::deferred::{self, Task};
use super::standstill::stand_still;
use super::{EXPORTER, Running, starting};
use crate::record::log::LogHeld;
use crate::{active, attachment, callsite, clock, config, context, diagnostics, ids, registry, spool};

type Handler = Option<extern "C" fn()>;

// SAFETY: this is the signature that POSIX gives `pthread_atfork`, in every C library of a Unix that Rust's standard
// library links. Calling it is safe for any arguments of these types: the handlers are plain functions without state,
// so they are valid for the rest of the process. They are called on the thread that forks, the last one as the only
// thread of the child, where safe code is as safe as on any other thread: what it may find is a lock that nobody
// will release, never a value that is half written, for those are behind locks. They never unwind into C.
#[cfg(not(miri))]
unsafe extern "C" {
    safe fn pthread_atfork(prepare: Handler, parent: Handler, child: Handler) -> c_int;
}

/// Miri has no C library to ask.
#[cfg(miri)]
fn pthread_atfork(_: Handler, _: Handler, _: Handler) -> c_int {
    0
}

/// What the forking thread holds during a fork.
struct Held {
    /// None if the exporter did not stand still in time.
    standstill: Option<MutexGuard<'static, ()>>,
    /// What loggers have in common, whose makers wait for the next two.
    loggers: Option<Box<dyn Any>>,
    starting: MutexGuard<'static, ()>,
    running: MutexGuard<'static, Running>,
    deferred: MutexGuard<'static, VecDeque<Task>>,
    log: LogHeld,
    /// Locks under which no thread takes another.
    others: [Box<dyn Any>; 7],
}

/// How to take what loggers have in common, of which this module knows nothing.
static LOGGERS: OnceLock<fn() -> Box<dyn Any>> = OnceLock::new();

/// Has `hold` called before every fork; what it returns is dropped after that, on both sides.
pub(crate) fn hold_in_forks(hold: fn() -> Box<dyn Any>) {
    let _ = LOGGERS.set(hold);
}

thread_local! {
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

/// Whether the child knows that nothing is held by a thread that it does not have.
static INTACT: AtomicBool = AtomicBool::new(true);

/// Has tracing go on in children that are forked from now on.
pub(super) fn follow_forks() {
    if pthread_atfork(Some(before), Some(after_in_parent), Some(after_in_child)) != 0 {
        diagnostics::warn_once("atfork", || {
            "forks could not be watched; make no spans in a forked child, or their ids are the parent's".to_owned()
        });
    }
}

extern "C" fn before() {
    guarded(|| {
        let held = Held::take();
        let _ = HELD.try_with(|place| place.replace(held));
    });
}

extern "C" fn after_in_parent() {
    guarded(|| drop(Held::of_this_thread()));
}

extern "C" fn after_in_child() {
    guarded(|| {
        let held = Held::of_this_thread();
        INTACT.store(held.as_ref().is_some_and(|held| held.standstill.is_some()), Ordering::Relaxed);
        active::set_forked(go_on);
        if let Some(held) = held {
            held.leave_to_parent();
        }
        spool::leave_to_parent();
        ids::reseed();
    });
}

impl Held {
    /// `None` if there is no exporter.
    fn take() -> Option<Self> {
        let exporter = EXPORTER.get()?;
        Some(Self {
            standstill: stand_still(),
            loggers: LOGGERS.get().map(|hold| hold()),
            starting: starting(),
            running: exporter.running(),
            deferred: deferred::queue(),
            log: LogHeld::take(),
            others: [
                attachment::pending::hold(),
                callsite::hold(),
                clock::hold(),
                config::hold(),
                context::hold(),
                diagnostics::hold(),
                registry::hold(),
            ],
        })
    }

    fn of_this_thread() -> Option<Self> {
        HELD.try_with(RefCell::take).ok().flatten()
    }

    fn leave_to_parent(self) {
        let Self { standstill, loggers, starting, running, mut deferred, log, others } = self;
        // Dropping it would run the code of others, and count down memory that is no longer counted.
        std::mem::forget(std::mem::take(&mut *deferred));
        log.leave_to_parent();
        drop((others, deferred, running, starting, loggers, standstill));
    }
}

/// Starts an exporter in the child.
fn go_on() -> bool {
    let started = EXPORTER
        .get()
        .is_some_and(|exporter| INTACT.load(Ordering::Relaxed) && exporter.restart().inspect_err(say_why_not).is_ok());
    if !started {
        diagnostics::warn_once("fork", || {
            "this process was forked while its parent was busy sending spans, so nothing is traced in it".to_owned()
        });
    }
    started
}

fn say_why_not(error: &crate::Error) {
    diagnostics::warn_once("fork", || format!("nothing is traced in this forked process: {error}"));
}

/// A panic is a defect, and must not end a process that only forked.
fn guarded(work: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(work));
}
