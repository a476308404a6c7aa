//! Whether anything listens at all, and which logger takes spans that have no other: the process-wide switches.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

use crate::clock;
use crate::ids::IdStyle;

/// The number of a logger; records carry it instead of a handle. Zero stands for "no logger".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct LoggerId(pub(crate) u32);

impl LoggerId {
    pub(crate) const NONE: Self = Self(0);
    /// A logger that there is not: what is recorded for it goes nowhere.
    pub(crate) const NOWHERE: Self = Self(u32::MAX);

    pub(crate) fn is_none(self) -> bool {
        self == Self::NONE
    }
}

/// No logger has been made.
const OFF: u8 = 0;
/// A logger has been made, and its exporter runs.
const ON: u8 = 1;
/// A logger has been made in the process that this one was forked from.
const FORKED: u8 = 2;
/// As before, and tracing cannot go on.
const LOST: u8 = 3;

static STATE: AtomicU8 = AtomicU8::new(OFF);
/// Starts in a forked child what runs in its parent; says whether it does.
static GO_ON: OnceLock<fn() -> bool> = OnceLock::new();
static DEFAULT: AtomicU32 = AtomicU32::new(0);
static NEXT: AtomicU32 = AtomicU32::new(1);

/// Whether any logger has been made, in this process or in one that it was forked from.
///
/// While it is `false`, a traced call does no more than this one load and a branch.
#[inline(always)]
#[must_use]
pub fn any_logger() -> bool {
    if STATE.load(Ordering::Relaxed) != OFF {
        away_from_the_straight_path();
        return true;
    }
    false
}

/// Has the compiler lay out what follows a call of this apart from the rest.
#[cold]
#[inline]
fn away_from_the_straight_path() {}

/// Whether spans can be recorded in this process, where [`any_logger`] may promise too much.
#[inline]
pub(crate) fn enabled() -> bool {
    match STATE.load(Ordering::Relaxed) {
        ON => true,
        OFF => false,
        _ => go_on(),
    }
}

/// The first use in a forked child. Others may record while it is under way.
#[cold]
fn go_on() -> bool {
    if STATE.compare_exchange(FORKED, ON, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        && !GO_ON.get().is_some_and(|go_on| go_on())
    {
        STATE.store(LOST, Ordering::Relaxed);
    }
    STATE.load(Ordering::Relaxed) == ON
}

/// Notes that this is a forked child; `go_on` is called at its first use, and says whether tracing can go on.
#[cfg(all(unix, not(braintrust_loom)))]
pub(crate) fn set_forked(go_on: fn() -> bool) {
    let _ = GO_ON.set(go_on);
    let _ = STATE.compare_exchange(ON, FORKED, Ordering::Relaxed, Ordering::Relaxed);
}

/// Whether this is a forked child in which tracing cannot go on.
pub(crate) fn is_lost() -> bool {
    !enabled() && STATE.load(Ordering::Relaxed) == LOST
}

/// Takes the number of a new logger, and switches tracing on.
pub(crate) fn register() -> LoggerId {
    let id = LoggerId(NEXT.fetch_add(1, Ordering::Relaxed));
    clock::begin();
    let _ = STATE.compare_exchange(OFF, ON, Ordering::Relaxed, Ordering::Relaxed);
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
