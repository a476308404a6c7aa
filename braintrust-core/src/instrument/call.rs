//! Functions: their body runs with the span current, and a panic is noted on its way through.

use std::mem::forget;

use futures::Stream;

use crate::context::Context;
use crate::fields::Fields;

use super::ending::{end_with, panic_on};
use super::items::{Aggregate, Each};
use super::stream::TracedStream;

/// Calls the body of a function whose span ends when it returns.
#[inline]
pub fn call<T>(span: Option<Context>, body: impl FnOnce() -> T, record: impl Fn(&T, &mut Fields)) -> T {
    // Borrowed, not moved: what was written just now is dear to copy.
    if let Some(span) = &span {
        return call_traced(span, body, record);
    }
    // There is nothing to drop, and so nothing to look at after the body.
    forget(span);
    body()
}

/// Not inlined: where no one listens, this is not even in the way.
#[inline(never)]
fn call_traced<T>(span: &Context, body: impl FnOnce() -> T, record: impl Fn(&T, &mut Fields)) -> T {
    let value = run_in(Some(span), body);
    end_with(span, &|fields| record(&value, fields));
    value
}

/// Calls the body of a function that returns a stream; the span ends with the stream.
#[inline]
pub fn call_stream<S, R>(span: Option<Context>, body: impl FnOnce() -> S, record: R) -> TracedStream<S, Each<R>>
where
    S: Stream,
    R: Fn(&S::Item, &mut Fields),
{
    let stream = run_in(span.as_ref(), body);
    TracedStream::new(span, stream, Each::new(record))
}

/// The same for a function with `aggregate = …`: see [`Aggregate`].
#[inline]
pub fn call_stream_aggregated<S, V, I, W>(
    span: Option<Context>,
    body: impl FnOnce() -> S,
    item: I,
    whole: W,
) -> TracedStream<S, Aggregate<V, I, W>>
where
    S: Stream,
    I: Fn(&S::Item, &mut Fields) -> Option<V>,
    W: Fn(&[V], &mut Fields),
{
    let stream = run_in(span.as_ref(), body);
    TracedStream::new(span, stream, Aggregate::new(item, whole))
}

/// Runs `body` with `span` current. If it panics, the span ends with the message, and the panic goes on.
#[inline]
pub(super) fn run_in<T>(span: Option<&Context>, body: impl FnOnce() -> T) -> T {
    let Some(span) = span else { return body() };
    match span.scope_caught(body) {
        Ok(value) => value,
        Err(payload) => panic_on(Some(span), payload, Fields::new()),
    }
}
