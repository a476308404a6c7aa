//! The storage that large rows go by: it may be out of reach where the backend is not, and then only they wait for it.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use super::persist::Patience;
use crate::api::{Backoff, Failure, Pacing, Remedy};

/// What is known of the storage.
pub(super) struct Storage {
    pacing: Pacing,
    /// Why nothing is uploaded for now.
    trouble: RefCell<Option<Failure>>,
    /// The waits between attempts, while it does not answer.
    away: RefCell<Option<Backoff>>,
    /// How long to wait from now on, until that has been asked for.
    wait: Cell<Option<Duration>>,
}

impl Storage {
    pub(super) fn new(pacing: Pacing) -> Self {
        Self { pacing, trouble: RefCell::default(), away: RefCell::default(), wait: Cell::default() }
    }

    /// Why there is no point in an upload for now.
    pub(super) fn trouble(&self) -> Option<Failure> {
        self.trouble.borrow().clone()
    }

    /// How often to try: once, where it was away before.
    pub(super) fn patience(&self, usual: Patience) -> Patience {
        if self.away.borrow().is_some() { Patience { attempts: 1, ..usual } } else { usual }
    }

    pub(super) fn has_answered(&self) {
        *self.away.borrow_mut() = None;
    }

    /// Nothing more is uploaded until [`try_again`](Self::try_again).
    pub(super) fn has_failed(&self, failure: &Failure) {
        if self.trouble.borrow().is_some() {
            return;
        }
        let mut away = self.away.borrow_mut();
        let backoff = away.get_or_insert_with(|| self.pacing.backoff());
        self.wait.set(Some(backoff.wait(failure.remedy.asked_wait())));
        // Who is told so has not tried.
        *self.trouble.borrow_mut() = Some(Failure { remedy: Remedy::Again(None), ..failure.clone() });
    }

    /// How long to wait before the next attempt; nothing if somebody waits already.
    pub(super) fn take_wait(&self) -> Option<Duration> {
        self.wait.take()
    }

    pub(super) fn try_again(&self) {
        *self.trouble.borrow_mut() = None;
    }
}
