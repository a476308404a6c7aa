//! Threads and tasks that carry on what is current where they are started.

use tokio::task::JoinHandle;

use crate::span::{Instrument as _, current_span};

/// Spawns a task on the current tokio runtime, as [`tokio::spawn`][tokio] does, in the span that is current here.
///
/// [tokio]: https://docs.rs/tokio/latest/tokio/task/fn.spawn.html
///
/// The span is not kept open for the task: it ends with the function or scope that opened it. A task set, or another
/// runtime, takes the future by way of [`Instrument`](crate::Instrument):
///
/// ```
/// use braintrust::{Instrument, traced};
/// use tokio::task::JoinSet;
///
/// #[traced]
/// async fn fetch(page: u32) -> u32 {
///     page * 2
/// }
///
/// #[traced]
/// async fn fetch_all() -> Vec<u32> {
///     let first = braintrust::spawn(fetch(0)); // a child of `fetch_all`
///     let mut others = JoinSet::new();
///     for page in 1..3 {
///         others.spawn(fetch(page).in_current_span()); // so are these
///     }
///     let mut pages = others.join_all().await;
///     pages.extend(first.await);
///     pages
/// }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(fetch_all());
/// ```
///
/// # Panics
///
/// Outside of a tokio runtime, as `tokio::spawn`.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    tokio::spawn(future.in_current_span())
}

/// Runs a blocking function on tokio's threads for those, as [`tokio::task::spawn_blocking`][tokio] does, in the span that
/// is current here.
///
/// [tokio]: https://docs.rs/tokio/latest/tokio/task/fn.spawn_blocking.html
///
/// # Panics
///
/// Outside of a tokio runtime, as `tokio::task::spawn_blocking`.
#[track_caller]
pub fn spawn_blocking<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> JoinHandle<R> {
    tokio::task::spawn_blocking(propagate(work))
}

/// Wraps a closure so that it runs in what is current here, on whatever thread it will be called: for thread pools,
/// scoped threads and callbacks. If nothing is current here, this changes nothing.
///
/// A closure that takes arguments, or is called more than once, as an iterator's is, enters the span itself: see
/// [`Span::in_scope`](crate::Span::in_scope).
///
/// ```
/// use braintrust::{current_span, propagate, start_span};
///
/// let span = start_span("batch").start();
/// span.in_scope(|| {
///     let here = current_span().span_id();
///     std::thread::scope(|threads| {
///         threads.spawn(propagate(move || assert_eq!(current_span().span_id(), here)));
///     });
/// });
/// ```
pub fn propagate<R>(work: impl FnOnce() -> R) -> impl FnOnce() -> R {
    let span = current_span();
    move || span.in_scope(work)
}

/// Threads that carry on what is current where they are started.
pub mod thread {
    use std::thread::JoinHandle;

    /// Spawns a thread, as [`std::thread::spawn`] does, in the span that is current here.
    ///
    /// # Panics
    ///
    /// If the system refuses a thread, as [`std::thread::spawn`].
    pub fn spawn<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> JoinHandle<R> {
        std::thread::spawn(super::propagate(work))
    }
}
