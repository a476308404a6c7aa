//! How long traced calls take.

use serde::{Deserialize, Serialize};

/// The times of one round of calls, in nanoseconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Latency {
    pub median: u64,
    /// All but one of a thousand calls are faster.
    pub p999: u64,
}

impl Latency {
    pub const WORST: Self = Self { median: u64::MAX, p999: u64::MAX };

    pub fn of(mut times: Vec<u64>) -> Self {
        times.sort_unstable();
        let at = |part: usize| times.get(times.len() * part / 1000).or(times.last()).copied().unwrap_or_default();
        Self { median: at(500), p999: at(999) }
    }

    /// The lesser of each.
    pub fn best(self, other: Self) -> Self {
        Self { median: self.median.min(other.median), p999: self.p999.min(other.p999) }
    }
}
