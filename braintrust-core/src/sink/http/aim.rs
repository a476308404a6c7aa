//! How large requests are to be: what costs least, by how long answers take, and below what the server has refused.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::buffer::FULL_BYTES;

/// What requests aim at as long as answers come at once: a row costs the same in any request of a few hundred KiB, and
/// larger ones fall out of the processor's caches.
pub(super) const USUAL: usize = FULL_BYTES;
/// What they may aim at where an answer takes long: the requests that may be under way at once, each of this size, carry
/// a few hundred megabytes a second through a latency of 100 ms.
const MOST: usize = 4 * FULL_BYTES;
const LEAST: usize = 4 * 1024;

/// An answer that takes as long as this takes it for its way: below, it may as well have waited for the exporter's thread;
/// beyond, the way is narrow, not long, and larger requests would only run out of time.
const LONG_WAY: RangeInclusive<Duration> = Duration::from_millis(80)..=Duration::from_secs(2);

/// The size, in bytes, that requests are to have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aim {
    bytes: usize,
    /// What it may become, after requests that turned out to be too large. It grows back slowly, so that what a server
    /// can take need not be found out anew for each request.
    ceiling: usize,
}

impl Default for Aim {
    fn default() -> Self {
        Self { bytes: USUAL, ceiling: MOST }
    }
}

impl Aim {
    pub(super) fn bytes(self) -> usize {
        self.bytes
    }

    /// What to aim at after an answer that took so long.
    pub(super) fn after_answer(self, took: Duration) -> Self {
        let Self { bytes, ceiling } = self;
        let most = ceiling.min(if LONG_WAY.contains(&took) { MOST } else { USUAL });
        Self {
            bytes: if bytes > most { most.max(bytes - bytes / 16) } else { most.min(bytes * 2) },
            ceiling: MOST.min(ceiling + ceiling / 64),
        }
    }

    /// What to aim at after a request of `size` that was too large.
    pub(super) fn below(self, size: usize) -> Self {
        let ceiling = self.ceiling.min(size / 2).max(LEAST);
        Self { bytes: self.bytes.min(ceiling), ceiling }
    }
}
