//! The same with the vector instructions that nearly every processor has by now, but not every x86-64 one.

use std::arch::x86_64::{
    __m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256,
    _mm256_set1_epi8,
};

use super::{BLOCK, escape_by};

/// Appends `text`, escaped; `false`, with nothing done, where the processor cannot do it.
#[inline]
#[expect(unsafe_code, reason = "the compiler does not know what the processor can do")]
pub(super) fn escape(out: &mut Vec<u8>, text: &[u8]) -> bool {
    if !is_x86_feature_detected!("avx2") {
        return false;
    }
    // SAFETY: the processor has AVX2, as was just asked; that is all that the function wants.
    unsafe { escape_with_avx2(out, text) };
    true
}

/// Whether nothing in `text`, which ends with `end`, needs an escape; nothing where the processor cannot tell.
#[inline]
#[expect(unsafe_code, reason = "the compiler does not know what the processor can do")]
pub(super) fn is_clean(text: &[u8], end: &[u8; BLOCK]) -> Option<bool> {
    if !is_x86_feature_detected!("avx2") {
        return None;
    }
    // SAFETY: the processor has AVX2, as was just asked; that is all that the function wants.
    Some(unsafe { is_clean_with_avx2(text, end) })
}

#[target_feature(enable = "avx2")]
fn is_clean_with_avx2(text: &[u8], end: &[u8; BLOCK]) -> bool {
    let (blocks, _) = text.as_chunks();
    let dirty = blocks.iter().fold(dirty_bytes(end), |dirty, block| _mm256_or_si256(dirty, dirty_bytes(block)));
    _mm256_movemask_epi8(dirty) == 0
}

#[target_feature(enable = "avx2")]
fn escape_with_avx2(out: &mut Vec<u8>, text: &[u8]) {
    escape_by(out, text, |block| mask(block));
}

/// Bit by bit, which bytes of a block need an escape.
#[inline]
#[target_feature(enable = "avx2")]
fn mask(block: &[u8; BLOCK]) -> u32 {
    _mm256_movemask_epi8(dirty_bytes(block)).cast_unsigned()
}

/// Byte by byte, which of a block need an escape: all bits of these are set.
#[inline]
#[target_feature(enable = "avx2")]
fn dirty_bytes(block: &[u8; BLOCK]) -> __m256i {
    let bytes = load(block);
    let controls = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1f)), bytes);
    let quotes = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'"'.cast_signed()));
    let slashes = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'\\'.cast_signed()));
    _mm256_or_si256(_mm256_or_si256(controls, quotes), slashes)
}

#[inline]
#[target_feature(enable = "avx2")]
#[expect(unsafe_code, reason = "the standard library has no safe name for this instruction")]
fn load(block: &[u8; BLOCK]) -> __m256i {
    // SAFETY: the 32 bytes that are read are those of `block`; the instruction asks for no alignment.
    unsafe { _mm256_loadu_si256(block.as_ptr().cast()) }
}
