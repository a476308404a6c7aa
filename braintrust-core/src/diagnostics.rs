//! What the library tells the person who runs the program: short lines on stderr, each kind once.

use std::collections::HashSet;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

/// How much the library says on stderr about itself. A `tracing` subscriber has filters of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Verbosity {
    /// Nothing at all.
    Off,
    /// Losses: what was recorded and is gone.
    Error,
    /// And what may lead to them, such as a setting that cannot be understood.
    Warn,
    /// And hints, such as where traces go.
    #[default]
    Info,
    /// And what the library does.
    Debug,
}

impl Verbosity {
    /// The values of `BRAINTRUST_DEBUG_LOG_LEVEL`, for messages.
    pub(crate) const EXPECTED: &'static str = "off, error, warn, info or debug";

    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "off" => Some(Self::Off),
            "error" => Some(Self::Error),
            "warn" => Some(Self::Warn),
            "info" => Some(Self::Info),
            "debug" => Some(Self::Debug),
            _ => None,
        }
    }
}

static SAID: Mutex<Option<HashSet<String>>> = Mutex::new(None);

/// Says something that is no cause for concern.
pub(crate) fn say(text: &str) {
    // A closed stderr is no reason to fail.
    let _ = writeln!(std::io::stderr().lock(), "braintrust: {text}");
}

/// Warns, unless something of the same `kind` has been said in this process.
pub(crate) fn warn_once(kind: &str, text: impl FnOnce() -> String) {
    say_once(kind, || format!("warning: {}", text()));
}

/// Says something, unless something of the same `kind` has been said in this process.
pub(crate) fn say_once(kind: &str, text: impl FnOnce() -> String) {
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    let fresh = said.get_or_insert_default().insert(kind.to_owned());
    drop(said);
    if fresh {
        say(&text());
    }
}
