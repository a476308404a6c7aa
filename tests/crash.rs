//! Crash: a program in durable mode is killed at random moments, whatever its backend is doing, and started again with the
//! same spool. Every row arrives that a flush had acknowledged before.
//!
//! `BRAINTRUST_TEST_CRASHES` is how often; the default is what a quick check can afford. `BRAINTRUST_TEST_SEED` repeats
//! the choices (not the timing) of a run that failed.

mod program;

use std::ops::Range;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use braintrust_test_backend::Endpoint::{Any, Rows};
use braintrust_test_backend::Trouble::{Hang, Slow, Status};
use braintrust_test_backend::{Backend, Fault};
use fastrand::Rng;
use libtest_mimic::{Arguments, Trial};
use program::Program;
use tempfile::TempDir;

const TENANT: &str = "north";
const CRASHES: usize = 12;
/// How many crashes come one after the other with one spool, the leavings of the last among it.
const CHAIN: usize = 4;
/// The longest that a program lives, in milliseconds; starting takes a part of it.
const LIFE: Range<u64> = 20..900;
const RECOVERY: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    if program::is_program() {
        return program::run_program();
    }
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let crashes = number("BRAINTRUST_TEST_CRASHES").map_or(CRASHES, |crashes| crashes as usize);
    let seed = number("BRAINTRUST_TEST_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("BRAINTRUST_TEST_SEED={seed}");
    let chain = |index: usize| {
        let run = move || {
            run_chain(Rng::with_seed(seed.wrapping_add(index as u64)));
            Ok(())
        };
        Trial::test(format!("crashes {}..{}", index * CHAIN, (index + 1) * CHAIN), run)
    };
    let trials = (0..crashes.div_ceil(CHAIN)).map(chain).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// One spool, and the programs that were killed over it.
struct Chain {
    backend: Backend,
    folder: TempDir,
    made: u32,
    /// The calls that were acknowledged as durable.
    acknowledged: Vec<Range<u32>>,
}

fn run_chain(mut random: Rng) {
    let mut chain = Chain {
        backend: Backend::start_counting(),
        folder: tempfile::tempdir().unwrap(),
        made: 0,
        acknowledged: Vec::new(),
    };
    for _ in 0..CHAIN {
        chain.backend.heal();
        weather(&mut random).into_iter().for_each(|fault| chain.backend.fail(fault));
        chain.crash(&mut random);
    }
    chain.backend.heal();
    chain.recover();
}

/// What the backend does while a program lives.
fn weather(random: &mut Rng) -> Option<Fault> {
    match random.u8(..5) {
        0 => Some(Fault::Down),
        1 => Some(Fault::At(Any, Hang)),
        2 => Some(Fault::At(Rows, Status(503))),
        3 => Some(Fault::At(Rows, Slow(Duration::from_millis(random.u64(..100))))),
        _ => None,
    }
}

impl Chain {
    fn start(&self) -> Program {
        let spool = self.folder.path().to_string_lossy();
        let variables =
            [("BRAINTRUST_DURABLE", "true"), ("BRAINTRUST_SPOOL_DIR", &*spool), ("BRAINTRUST_HTTP_TIMEOUT", "1")];
        Program::start(&self.backend, &variables)
    }

    /// A program's life.
    fn crash(&mut self, random: &mut Rng) {
        let mut program = self.start();
        let death = Instant::now() + Duration::from_millis(random.u64(LIFE));
        let first = self.made;
        while Instant::now() < death {
            let count = random.u32(1..400);
            program.begin_calls(TENANT, self.made, count);
            self.made += count;
            program.begin_flush(Duration::from_millis(random.u64(1..300)));
            let Some(flushed) = program.flushed_by(death) else { break };
            assert_eq!(flushed.lost, 0, "{flushed:?}");
            // What is not on disk in time, the flush says so.
            if flushed.error.is_none() {
                self.acknowledged.push(first..self.made);
            }
        }
        program.kill();
    }

    /// What was acknowledged arrives, once a program with this spool runs and the backend is well.
    fn recover(mut self) {
        let mut program = self.start();
        program.calls(TENANT, self.made, 1);
        self.acknowledged.push(self.made..self.made + 1);
        let deadline = Instant::now() + RECOVERY;
        loop {
            let flushed = program.flush(Duration::from_secs(1));
            let missing = self.acknowledged.iter().flat_map(|calls| self.backend.missing(TENANT, calls.clone()));
            let missing: Vec<_> = missing.collect();
            if missing.is_empty() {
                break;
            }
            assert!(Instant::now() < deadline, "{missing:?} … are missing of {:?}; {flushed:?}", self.acknowledged);
        }
        program.end();
        assert_eq!(self.backend.violations(), [""; 0]);
        println!("{} calls, {} flushes acknowledged", self.made, self.acknowledged.len());
    }
}
