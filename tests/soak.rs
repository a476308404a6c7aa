//! Soak: a great many spans through a healthy backend, in bounded memory; none lost, none doubled.
//!
//! The program makes spans faster than they can be sent, on several threads, with the policy that waits when memory is
//! full. `BRAINTRUST_TEST_SOAK` is how many; the default is what a quick check can afford.

mod program;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use braintrust_test_backend::{Backend, Tally};
use program::Program;

const TENANT: &str = "north";
const THREADS: u32 = 4;
const SPANS: u32 = 100_000;
/// The bound on what waits: so little that the program has to wait for room many times.
const QUEUE: (&str, &str) = ("BRAINTRUST_QUEUE_BYTES", "4194304");
/// The memory of the whole program may peak at this: the bound, what threads and the exporter have in hand besides, memory
/// kept for reuse, and the program itself. About 30 MiB are usual.
const PEAK: u64 = 96 << 20;
const LIMIT: Duration = Duration::from_secs(600);

fn main() -> ExitCode {
    if program::is_program() {
        return program::run_program();
    }
    let spans = std::env::var("BRAINTRUST_TEST_SOAK").map_or(SPANS, |text| text.parse().expect("a number of spans"));
    let backend = Backend::start_counting();
    let wait = LIMIT.as_secs().to_string();
    let variables = [QUEUE, (program::WAIT_FOR_ROOM, &*wait), ("BRAINTRUST_SPOOL_DIR", "off")];
    let mut program = Program::start(&backend, &variables);
    let begun = Instant::now();
    program.load(TENANT, THREADS, spans);
    let made = begun.elapsed();
    let flushed = program.flush(LIMIT);
    let sent = begun.elapsed();
    let peak = program.peak_memory();
    let complaints = program.end();

    assert_eq!((flushed.lost, &flushed.error), (0, &None), "{complaints}");
    let all = u64::from(spans);
    assert_eq!(backend.tally(TENANT), Tally { arrived: all, ended: all, repeated: 0 }, "{complaints}");
    assert_eq!(backend.violations(), [""; 0]);
    let mib = |bytes: u64| bytes >> 20;
    println!("{spans} spans made in {made:.1?}, sent in {sent:.1?}; peak {:?} MiB", peak.map(mib));
    assert!(peak.is_none_or(|peak| peak < PEAK), "memory is not bounded");
    ExitCode::SUCCESS
}
