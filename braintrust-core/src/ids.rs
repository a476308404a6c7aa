//! Identifiers of spans and traces: made from a generator of the thread, shown as lower-case hex.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

/// The number that names a span within its trace; never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SpanId(pub(crate) u64);

/// The number that names a trace; never zero. Two words, so that a context needs no 16-byte alignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TraceId(pub(crate) [u64; 2]);

impl SpanId {
    /// "No span": what a record stores where there is no parent.
    pub(crate) const NONE: Self = Self(0);

    #[inline]
    pub(crate) fn random() -> Self {
        Self(next_nonzero())
    }

    pub(crate) fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// The id as Braintrust and W3C write it: 16 hex digits, or a UUID where legacy ids are asked for.
    pub(crate) fn write(self, style: IdStyle, out: &mut Vec<u8>) {
        match style {
            IdStyle::Hex => write_hex(&[self.0], out),
            // The second word carries no entropy of its own: the first already makes the id unique.
            IdStyle::Uuid => write_uuid([self.0, mix(self.0)], out),
        }
    }
}

impl TraceId {
    pub(crate) fn random() -> Self {
        Self([next_nonzero(), next_nonzero()])
    }

    /// The trace that `root` begins. With legacy ids a trace is named after its root span.
    pub(crate) fn of_root(root: SpanId, style: IdStyle) -> Self {
        match style {
            IdStyle::Hex => Self::random(),
            IdStyle::Uuid => Self([root.0, mix(root.0)]),
        }
    }

    /// The id as Braintrust and W3C write it: 32 hex digits, or a UUID where legacy ids are asked for.
    pub(crate) fn write(self, style: IdStyle, out: &mut Vec<u8>) {
        match style {
            IdStyle::Hex => write_hex(&self.0, out),
            IdStyle::Uuid => write_uuid(self.0, out),
        }
    }
}

/// How ids are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum IdStyle {
    /// OpenTelemetry's shape, today's default of the official SDKs.
    #[default]
    Hex,
    /// UUIDs, under `BRAINTRUST_LEGACY_IDS`.
    Uuid,
}

/// Writes the row id of a span: a UUID made of both ids, so that no record has to carry it.
///
/// The span's 64 random bits and 58 of the trace's make two rows collide as rarely as two random UUIDs would. The
/// span's are all there, so that an update by row id finds the span it is about ([`span_of_row_id`]).
pub(crate) fn write_row_id(trace: TraceId, span: SpanId, out: &mut Vec<u8>) {
    let high = span.0 >> 16 << 16 | VERSION_4 | span.0 >> 4 & 0xfff;
    let low = VARIANT_RFC | (span.0 & 0xf) << LOW_BITS | trace.0[1] & ((1 << LOW_BITS) - 1);
    write_uuid([high, low], out);
}

/// The span whose row id this is, if it is one that [`write_row_id`] wrote; some span otherwise, or none if it is no
/// UUID.
pub(crate) fn span_of_row_id(row_id: &str) -> Option<SpanId> {
    let groups: Vec<&str> = row_id.split('-').collect();
    let [a, b, c, d, e] = groups.as_slice() else { return None };
    let high = u64::from_str_radix(&[*a, *b, *c].concat(), 16).ok()?;
    let low = u64::from_str_radix(&[*d, *e].concat(), 16).ok()?;
    let span = high >> 16 << 16 | (high & 0xfff) << 4 | low >> LOW_BITS & 0xf;
    (span != 0 && row_id.len() == 36).then_some(SpanId(span))
}

const VERSION_4: u64 = 0x4000;
const VARIANT_RFC: u64 = 0x8000_0000_0000_0000;
/// What is left of a UUID's second word beside the variant and four bits of the span.
const LOW_BITS: u32 = 58;

/// Writes a UUID of its own, for what is no span.
pub(crate) fn write_random_uuid(out: &mut Vec<u8>) {
    let high = next_nonzero() & !0xf000 | VERSION_4;
    let low = VARIANT_RFC | next_nonzero() & (u64::MAX >> 2);
    write_uuid([high, low], out);
}

/// Reads 16 hex digits, upper case too; `None` for all else, and for zero, which names nothing.
pub(crate) fn parse_span_id(text: &str) -> Option<SpanId> {
    parse_hex(text, 16).and_then(|word| u64::try_from(word).ok()).filter(|word| *word != 0).map(SpanId)
}

/// Reads 32 hex digits, as [`parse_span_id`] reads 16.
pub(crate) fn parse_trace_id(text: &str) -> Option<TraceId> {
    let number = parse_hex(text, 32).filter(|number| *number != 0)?;
    Some(TraceId([(number >> 64) as u64, number as u64]))
}

fn parse_hex(text: &str, digits: usize) -> Option<u128> {
    let hex = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hex { u128::from_str_radix(text, 16).ok() } else { None }
}

fn write_hex(words: &[u64], out: &mut Vec<u8>) {
    words.iter().for_each(|word| out.extend_from_slice(&hex(*word)));
}

fn write_uuid(words: [u64; 2], out: &mut Vec<u8>) {
    let high = hex((words[0] & !0xf000) | VERSION_4);
    let low = hex((words[1] & !0xc000_0000_0000_0000) | VARIANT_RFC);
    let mut text = [b'-'; 36];
    text[..8].copy_from_slice(&high[..8]);
    text[9..13].copy_from_slice(&high[8..12]);
    text[14..18].copy_from_slice(&high[12..]);
    text[19..23].copy_from_slice(&low[..4]);
    text[24..].copy_from_slice(&low[4..]);
    out.extend_from_slice(&text);
}

