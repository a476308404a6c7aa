//! JSON strings: text is copied block by block, and looked at while it is, for the few bytes that need an escape.

#[cfg(target_arch = "x86_64")]
mod avx2;

/// Bytes looked at together; the compiler turns the test of one block into a few vector instructions.
const BLOCK: usize = 32;

/// A block, of whose bytes that need an escape there is a bit in a mask, with as many bytes after it: an escape within the
/// block is followed by a whole block again, so that copies have one size.
const PAIR: usize = 2 * BLOCK;

/// Text up to this length is looked at as a whole before it is copied, since most of what is short is clean.
const SHORT: usize = 512;

/// How many bytes a byte of text takes at most.
const LONGEST_ESCAPE: usize = 6;

/// Near the end of a buffer text goes in by pieces of this size.
const PIECE: usize = 1024;

/// Appends `text` as a JSON string, quotes included.
pub(crate) fn write_str(out: &mut Vec<u8>, text: &str) {
    if write_short(out, text) {
        return;
    }
    reserve(out, text.len());
    out.push(b'"');
    escape_into(out, text, usize::MAX);
    out.push(b'"');
}

/// Appends `text` as a JSON string if it is short and clean, as most are; `false`, with nothing done, if not.
#[inline]
pub(super) fn write_short(out: &mut Vec<u8>, text: &str) -> bool {
    let is_ready = text.len() <= SHORT && is_clean(text.as_bytes());
    if is_ready {
        // Room for all at once, and for what mostly follows.
        out.reserve(text.len() + BLOCK);
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    }
    is_ready
}

/// Makes room for a text of so many bytes, of which a few need an escape.
pub(super) fn reserve(out: &mut Vec<u8>, bytes: usize) {
    let room = bytes + bytes / 16 + PAIR;
    if bytes > out.capacity() {
        // This alone doubles the buffer: no more is asked for, since what is large is kept as it is.
        out.reserve_exact(room);
    } else {
        out.reserve(room);
    }
}

/// Appends `text` without quotes, and stops soon after `out` has reached the length `end`.
///
/// Returns how many bytes of `text` went in. That is always a character boundary.
pub(crate) fn escape_into(out: &mut Vec<u8>, text: &str, end: usize) -> usize {
    // What is formatted comes in pieces of a few bytes.
    if text.len() <= SHORT && text.len() <= end.saturating_sub(out.len()) && is_clean(text.as_bytes()) {
        out.extend_from_slice(text.as_bytes());
        return text.len();
    }
    let mut done = 0;
    while done < text.len() && out.len() < end {
        let room = end - out.len();
        let piece = leading(&text[done..], room.min(PIECE.max(room / LONGEST_ESCAPE)));
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

fn escape_piece(out: &mut Vec<u8>, piece: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    if piece.len() >= BLOCK && avx2::escape(out, piece) {
        return;
    }
    escape_by(out, piece, |block| if needs_escape_within(block) { mask(block) } else { 0 });
}

/// Whether nothing in a short text needs an escape.
#[inline]
fn is_clean(text: &[u8]) -> bool {
    let Some(end) = text.last_chunk::<BLOCK>() else { return is_clean_word(text) };
    #[cfg(target_arch = "x86_64")]
    if let Some(is_clean) = avx2::is_clean(text, end) {
        return is_clean;
    }
    is_clean_blockwise(text, end)
}

/// The same where there are no vector instructions to rely on.
#[inline(never)]
fn is_clean_blockwise(text: &[u8], end: &[u8; BLOCK]) -> bool {
    !text.as_chunks().0.iter().any(needs_escape_within) && !needs_escape_within(end)
}

/// The same for what is shorter than a block, as keys are.
#[inline(never)]
fn is_clean_word(text: &[u8]) -> bool {
    let Some(end) = text.last_chunk() else { return !text.iter().any(|byte| needs_escape(*byte)) };
    let words = text.as_chunks().0.iter().chain([end]);
    words.fold(0, |dirty, word| dirty | dirty_bytes(u64::from_le_bytes(*word))) == 0
}

/// Appends `text`, escaped; `mask` tells by its bits which bytes of a block need that.
#[inline(always)]
fn escape_by(out: &mut Vec<u8>, text: &[u8], mask: impl Fn(&[u8; BLOCK]) -> u32) {
    let mut rest = escape_blocks(out, text, &mask);
    // Less than two blocks are left.
    if let Some((block, tail)) = rest.split_first_chunk::<BLOCK>()
        && mask(block) == 0
    {
        out.extend_from_slice(block);
        rest = tail;
    }
    while !rest.is_empty() {
        if copy_clean_end(out, text, rest.len(), &mask) {
            return;
        }
        rest = escape_first(out, rest);
    }
}

/// Escapes as much of `text` as has a block after it, and returns what is left.
#[inline(always)]
fn escape_blocks<'t>(out: &mut Vec<u8>, text: &'t [u8], mask: impl Fn(&[u8; BLOCK]) -> u32) -> &'t [u8] {
    let mut rest = text;
    while let Some(pair) = rest.first_chunk::<PAIR>()
        && let Some(block) = pair.first_chunk::<BLOCK>()
    {
        let mut dirty = mask(block);
        // All of it, though only some may count: blocks of one size are copied without a call.
        out.extend_from_slice(block);
        rest = &rest[BLOCK..];
        let mut from = 0;
        while dirty != 0 {
            let place = dirty.trailing_zeros() as usize % BLOCK;
            dirty &= dirty - 1;
            out.truncate(out.len() - (BLOCK - (place - from)));
            push_escape(out, block[place]);
            from = place + 1;
            out.extend_from_slice(&pair[from..from + BLOCK]);
        }
        // What lies in the next block is not looked at yet.
        out.truncate(out.len() - from);
    }
    rest
}

