//! How long traced calls take, and how often they wait.

use serde::{Deserialize, Serialize};

/// The times of calls, in nanoseconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Latency {
    pub median: u64,
    /// All but one of a thousand calls are faster.
    pub p999: u64,
    /// How often the calling thread waited for something, however busy the machine was; 0 where the system does not tell.
    pub waits: u64,
}

impl Latency {
    pub const WORST: Self = Self { median: u64::MAX, p999: u64::MAX, waits: u64::MAX };

    pub fn of(mut times: Vec<u64>, waits: u64) -> Self {
        times.sort_unstable();
        let at = |part: usize| times.get(times.len() * part / 1000).or(times.last()).copied().unwrap_or_default();
        Self { median: at(500), p999: at(999), waits }
    }

    /// The lesser of each.
    pub fn best(self, other: Self) -> Self {
        Self {
            median: self.median.min(other.median),
            p999: self.p999.min(other.p999),
            waits: self.waits.min(other.waits),
        }
    }

    /// The lesser times, and all waits.
    pub fn and(self, next: Self) -> Self {
        Self { waits: self.waits + next.waits, ..self.best(next) }
    }
}

/// How often this thread has waited so far. A thread that had to make way for another one did not.
#[cfg(target_os = "linux")]
pub fn waits() -> u64 {
    use nix::sys::resource::{UsageWho, getrusage};

    getrusage(UsageWho::RUSAGE_THREAD).unwrap().voluntary_context_switches() as u64
}

/// Other systems do not tell of a single thread.
#[cfg(not(target_os = "linux"))]
pub fn waits() -> u64 {
    0
}
