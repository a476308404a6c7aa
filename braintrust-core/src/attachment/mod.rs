//! Data that is too large for a row, or no text: kept beside the rows, which only refer to it.
//!
//! A value that is serialised into a span may hold an [`Attachment`] anywhere. What it serialises to is a reference; its
//! data waits in a table ([`pending`]) until a row turns up that refers to it, by whatever way the value got there. Base64
//! data in the messages of models ([`messages`]) is turned into attachments when rows are made.

mod external;
mod handle;
mod json;
mod key;
mod media_type;
pub(crate) mod messages;
pub(crate) mod pending;
mod references;
mod restore;
mod source;

pub use self::external::ExternalAttachment;
pub use self::handle::Attachment;
pub use self::json::JsonAttachment;

pub(crate) use self::handle::Attached;
pub(crate) use self::key::Key;
pub(crate) use self::references::references_in;
pub(crate) use self::restore::restore;
