//! Functions whose return type does not say for certain whether it is a future or stream: the type of the value does.

use std::pin::Pin;

use futures::Stream;

use crate::context::Context;
use crate::fields::Fields;

use super::call::run_in;
use super::ending::{end_with, ignore};
use super::future::Traced;
use super::items::{Aggregate, Each};
use super::stream::TracedStream;

/// What the body returned, with the span that it ran in.
///
/// Methods of the type itself take precedence over those of a trait: those below are for futures and streams, and
/// [`FinishPlain`] and [`FinishOther`] are for all the rest.
#[derive(Debug)]
pub struct Ran<T> {
    value: T,
    span: Option<Context>,
}

/// Runs the body with the span current.
#[inline]
pub fn run<T>(span: Option<Context>, body: impl FnOnce() -> T) -> Ran<T> {
    let value = run_in(span.as_ref(), body);
    Ran { value, span }
}

/// Ends the span of a function with its return.
pub trait FinishPlain {
    /// What the function returned.
    type Value;

    /// Ends the span with what `record` keeps of the value.
    fn __bt_finish(self, record: impl Fn(&Self::Value, &mut Fields)) -> Self::Value;
}

impl<T> FinishPlain for Ran<T> {
    type Value = T;

    #[inline]
    fn __bt_finish(self, record: impl Fn(&T, &mut Fields)) -> T {
        let Self { value, span } = self;
        if let Some(span) = &span {
            end_with(span, &|fields| record(&value, fields));
        }
        value
    }
}

impl<F: Future> Ran<F> {
    /// Gives the future the span.
    #[inline]
    pub fn __bt_future<R: Fn(&F::Output, &mut Fields)>(self, record: R) -> Traced<F, R> {
        Traced::new(self.span, self.value, record)
    }
}

impl<S: Stream> Ran<S> {
    /// Gives the stream the span.
    #[inline]
    pub fn __bt_stream<R: Fn(&S::Item, &mut Fields)>(self, record: R) -> TracedStream<S, Each<R>> {
        TracedStream::new(self.span, self.value, Each::new(record))
    }
}

/// Ends the span of a function that returns `impl Future<…>` or `impl Stream<…>`, where that is a trait of the program's own
/// which only has the name. What its value is by, nobody knows, so nothing of it is kept.
pub trait FinishOther: Sized {
    /// What the function returned.
    type Value;

    /// Ends the span.
    fn __bt_future<R>(self, record: R) -> Self::Value;

    /// Ends the span.
    #[inline]
    fn __bt_stream<R>(self, record: R) -> Self::Value {
        self.__bt_future(record)
    }
}

impl<T> FinishOther for Ran<T> {
    type Value = T;

    #[inline]
    fn __bt_future<R>(self, _record: R) -> T {
        self.__bt_finish(ignore)
    }
}

/// One implementation for each kind of boxed future: the span ends with the future.
macro_rules! finish_future {
    ($($marker:path),*) => {
        impl<'a, T: 'a> Ran<Pin<Box<dyn Future<Output = T> $(+ $marker)* + 'a>>> {
            /// Gives the future the span.
            pub fn __bt_finish<R>(self, record: R) -> Pin<Box<dyn Future<Output = T> $(+ $marker)* + 'a>>
            where
                R: Fn(&T, &mut Fields) $(+ $marker)* + 'a,
            {
                if self.span.is_none() {
                    return self.value;
                }
                Box::pin(Traced::new(self.span, self.value, record))
            }
        }
    };
}

finish_future!();
finish_future!(Send);
finish_future!(Send, Sync);

/// One implementation for each kind of boxed stream: the span ends with the stream.
macro_rules! finish_stream {
    ($($marker:path),*) => {
        impl<'a, T: 'a> Ran<Pin<Box<dyn Stream<Item = T> $(+ $marker)* + 'a>>> {
            /// Gives the stream the span.
            pub fn __bt_finish<R>(self, record: R) -> Pin<Box<dyn Stream<Item = T> $(+ $marker)* + 'a>>
            where
                R: Fn(&T, &mut Fields) $(+ $marker)* + 'a,
            {
                if self.span.is_none() {
                    return self.value;
                }
                Box::pin(TracedStream::new(self.span, self.value, Each::new(record)))
            }

            /// The same with one output for all items: see [`Aggregate`].
            pub fn __bt_aggregate<V, I, W>(self, item: I, whole: W) -> Pin<Box<dyn Stream<Item = T> $(+ $marker)* + 'a>>
            where
                V: 'a $(+ $marker)*,
                I: Fn(&T, &mut Fields) -> Option<V> $(+ $marker)* + 'a,
                W: Fn(&[V], &mut Fields) $(+ $marker)* + 'a,
            {
                if self.span.is_none() {
                    return self.value;
                }
                Box::pin(TracedStream::new(self.span, self.value, Aggregate::new(item, whole)))
            }
        }
    };
}

finish_stream!();
finish_stream!(Send);
finish_stream!(Send, Sync);
