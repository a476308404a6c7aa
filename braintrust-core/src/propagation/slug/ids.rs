//! Ids that slugs write in binary: which texts may be, and what binary ids look like as text.

/// The bytes of exactly `2 * N` hex digits of either case. Binary ids come back in lower case, in every SDK.
pub(super) fn parse_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(text.as_bytes().as_chunks().0) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

/// The bytes of a UUID in its usual form, of a version and variant that there are: other SDKs accept no others in
/// binary, and would return any other form, such as hex without hyphens, changed.
pub(super) fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];
    if text.len() != 36 || HYPHENS.iter().any(|&at| text.as_bytes()[at] != b'-') {
        return None;
    }
    let bytes = parse_hex::<16>(&text.split('-').collect::<String>())?;
    let is_rfc = matches!(bytes[6] >> 4, 1..=8) && matches!(bytes[8] >> 6, 0b10);
    (is_rfc || bytes == [0; 16] || bytes == [0xff; 16]).then_some(bytes)
}

pub(super) fn format_hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

pub(super) fn format_uuid(bytes: [u8; 16]) -> String {
    let groups = [&bytes[..4], &bytes[4..6], &bytes[6..8], &bytes[8..10], &bytes[10..]];
    groups.map(format_hex).join("-")
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
