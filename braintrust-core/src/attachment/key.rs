//! The key by which a row, the backend and the table of waiting data know an attachment.

use std::fmt;

use crate::ids;

const LENGTH: usize = 36;

/// A UUID as text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key([u8; LENGTH]);

impl Key {
    pub(crate) fn random() -> Self {
        let mut text = Vec::with_capacity(LENGTH);
        ids::write_random_uuid(&mut text);
        let mut key = [b'0'; LENGTH];
        key.copy_from_slice(&text);
        Self(key)
    }

    /// The key at the beginning of `text`, if there is one.
    pub(crate) fn at_start_of(text: &[u8]) -> Option<Self> {
        let key: [u8; LENGTH] = *text.first_chunk()?;
        let fits = |(place, byte): (usize, &u8)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        };
        key.iter().enumerate().all(fits).then_some(Self(key))
    }

    pub(crate) fn as_str(&self) -> &str {
        // Hexadecimal digits and dashes.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
