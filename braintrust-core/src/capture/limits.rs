//! How large and how deep one captured value may become.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many bytes of JSON one value may take unless [`set_max_value_bytes`] says otherwise.
pub(crate) const DEFAULT_MAX_VALUE_BYTES: usize = 4 * 1024 * 1024;

/// How many arrays and objects may stand within one another in one value.
///
/// `serde_json`'s parser, and many others, refuse text that is nested deeper than 128; a row adds a few levels of its
/// own around each value.
pub(crate) const MAX_DEPTH: usize = 100;

/// How many transparent layers (`Some`, newtype structs) may stand within one another. They leave no trace in the
/// JSON, but each of them takes a piece of the stack.
pub(crate) const MAX_LAYERS: usize = 400;

/// How many brackets may be open in the text that a `Debug` implementation writes, for the same reason.
pub(crate) const MAX_TEXT_NESTING: usize = 300;

/// What stands in the place of a value that lies too deep.
pub(crate) const TOO_DEEP: &str = "<max depth exceeded>";

/// How many items of a stream are shown unless [`set_max_items`] says otherwise.
const DEFAULT_MAX_ITEMS: usize = 1_000;

static MAX_ITEMS: AtomicUsize = AtomicUsize::new(DEFAULT_MAX_ITEMS);
static MAX_VALUE_BYTES: AtomicUsize = AtomicUsize::new(DEFAULT_MAX_VALUE_BYTES);

/// How many bytes of JSON one value may take.
pub(crate) fn max_value_bytes() -> usize {
    MAX_VALUE_BYTES.load(Ordering::Relaxed)
}

/// Sets, for the whole process, how many bytes of JSON one value may take.
pub(crate) fn set_max_value_bytes(limit: usize) {
    MAX_VALUE_BYTES.store(limit, Ordering::Relaxed);
}

/// How many items of a stream are shown.
pub(crate) fn max_items() -> usize {
    MAX_ITEMS.load(Ordering::Relaxed)
}

/// Sets, for the whole process, how many items of a stream are shown.
pub(crate) fn set_max_items(limit: usize) {
    MAX_ITEMS.store(limit, Ordering::Relaxed);
}
