//! Where diagnostics are heard: the program's `tracing` subscriber, or else stderr.

use std::cell::{Cell, RefCell};
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, Ordering};

use tracing::dispatcher::{self, DefaultGuard, Dispatch};
use tracing::subscriber::NoSubscriber;

use super::Verbosity;

/// The target of all events.
macro_rules! event {
    ($level:ident, $text:expr) => {
        tracing::event!(target: "braintrust", tracing::Level::$level, "{}", $text)
    };
}

static ON_STDERR: AtomicU8 = AtomicU8::new(Verbosity::Info as u8);

thread_local! {
    /// Whether this thread is telling the subscriber something.
    static SPEAKING: Cell<bool> = const { Cell::new(false) };
    /// While it is there, events of this thread reach no subscriber.
    static HUSHED: RefCell<Option<DefaultGuard>> = const { RefCell::new(None) };
}

/// Chooses how much is said on stderr.
pub(crate) fn set_verbosity(verbosity: Verbosity) {
    ON_STDERR.store(verbosity as u8, Ordering::Relaxed);
}

/// Whether anyone would hear something of this `level`. Subscribers have filters of their own.
pub(super) fn is_heard(level: Verbosity) -> bool {
    level <= Verbosity::from_index(ON_STDERR.load(Ordering::Relaxed)) || speaking_up(has_subscriber)
}

/// Says it to the subscriber, or on stderr if there is none.
///
/// A subscriber may itself use this library, and make it say something: that is left unsaid, or there might be no end.
pub(super) fn say(level: Verbosity, text: &str) {
    let Ok(false) = SPEAKING.try_with(|speaking| speaking.replace(true)) else { return on_stderr(level, text) };
    // A subscriber that panics must not end whoever had something to say.
    let heard = catch_unwind(AssertUnwindSafe(|| {
        speaking_up(|| {
            let is_there = has_subscriber();
            if is_there {
                emit(level, text);
            }
            is_there
        })
    }));
    SPEAKING.set(false);
    if !heard.unwrap_or(true) {
        on_stderr(level, text);
    }
}

fn emit(level: Verbosity, text: &str) {
    match level {
        Verbosity::Off => {}
        Verbosity::Error => event!(ERROR, text),
        Verbosity::Warn => event!(WARN, text),
        Verbosity::Info => event!(INFO, text),
        Verbosity::Debug => event!(DEBUG, text),
    }
}

fn on_stderr(level: Verbosity, text: &str) {
    if level > Verbosity::from_index(ON_STDERR.load(Ordering::Relaxed)) {
        return;
    }
    let kind = match level {
        Verbosity::Error => "error: ",
        Verbosity::Warn => "warning: ",
        _ => "",
    };
    // A closed stderr is no reason to fail.
    let _ = writeln!(std::io::stderr().lock(), "braintrust: {kind}{text}");
}

fn has_subscriber() -> bool {
    dispatcher::get_default(|subscriber| !subscriber.is::<NoSubscriber>())
}

/// Keeps what HTTP clients say of themselves on this thread from the program's subscriber: it is about this library's
/// own requests, and a subscriber that sends it to Braintrust would make a request of each request.
///
/// To be called again and again on the exporter's thread. Nothing is done before the program has a subscriber: until
/// then, its libraries may write to `log` in place of one, and must go on doing so.
pub(crate) fn hush_dependencies() {
    HUSHED.with_borrow_mut(|hushed| {
        if hushed.is_none() && has_subscriber() {
            *hushed = Some(dispatcher::set_default(&Dispatch::none()));
        }
    });
}

/// Runs `work` as if this thread had never been hushed.
fn speaking_up<R>(work: impl FnOnce() -> R) -> R {
    let guard = HUSHED.try_with(|hushed| hushed.take()).ok().flatten();
    let was_hushed = guard.is_some();
    drop(guard);
    let result = work();
    if was_hushed {
        hush_dependencies();
    }
    result
}
