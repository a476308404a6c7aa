//! Functions whose return type does not say whether it is a boxed future or stream: the type of the value does.

use std::pin::Pin;

use futures::Stream;

use crate::context::Context;
use crate::fields::Fields;

use super::call::run_in;
use super::ending::end_with;
use super::future::Traced;
use super::items::{Aggregate, Each};
use super::stream::TracedStream;

/// What the body returned, with the span that it ran in.
///
/// Methods of the type itself take precedence over those of a trait: those below are for boxed futures and streams,
/// and [`FinishPlain`] is for all the rest.
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
