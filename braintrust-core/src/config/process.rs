//! The settings that concern the whole process, whichever logger they come with.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::reader::Reader;
use super::{Change, WhenFull};
use crate::diagnostics::Verbosity;

const QUEUE_SPANS: usize = 250_000;
const QUEUE_BYTES: usize = 32 * 1024 * 1024;
const QUEUE_DROP_LOGGING_PERIOD: Duration = Duration::from_secs(60);
const GENERATOR_ITEMS: usize = 1_000;

/// Settings of which a process has one set: all loggers share its memory, its ids and its exit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProcessSettings {
    /// `BRAINTRUST_QUEUE_SIZE`, or `BRAINTRUST_QUEUE_DROP_EXCEEDING_MAXSIZE`: how many spans may wait in memory.
    pub(crate) queue_spans: usize,
    /// `BRAINTRUST_QUEUE_BYTES`: how much memory may wait for delivery.
    pub(crate) queue_bytes: usize,
    /// `BRAINTRUST_QUEUE_DROP_WHEN_FULL`.
    pub(crate) when_full: WhenFull,
    /// `BRAINTRUST_QUEUE_DROP_LOGGING_PERIOD`, in seconds: how often dropped spans are told of, at most.
    pub(crate) queue_drop_logging_period: Duration,
    /// `BRAINTRUST_MAX_GENERATOR_ITEMS`: how many items of a stream are shown; `usize::MAX` for all.
    pub(crate) max_generator_items: usize,
    /// `BRAINTRUST_LEGACY_IDS`: UUIDs as ids of traces and spans.
    pub(crate) legacy_ids: bool,
    /// Whether a normal exit flushes; `BRAINTRUST_DISABLE_ATEXIT_FLUSH` says no.
    pub(crate) flush_at_exit: bool,
    /// `BRAINTRUST_DEBUG_LOG_LEVEL`: how much the library says on stderr.
    pub(crate) verbosity: Verbosity,
    /// How much of one value is captured, in bytes of JSON, if a builder says so; no variable does.
    pub(crate) max_value_bytes: Option<usize>,
}

/// What is in force; nothing before the first logger.
static IN_FORCE: Mutex<Option<ProcessSettings>> = Mutex::new(None);

/// Keeps other threads from what is in force until it is dropped, for a fork.
#[cfg(all(unix, not(braintrust_loom)))]
pub(crate) fn hold() -> Box<dyn std::any::Any> {
    Box::new(IN_FORCE.lock().unwrap_or_else(PoisonError::into_inner))
}

impl ProcessSettings {
    pub(super) fn read<L: Fn(&str) -> Option<String>>(reader: &mut Reader<'_, L>) -> Self {
        let exceeding = reader.count_or("BRAINTRUST_QUEUE_DROP_EXCEEDING_MAXSIZE", QUEUE_SPANS);
        Self {
            queue_spans: reader.count_or("BRAINTRUST_QUEUE_SIZE", exceeding),
            queue_bytes: reader.count_or("BRAINTRUST_QUEUE_BYTES", QUEUE_BYTES),
            when_full: reader.choice_or(
                "BRAINTRUST_QUEUE_DROP_WHEN_FULL",
                WhenFull::EXPECTED,
                (WhenFull::default(), "true"),
                WhenFull::parse,
            ),
            queue_drop_logging_period: reader
                .seconds_or("BRAINTRUST_QUEUE_DROP_LOGGING_PERIOD", QUEUE_DROP_LOGGING_PERIOD),
            max_generator_items: reader.limit_or("BRAINTRUST_MAX_GENERATOR_ITEMS", GENERATOR_ITEMS),
            legacy_ids: reader.switch_or("BRAINTRUST_LEGACY_IDS", false),
            flush_at_exit: !reader.switch_or("BRAINTRUST_DISABLE_ATEXIT_FLUSH", false),
            verbosity: reader.choice_or(
                "BRAINTRUST_DEBUG_LOG_LEVEL",
                Verbosity::EXPECTED,
                (Verbosity::default(), "info"),
                Verbosity::parse,
            ),
            max_value_bytes: None,
        }
    }

    /// What is in force once `changes` are: the environment's settings with the first logger, and from then on what
    /// builders change. A logger that changes nothing leaves what another has chosen.
    pub(crate) fn in_force(from_environment: &Self, changes: impl IntoIterator<Item = Change<Self>>) -> Self {
        let mut in_force = IN_FORCE.lock().unwrap_or_else(PoisonError::into_inner);
        let settings = in_force.get_or_insert_with(|| from_environment.clone());
        changes.into_iter().for_each(|change| change(settings));
        settings.clone()
    }
}
