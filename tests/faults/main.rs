//! Faults: whatever a backend or a disk does wrong, no row is lost that the bounds allow to keep, each arrives once the
//! fault is over, flushes keep their limits, and the traced program is as fast as ever.
//!
//! Each case is a program of its own (see `program`) and a backend that is told to fail.

mod attachments;
mod disk;
mod large;
mod matrix;
#[path = "../program/mod.rs"]
mod program;
mod scene;
mod tenants;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    if program::is_program() {
        return program::run_program();
    }
    let mut arguments = Arguments::from_args();
    // Most of the time is spent waiting.
    arguments.test_threads.get_or_insert(8);
    let trials = [matrix::trials(), disk::trials(), large::trials(), tenants::trials(), attachments::trials()];
    let trials = trials.into_iter().flatten().collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(name: &str, run: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, || {
        run();
        Ok(())
    })
}
