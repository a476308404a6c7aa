//! Numbers as JSON: what JSON cannot hold becomes `null` or a string.

/// Appends a number that fits 64 bits.
#[inline]
pub(super) fn write_integer<N: itoa::Integer>(out: &mut Vec<u8>, number: N) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends a floating-point number, or `null` for NaN and the infinities.
#[inline]
pub(super) fn write_f64(out: &mut Vec<u8>, number: f64) {
    if number.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(number).as_bytes());
    } else {
        out.extend_from_slice(b"null");
    }
}

/// The same with the fewest digits that single precision needs.
pub(super) fn write_f32(out: &mut Vec<u8>, number: f32) {
    if number.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(number).as_bytes());
    } else {
        out.extend_from_slice(b"null");
    }
}

/// Appends a signed number: as a number if it fits 64 bits, else as a string, so that no reader rounds it.
pub(super) fn write_i128(out: &mut Vec<u8>, number: i128) {
    match (i64::try_from(number), u64::try_from(number)) {
        (Ok(small), _) => write_integer(out, small),
        (_, Ok(small)) => write_integer(out, small),
        _ => write_quoted(out, number),
    }
}

/// Appends an unsigned number by the same rule.
pub(super) fn write_u128(out: &mut Vec<u8>, number: u128) {
    match u64::try_from(number) {
        Ok(small) => write_integer(out, small),
        Err(_) => write_quoted(out, number),
    }
}

/// Digits between quotes; they need no escape.
fn write_quoted<N: itoa::Integer>(out: &mut Vec<u8>, number: N) {
    out.push(b'"');
    write_integer(out, number);
    out.push(b'"');
}
