//! Code of the program's that may panic: contained, and asked what it said.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs code of the program's.
///
/// # Errors
///
/// What the panic said, if it panicked.
#[inline]
pub(crate) fn contained<R>(work: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(said)
}

/// What a panic said whose payload goes no further.
#[cold]
fn said(payload: Box<dyn Any + Send>) -> String {
    let message = panic_message(&*payload).to_owned();
    drop_payload(payload);
    message
}

/// Drops what a panic carried: its destructor is the program's code too, and may panic like any other.
pub(crate) fn drop_payload(payload: Box<dyn Any + Send>) {
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // It might go on like this for ever.
        std::mem::forget(another);
    }
}

/// What the panic said; panics made with `panic_any` may say nothing that can be read.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> &str {
    if let Some(message) = payload.downcast_ref::<&'static str>() {
        message
    } else if let Some(message) = payload.downcast_ref::<String>() {
        message
    } else {
        "non-string panic payload"
    }
}
