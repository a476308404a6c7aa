//! A notice for the one task that waits for it: there is something to do.
//!
//! `tokio::sync::Notify` would do the same, but it keeps pointers to the memory of whoever waits, which is not there any
//! more in a forked child.

use std::future::poll_fn;
use std::sync::PoisonError;
use std::task::{Poll, Waker};

use super::sync::{Mutex, MutexGuard, constructor};

/// Kept until it is taken notice of, once, however often it was given.
pub(super) struct Wake(Mutex<Notice>);

pub(super) struct Notice {
    given: bool,
    waiter: Option<Waker>,
}

impl Wake {
    constructor! {
        pub(super) fn new() -> Self {
            Self(Mutex::new(Notice { given: false, waiter: None }))
        }
    }

    pub(super) fn notify(&self) {
        let mut notice = self.lock();
        notice.given = true;
        let waiter = notice.waiter.take();
        // A waker is somebody else's code.
        drop(notice);
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }

    /// Resolves when the notice has been given since this last did. For one task at a time: the last one is woken.
    pub(super) async fn notified(&self) {
        poll_fn(|task| {
            let mut notice = self.lock();
            if std::mem::take(&mut notice.given) {
                return Poll::Ready(());
            }
            match &mut notice.waiter {
                Some(waiter) => waiter.clone_from(task.waker()),
                none => *none = Some(task.waker().clone()),
            }
            Poll::Pending
        })
        .await;
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Notice> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(all(unix, not(braintrust_loom)))]
impl Notice {
    /// In a forked child: forgets who waits, a task of the parent's, without as much as telling it so.
    pub(super) fn leave_to_parent(&mut self) {
        std::mem::forget(self.waiter.take());
        self.given = false;
    }
}

#[cfg(all(test, braintrust_loom))]
mod models {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn whoever_waits_is_woken_however_the_notice_meets_the_waiting() {
        loom::model(|| {
            let wake = Arc::new(Wake::new());
            let theirs = Arc::clone(&wake);
            let other = loom::thread::spawn(move || theirs.notify());
            loom::future::block_on(wake.notified());
            other.join().unwrap();
        });
    }
}

#[cfg(all(test, not(braintrust_loom)))]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn a_notice_is_kept_until_it_is_taken_and_then_is_gone() {
        let wake = Wake::new();
        wake.notify();
        wake.notify();
        assert_eq!(wake.notified().now_or_never(), Some(()));
        assert_eq!(wake.notified().now_or_never(), None);
    }

    #[test]
    fn no_notice_is_missed_however_they_meet() {
        const NOTICES: u32 = if cfg!(miri) { 100 } else { 10_000 };
        let (there, back) = (Arc::new(Wake::new()), Arc::new(Wake::new()));
        let (their, ours) = (Arc::clone(&there), Arc::clone(&back));
        let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
        let other = thread::spawn(move || {
            runtime().block_on(async {
                for _ in 0..NOTICES {
                    their.notified().await;
                    ours.notify();
                }
            });
        });
        runtime().block_on(async {
            for _ in 0..NOTICES {
                there.notify();
                back.notified().await;
            }
        });
        other.join().unwrap();
    }
}
