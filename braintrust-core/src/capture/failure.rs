//! Errors of any type: their message, their type, and what caused them.

use std::any::type_name;
use std::error::Error;
use std::fmt::{Debug, Display, Write as _};
use std::ops::Deref;

use serde::Serialize;

use super::limits::max_value_bytes;
use super::panic::contained;
use super::text::bounded_text;

/// How many sources of an error are followed. A chain that is longer most likely leads back to itself.
const MAX_CAUSES: usize = 32;

/// A borrowed error whose type is looked into; works as [`Probe`](super::Probe) does, with five references.
pub struct Failure<'a, E: ?Sized>(pub &'a E);

/// An error without its type, together with the way in which it is shown.
#[derive(Clone, Copy)]
pub struct Failed<'a> {
    way: Way<'a>,
    type_name: &'static str,
}

#[derive(Clone, Copy)]
enum Way<'a> {
    Error(&'a (dyn Error + 'a)),
    Deref(&'a dyn PointsToError),
    Display(&'a dyn Display),
    Debug(&'a dyn Debug),
    Opaque,
}

impl Debug for Failed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Failed").field("type_name", &self.type_name).finish_non_exhaustive()
    }
}

/// An error as a span keeps it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Description {
    #[serde(rename = "type")]
    pub(crate) type_name: &'static str,
    pub(crate) message: String,
    pub(crate) causes: Vec<String>,
}

impl Failed<'_> {
    /// Asks the error for its message and its causes; the name of its type stands in if that panics.
    pub(crate) fn describe(self) -> Description {
        let described = contained(|| self.way.describe(self.type_name));
        let (message, causes) = described.unwrap_or_else(|_| (format!("<{}>", self.type_name), Vec::new()));
        Description { type_name: self.type_name, message, causes }
    }
}

impl Description {
    /// The message, and below it the causes, numbered.
    pub(crate) fn text(&self) -> String {
        let mut text = self.message.clone();
        if !self.causes.is_empty() {
            text.push_str("\n\nCaused by:");
            for (index, cause) in self.causes.iter().enumerate() {
                let _ = write!(text, "\n    {index}: {cause}");
            }
        }
        text
    }
}

impl Way<'_> {
    fn describe(self, type_name: &str) -> (String, Vec<String>) {
        match self {
            Self::Error(error) => with_causes(error),
            Self::Deref(pointer) => pointer.describe(),
            Self::Display(error) => (bounded_text(format_args!("{error}"), max_value_bytes()), Vec::new()),
            Self::Debug(error) => (bounded_text(format_args!("{error:?}"), max_value_bytes()), Vec::new()),
            Self::Opaque => (format!("<{type_name}>"), Vec::new()),
        }
    }
}

/// All texts together take no more than one value may.
fn with_causes(error: &dyn Error) -> (String, Vec<String>) {
    let message = bounded_text(format_args!("{error}"), max_value_bytes());
    let mut room = max_value_bytes().saturating_sub(message.len());
    let mut causes = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source
        && causes.len() < MAX_CAUSES
    {
        let text = bounded_text(format_args!("{cause}"), room);
        room = room.saturating_sub(text.len());
        causes.push(text);
        source = cause.source();
    }
    (message, causes)
}

/// A pointer to an error, as `anyhow::Error`, `eyre::Report` and `Box<dyn Error>` are: none of them is an error itself.
trait PointsToError {
    fn describe(&self) -> (String, Vec<String>);
}

impl<E: Deref + ?Sized> PointsToError for &E
where
    E::Target: Error,
{
    fn describe(&self) -> (String, Vec<String>) {
        let error: &E::Target = self;
        with_causes(&error)
    }
}

/// One trait of the chain: its place, its bound, and how it shows the error.
macro_rules! step {
    ($(#[$doc:meta])* $step:ident, $failure:ty, [$($bound:tt)*], |$error:ident| $way:expr) => {
        $(#[$doc])*
        pub trait $step {
            /// The error, and how it is shown.
            fn __bt_error(&self) -> Failed<'_>;
        }

        impl<E> $step for $failure
        where
            E: ?Sized,
            $($bound)*
        {
            #[inline]
            fn __bt_error(&self) -> Failed<'_> {
                let $error = &self.0;
                Failed { way: $way, type_name: type_name::<E>() }
            }
        }
    };
}

step!(
    /// Errors.
    ByError, &&&&Failure<'_, E>, [E: Error], |error| Way::Error(error)
);
step!(
    /// Pointers to errors that are no errors themselves.
    ByDerefError, &&&Failure<'_, E>, [E: Deref, E::Target: Error], |error| Way::Deref(error)
);
step!(
    /// Types that are `Display`.
    ByDisplayError, &&Failure<'_, E>, [E: Display], |error| Way::Display(error)
);
step!(
    /// Types that are `Debug`.
    ByDebugError, &Failure<'_, E>, [E: Debug], |error| Way::Debug(error)
);
step!(
    /// All types.
    ByOpaqueError, Failure<'_, E>, [], |_error| Way::Opaque
);
