//! Futures: the span is current during every poll and while the future is dropped, and ends with it.

use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::task::{self, Poll};

use futures::future::FusedFuture;
use pin_project::{pin_project, pinned_drop};

use crate::context::Context;
use crate::fields::Fields;

use super::ending::{end_cancelled, end_with, panic_on};

/// A future with a span of its own.
///
/// An enum rather than a struct with an `Option` in it: one type less for each traced function in the name of a nested
/// future's type, which the compiler follows only so deep.
#[pin_project(project = Projected, PinnedDrop)]
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub enum Traced<F, R> {
    /// From the beginning until the drop.
    Live {
        /// The function's body.
        #[pin]
        inner: F,
        /// What is kept of the result.
        record: R,
        /// Whether the span has ended.
        ended: bool,
        /// Empty if no one listens, and when the drop has begun.
        span: ManuallyDrop<Context>,
    },
    /// Only while it is being dropped.
    Gone,
}

impl<F, R> Traced<F, R>
where
    F: Future,
    R: Fn(&F::Output, &mut Fields),
{
    /// Gives `inner` the span `span`, which has started; nothing is passed through.
    #[inline]
    pub fn new(span: Option<Context>, inner: F, record: R) -> Self {
        Self::Live { inner, record, ended: false, span: ManuallyDrop::new(span.unwrap_or_default()) }
    }
}

impl<F, R> Future for Traced<F, R>
where
    F: Future,
    R: Fn(&F::Output, &mut Fields),
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<F::Output> {
        match self.project() {
            Projected::Live { inner, span, .. } if span.is_none() => inner.poll(task),
            Projected::Live { inner, record, ended, span } => poll_traced(inner, task, record, ended, span),
            Projected::Gone => Poll::Pending,
        }
    }
}

impl<F, R> FusedFuture for Traced<F, R>
where
    F: FusedFuture,
    R: Fn(&F::Output, &mut Fields),
{
    fn is_terminated(&self) -> bool {
        match self {
            Self::Live { inner, .. } => inner.is_terminated(),
            Self::Gone => true,
        }
    }
}

#[inline]
fn poll_traced<F, R>(
    inner: Pin<&mut F>,
    task: &mut task::Context<'_>,
    record: &R,
    ended: &mut bool,
    span: &Context,
) -> Poll<F::Output>
where
    F: Future,
    R: Fn(&F::Output, &mut Fields),
{
    let polled = match span.scope_caught(|| inner.poll(task)) {
        Ok(Poll::Pending) => return Poll::Pending,
        Ok(polled) => polled,
        Err(payload) => panic_on((!std::mem::replace(ended, true)).then_some(span), payload, Fields::new()),
    };
    // A future that is polled again after its end may panic; that is no news for the span.
    if let Poll::Ready(value) = &polled
        && !*ended
    {
        *ended = true;
        end_with(span, &|fields| record(value, fields));
    }
    polled
}

#[pinned_drop]
impl<F, R> PinnedDrop for Traced<F, R> {
    /// Drops the inner future while its span is current: destructors of its locals run in the span too.
    fn drop(mut self: Pin<&mut Self>) {
        let Projected::Live { ended, span, .. } = self.as_mut().project() else { return };
        if span.is_none() {
            return;
        }
        // Replacing the value drops it once more, and that time the span is gone.
        let span = std::mem::take(&mut **span);
        // A guard, because destructors may panic.
        let _cancelled = (!*ended).then(|| Cancelled(&span));
        span.scope(|| self.set(Self::Gone));
    }
}

/// Ends a span as cancelled when it goes out of scope.
struct Cancelled<'a>(&'a Context);

impl Drop for Cancelled<'_> {
    fn drop(&mut self) {
        end_cancelled(self.0, "the future was dropped before it finished", Fields::new());
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
