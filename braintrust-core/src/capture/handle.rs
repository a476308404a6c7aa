//! A borrowed value without its type, together with the way in which it is shown.

use std::any::type_name;
use std::fmt::{Debug, Display};

use serde::Serialize;

use super::custom::{Capture, Slot};
use super::escape::{escape_into, write_str};
use super::json::write_json;
use super::limits::max_value_bytes;
use super::map_key::quote_from;
use super::panic::contained;
use super::pointers::PointsToJson;
use super::text::write_text;

/// What stands in the place of a value that must not be shown.
pub(crate) const REDACTED: &str = "[REDACTED]";

/// A value that knows how to show itself; see [`Probe`](super::Probe) for how it came to know.
#[derive(Clone, Copy)]
pub struct Captured<'a>(pub(super) Way<'a>);

#[derive(Clone, Copy)]
pub(super) enum Way<'a> {
    Own(&'a dyn ShowOwn),
    Json(&'a dyn ShowJson),
    Pointer(&'a dyn PointsToJson),
    Debug(&'a dyn ShowDebug),
    Display(&'a dyn ShowDisplay),
    TypeName(&'static str),
    Redacted,
}

impl Captured<'_> {
    /// A value that must not be shown, and is not even looked at.
    #[must_use]
    pub const fn redacted() -> Self {
        Self(Way::Redacted)
    }

    /// Appends one JSON value to `out`.
    pub fn write(self, out: &mut Vec<u8>) {
        match self.0 {
            // Serialization has its own guard, and its own note on what went wrong.
            Way::Json(value) => value.show(out),
            Way::Pointer(value) => value.write_pointee(out),
            Way::Own(value) => self.write_guarded(out, value.name(), |out| value.show(out)),
            Way::Debug(value) => self.write_guarded(out, value.name(), |out| value.show(out)),
            Way::Display(value) => self.write_guarded(out, value.name(), |out| value.show(out)),
            Way::TypeName(name) => write_type_name(out, name),
            Way::Redacted => write_str(out, REDACTED),
        }
    }

    /// Appends one JSON string to `out`: the value if it is one, else the text of its JSON.
    pub(crate) fn write_string(self, out: &mut Vec<u8>) {
        let start = out.len();
        self.write(out);
        if out.get(start) != Some(&b'"') {
            quote_from(out, start);
        }
    }

    /// Runs code of the user's; if it panics, or shows nothing, the name of the type takes the value's place.
    fn write_guarded(self, out: &mut Vec<u8>, name: &'static str, show: impl FnOnce(&mut Vec<u8>)) {
        let start = out.len();
        if contained(|| show(out)).is_err() || out.len() == start {
            out.truncate(start);
            write_type_name(out, name);
        }
    }
}

impl std::fmt::Debug for Captured<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Captured").finish_non_exhaustive()
    }
}

fn write_type_name(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b"\"<");
    escape_into(out, name, usize::MAX);
    out.extend_from_slice(b">\"");
}

/// A `Serialize` without its type.
pub(super) trait ShowJson {
    fn show(&self, out: &mut Vec<u8>);
}

impl<T: Serialize + ?Sized> ShowJson for &T {
    fn show(&self, out: &mut Vec<u8>) {
        write_json::<T>(self, out);
    }
}

/// A `Capture` without its type.
pub(super) trait ShowOwn {
    fn show(&self, out: &mut Vec<u8>);
    fn name(&self) -> &'static str;
}

impl<T: Capture + ?Sized> ShowOwn for &T {
    fn show(&self, out: &mut Vec<u8>) {
        (**self).capture(&mut Slot::new(out));
    }

    fn name(&self) -> &'static str {
        type_name::<T>()
    }
}

/// A `Debug` without its type.
pub(super) trait ShowDebug {
    fn show(&self, out: &mut Vec<u8>);
    fn name(&self) -> &'static str;
}

impl<T: Debug + ?Sized> ShowDebug for &T {
    fn show(&self, out: &mut Vec<u8>) {
        let end = out.len().saturating_add(max_value_bytes());
        write_text(out, end, format_args!("{self:?}"));
    }

    fn name(&self) -> &'static str {
        type_name::<T>()
    }
}

/// A `Display` without its type.
pub(super) trait ShowDisplay {
    fn show(&self, out: &mut Vec<u8>);
    fn name(&self) -> &'static str;
}

impl<T: Display + ?Sized> ShowDisplay for &T {
    fn show(&self, out: &mut Vec<u8>) {
        let end = out.len().saturating_add(max_value_bytes());
        write_text(out, end, format_args!("{self}"));
    }

    fn name(&self) -> &'static str {
        type_name::<T>()
    }
}
