//! Whether anything listens at all, and which logger takes spans that have no other: the process-wide switches.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::clock;
use crate::ids::IdStyle;

/// The number of a logger; records carry it instead of a handle. Zero stands for "no logger".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct LoggerId(pub(crate) u32);

impl LoggerId {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn is_none(self) -> bool {
        self == Self::NONE
    }
}

static ENABLED: AtomicBool = AtomicBool::new(false);
static DEFAULT: AtomicU32 = AtomicU32::new(0);
static NEXT: AtomicU32 = AtomicU32::new(1);

/// Whether any logger has been made in this process.
///
/// While it is `false`, a traced call does no more than this one load.
#[inline(always)]
#[must_use]
pub fn enabled() -> bool {
    ENABLED.load(Ordering::Relaxed)
}

/// Takes the number of a new logger, and switches tracing on.
pub(crate) fn register() -> LoggerId {
    let id = LoggerId(NEXT.fetch_add(1, Ordering::Relaxed));
    clock::begin();
    ENABLED.store(true, Ordering::Relaxed);
    id
}

/// The logger of spans that have no other.
pub(crate) fn default_logger() -> LoggerId {
    LoggerId(DEFAULT.load(Ordering::Relaxed))
}

/// Makes `id` the process's default.
pub(crate) fn set_default_logger(id: LoggerId) {
    DEFAULT.store(id.0, Ordering::Relaxed);
}

static LEGACY_IDS: AtomicBool = AtomicBool::new(false);

/// How ids are written in this process.
pub(crate) fn id_style() -> IdStyle {
    if LEGACY_IDS.load(Ordering::Relaxed) { IdStyle::Uuid } else { IdStyle::Hex }
}

/// Chooses how ids are written, by `BRAINTRUST_LEGACY_IDS`.
pub(crate) fn set_id_style(style: IdStyle) {
    LEGACY_IDS.store(style == IdStyle::Uuid, Ordering::Relaxed);
}
