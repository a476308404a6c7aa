//! Time: one cheap reading for each record, turned into wall-clock time by the exporter.

mod counter;
mod rate;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use self::rate::Reading;
#[cfg(all(unix, not(braintrust_loom)))]
pub(crate) use self::rate::hold;

/// A moment on the process's own clock, in ticks of a length that the exporter finds out.
///
/// Moments of all threads are comparable, which is what lets the exporter order the records of a span that was
/// touched by several threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub(crate) u64);

/// How many ticks, at least, are between two moments if the counter began anew between them: a minute, or some of it.
const FAR: u64 = 1 << 36;

/// For how long readings of two threads may disagree: a hundred times what was ever seen.
const DISAGREEMENT: Duration = Duration::from_micros(5);

impl Timestamp {
    /// Reads the clock.
    ///
    /// Later readings of this thread are never earlier, nor are those of other threads that begin a moment after this
    /// one (some tens of nanoseconds); where the next thread may be that quick, it reads [`now_in_order`](Self::now_in_order).
    #[must_use]
    #[inline]
    pub fn now() -> Self {
        Self(counter::ticks())
    }

    /// Reads the clock after everything that this thread has seen of others: moments that other threads read before are
    /// never later.
    #[inline]
    pub(crate) fn now_in_order() -> Self {
        Self(counter::ordered_ticks())
    }

    /// How long after `earlier` this moment was; zero if it was not. Costs more than reading the clock does.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        WallClock::read().between(earlier, self)
    }

    /// A moment that has passed on all threads: whatever any of them stamps after this call is later.
    pub(crate) fn passed() -> Self {
        let moment = Self::now_in_order();
        let begun = Instant::now();
        while begun.elapsed() < DISAGREEMENT {
            std::hint::spin_loop();
        }
        moment
    }

    /// Whether this moment is so much later than another one that it was before it, if the counter began anew: then it
    /// tells nothing of which came first.
    pub(crate) fn is_far_beyond(self, other: Self) -> bool {
        self.0.saturating_sub(other.0) > FAR
    }
}

/// Notes when the clock began. To be called when tracing is switched on, so that a program that ends soon has measured
/// the length of a tick for as long as its spans took.
pub(crate) fn begin() {
    Reading::now().nanos_per_tick();
}

/// Readings of all clocks at one moment. Taken anew at each export, so that a wall clock that was set, or a machine
/// that slept, shifts only what comes after.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WallClock {
    moment: Timestamp,
    unix_nanos: i64,
    nanos_per_tick: f64,
}

impl WallClock {
    pub(crate) fn read() -> Self {
        let reading = Reading::now();
        Self { moment: reading.moment, unix_nanos: unix_nanos(reading.wall), nanos_per_tick: reading.nanos_per_tick() }
    }

    /// A wall clock on which the process began at the epoch, and a tick is a nanosecond.
    #[cfg(test)]
    pub(crate) fn at_origin() -> Self {
        Self { moment: Timestamp(0), unix_nanos: 0, nanos_per_tick: 1.0 }
    }

    /// The wall-clock time of `moment`, in nanoseconds since the Unix epoch.
    pub(crate) fn unix_nanos(&self, moment: Timestamp) -> i64 {
        // 64 bits hold centuries of ticks in both directions.
        let ticks = moment.0.wrapping_sub(self.moment.0).cast_signed();
        self.unix_nanos.saturating_add((ticks as f64 * self.nanos_per_tick) as i64)
    }

    /// How long after `earlier` a moment was; zero if it was not.
    pub(crate) fn between(&self, earlier: Timestamp, later: Timestamp) -> Duration {
        Duration::from_nanos((later.0.saturating_sub(earlier.0) as f64 * self.nanos_per_tick) as u64)
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
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn the_wall_clock_agrees_with_the_system() {
        begin();
        let before = unix_nanos(SystemTime::now());
        let moment = Timestamp::now();
        let after = unix_nanos(SystemTime::now());
        std::thread::sleep(Duration::from_millis(20));
        let told = WallClock::read().unix_nanos(moment);
        // A millisecond of slack: the clocks are read one after the other, and this thread may be held up in between.
        assert!(before - 1_000_000 <= told && told <= after + 1_000_000, "{before} {told} {after}");
    }

    #[test]
    fn a_tick_has_the_length_that_the_system_says() {
        begin();
        // The system's clock before and after each reading: this thread may be held up anywhere.
        let first = (Instant::now(), Timestamp::now(), Instant::now());
        std::thread::sleep(Duration::from_millis(50));
        let last = (Instant::now(), Timestamp::now(), Instant::now());
        let told = WallClock::read().between(first.1, last.1);
        let (least, most) = (last.0 - first.2, last.2 - first.0);
        assert!(least.mul_f64(0.95) <= told && told <= most.mul_f64(1.05), "{least:?} {told:?} {most:?}");
    }

    #[test]
    fn moments_that_follow_one_another_on_different_threads_are_in_order() {
        // Each thread waits for the other's moment, and then reads its own: a chain of moments.
        static TURN: AtomicU64 = AtomicU64::new(0);
        static LATEST: AtomicU64 = AtomicU64::new(0);
        const TURNS: u64 = 20_000;
        let take_turns = |mine: u64| {
            for turn in (mine..TURNS).step_by(2) {
                while TURN.load(Ordering::Acquire) != turn {
                    std::hint::spin_loop();
                }
                let now = Timestamp::now_in_order().0;
                assert!(now >= LATEST.swap(now, Ordering::Relaxed));
                TURN.store(turn + 1, Ordering::Release);
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(|| take_turns(0));
            scope.spawn(|| take_turns(1));
        });
    }

    #[test]
    fn a_moment_that_has_passed_is_earlier_than_any_that_follows() {
        for _ in 0..100 {
            let passed = Timestamp::passed();
            let next = std::thread::scope(|scope| scope.spawn(Timestamp::now).join().unwrap());
            assert!(passed < next);
        }
    }

    #[test]
    fn times_before_the_epoch_are_negative() {
        assert_eq!(unix_nanos(UNIX_EPOCH - Duration::from_nanos(5)), -5);
    }
}
