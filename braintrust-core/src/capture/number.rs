//! Numbers as JSON: what JSON cannot hold becomes `null` or a string.

use std::io::Write as _;

/// Appends a number that fits 64 bits.
pub(super) fn write_integer<N: serde::Serialize>(out: &mut Vec<u8>, number: N) {
    // Writing digits into memory cannot fail.
    let _ = serde_json::to_writer(out, &number);
}

/// Appends a floating-point number, or `null` for NaN and the infinities.
pub(super) fn write_float<F: serde::Serialize>(out: &mut Vec<u8>, number: F, is_finite: bool) {
    if is_finite {
        let _ = serde_json::to_writer(out, &number);
    } else {
        out.extend_from_slice(b"null");
    }
}

/// Appends a signed number: as a number if it fits 64 bits, else as a string, so that no reader rounds it.
pub(super) fn write_i128(out: &mut Vec<u8>, number: i128) {
    match (i64::try_from(number), u64::try_from(number)) {
        (Ok(small), _) => write_integer(out, small),
        (_, Ok(small)) => write_integer(out, small),
        _ => write_quoted(out, format_args!("{number}")),
    }
}

/// Appends an unsigned number by the same rule.
pub(super) fn write_u128(out: &mut Vec<u8>, number: u128) {
    match u64::try_from(number) {
        Ok(small) => write_integer(out, small),
        Err(_) => write_quoted(out, format_args!("{number}")),
    }
}

/// Digits between quotes; they need no escape.
fn write_quoted(out: &mut Vec<u8>, digits: std::fmt::Arguments<'_>) {
    let _ = write!(out, "\"{digits}\"");
}
