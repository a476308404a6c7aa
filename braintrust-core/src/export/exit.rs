//! The flush at process exit: on a normal return from `main`, on `std::process::exit`, and after a panic in `main`.
#![expect(unsafe_code, reason = "the C library's `atexit` has no safe equivalent in the standard library")]

use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use super::{EXPORTER, Opened};
use crate::diagnostics;

/// How long the exit of the process may be held up.
const LIMIT: Duration = Duration::from_secs(5);

static SWITCHED_OFF: AtomicBool = AtomicBool::new(false);

// SAFETY: this is the signature that the C standard gives `atexit` (7.22.4.2 in C11), in every C library that Rust's
// standard library links. Calling it is safe for any argument: `at_exit` is a plain function without state, so it is
// valid for the rest of the process, it may be called on any thread, and it never unwinds into C.
#[cfg(not(miri))]
unsafe extern "C" {
    safe fn atexit(at_exit: extern "C" fn()) -> c_int;
}

/// Miri has no C library to ask.
#[cfg(miri)]
fn atexit(_: extern "C" fn()) -> c_int {
    0
}

/// Has everything flushed when the process exits.
pub(super) fn flush_at_exit() {
    if atexit(at_exit) != 0 {
        diagnostics::warn_once("atexit", || {
            "the flush at exit could not be registered; call `flush` before the program ends".to_owned()
        });
    }
}

/// Flushes at exit, or leaves that to the program, by `BRAINTRUST_DISABLE_ATEXIT_FLUSH`.
pub(crate) fn set_flush_at_exit(flush: bool) {
    SWITCHED_OFF.store(!flush, Ordering::Relaxed);
}

extern "C" fn at_exit() {
    // Nothing here should panic; if something did, the process would still have to exit as it meant to.
    let _ = catch_unwind(AssertUnwindSafe(flush));
}

fn flush() {
    let Some(exporter) = EXPORTER.get() else { return };
    // A mask may end the process: its thread cannot wait for itself.
    if SWITCHED_OFF.load(Ordering::Relaxed)
        || super::is_this_thread()
        || exporter.running().process != std::process::id()
    {
        return;
    }
    let (done, waiting) = mpsc::sync_channel(1);
    exporter.flush(None, LIMIT, move |late| {
        let _ = done.send(late);
    });
    let heard = waiting.recv_timeout(LIMIT + Duration::from_millis(500));
    for Opened { label, ledger, .. } in &exporter.running().loggers {
        let failure = match heard {
            Ok(late) => ledger.last_words((late && ledger.has_queued()).then_some(LIMIT)),
            Err(_) => ledger.report_unheard(LIMIT).err(),
        };
        if let Some(error) = failure {
            diagnostics::last_words(&format!("{label}: {error}"));
        }
    }
}
