//! Repeats a call until it succeeds or proves hopeless, and tells of each failure.

use crate::api::{Failure, Pacing};
use crate::sink::Progress;

/// The result of the first attempt that either succeeded or failed in a way that another attempt cannot cure.
///
/// There is no last attempt: a backend may be away for hours, and memory and flushes have bounds of their own.
pub(super) async fn persist<T>(
    pacing: Pacing,
    progress: &Progress,
    attempt: impl AsyncFn() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut backoff = pacing.backoff();
    let mut failed_before = false;
    loop {
        match attempt().await {
            Err(Failure { text, remedy, .. }) if remedy.may_succeed_later() => {
                let wait = backoff.wait(remedy.asked_wait());
                progress.note(Some(format!("{text}; retrying in {:.1} s", wait.as_secs_f64())));
                failed_before = true;
                tokio::time::sleep(wait).await;
            }
            result => {
                // Other requests under way may have failures of their own to tell, so only this one's is withdrawn.
                if failed_before {
                    progress.note(None);
                }
                return result;
            }
        }
    }
}
