//! Before the body: what a span starts with.

use crate::active::{self, LoggerId};
use crate::callsite::Callsite;
use crate::capture::{Captured, contained, write_str};
use crate::context::{self, Context};
use crate::event::write_entry;
use crate::fields::{Field, Fields};
use crate::logger::{Logger, logger_or_usual};
use crate::span::{self, Opening, Parent};

/// Starts a span that is given nothing but its arguments, which is what most are.
///
/// The arguments are borrowed, and looked at only if the span is recorded.
#[must_use]
#[inline(never)]
pub fn start(callsite: &'static Callsite, arguments: &[(&str, Captured<'_>)]) -> Option<Context> {
    // Generated code has only asked whether there is any logger; a forked child may have to begin anew, or be unable to.
    if !active::enabled() {
        return None;
    }
    let Some(place) = context::plain_place() else { return start_elsewhere(callsite, arguments) };
    let capture = |fields: &mut Fields| fields.put(Field::Input, |out| write_object(out, arguments));
    span::start_plain(callsite, place, if arguments.is_empty() { None } else { Some(&capture) })
}

/// The same where the place of the span is not a plain one.
#[cold]
fn start_elsewhere(callsite: &'static Callsite, arguments: &[(&str, Captured<'_>)]) -> Option<Context> {
    let mut opening = open(callsite, None, None)?;
    if !arguments.is_empty() {
        set_arguments(&mut opening, arguments);
    }
    Some(opening.start())
}

/// Decides on a span; `None` if no one listens, and then nothing more is evaluated.
#[must_use]
pub fn open(callsite: &'static Callsite, parent: Option<Parent>, logger: Option<&Logger>) -> Option<Opening> {
    span::open(callsite, &parent.unwrap_or_default(), logger.map_or(LoggerId::NONE, Logger::id))
}

/// Gives a span what the attribute's expressions make. They are the program's code, and may panic; its function is called
/// all the same, and the span says so.
pub fn prepare(opening: &mut Opening, set: impl FnOnce(&mut Opening)) {
    if let Err(message) = contained(|| set(opening)) {
        note_panicked_options(opening, &message);
    }
}

#[cold]
fn note_panicked_options(opening: &mut Opening, message: &str) {
    opening.fields().put(Field::Metadata, |out| write_entry("options_panicked", &message, out));
}

/// The parent that an expression of the attribute names; as usual if it panics.
pub fn place(parent: impl FnOnce() -> Option<Parent>) -> Option<Parent> {
    contained(parent).ok().flatten()
}

/// What `name = …` accepts.
#[diagnostic::on_unimplemented(
    message = "a span cannot be named by `{Self}`",
    label = "expected a `&str` or a `String`"
)]
pub trait SpanName {
    /// The name.
    fn span_name(&self) -> &str;
}

impl<T: AsRef<str> + ?Sized> SpanName for T {
    fn span_name(&self) -> &str {
        self.as_ref()
    }
}

/// Names the span by a value that was computed for it.
pub fn set_name<N: SpanName + ?Sized>(opening: &mut Opening, name: &N) {
    opening.set_name(name.span_name());
}

/// What `parent = …` accepts. It is borrowed, since the function's body may want it too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the parent of a span",
    label = "expected a span, a `Parent`, or an `Option` of one"
)]
pub trait IntoParent {
    /// The place of the new span.
    fn to_parent(&self) -> Parent;
}

impl<T: Clone + Into<Parent>> IntoParent for T {
    fn to_parent(&self) -> Parent {
        self.clone().into()
    }
}

/// The place of the new span.
pub fn parent<P: IntoParent>(parent: &P) -> Option<Parent> {
    Some(parent.to_parent())
}

/// The logger that is registered under `key`. An unknown key is warned of, and the span goes where it would go
/// otherwise.
pub fn project<K: AsRef<str> + ?Sized>(key: &K) -> Option<Logger> {
    logger_or_usual(key.as_ref())
}

/// Sets the input to an object with one key for each argument.
pub fn set_arguments(opening: &mut Opening, arguments: &[(&str, Captured<'_>)]) {
    opening.fields().put(Field::Input, |out| write_object(out, arguments));
}

/// Sets the input to one value.
pub fn set_input(opening: &mut Opening, input: Captured<'_>) {
    opening.fields().put(Field::Input, |out| input.write(out));
}

/// Sets entries of the metadata.
pub fn set_metadata(opening: &mut Opening, entries: &[(&str, Captured<'_>)]) {
    opening.fields().put(Field::Metadata, |out| write_object(out, entries));
}

/// Sets the tags.
pub fn set_tags(opening: &mut Opening, tags: &[Captured<'_>]) {
    opening.fields().put(Field::Tags, |out| {
        out.push(b'[');
        for (index, tag) in tags.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            tag.write_string(out);
        }
        out.push(b']');
    });
}

fn write_object(out: &mut Vec<u8>, entries: &[(&str, Captured<'_>)]) {
    out.push(b'{');
    for (index, (key, value)) in entries.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_str(out, key);
        out.push(b':');
        value.write(out);
    }
    out.push(b'}');
}
