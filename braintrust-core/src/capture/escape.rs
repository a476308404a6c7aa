//! JSON strings: a scan for the few bytes that need an escape, and copies of the clean runs between them.

/// Text is scanned and copied in pieces of this size: what was scanned is still in the fastest cache when it is
/// copied, and copies stay below the size at which some processors' string instructions slow down for targets that
/// lie just ahead of their source.
const PIECE: usize = 1024;

/// Bytes looked at together; the compiler turns the test of one block into a few vector instructions.
const BLOCK: usize = 32;

/// Appends `text` as a JSON string, quotes included.
pub(crate) fn write_str(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    escape_into(out, text, usize::MAX);
    out.push(b'"');
}

/// Appends `text` without quotes, and stops soon after `out` has reached the length `end`.
///
/// Returns how many bytes of `text` went in. That is always a character boundary.
pub(crate) fn escape_into(out: &mut Vec<u8>, text: &str, end: usize) -> usize {
    let mut done = 0;
    while done < text.len() && out.len() < end {
        let room = PIECE.min(end - out.len());
        let piece = leading(&text[done..], room);
        escape_piece(out, piece.as_bytes());
        done += piece.len();
    }
    done
}

/// The longest prefix of at most `limit` bytes that ends on a character boundary, but one character at least.
fn leading(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    match text.floor_char_boundary(limit) {
        0 => &text[..text.ceil_char_boundary(1)],
        boundary => &text[..boundary],
    }
}

fn escape_piece(out: &mut Vec<u8>, mut rest: &[u8]) {
    loop {
        let (blocks, _) = rest.as_chunks::<BLOCK>();
        let clean = blocks.iter().take_while(|block| !block_needs_escape(block)).count();
        copy_blocks(out, &blocks[..clean]);
        rest = &rest[clean * BLOCK..];
        // Now there is something to escape within the next block, or less than a block is left.
        match escape_first(out, rest) {
            Some(tail) => rest = tail,
            None => return,
        }
    }
}

/// A few blocks at a time, as between the line breaks of a text, are copied faster without a call.
fn copy_blocks(out: &mut Vec<u8>, blocks: &[[u8; BLOCK]]) {
    if blocks.len() > 4 {
        out.extend_from_slice(blocks.as_flattened());
    } else {
        blocks.iter().for_each(|block| out.extend_from_slice(block));
    }
}

/// Copies up to the first byte that needs an escape, and escapes it. Returns what comes after it; `None` if there was
/// none.
fn escape_first<'t>(out: &mut Vec<u8>, mut rest: &'t [u8]) -> Option<&'t [u8]> {
    while let Some((word, tail)) = rest.split_first_chunk::<8>() {
        let dirty = dirty_bytes(u64::from_le_bytes(*word));
        // All of it, though only some may count: eight bytes are one instruction.
        out.extend_from_slice(word);
        if dirty != 0 {
            let clean = dirty.trailing_zeros() as usize / 8;
            out.truncate(out.len() - word.len() + clean);
            push_escape(out, word[clean]);
            return Some(&rest[clean + 1..]);
        }
        rest = tail;
    }
    for (place, byte) in rest.iter().enumerate() {
        if needs_escape(*byte) {
            push_escape(out, *byte);
            return Some(&rest[place + 1..]);
        }
        out.push(*byte);
    }
    None
}

fn block_needs_escape(block: &[u8; BLOCK]) -> bool {
    // No early return: that is what lets the loop become vector instructions.
    // In bytes rather than truth values, which spares packing those into bits.
    let found = |byte: u8| u8::from(byte < 0x20) | u8::from(byte == b'"') | u8::from(byte == b'\\');
    block.iter().fold(0, |any, byte| any | found(*byte)) != 0
}

const fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// A word whose lowest set bit is the top bit of the first byte that needs an escape; zero when none does.
const fn dirty_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const TOPS: u64 = u64::from_ne_bytes([0x80; 8]);
    let quotes = word ^ (ONES * b'"' as u64);
    let slashes = word ^ (ONES * b'\\' as u64);
    // Subtracting borrows into the top bit of a byte that was too small. A borrow can spill into the bytes above, but
    // only above a byte that is marked rightly, and only the first mark counts.
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    let quotes = quotes.wrapping_sub(ONES) & !quotes;
    let slashes = slashes.wrapping_sub(ONES) & !slashes;
    (controls | quotes | slashes) & TOPS
}

fn push_escape(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            let (high, low) = (usize::from(byte >> 4), usize::from(byte & 0xf));
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', HEX[high], HEX[low]]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn escaped(text: &str) -> String {
        let mut out = Vec::new();
        write_str(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    proptest! {
        #[test]
        fn any_text_is_escaped_as_serde_json_does(text in "(?s)[\\x00-\\x7f\u{e9}\u{20ac}\u{1f980}]{0,200}") {
            prop_assert_eq!(escaped(&text), serde_json::to_string(&text).unwrap());
        }
    }

    #[test]
    fn every_byte_is_found_at_every_place() {
        for place in 0..70 {
            for byte in 0..0x80_u8 {
                let mut text = "x".repeat(70);
                text.replace_range(place..=place, &char::from(byte).to_string());
                assert_eq!(escaped(&text), serde_json::to_string(&text).unwrap(), "byte {byte} at {place}");
            }
        }
    }

    #[test]
    fn text_longer_than_a_piece_is_not_torn_within_a_character() {
        let text = "\u{1f980}\n".repeat(5_000);
        assert_eq!(escaped(&text), serde_json::to_string(&text).unwrap());
    }

    #[test]
    fn a_full_buffer_stops_the_copy_at_a_character() {
        let mut out = Vec::new();
        let taken = escape_into(&mut out, "\u{20ac}\u{20ac}\u{20ac}", 4);
        assert_eq!(taken, 6);
        assert_eq!(escape_into(&mut out, "more", 4), 0);
    }
}
