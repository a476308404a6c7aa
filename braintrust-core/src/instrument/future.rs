//! Futures: the span is current during every poll and while the future is dropped, and ends with it.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{self, Poll};

use pin_project::{pin_project, pinned_drop};

use crate::context::Context;
use crate::fields::Fields;

use super::ending::{end_cancelled, end_panicked, end_with};

/// A future with a span of its own.
#[pin_project(PinnedDrop)]
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Traced<F, R> {
    /// Empty only after the drop has begun: destructors of the inner future run in its span too.
    #[pin]
    inner: Option<F>,
    /// Taken when the span ends.
    record: Option<R>,
    span: Context,
}

impl<F, R> Traced<F, R>
where
    F: Future,
    R: FnOnce(&F::Output, &mut Fields),
{
    /// Gives `inner` the span `span`, which has started; an empty context is passed through.
    #[inline]
    pub fn new(span: Context, inner: F, record: R) -> Self {
        Self { inner: Some(inner), record: Some(record), span }
    }
}

impl<F, R> Future for Traced<F, R>
where
    F: Future,
    R: FnOnce(&F::Output, &mut Fields),
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(inner) = this.inner.as_pin_mut() else { return Poll::Pending };
        if this.span.is_none() {
            return inner.poll(task);
        }
        poll_traced(inner, task, this.record, this.span)
    }
}

fn poll_traced<F, R>(
    inner: Pin<&mut F>,
    task: &mut task::Context<'_>,
    record: &mut Option<R>,
    span: &Context,
) -> Poll<F::Output>
where
    F: Future,
    R: FnOnce(&F::Output, &mut Fields),
{
    let polled = catch_unwind(AssertUnwindSafe(|| span.scope(|| inner.poll(task))));
    match (polled, record) {
        (Ok(Poll::Pending), _) => Poll::Pending,
        (Ok(Poll::Ready(value)), record) => {
            if let Some(record) = record.take() {
                end_with(span, &value, record);
            }
            Poll::Ready(value)
        }
        (Err(payload), record) => {
            // A future that is polled again after its end panics; that is no news for the span.
            if record.take().is_some() {
                end_panicked(span, &*payload, Fields::new());
            }
            resume_unwind(payload)
        }
    }
}

#[pinned_drop]
impl<F, R> PinnedDrop for Traced<F, R> {
    fn drop(self: Pin<&mut Self>) {
        let mut this = self.project();
        if this.span.is_none() {
            return;
        }
        // A guard, because destructors may panic.
        let _cancelled = this.record.take().map(|_| Cancelled(this.span));
        this.span.scope(|| this.inner.set(None));
    }
}

/// Ends a span as cancelled when it goes out of scope.
struct Cancelled<'a>(&'a Context);

impl Drop for Cancelled<'_> {
    fn drop(&mut self) {
        end_cancelled(self.0, Fields::new());
    }
}

/// Moves a future to the heap, so that the traced function's own stays small.
pub fn boxed<F: Future>(future: F) -> Pin<Box<F>> {
    Box::pin(future)
}

/// The same, and hides its type, which keeps the names of deeply nested futures short.
pub fn boxed_send<'a, F: Future + Send + 'a>(future: F) -> Pin<Box<dyn Future<Output = F::Output> + Send + 'a>> {
    Box::pin(future)
}

/// The same for a future that must stay on its thread.
pub fn boxed_local<'a, F: Future + 'a>(future: F) -> Pin<Box<dyn Future<Output = F::Output> + 'a>> {
    Box::pin(future)
}
