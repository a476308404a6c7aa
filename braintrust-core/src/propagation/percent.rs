//! Percent-encoding as `baggage` wants it: everything but unreserved characters is encoded, and `+` is no space.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Encodes every byte but letters, digits and `-_.~`, the set that every baggage parser lets pass.
pub(super) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Decodes what is encoded. A `%` without two hex digits stands for itself, since many writers forget to encode it;
/// `None` if what comes out is not UTF-8.
pub(super) fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut rest = text.as_bytes();
    let mut out = Vec::with_capacity(rest.len());
    while let [first, after @ ..] = rest {
        let decoded = if *first == b'%' { after.split_first_chunk().and_then(pair) } else { None };
        let (byte, left) = decoded.unwrap_or((*first, after));
        out.push(byte);
        rest = left;
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

/// The byte that two hex digits stand for, and what follows them.
fn pair<'a>((&[high, low], after): (&[u8; 2], &'a [u8])) -> Option<(u8, &'a [u8])> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = u8::try_from(digit(high)? << 4 | digit(low)?).ok()?;
    Some((byte, after))
}
