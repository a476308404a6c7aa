//! Slugs: one opaque string that names a span, a logger or an experiment, and that every Braintrust SDK understands.
//!
//! # Where a slug may go
//!
//! A slug is base64 of the standard alphabet, so it may contain `+`, `/` and `=`.
//!
//! * In JSON, in headers, in environment variables, in a database: as it is.
//! * In a URL: percent-encoded, or a `+` of the query arrives as a space and a `/` ends a path segment. Every URL
//!   library does so when it is given the slug as a value, such as `Url::query_pairs_mut().append_pair("parent", slug)`
//!   or `reqwest`'s `.query(&[("parent", slug)])`.
//! * Broken into lines, or without its padding: it still decodes. The URL-safe alphabet (`-_`) doesn't, here or in any
//!   other SDK.
//!
//! A slug is no secret, and no proof of anything: it carries the ids of a row, the name or id of its project, and what
//! its span propagates to all its descendants, for anyone to read and to change.

mod components;
mod error;
mod ids;
mod json_object;
mod legacy;
mod reader;
mod remainder;
#[cfg(test)]
mod tests;
mod text;
mod v3;
mod v4;

pub(crate) use components::{ObjectRef, ObjectType, RowIds, SpanComponents};
pub(crate) use error::{Flaw, SlugError};
pub(crate) use json_object::JsonObject;

use self::components::Parts;
use self::reader::Reader;

/// How a slug is written. All versions are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SlugVersion {
    /// Ids that are UUIDs in binary: for readers from before hex ids, under `BRAINTRUST_LEGACY_IDS`.
    V3,
    /// Hex ids in binary: what today's SDKs write.
    V4,
}

impl SpanComponents {
    /// Reads a slug of any version. What is newer than version 4 is read as version 4, as every SDK does.
    ///
    /// # Errors
    /// If `slug` is no slug; the error names the version it found, what was wrong and what was expected.
    pub(crate) fn parse(slug: &str) -> Result<Self, SlugError> {
        let bytes = text::decode(slug).map_err(|flaw| SlugError::new(None, flaw))?;
        let Some((&version, body)) = bytes.split_first() else { return Err(SlugError::new(None, Flaw::Empty)) };
        let components = decode(version, Reader::new(body)).and_then(Parts::check);
        components.map_err(|flaw| SlugError::new(Some(version), flaw))
    }

    /// Writes the slug.
    pub(crate) fn to_slug(&self, version: SlugVersion) -> String {
        text::encode(&match version {
            SlugVersion::V3 => v3::encode(self),
            SlugVersion::V4 => v4::encode(self),
        })
    }
}

fn decode(version: u8, reader: Reader<'_>) -> Result<Parts, Flaw> {
    match version {
        0 => Err(Flaw::Version),
        1 => legacy::decode_v1(reader),
        2 => legacy::decode_v2(reader),
        3 => v3::decode(reader),
        _ => v4::decode(reader),
    }
}
