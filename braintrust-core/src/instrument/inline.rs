//! Functions whose body must stay where it is, because it asks for its caller's location.

use std::thread;

use crate::clock::Timestamp;
use crate::context::{Context, Entered};
use crate::fields::Fields;
use crate::span::finish;

use super::ending::{end_with, set_error_text, set_outcome};

/// Keeps a span current until the function returns, by whichever way.
///
/// Only a value that reaches the end of the body can be recorded: an early return passes by, and the span says so.
#[derive(Debug)]
#[must_use = "the span ends when this is dropped"]
pub struct Inline {
    /// Emptied when the span has ended.
    span: Context,
    entered: Option<Entered>,
    /// Whether the thread was unwinding when the function was called, as it is in destructors.
    was_panicking: bool,
    /// Whether the value is one of which there is nothing to say, however the function returns.
    is_function: bool,
}

impl Inline {
    /// Makes the span current.
    #[inline]
    pub fn enter(span: Option<Context>) -> Self {
        let Some(span) = span else {
            return Self { span: Context::none(), entered: None, was_panicking: false, is_function: false };
        };
        let entered = Some(span.enter());
        Self { span, entered, was_panicking: thread::panicking(), is_function: false }
    }

    /// The same for a function that returns a function.
    #[inline]
    pub fn enter_function(span: Option<Context>) -> Self {
        let mut inline = Self::enter(span);
        inline.is_function = true;
        inline
    }

    /// Ends the span with what `record` keeps of `value`, and passes it on.
    #[inline]
    pub fn finish<T>(mut self, value: T, record: impl Fn(&T, &mut Fields)) -> T {
        let span = std::mem::take(&mut self.span);
        if !span.is_none() {
            self.entered = None;
            end_with(&span, &|fields| record(&value, fields));
        }
        value
    }
}

impl Drop for Inline {
    #[inline]
    fn drop(&mut self) {
        if !self.span.is_none() {
            self.entered = None;
            end_early(&self.span, thread::panicking() && !self.was_panicking, self.is_function);
        }
    }
}

fn end_early(span: &Context, panicked: bool, is_function: bool) {
    let ended = Timestamp::now();
    let mut fields = Fields::new();
    if panicked {
        set_error_text(&mut fields, format_args!("panicked"));
        set_outcome(&mut fields, "panicked");
    } else if !is_function {
        set_outcome(&mut fields, "returned early: neither output nor error is known");
    }
    finish(span, ended, &mut fields);
}
