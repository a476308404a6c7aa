//! The three ways to make a context current: for a closure, behind a guard, and around every poll of a future.

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{self, Poll};
use std::thread;

use futures::Stream;
use pin_project::{pin_project, pinned_drop};

use super::Context;
use super::current::{self, Scope};
use super::list::Token;

/// Keeps a context current on this thread until it is dropped.
///
/// For synchronous code: it cannot leave its thread, and a future that holds one across an `.await` is not `Send`.
/// Guards may be dropped in any order.
#[derive(Debug)]
#[must_use = "the span is current only while the guard lives; dropping it at once has no effect"]
pub struct Entered {
    token: Option<Token>,
    _not_send: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        if let Some(token) = self.token {
            current::remove(token);
        }
    }
}

impl Context {
    /// Runs `work` with this context current; it ceases to be on every way out.
    ///
    /// An empty context changes nothing: what is current around the call stays current.
    #[inline]
    pub fn scope<R>(&self, work: impl FnOnce() -> R) -> R {
        if self.is_none() {
            return work();
        }
        let mut scope = Scope::idle();
        scope.begin(self);
        work()
    }

    /// The same, and catches a panic of `work`.
    ///
    /// Inlined, since each frame that is left out counts where traced calls are nested deeply: a processor foresees only
    /// so many returns.
    #[inline(always)]
    pub(crate) fn scope_caught<R>(&self, work: impl FnOnce() -> R) -> thread::Result<R> {
        let mut scope = Scope::idle();
        scope.begin(self);
        catch_unwind(AssertUnwindSafe(work))
    }

    /// Makes this context current until the guard is dropped.
    pub fn enter(&self) -> Entered {
        let token = if self.is_none() { None } else { Some(current::enter(self)) };
        Entered { token, _not_send: PhantomData }
    }
}

/// A future or stream with a context of its own: current during every poll, and while it is dropped.
#[pin_project(PinnedDrop)]
#[derive(Debug)]
#[must_use = "futures and streams do nothing unless polled"]
pub struct InContext<T> {
    /// Empty only after the drop has begun: destructors of the inner value run in its context too.
    #[pin]
    inner: Option<T>,
    context: Context,
}

impl<T> InContext<T> {
    pub(crate) fn new(inner: T, context: Context) -> Self {
        Self { inner: Some(inner), context }
    }
}

impl<F: Future> Future for InContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(inner) = this.inner.as_pin_mut() else { return Poll::Pending };
        this.context.scope(|| inner.poll(task))
    }
}

impl<S: Stream> Stream for InContext<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        let Some(inner) = this.inner.as_pin_mut() else { return Poll::Ready(None) };
        this.context.scope(|| inner.poll_next(task))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}

#[pinned_drop]
impl<T> PinnedDrop for InContext<T> {
    fn drop(self: Pin<&mut Self>) {
        let mut this = self.project();
        this.context.scope(|| this.inner.set(None));
    }
}