/// The 16 digits of a number.
fn hex(word: u64) -> [u8; 16] {
    const PAIRS: [[u8; 2]; 256] = {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut pairs = [[0; 2]; 256];
        let mut byte = 0;
        while byte < 256 {
            pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
            byte += 1;
        }
        pairs
    };
    let mut text = [0; 16];
    for (digits, byte) in text.chunks_exact_mut(2).zip(word.to_be_bytes()) {
        digits.copy_from_slice(&PAIRS[usize::from(byte)]);
    }
    text
}

/// A bijective scramble of 64 bits (the finaliser of SplitMix64).
fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// xoshiro256++: 256 bits of state, so that the streams of many threads and processes never overlap in practice
/// (with 64 bits of state, a fleet of a million processes would see it happen).
#[derive(Clone, Copy)]
struct Generator([u64; 4]);

impl Generator {
    /// No generator of this kind ever gets here: it would stay.
    const UNSEEDED: Self = Self([0; 4]);

    fn is_seeded(&self) -> bool {
        self.0.iter().fold(0, |bits, word| bits | word) != 0
    }

    /// Seeds from the system's entropy by way of the standard library's hasher keys. A forked child has the keys of its
    /// parent, but a number of its own, or at least another time.
    #[cold]
    fn from_system() -> Self {
        let keys = RandomState::new();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self([0u64, 1, 2, 3].map(|word| keys.hash_one((word, std::process::id(), now))))
    }

    #[inline]
    fn next(&mut self) -> u64 {
        let state = &mut self.0;
        let result = state[0].wrapping_add(state[3]).rotate_left(23).wrapping_add(state[0]);
        let shifted = state[1] << 17;
        state[2] ^= state[0];
        state[3] ^= state[1];
        state[1] ^= state[2];
        state[0] ^= state[3];
        state[2] ^= shifted;
        state[3] = state[3].rotate_left(45);
        result
    }
}

thread_local! {
    // Without a destructor, so that a thread that is being torn down has one still.
    static GENERATOR: Cell<Generator> = const { Cell::new(Generator::UNSEEDED) };
}

/// Has this thread make other ids than it would have: in a forked child, those are its parent's.
#[cfg(all(unix, not(braintrust_loom)))]
pub(crate) fn reseed() {
    GENERATOR.set(Generator::UNSEEDED);
}

#[inline]
fn next_nonzero() -> u64 {
    let mut generator = GENERATOR.get();
    if !generator.is_seeded() {
        generator = Generator::from_system();
    }
    let word = generator.next();
    GENERATOR.set(generator);
    if word == 0 { 1 } else { word }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn hex_ids_have_the_lengths_of_w3c() {
        assert_eq!(text(|out| SpanId(0xab).write(IdStyle::Hex, out)), "00000000000000ab");
        assert_eq!(text(|out| TraceId([1, 2]).write(IdStyle::Hex, out)), "00000000000000010000000000000002");
    }

    #[test]
    fn row_ids_and_legacy_ids_are_version_4_uuids() {
        for id in [
            text(|out| write_row_id(TraceId([u64::MAX; 2]), SpanId(u64::MAX), out)),
            text(|out| SpanId(7).write(IdStyle::Uuid, out)),
        ] {
            let groups: Vec<_> = id.split('-').map(str::len).collect();
            assert_eq!(groups, [8, 4, 4, 4, 12], "{id}");
            assert_eq!(&id[14..15], "4", "{id}");
            assert!("89ab".contains(&id[19..20]), "{id}");
        }
    }

    #[test]
    fn a_row_id_names_its_span() {
        for span in [1, u64::MAX, 0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210] {
            let row_id = text(|out| write_row_id(TraceId::random(), SpanId(span), out));
            assert_eq!(span_of_row_id(&row_id), Some(SpanId(span)), "{row_id}");
        }
        assert_eq!(span_of_row_id("custom"), None);
        assert_eq!(span_of_row_id("a-b-c-d-é"), None);
    }

    #[test]
    fn hex_is_read_strictly() {
        assert_eq!(parse_span_id("00000000000000AB"), Some(SpanId(0xab)));
        assert_eq!(parse_trace_id("00000000000000010000000000000002"), Some(TraceId([1, 2])));
        for wrong in ["", "ab", "+000000000000001", "0000000000000000", "000000000000000g"] {
            assert_eq!(parse_span_id(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_legacy_trace_is_named_after_its_root() {
        let root = SpanId::random();
        let trace = TraceId::of_root(root, IdStyle::Uuid);
        assert_eq!(text(|out| trace.write(IdStyle::Uuid, out)), text(|out| root.write(IdStyle::Uuid, out)));
    }

    #[test]
    fn threads_do_not_repeat_each_other() {
        const IDS: usize = if cfg!(miri) { 100 } else { 10_000 };
        let threads: Vec<_> =
            (0..8).map(|_| std::thread::spawn(|| (0..IDS).map(|_| SpanId::random().0).collect::<Vec<_>>())).collect();
        let ids: HashSet<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(ids.len(), 8 * IDS);
    }
}
