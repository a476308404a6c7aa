//! How long a tick of the counter lasts, found out while the program runs.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::{Timestamp, counter};

/// All clocks, read at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) moment: Timestamp,
    pub(super) system: Instant,
    pub(super) wall: SystemTime,
}

/// How often the clocks are read, where this thread is held up between one and the next.
const TRIES: usize = 8;
/// Within so many ticks they were read at once: some microseconds.
const AT_ONCE: u64 = 1 << 13;

impl Reading {
    pub(super) fn now() -> Self {
        Self::best_of(|| {
            let before = counter::ordered_ticks();
            let (system, wall) = (Instant::now(), SystemTime::now());
            (before, system, wall, counter::ordered_ticks())
        })
    }

    /// The reading between whose begin and end the least time has passed.
    fn best_of(mut read: impl FnMut() -> (u64, Instant, SystemTime, u64)) -> Self {
        let (mut best, mut least) = (read(), u64::MAX);
        let mut tries = 1;
        loop {
            let (before, .., after) = best;
            least = least.min(after.saturating_sub(before));
            if least <= AT_ONCE || tries == TRIES {
                break;
            }
            let next = read();
            if next.3.saturating_sub(next.0) < least {
                best = next;
            }
            tries += 1;
        }
        let (before, system, wall, after) = best;
        Self { moment: Timestamp(before + after.saturating_sub(before) / 2), system, wall }
    }

    /// The nanoseconds in a tick, as far as is known by now.
    pub(super) fn nanos_per_tick(self) -> f64 {
        let mut rate = rate();
        rate.get_or_insert_with(|| Rate::begin(self)).follow(self)
    }

    /// The nanoseconds in a tick between this reading and a later one; none if the counter has not gone on.
    fn rate_until(self, later: Self) -> Option<f64> {
        let ticks = later.moment.0.checked_sub(self.moment.0).filter(|ticks| *ticks > 0)?;
        Some(later.system.saturating_duration_since(self.system).as_nanos() as f64 / ticks as f64)
    }
}

static RATE: Mutex<Option<Rate>> = Mutex::new(None);

fn rate() -> MutexGuard<'static, Option<Rate>> {
    RATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps other threads from the rate until it is dropped, for a fork.
#[cfg(all(unix, not(braintrust_loom)))]
pub(crate) fn hold() -> Box<dyn std::any::Any> {
    Box::new(rate())
}

/// Less than this tells little of the length of a tick.
const STRETCH: Duration = Duration::from_millis(10);
/// How far a stretch may be off what is known, before something else is the matter.
const TOLERANCE: f64 = 0.05;

/// What has been found out.
#[derive(Debug)]
struct Rate {
    /// From where it is measured: the longer ago, the more exact.
    since: Reading,
    /// The latest reading that was compared.
    last: Reading,
    nanos_per_tick: f64,
    certainty: Certainty,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Certainty {
    Guessed,
    /// It was measured, and what came then did not agree.
    Doubted,
    Measured,
}

impl Rate {
    fn begin(reading: Reading) -> Self {
        Self { since: reading, last: reading, nanos_per_tick: 1.0, certainty: Certainty::Guessed }
    }

    /// Takes a reading into account; the nanoseconds in a tick.
    fn follow(&mut self, now: Reading) -> f64 {
        let (Some(average), Some(latest)) = (self.since.rate_until(now), self.last.rate_until(now)) else {
            // The first reading; or the counter began anew, as some do while a machine sleeps.
            return self.begin_anew(now);
        };
        if self.is_stretch(self.last, now) {
            // The counter may go on while a machine sleeps, and the system's clock does not.
            let is_off = (latest / self.nanos_per_tick - 1.0).abs() > TOLERANCE;
            if self.certainty == Certainty::Measured && is_off {
                self.certainty = Certainty::Doubted;
                return self.begin_anew(now);
            }
            self.last = now;
        }
        if self.is_stretch(self.since, now) {
            self.certainty = Certainty::Measured;
            self.nanos_per_tick = average;
        } else if self.certainty == Certainty::Guessed {
            self.nanos_per_tick = average;
        }
        self.nanos_per_tick
    }

