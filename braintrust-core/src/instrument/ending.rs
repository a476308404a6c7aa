//! After the body: what a span ends with, by each way out.

use std::any::Any;
use std::fmt;
use std::panic::resume_unwind;

use crate::capture::{
    Captured, Failed, bounded_text, contained, max_value_bytes, panic_message, write_json, write_note, write_str,
};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::event::write_entry;
use crate::fields::{Field, Fields};
use crate::panic_site;
use crate::span::finish;

/// Ends a span with what `record` keeps of its result.
///
/// `record` is a trait object, here and in what is called from here: one copy of this code serves all functions.
pub(super) fn end_with(span: &Context, record: &dyn Fn(&mut Fields)) {
    // Before the value is serialized: that is not the function's time.
    let ended = Timestamp::now();
    let mut fields = Fields::new();
    record_guarded(&mut fields, &mut |fields| record(fields));
    finish(span, ended, &mut fields);
}

/// Runs code of the attribute's options, which may panic; the function's result is out of its reach.
pub(super) fn record_guarded(fields: &mut Fields, record: &mut dyn FnMut(&mut Fields)) {
    if let Err(message) = contained(|| record(fields)) {
        note_panicked_record(fields, &message);
    }
}

#[cold]
fn note_panicked_record(fields: &mut Fields, message: &str) {
    fields.put(Field::Output, |out| write_note(out, format_args!("<recording the result panicked: {message}>")));
}

fn end_panicked(span: &Context, payload: &(dyn Any + Send), mut fields: Fields) {
    let ended = Timestamp::now();
    let message = panic_message(payload);
    set_error_text(&mut fields, format_args!("panicked: {message}"));
    set_outcome(&mut fields, "panicked");
    if let Some(location) = panic_site::location_of(payload) {
        fields.put(Field::Metadata, |out| write_entry("panic_location", &location, out));
    }
    finish(span, ended, &mut fields);
}

/// Ends the span whose body panicked, unless it has ended already, and lets the panic go on.
#[cold]
pub(super) fn panic_on(unended: Option<&Context>, payload: Box<dyn Any + Send>, fields: Fields) -> ! {
    if let Some(span) = unended {
        end_panicked(span, &*payload, fields);
    }
    resume_unwind(payload)
}

/// Ends a span whose future or stream was dropped before it was done, which `how` says. That is no failure of the program,
/// but it must not look like success.
#[cold]
pub(super) fn end_cancelled(span: &Context, how: &'static str, mut fields: Fields) {
    let ended = Timestamp::now();
    set_error_text(&mut fields, format_args!("cancelled: {how}"));
    set_outcome(&mut fields, "cancelled");
    finish(span, ended, &mut fields);
}

/// Says in the metadata how the span ended, where it was not by returning.
pub(super) fn set_outcome(fields: &mut Fields, outcome: &'static str) {
    fields.put(Field::Metadata, |out| {
        out.extend_from_slice(b"{\"outcome\":");
        write_str(out, outcome);
        out.push(b'}');
    });
}

/// What a closure of the attribute makes of a result.
pub fn apply<A, R>(closure: impl FnOnce(A) -> R, argument: A) -> R {
    closure(argument)
}

/// Keeps nothing of a result.
pub fn ignore<T: ?Sized>(_value: &T, _fields: &mut Fields) {}

/// Keeps a value as the output.
pub fn set_output(fields: &mut Fields, value: Captured<'_>) {
    fields.put(Field::Output, |out| value.write(out));
}

/// Keeps an error as the output, for functions whose errors are values like any other.
pub fn set_output_error(fields: &mut Fields, error: Captured<'_>) {
    fields.put(Field::Output, |out| {
        out.extend_from_slice(b"{\"Err\":");
        error.write(out);
        out.push(b'}');
    });
}

/// Keeps an error: its message and causes as text, and all that is known of it in the metadata.
pub fn set_error(fields: &mut Fields, error: Failed<'_>) {
    let description = error.describe();
    fields.put(Field::Error, |out| write_str(out, &description.text()));
    fields.put(Field::Metadata, |out| {
        out.extend_from_slice(b"{\"error\":");
        write_json(&description, out);
        out.push(b'}');
    });
}

/// Keeps a text as the error.
pub fn set_error_text(fields: &mut Fields, text: fmt::Arguments<'_>) {
    // Formatting runs the user's code: outside `put`, so that a panic there leaves no half-written field.
    let text = bounded_text(text, max_value_bytes());
    fields.put(Field::Error, |out| write_str(out, &text));
}

/// Keeps a value as the error; one that is not a string becomes the text of its JSON.
pub fn set_error_value(fields: &mut Fields, value: Captured<'_>) {
    fields.put(Field::Error, |out| value.write_string(out));
}

/// Keeps an error if a condition on the value holds.
pub fn set_error_if(fields: &mut Fields, holds: bool, condition: &str) {
    if holds {
        set_error_text(fields, format_args!("the result is an error by `error_if`: {condition}"));
    }
}
