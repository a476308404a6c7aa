//! Repeats a call until it succeeds, proves hopeless, or has been repeated often enough; and tells of each failure.

use std::time::Duration;

use crate::api::{Failure, Pacing};
use crate::ledger::Ledger;

/// Where the server asks to be left alone for longer than this, that is not waited for: a flush meanwhile is over as soon
/// as nothing else can be sent. As long as a program's exit waits at most.
pub(crate) const LONG_WAIT: Duration = Duration::from_secs(5);

/// How often a call is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) pacing: Pacing,
    /// At least 1.
    pub(crate) attempts: usize,
}

/// The result of the first attempt that either succeeded or failed in a way that another attempt cannot cure, not for
/// long at least, or else of the last.
pub(crate) async fn persist<T>(
    patience: Patience,
    ledger: &Ledger,
    attempt: impl AsyncFn(usize) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut backoff = patience.pacing.backoff();
    for number in 1.. {
        match attempt(number).await {
            Err(failure) if may_succeed_soon(&failure) && number < patience.attempts => {
                let wait = backoff.wait(failure.remedy.asked_wait());
                ledger.note(Some(format!("{}; retrying in {:.1} s", failure.text, wait.as_secs_f64())));
                tokio::time::sleep(wait).await;
            }
            Ok(value) => {
                // Other requests under way may have failures of their own to tell, so only this one's is withdrawn.
                if number > 1 {
                    ledger.note(None);
                }
                return Ok(value);
            }
            refused => return refused,
        }
    }
    unreachable!("there is no last number")
}

fn may_succeed_soon(failure: &Failure) -> bool {
    failure.remedy.may_succeed_later() && failure.remedy.asked_wait().is_none_or(|asked| asked <= LONG_WAIT)
}
