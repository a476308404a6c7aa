//! Functions: their body runs with the span current, and a panic is noted on its way through.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use futures::Stream;

use crate::context::Context;
use crate::fields::Fields;

use super::ending::{end_panicked, end_with};
use super::future::Traced;
use super::items::{Aggregate, Each};
use super::stream::TracedStream;

/// Calls the body of a function whose span ends when it returns.
#[inline]
pub fn call<T>(span: Context, body: impl FnOnce() -> T, record: impl FnOnce(&T, &mut Fields)) -> T {
    if span.is_none() {
        return body();
    }
    let value = run_in(&span, body);
    end_with(&span, &value, record);
    value
}

/// Calls the body of a function that returns a future; the span ends with the future.
#[inline]
pub fn call_future<F, R>(span: Context, body: impl FnOnce() -> F, record: R) -> Traced<F, R>
where
    F: Future,
    R: FnOnce(&F::Output, &mut Fields),
{
    let future = run_in(&span, body);
    Traced::new(span, future, record)
}

/// Calls the body of a function that returns a stream; the span ends with the stream.
#[inline]
pub fn call_stream<S, R>(span: Context, body: impl FnOnce() -> S, record: R) -> TracedStream<S, Each<R>>
where
    S: Stream,
    R: FnMut(&S::Item, &mut Fields),
{
    let stream = run_in(&span, body);
    TracedStream::new(span, stream, Each::new(record))
}

/// The same for a function with `aggregate = …`: see [`Aggregate`].
#[inline]
pub fn call_stream_aggregated<S, V, I, W>(
    span: Context,
    body: impl FnOnce() -> S,
    item: I,
    whole: W,
) -> TracedStream<S, Aggregate<V, I, W>>
where
    S: Stream,
    I: FnMut(&S::Item, &mut Fields) -> Option<V>,
    W: FnMut(&[V], &mut Fields),
{
    let stream = run_in(&span, body);
    TracedStream::new(span, stream, Aggregate::new(item, whole))
}

/// Runs `body` with `span` current. If it panics, the span ends with the message, and the panic goes on.
pub(super) fn run_in<T>(span: &Context, body: impl FnOnce() -> T) -> T {
    if span.is_none() {
        return body();
    }
    match catch_unwind(AssertUnwindSafe(|| span.scope(body))) {
        Ok(value) => value,
        Err(payload) => {
            end_panicked(span, &*payload, Fields::new());
            resume_unwind(payload)
        }
    }
}
