//! A flood: as many captured spans as one thread can make, end to end to a server.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::stacks::{Destination, Stack};
use crate::work::Work;
use crate::{clock, memory};

/// What a flood took, as the flooding process sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Flood {
    /// Spans made.
    pub spans: u64,
    /// Until the last call returned, in seconds.
    pub calling: f64,
    /// Until all were delivered, in seconds.
    pub delivering: f64,
    /// CPU time of the process, in seconds.
    pub cpu: f64,
    /// The most resident memory beyond what was resident before, in bytes.
    pub memory: u64,
}

/// Floods a server from this process, which must be a fresh one.
///
/// # Panics
///
/// If the stack captures nothing.
pub fn run(stack: &Stack, destination: Destination, spans: u64) -> Flood {
    let flush = (stack.install)(destination);
    let answer = stack.work(Work::Payload).expect("a stack that captures");
    // Whatever is set up once: connections, logins, threads.
    answer(spans..spans + 100);
    flush();
    let base = memory::resident();
    memory::reset_peak();
    let (cpu, begun) = (clock::of_process(), Instant::now());
    answer(0..spans);
    let calling = begun.elapsed().as_secs_f64();
    flush();
    let delivering = begun.elapsed().as_secs_f64();
    let cpu = (clock::of_process() - cpu).as_secs_f64();
    Flood { spans, calling, delivering, cpu, memory: memory::peak().saturating_sub(base) }
}
