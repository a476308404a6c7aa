//! What the library tells the person who runs the program: short lines on stderr, each kind once.

use std::collections::HashSet;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

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
