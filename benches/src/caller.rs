//! What each work takes on the thread that does it: CPU time, in samples that alternate with those of the references.

use std::collections::BTreeMap;
use std::sync::Barrier;

use serde::{Deserialize, Serialize};

use crate::clock;
use crate::stacks::{BARE, Destination, Run, SERDE_JSON, SONIC, Stack};
use crate::work::Work;

/// Whether anything listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Listening {
    Nobody,
    Somebody,
}

impl Listening {
    const fn works(self) -> &'static [Work] {
        match self {
            Self::Nobody => &[Work::Call, Work::AsyncCall],
            Self::Somebody => {
                &[Work::Poll, Work::Span, Work::SpanOn4Threads, Work::Depth, Work::Root, Work::Payload, Work::Prompt]
            }
        }
    }
}

/// What was seen of one work: nanoseconds for each operation, by who did it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Seen {
    pub work: Work,
    pub samples: BTreeMap<String, Vec<f64>>,
}

/// Measures stacks side by side in this process, which must be a fresh one; `tell` gets what was seen of each work.
pub fn measure(
    stacks: &[&'static Stack],
    listening: Listening,
    destination: Destination,
    samples: usize,
    tell: impl Fn(&Seen),
) {
    let mut contenders: Vec<_> = [&BARE, &SERDE_JSON, &SONIC].into_iter().chain(stacks.iter().copied()).collect();
    let flushes: BTreeMap<_, _> = match listening {
        Listening::Nobody => BTreeMap::new(),
        Listening::Somebody => stacks.iter().map(|stack| (stack.name, (stack.install)(destination))).collect(),
    };
    for &work in listening.works() {
        let mut seen = Seen { work, samples: BTreeMap::new() };
        // The first sample warms up, and is thrown away.
        for sample in 0..=samples {
            for contender in &contenders {
                let Some(run) = contender.work(work) else { continue };
                let nanos = take(work, run);
                if let Some(flush) = flushes.get(contender.name) {
                    flush();
                }
                if sample > 0 {
                    seen.samples.entry(contender.name.to_owned()).or_default().push(nanos);
                }
            }
            contenders.reverse();
        }
        tell(&seen);
    }
}

/// One sample, in nanoseconds for each operation.
fn take(work: Work, run: Run) -> f64 {
    if work != Work::SpanOn4Threads {
        return timed(work, run);
    }
    const THREADS: usize = 4;
    let together = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    // What a thread sets up once is not what a span costs.
                    run(0..100);
                    together.wait();
                    timed(work, run)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no work panics")).sum::<f64>() / THREADS as f64
    })
}

fn timed(work: Work, run: Run) -> f64 {
    let operations = work.operations();
    let before = clock::of_thread();
    run(0..operations);
    let used = clock::of_thread() - before;
    used.as_nanos() as f64 / operations as f64
}
