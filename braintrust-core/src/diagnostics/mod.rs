//! What the library tells the person who runs the program: losses, settings that cannot be understood, hints.
//!
//! Each goes to the program's `tracing` subscriber, as an event with the target `braintrust`; to stderr if there is
//! none. No kind is told of more often than its rate allows, and what was held back is counted.

mod rate;
mod verbosity;
mod voice;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use self::rate::Rate;
pub use self::verbosity::Verbosity;
pub(crate) use self::voice::{hush_dependencies, set_verbosity};

/// How often one kind of thing is told of, unless it has a rate of its own.
const PERIOD: Duration = Duration::from_secs(60);

static RATE: Rate = Rate::new();
static DROP_PERIOD_MS: AtomicU64 = AtomicU64::new(PERIOD.as_millis() as u64);

/// Tells of a loss, unless something of the same `kind` has been told within the last minute; whether it was told.
pub(crate) fn error(kind: &str, text: impl FnOnce() -> String) -> bool {
    tell(Verbosity::Error, kind, PERIOD, text)
}

/// Warns that `spans` found no room in memory; how many there were in all, once in a while.
pub(crate) fn dropped(spans: u64) {
    static DROPPED: AtomicU64 = AtomicU64::new(0);
    DROPPED.fetch_add(spans, Ordering::Relaxed);
    let period = Duration::from_millis(DROP_PERIOD_MS.load(Ordering::Relaxed));
    if voice::is_heard(Verbosity::Warn) && RATE.admit("dropped spans", period).is_some() {
        let spans = DROPPED.swap(0, Ordering::Relaxed);
        let plural = if spans == 1 { " was" } else { "s were" };
        voice::say(
            Verbosity::Warn,
            &format!(
                "{spans} span{plural} dropped, because what waits to be delivered fills BRAINTRUST_QUEUE_BYTES or \
                 BRAINTRUST_QUEUE_SIZE; a flush says what holds it up"
            ),
        );
    }
}

/// Chooses how often [`dropped`] says something.
pub(crate) fn set_drop_period(period: Duration) {
    DROP_PERIOD_MS.store(u64::try_from(period.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// Warns, unless of the same `kind` in this process.
pub(crate) fn warn_once(kind: &str, text: impl FnOnce() -> String) {
    tell(Verbosity::Warn, kind, Duration::MAX, text);
}

/// Hints at something, unless of the same `kind` in this process.
pub(crate) fn say_once(kind: &str, text: impl FnOnce() -> String) {
    tell(Verbosity::Info, kind, Duration::MAX, text);
}

/// Says what the library does, for whoever looks for a fault.
pub(crate) fn debug(text: impl FnOnce() -> String) {
    if voice::is_heard(Verbosity::Debug) {
        voice::say(Verbosity::Debug, &text());
    }
}

/// Says the last words about a loss: however often they were said before, nothing comes after them.
pub(crate) fn last_words(text: &str) {
    if voice::is_heard(Verbosity::Error) {
        voice::say(Verbosity::Error, text);
    }
}

/// Keeps other threads from what has been told until it is dropped, for a fork.
#[cfg(all(unix, not(braintrust_loom)))]
pub(crate) fn hold() -> Box<dyn std::any::Any> {
    Box::new(RATE.lock())
}

fn tell(level: Verbosity, kind: &str, period: Duration, text: impl FnOnce() -> String) -> bool {
    // What nobody hears must not use up the one time it is said.
    if !voice::is_heard(level) {
        return false;
    }
    let Some(held_back) = RATE.admit(kind, period) else { return false };
    let mut text = text();
    if held_back > 0 {
        text.push_str(&format!(" ({held_back} more like this since it was last said)"));
    }
    voice::say(level, &text);
    true
}
