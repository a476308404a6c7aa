//! The trait by which a type decides itself how a span shows it.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use serde::Serialize;

use super::json::write_json;
use super::limits::max_value_bytes;
use super::text::write_text;

/// Decides how a span shows values of a type, where neither `Serialize` nor `Debug` fits.
///
/// `#[traced]` needs no implementation of this trait: it shows a value by its `Serialize`, else by its `Debug`, else
/// by its `Display`, else by the name of its type. An implementation takes precedence over all of them.
///
/// ```
/// use braintrust::{Capture, Slot};
///
/// struct Image {
///     pixels: Vec<u8>,
///     width: u32,
/// }
///
/// impl Capture for Image {
///     fn capture(&self, slot: &mut Slot<'_>) {
///         slot.display(format_args!("image, {} pixels wide, {} bytes", self.width, self.pixels.len()));
///     }
/// }
/// ```
pub trait Capture {
    /// Shows the value in `slot`.
    fn capture(&self, slot: &mut Slot<'_>);
}

/// The place of one value in a span, in which what is shown last stays.
pub struct Slot<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> Slot<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        Self { out, start }
    }

    /// Whether nothing has been shown yet.
    pub(super) fn is_empty(&self) -> bool {
        self.out.len() == self.start
    }

    /// Shows `value` as JSON.
    pub fn json(&mut self, value: &(impl Serialize + ?Sized)) {
        self.out.truncate(self.start);
        write_json(value, self.out);
    }

    /// Shows the `Debug` text of `value`.
    pub fn debug(&mut self, value: impl fmt::Debug) {
        self.text(format_args!("{value:?}"));
    }

    /// Shows the `Display` text of `value`.
    pub fn display(&mut self, value: impl fmt::Display) {
        self.text(format_args!("{value}"));
    }

    fn text(&mut self, text: fmt::Arguments<'_>) {
        self.out.truncate(self.start);
        let end = self.start.saturating_add(max_value_bytes());
        write_text(self.out, end, text);
    }
}

impl fmt::Debug for Slot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").field("is_empty", &self.is_empty()).finish()
    }
}

/// Pointers show what they point to.
macro_rules! capture_through {
    ($($pointer:ty),*) => {
        $(impl<T: Capture + ?Sized> Capture for $pointer {
            fn capture(&self, slot: &mut Slot<'_>) {
                (**self).capture(slot);
            }
        })*
    };
}

capture_through!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

impl<T: Capture> Capture for Option<T> {
    fn capture(&self, slot: &mut Slot<'_>) {
        match self {
            Some(value) => value.capture(slot),
            None => slot.json(&()),
        }
    }
}
