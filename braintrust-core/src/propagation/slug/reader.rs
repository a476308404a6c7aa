//! Reads the binary part of a slug, and never beyond its end.

use super::Flaw;

/// The bytes that have not been read yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next `N` bytes, which are (or begin) `field`.
    pub(super) fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Flaw> {
        let Some((bytes, rest)) = self.0.split_first_chunk() else {
            return Err(Flaw::Truncated { field, missing: N - self.0.len() });
        };
        self.0 = rest;
        Ok(*bytes)
    }

    pub(super) fn byte(&mut self, field: &'static str) -> Result<u8, Flaw> {
        self.array::<1>(field).map(|[byte]| byte)
    }

    pub(super) fn flag(&mut self, field: &'static str) -> Result<bool, Flaw> {
        match self.byte(field)? {
            0 => Ok(false),
            1 => Ok(true),
            found => Err(Flaw::Flag { field, found }),
        }
    }

    /// The next `length` bytes, or fewer at the end.
    pub(super) fn up_to(&mut self, length: usize) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        bytes
    }

    pub(super) fn rest(self) -> &'a [u8] {
        self.0
    }
}
