//! What is wrong with a slug, said in the words that every SDK uses, and in more of our own.

use std::fmt;

/// Why a string is not a slug.
///
/// The text begins with the sentences that all SDKs agree on, so that a search for them finds this too. It never quotes
/// the slug, which may hold data of the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SlugError {
    version: Option<u8>,
    flaw: Flaw,
}

impl SlugError {
    pub(super) fn new(version: Option<u8>, flaw: Flaw) -> Self {
        Self { version, flaw }
    }
}

impl fmt::Display for SlugError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "SpanComponents string is not properly encoded. This library only supports encoding versions up to 4. \
             Please make sure the SDK library used to decode the SpanComponents is at least as new as any library \
             used to encode it.",
        )?;
        match self.version {
            Some(version) => write!(f, " (found version {version}: {})", self.flaw),
            None => write!(f, " (found no version: {})", self.flaw),
        }
    }
}

impl std::error::Error for SlugError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.flaw)
    }
}

/// The one thing that is wrong with a slug, or with the components of one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Flaw {
    #[error("the slug is empty; expected the string that `Span::export` returned")]
    Empty,
    #[error(
        "the slug is not base64: {0}; expected the standard alphabet, `A-Z a-z 0-9 + /`. In a URL a slug must be \
         percent-encoded"
    )]
    Base64(&'static str),
    #[error("expected a version of at least 1")]
    Version,
    #[error("the slug ends within `{field}` (bytes missing: {missing}); expected all of the string that was exported")]
    Truncated { field: &'static str, missing: usize },
    #[error("the slug goes on after `{field}` (bytes too many: {surplus}); expected its end there")]
    Surplus { field: &'static str, surplus: usize },
    #[error("`object_type` is {found}; expected 1 (experiment), 2 (project logs) or 3 (playground logs)")]
    ObjectType { found: u8 },
    #[error("`{field}` is {found}; expected 0 or 1")]
    Flag { field: &'static str, found: u8 },
    #[error("a binary field has the number {found}; expected 1 to 4")]
    FieldNumber { found: u8 },
    #[error("{field} is not valid UTF-8")]
    Utf8 { field: &'static str },
    #[error("{field} is not {expected} (see column {column} of it)")]
    Json { field: &'static str, expected: &'static str, column: usize },
    #[error("both `object_id` and `compute_object_metadata_args` are set; expected one of them")]
    TwoObjects,
    #[error("neither `object_id` nor `compute_object_metadata_args` is set; expected one of them")]
    NoObject,
    #[error("`compute_object_metadata_args` is empty; expected the name or the id of a project")]
    EmptyArgs,
    #[error("`{missing}` is missing; expected all of `row_id`, `span_id` and `root_span_id`, or none")]
    RowIds { missing: &'static str },
}
