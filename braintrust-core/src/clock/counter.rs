//! The counter that moments are read from: the processor's own where the kernel keeps time by it, else the system's
//! monotonic clock.
//!
//! Reading the processor's costs a third of asking the system, and a span does it twice. Nothing is calibrated: what a
//! tick lasts is found out by whoever turns ticks into time, from readings that lie far apart (see [`super::WallClock`]).

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

/// Not decided yet: nobody has read the clock.
const UNKNOWN: u8 = 0;
const PROCESSOR: u8 = 1;
const SYSTEM: u8 = 2;

/// Decided at the first reading, for good: readings of both kinds cannot be compared.
static SOURCE: AtomicU8 = AtomicU8::new(UNKNOWN);

static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Reads the counter.
#[inline]
pub(super) fn ticks() -> u64 {
    if SOURCE.load(Ordering::Relaxed) == PROCESSOR { processor::ticks() } else { ticks_elsewhere() }
}

/// Reads the counter after everything that came before on this thread, other threads' work that it has seen included.
///
/// A processor may read its counter a little ahead of loads that it still waits for.
#[inline]
pub(super) fn ordered_ticks() -> u64 {
    processor::wait_for_loads();
    ticks()
}

#[cold]
fn ticks_elsewhere() -> u64 {
    match SOURCE.load(Ordering::Relaxed) {
        UNKNOWN => {
            let chosen = if processor::is_trusted() { PROCESSOR } else { SYSTEM };
            // Threads that get here at once choose alike.
            SOURCE.store(chosen, Ordering::Relaxed);
            ticks()
        }
        _ => {
            let elapsed = ORIGIN.elapsed();
            // 2^64 nanoseconds are 584 years.
            elapsed.as_secs() * 1_000_000_000 + u64::from(elapsed.subsec_nanos())
        }
    }
}

#[cfg(all(target_arch = "x86_64", target_os = "linux", not(miri)))]
mod processor {
    use std::arch::x86_64::{_mm_lfence, _rdtsc};

    /// Whether the kernel keeps its own time by the counter. It does so only after it has found that the counter runs
    /// at one speed, in all states of the processor, and alike on all of its cores.
    pub(super) fn is_trusted() -> bool {
        std::fs::read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource")
            .is_ok_and(|source| source.trim_end() == "tsc")
    }

    #[inline]
    #[expect(unsafe_code, reason = "the standard library has no safe name for this instruction")]
    pub(super) fn ticks() -> u64 {
        // SAFETY: the instruction is part of every x86-64 processor; it touches no memory and has no operands. A kernel
        // can be asked to forbid it, but called from here it may run: with this clock source the system's own clock,
        // `clock_gettime` in the vDSO, executes the same instruction in user space.
        unsafe { _rdtsc() }
    }

    #[inline]
    #[expect(unsafe_code, reason = "the standard library has no safe name for this instruction")]
    pub(super) fn wait_for_loads() {
        // SAFETY: the instruction is part of SSE2, which is part of every x86-64 processor; it touches no memory.
        unsafe { _mm_lfence() }
    }
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux", not(miri))))]
mod processor {
    pub(super) fn is_trusted() -> bool {
        false
    }

    #[inline]
    pub(super) fn ticks() -> u64 {
        super::ticks_elsewhere()
    }

    #[inline]
    pub(super) fn wait_for_loads() {}
}