    fn begin_anew(&mut self, now: Reading) -> f64 {
        (self.since, self.last) = (now, now);
        self.nanos_per_tick
    }

    /// Whether enough time lies between two readings, by either clock.
    fn is_stretch(&self, from: Reading, to: Reading) -> bool {
        let ticks = to.moment.0.saturating_sub(from.moment.0) as f64;
        to.system.saturating_duration_since(from.system).max(Duration::from_nanos((ticks * self.nanos_per_tick) as u64))
            >= STRETCH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: f64 = 0.3;

    /// Reads all clocks now and then, on a machine whose counter and whose system's clock are at these nanoseconds.
    struct Machine {
        system: Instant,
        clock: Duration,
        ticks: u64,
        rate: Rate,
    }

    impl Machine {
        fn new() -> Self {
            let (system, ticks) = (Instant::now(), 1 << 50);
            let rate = Rate::begin(Self::reading(system, Duration::ZERO, ticks));
            Self { system, clock: Duration::ZERO, ticks, rate }
        }

        fn reading(system: Instant, clock: Duration, ticks: u64) -> Reading {
            Reading { moment: Timestamp(ticks), system: system + clock, wall: SystemTime::UNIX_EPOCH }
        }

        fn pass(&mut self, time: Duration, nanos_per_tick: f64) -> f64 {
            self.clock += time;
            self.ticks += (time.as_nanos() as f64 / nanos_per_tick) as u64;
            self.rate.follow(Self::reading(self.system, self.clock, self.ticks))
        }

        fn run(&mut self, readings: usize, nanos_per_tick: f64) {
            for _ in 0..readings {
                self.pass(Duration::from_millis(250), nanos_per_tick);
                self.pass(Duration::from_micros(1), nanos_per_tick);
            }
        }

        fn sleep(&mut self) {
            self.ticks += (8.0 * 3600e9 / TICK) as u64;
        }

        fn assert_is(&self, nanos_per_tick: f64) {
            let told = self.rate.nanos_per_tick;
            assert!((told / nanos_per_tick - 1.0).abs() < 1e-3, "{told}, not {nanos_per_tick}");
        }
    }

    #[test]
    fn a_counter_that_goes_on_while_the_machine_sleeps_is_measured_anew() {
        for readings in [0, 1, 2, 10_000] {
            let mut machine = Machine::new();
            machine.run(readings, TICK);
            machine.sleep();
            if readings > 0 {
                let told = machine.pass(Duration::from_millis(5), TICK);
                assert!((told / TICK - 1.0).abs() < 1e-3, "{told} after {readings}");
            }
            machine.run(4, TICK);
            machine.assert_is(TICK);
        }
    }

    #[test]
    fn a_counter_that_begins_anew_or_changes_its_speed_is_measured_anew() {
        let mut machine = Machine::new();
        machine.run(10, TICK);
        machine.ticks = 0;
        machine.run(1, TICK);
        machine.assert_is(TICK);
        machine.run(2, 2.0 * TICK);
        machine.assert_is(2.0 * TICK);
    }

    #[test]
    fn a_thread_that_is_held_up_between_two_clocks_reads_them_again() {
        let (system, wall) = (Instant::now(), SystemTime::UNIX_EPOCH);
        let held_up = 10_000_000_000;
        let mut readings = [(0, held_up), (held_up, 2 * held_up), (2 * held_up, 2 * held_up + 100)].into_iter();
        let reading = Reading::best_of(|| {
            let (before, after) = readings.next().expect("no more than are needed");
            (before, system + Duration::from_nanos(after), wall, after)
        });
        assert_eq!(reading.moment.0, 2 * held_up + 50);
        assert_eq!(reading.system, system + Duration::from_nanos(2 * held_up + 100));
        let mut tries = 0;
        Reading::best_of(|| {
            tries += 1;
            (0, system, wall, held_up)
        });
        assert_eq!(tries, TRIES, "it is not tried for ever");
    }
}
