//! Slugs as text: base64 of the standard alphabet, written with padding, read with or without it.

use std::borrow::Cow;

use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{self, GeneralPurpose};
use base64::{DecodeError, Engine as _};

use super::Flaw;

/// Padding is dealt with before. Bits after the last byte mean nothing to the other SDKs either.
const UNPADDED: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, general_purpose::NO_PAD.with_decode_allow_trailing_bits(true));

pub(super) fn encode(bytes: &[u8]) -> String {
    general_purpose::STANDARD.encode(bytes)
}

/// Passes over white space, which mail and terminals put into long lines. Refuses everything else that is foreign:
/// to skip it would shift what comes after.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, Flaw> {
    let text = without_white_space(text);
    UNPADDED.decode(without_padding(&text).as_bytes()).map_err(|error| Flaw::Base64(reason(&error)))
}

fn without_white_space(text: &str) -> Cow<'_, str> {
    if text.contains(|c: char| c.is_ascii_whitespace()) {
        return Cow::Owned(text.split_ascii_whitespace().collect());
    }
    Cow::Borrowed(text)
}

/// Only padding that completes a group of four is padding; more or less of it stays, and is refused as foreign.
fn without_padding(text: &str) -> &str {
    if !text.len().is_multiple_of(4) {
        return text;
    }
    let text = text.strip_suffix('=').unwrap_or(text);
    text.strip_suffix('=').unwrap_or(text)
}

fn reason(error: &DecodeError) -> &'static str {
    match error {
        DecodeError::InvalidByte(_, b'=') => "it has too much or misplaced padding",
        DecodeError::InvalidByte(_, b'-' | b'_') => "it uses the URL-safe alphabet",
        DecodeError::InvalidByte(..) => "it holds a character of no alphabet",
        _ => "its length is impossible; a character was lost or added",
    }
}
