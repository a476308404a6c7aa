//! Time: one cheap monotonic reading for each record, turned into wall-clock time by the exporter.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A moment on the process's monotonic clock, in nanoseconds since its first reading.
///
/// Moments of all threads are comparable, which is what lets the exporter order the records of a span that was
/// touched by several threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub(crate) u64);

impl Timestamp {
    /// Reads the clock.
    #[must_use]
    pub fn now() -> Self {
        let origin = *ORIGIN;
        let elapsed = Instant::now().saturating_duration_since(origin);
        // 2^64 nanoseconds are 584 years.
        Self(elapsed.as_secs() * 1_000_000_000 + u64::from(elapsed.subsec_nanos()))
    }

    pub(crate) fn saturating_sub(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// A pair of simultaneous readings of both clocks. Taken anew at each export, so that a wall clock that was set, or a
/// machine that slept, shifts only what comes after.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WallClock {
    offset_nanos: i128,
}

impl WallClock {
    pub(crate) fn read() -> Self {
        let monotonic = Timestamp::now();
        Self { offset_nanos: i128::from(unix_nanos(SystemTime::now())) - i128::from(monotonic.0) }
    }

    /// A wall clock on which the process began at the epoch.
    #[cfg(test)]
    pub(crate) fn at_origin() -> Self {
        Self { offset_nanos: 0 }
    }

    /// The wall-clock time of `moment`, in nanoseconds since the Unix epoch.
    pub(crate) fn unix_nanos(self, moment: Timestamp) -> i64 {
        i64::try_from(i128::from(moment.0) + self.offset_nanos).unwrap_or(i64::MAX)
    }
}

/// Nanoseconds since the Unix epoch; times that 64 bits cannot hold (before 1677, after 2262) are clamped.
pub(crate) fn unix_nanos(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanos| -nanos),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wall_clock_agrees_with_the_system() {
        let before = unix_nanos(SystemTime::now());
        let now = WallClock::read().unix_nanos(Timestamp::now());
        let after = unix_nanos(SystemTime::now());
        // A millisecond of slack: the two clocks are read one after the other.
        assert!(before - 1_000_000 <= now && now <= after + 1_000_000, "{before} {now} {after}");
    }

    #[test]
    fn times_before_the_epoch_are_negative() {
        assert_eq!(unix_nanos(UNIX_EPOCH - Duration::from_nanos(5)), -5);
    }
}
