//! Streams: the span is current during every poll and while the stream is dropped, and ends with it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{self, Poll};

use futures::Stream;
use futures::stream::FusedStream;
use pin_project::{pin_project, pinned_drop};

use crate::clock::Timestamp;
use crate::context::Context;
use crate::fields::{Field, Fields};
use crate::span::finish;

use super::ending::{end_cancelled, panic_on};
use super::items::Collect;

/// A stream with a span of its own.
#[pin_project(PinnedDrop)]
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct TracedStream<S: Stream, C: Collect<S::Item>> {
    /// Empty only after the drop has begun: destructors of the inner stream run in its span too.
    #[pin]
    inner: Option<S>,
    /// On the heap, so that a stream that no one listens to stays small. Taken when the span ends.
    progress: Option<Box<Progress<C>>>,
    span: Context,
}

#[derive(Debug)]
struct Progress<C> {
    collector: C,
    started: Timestamp,
    first_item: Option<Timestamp>,
}

impl<S: Stream, C: Collect<S::Item>> TracedStream<S, C> {
    /// Gives `inner` the span `span`, which has started; nothing is passed through.
    pub fn new(span: Option<Context>, inner: S, collector: C) -> Self {
        let span = span.unwrap_or_default();
        let progress =
            (!span.is_none()).then(|| Box::new(Progress { collector, started: Timestamp::now(), first_item: None }));
        Self { inner: Some(inner), progress, span }
    }
}

impl<S: Stream, C: Collect<S::Item>> Stream for TracedStream<S, C> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let Some(inner) = this.inner.as_pin_mut() else { return Poll::Ready(None) };
        if this.span.is_none() {
            return inner.poll_next(task);
        }
        let polled = catch_unwind(AssertUnwindSafe(|| this.span.scope(|| inner.poll_next(task))));
        match polled {
            Ok(Poll::Ready(Some(item))) => {
                if let Some(progress) = this.progress {
                    progress.add(&item);
                }
                Poll::Ready(Some(item))
            }
            Ok(Poll::Ready(None)) => {
                if let Some(mut progress) = this.progress.take() {
                    let ended = Timestamp::now();
                    finish(this.span, ended, &mut progress.fields());
                }
                Poll::Ready(None)
            }
            Ok(Poll::Pending) => Poll::Pending,
            Err(payload) => match this.progress.take() {
                Some(mut progress) => panic_on(Some(this.span), payload, progress.fields()),
                None => panic_on(None, payload, Fields::new()),
            },
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}

impl<S: FusedStream, C: Collect<S::Item>> FusedStream for TracedStream<S, C> {
    fn is_terminated(&self) -> bool {
        self.inner.as_ref().is_none_or(FusedStream::is_terminated)
    }
}

impl<C> Progress<C> {
    fn add<T>(&mut self, item: &T)
    where
        C: Collect<T>,
    {
        if self.first_item.is_none() {
            self.first_item = Some(Timestamp::now());
        }
        self.collector.add(item);
    }

    /// What the span ends with.
    fn fields<T>(&mut self) -> Fields
    where
        C: Collect<T>,
    {
        let mut fields = Fields::new();
        self.collector.finish(&mut fields);
        if let Some(first) = self.first_item {
            let seconds = first.since(self.started).as_secs_f64();
            fields.put(Field::Metrics, |out| {
                out.extend_from_slice(format!(r#"{{"time_to_first_token":{seconds}}}"#).as_bytes());
            });
        }
        fields
    }
}

#[pinned_drop]
impl<S: Stream, C: Collect<S::Item>> PinnedDrop for TracedStream<S, C> {
    fn drop(self: Pin<&mut Self>) {
        let mut this = self.project();
        if this.span.is_none() {
            return;
        }
        // A guard, because destructors may panic.
        let _cancelled = this.progress.take().map(|mut progress| Cancelled(this.span, Some(progress.fields())));
        this.span.scope(|| this.inner.set(None));
    }
}

/// Ends a span as cancelled when it goes out of scope, with what its stream had yielded.
struct Cancelled<'a>(&'a Context, Option<Fields>);

impl Drop for Cancelled<'_> {
    fn drop(&mut self) {
        end_cancelled(self.0, "the stream was dropped before it ended", self.1.take().unwrap_or_default());
    }
}
