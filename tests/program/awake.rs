//! Time as the program has it: it stands still while the machine holds the process up, which no limit of time can forbid.

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const TICK: Duration = Duration::from_millis(10);

/// How long the process has run since this was first called, as a thread has it that sleeps most of the time.
pub fn awake() -> Duration {
    static START: Once = Once::new();
    static TICKS: AtomicU32 = AtomicU32::new(0);
    START.call_once(|| {
        std::thread::spawn(|| {
            loop {
                std::thread::sleep(TICK);
                TICKS.fetch_add(1, Ordering::Relaxed);
            }
        });
    });
    TICK * TICKS.load(Ordering::Relaxed)
}
