//! Turning values of any type into JSON bytes: once, on the caller's thread, and without ever failing.
//!
//! Two ways lead in. A value that is known to be [`Serialize`](serde::Serialize) goes through [`write_json`]. A value
//! of which nothing is known goes through [`Probe`], which finds the best way its type has to show itself.

mod compound;
mod custom;
mod escape;
mod failure;
mod handle;
mod json;
mod limits;
mod locks;
mod map_key;
mod media;
mod number;
mod panic;
mod pointers;
mod probe;
mod secret;
mod serializer;
#[cfg(test)]
mod tests;
mod text;
mod verbatim;

pub use custom::{Capture, Slot};
pub use failure::{ByDebugError, ByDerefError, ByDisplayError, ByError, ByOpaqueError, Failed, Failure};
pub use handle::Captured;
pub use probe::{ByDebug, ByDisplay, ByJson, ByLock, ByOwnWay, ByPointer, ByTypeName, Probe};
pub use secret::Secret;

pub(crate) use escape::write_str;
pub(crate) use handle::REDACTED;
pub(crate) use json::{write_json, write_note, write_whole_json};
pub(crate) use limits::{max_items, max_value_bytes, set_max_items, set_max_value_bytes};
pub(crate) use media::base64_bytes;
pub(crate) use panic::{contained, drop_payload, panic_message};
pub(crate) use text::bounded_text;