/// Copies the last `length` bytes of `piece`, of which all others are in `out`: by a copy of one size that overlaps with
/// them. `false` if there is something to escape, or nothing to overlap with.
#[inline(always)]
fn copy_clean_end(out: &mut Vec<u8>, piece: &[u8], length: usize, mask: impl Fn(&[u8; BLOCK]) -> u32) -> bool {
    if length < 8 {
        let Some(end) = piece.last_chunk::<8>().filter(|end| dirty_bytes(u64::from_le_bytes(**end)) == 0) else {
            return false;
        };
        overlap(out, end, length);
        return true;
    }
    if length > BLOCK {
        return false;
    }
    let Some(end) = piece.last_chunk::<BLOCK>().filter(|end| mask(end) == 0) else { return false };
    overlap(out, end, length);
    true
}

/// Appends the last `length` bytes of `end`. What comes before them is clean, and so stands at the end of `out` as it is.
#[inline]
fn overlap<const N: usize>(out: &mut Vec<u8>, end: &[u8; N], length: usize) {
    out.truncate(out.len() - (N - length));
    out.extend_from_slice(end);
}

/// Copies up to the first byte that needs an escape, and escapes it; or some clean bytes. Returns what comes after them.
fn escape_first<'t>(out: &mut Vec<u8>, rest: &'t [u8]) -> &'t [u8] {
    if let Some((word, tail)) = rest.split_first_chunk::<8>() {
        let dirty = dirty_bytes(u64::from_le_bytes(*word));
        out.extend_from_slice(word);
        if dirty == 0 {
            return tail;
        }
        let clean = dirty.trailing_zeros() as usize / 8;
        out.truncate(out.len() - word.len() + clean);
        push_escape(out, word[clean]);
        return &rest[clean + 1..];
    }
    let Some((byte, tail)) = rest.split_first() else { return rest };
    if needs_escape(*byte) {
        push_escape(out, *byte);
    } else {
        out.push(*byte);
    }
    tail
}

fn needs_escape_within(block: &[u8; BLOCK]) -> bool {
    // No early return: that is what lets the loop become vector instructions.
    // In bytes rather than truth values, which spares packing those into bits.
    block.iter().fold(0, |any, byte| any | u8::from(needs_escape(*byte))) != 0
}

/// Bit by bit, which bytes of a block need an escape.
fn mask(block: &[u8; BLOCK]) -> u32 {
    (0..).zip(block).fold(0, |mask, (place, byte)| mask | u32::from(needs_escape(*byte)) << place)
}

pub(super) const fn needs_escape(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
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

#[inline(always)]
fn push_escape(out: &mut Vec<u8>, byte: u8) {
    let escape = &ESCAPES[usize::from(byte)];
    let end = out.len() + usize::from(escape[7]);
    // All eight bytes, of which only the first ones count: that takes one instruction, and no branch.
    out.extend_from_slice(escape);
    out.truncate(end);
}

/// How each byte is escaped, and in the last place the length of that.
static ESCAPES: [[u8; 8]; 256] = {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut escapes = [[0; 8]; 256];
    let mut byte = 0;
    while byte < 256 {
        let short = match byte as u8 {
            b'"' => b'"',
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0c => b'f',
            _ => 0,
        };
        escapes[byte] = match short {
            0 => [b'\\', b'u', b'0', b'0', HEX[byte >> 4], HEX[byte & 0xf], 0, 6],
            short => [b'\\', short, 0, 0, 0, 0, 0, 2],
        };
        byte += 1;
    }
    escapes
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Miri takes its time.
    const STEP: usize = if cfg!(miri) { 13 } else { 1 };

    fn escaped(text: &str) -> String {
        let mut out = Vec::new();
        write_str(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    proptest! {
        #[test]
        fn any_text_is_escaped_as_serde_json_does(text in "(?s)[\\x00-\\x7f\u{e9}\u{20ac}\u{1f980}]{0,300}") {
            prop_assert_eq!(escaped(&text), serde_json::to_string(&text).unwrap());
        }
    }

    #[test]
    fn every_byte_is_found_at_every_place() {
        // Two blocks, and all kinds of ends.
        for place in (0..140).step_by(STEP) {
            for byte in (0..0x80_u8).step_by(STEP) {
                let mut text = "x".repeat(140);
                text.replace_range(place..=place, &char::from(byte).to_string());
                assert_eq!(escaped(&text), serde_json::to_string(&text).unwrap(), "byte {byte} at {place}");
            }
        }
    }

    #[test]
    fn texts_of_all_lengths_end_well() {
        for length in (0..140).step_by(STEP) {
            for dirty in 0..length {
                let mut text = "x".repeat(length);
                text.replace_range(dirty..=dirty, "\n");
                assert_eq!(escaped(&text), serde_json::to_string(&text).unwrap(), "{dirty} of {length}");
            }
        }
    }

    #[test]
    fn without_vector_instructions_it_is_the_same() {
        let text = "a \"quoted\" word,\n and \\u{1f980}\\ \u{1} more ".repeat(50);
        let (mut by_bytes, mut chosen) = (Vec::new(), Vec::new());
        escape_by(&mut by_bytes, text.as_bytes(), mask);
        escape_into(&mut chosen, &text, usize::MAX);
        assert_eq!(by_bytes, chosen);
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
