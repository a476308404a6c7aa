//! How often each kind of thing has been told of.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Kinds are few, but some are made of names that users give. With more than this, those told of long ago are forgotten.
const KINDS: usize = 1_000;

/// Lets each kind of thing pass once in a while.
pub(super) struct Rate(Mutex<Option<HashMap<String, Told>>>);

pub(super) struct Told {
    at: Instant,
    held_back: u64,
}

impl Rate {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Option<HashMap<String, Told>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether to tell of `kind` now, and how often that was asked in vain since it last was.
    pub(super) fn admit(&self, kind: &str, period: Duration) -> Option<u64> {
        self.admit_at(Instant::now(), kind, period)
    }

    fn admit_at(&self, now: Instant, kind: &str, period: Duration) -> Option<u64> {
        let mut told = self.lock();
        let told = told.get_or_insert_default();
        if let Some(told) = told.get_mut(kind) {
            if now.saturating_duration_since(told.at) < period {
                told.held_back += 1;
                return None;
            }
            told.at = now;
            return Some(std::mem::take(&mut told.held_back));
        }
        if told.len() >= KINDS {
            told.retain(|_, told| now.saturating_duration_since(told.at) < super::PERIOD);
        }
        // A flood of kinds is no reason to hold on to all of them.
        if told.len() < KINDS {
            told.insert(kind.to_owned(), Told { at: now, held_back: 0 });
        }
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_kind_passes_once_a_period_and_says_how_many_did_not() {
        let rate = Rate::new();
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        assert_eq!(rate.admit_at(at(0), "full", MINUTE), Some(0));
        assert_eq!(rate.admit_at(at(0), "other", MINUTE), Some(0));
        for second in 1..60 {
            assert_eq!(rate.admit_at(at(second), "full", MINUTE), None);
        }
        assert_eq!(rate.admit_at(at(60), "full", MINUTE), Some(59));
        assert_eq!(rate.admit_at(at(61), "full", MINUTE), None);
        assert_eq!(rate.admit_at(at(120), "full", MINUTE), Some(1));
    }

    #[test]
    fn once_is_once() {
        let rate = Rate::new();
        assert_eq!(rate.admit("hint", Duration::MAX), Some(0));
        let later = Instant::now() + 1_000_000 * MINUTE;
        assert_eq!(rate.admit_at(later, "hint", Duration::MAX), None);
    }

    #[test]
    fn kinds_without_end_take_no_memory_without_end() {
        let rate = Rate::new();
        for kind in 0..10 * KINDS {
            assert_eq!(rate.admit(&kind.to_string(), MINUTE), Some(0));
        }
        assert_eq!(rate.0.lock().unwrap().as_ref().unwrap().len(), KINDS);
    }
}
