//! What threads meet by in the record log: the standard library's types, or those of a model checker, which runs a test in
//! every order that threads may come in (`--cfg braintrust_loom`, see `tests/long/run.sh`).

#[cfg(not(braintrust_loom))]
mod real {
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64};
    pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};

    /// A value that all threads share.
    macro_rules! shared {
        (static $name:ident: $type:ty = $value:expr;) => {
            static $name: $type = $value;
        };
    }

    /// A value that each thread has for itself.
    macro_rules! per_thread {
        (static $name:ident: $type:ty = $value:expr;) => {
            thread_local! {
                static $name: $type = const { $value };
            }
        };
    }

    /// A function that makes a shared value.
    macro_rules! constructor {
        ($($vis:vis fn $name:ident() -> Self $body:block)+) => {
            $($vis const fn $name() -> Self $body)+
        };
    }

    pub(crate) use {constructor, per_thread, shared};
}

#[cfg(braintrust_loom)]
mod model {
    use std::sync::LockResult;
    use std::time::Duration;

    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU64};
    pub(crate) use loom::sync::{Mutex, MutexGuard};

    /// Waits without ever running out of time: who is never woken is a deadlock, which the checker reports.
    #[derive(Debug)]
    pub(crate) struct Condvar(loom::sync::Condvar);

    impl Condvar {
        pub(crate) fn new() -> Self {
            Self(loom::sync::Condvar::new())
        }

        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }

        pub(crate) fn wait_timeout_while<'a, T>(
            &self,
            mut guard: MutexGuard<'a, T>,
            _: Duration,
            mut condition: impl FnMut(&mut T) -> bool,
        ) -> LockResult<(MutexGuard<'a, T>, ())> {
            while condition(&mut guard) {
                guard = self.0.wait(guard).expect("no test panics under a lock");
            }
            Ok((guard, ()))
        }
    }

    macro_rules! shared {
        (static $name:ident: $type:ty = $value:expr;) => {
            loom::lazy_static! {
                static ref $name: $type = $value;
            }
        };
    }

    macro_rules! per_thread {
        (static $name:ident: $type:ty = $value:expr;) => {
            loom::thread_local! {
                static $name: $type = $value;
            }
        };
    }

    macro_rules! constructor {
        ($($vis:vis fn $name:ident() -> Self $body:block)+) => {
            $($vis fn $name() -> Self $body)+
        };
    }

    pub(crate) use {constructor, per_thread, shared};
}

#[cfg(braintrust_loom)]
pub(super) use model::*;
#[cfg(not(braintrust_loom))]
pub(super) use real::*;
