//! What was measured, by who did what.

use std::collections::BTreeMap;

use crate::flood::Flood;
use crate::server::Arrived;
use crate::work::Work;

/// Everything that one run has measured.
#[derive(Debug, Default)]
pub struct Results {
    /// What each process has seen on its calling thread. Numbers are compared within a process only: the machine's clock has
    /// more than one frequency.
    pub processes: Vec<Process>,
    /// Allocations for each span, by stack.
    pub allocations: BTreeMap<(Work, String), f64>,
    pub floods: Vec<Delivered>,
    /// Milliseconds from starting a program to its end, by what is linked in.
    pub starts: BTreeMap<String, Vec<f64>>,
    /// CPU seconds of the compiler, by attribute.
    pub compiling: BTreeMap<String, Compiling>,
    /// Dependency trees, by what is depended on.
    pub trees: BTreeMap<String, Tree>,
}

/// Nanoseconds for each operation, by work and stack, as one process has seen them.
#[derive(Debug, Default)]
pub struct Process(pub BTreeMap<(Work, String), Vec<f64>>);

impl Process {
    /// The median of a stack's samples.
    pub fn median(&self, work: Work, stack: &str) -> Option<f64> {
        quantile(self.0.get(&(work, stack.to_owned()))?, 0.5)
    }

    /// What instrumentation adds to the bare work.
    pub fn added(&self, work: Work, stack: &str) -> Option<f64> {
        Some(self.median(work, stack)? - self.median(work, "bare")?)
    }
}

/// A flood, and what came of it.
#[derive(Clone, Debug)]
pub struct Delivered {
    pub stack: String,
    pub latency_millis: u64,
    pub flood: Flood,
    pub arrived: Arrived,
}

impl Delivered {
    pub fn per_second(&self) -> f64 {
        self.arrived.spans as f64 / self.flood.delivering
    }

    pub fn lost(&self) -> u64 {
        self.flood.spans.saturating_sub(self.arrived.spans)
    }

    pub fn cpu_micros(&self) -> f64 {
        // Of those that arrived: dropping costs nothing, and is worth nothing.
        self.flood.cpu * 1e6 / self.arrived.spans.max(1) as f64
    }

    pub fn caller_nanos(&self) -> f64 {
        self.flood.calling * 1e9 / self.flood.spans as f64
    }

    pub fn mebibytes(&self) -> f64 {
        self.flood.memory as f64 / f64::from(1 << 20)
    }
}

/// What the compiler takes for 200 functions, in CPU seconds.
#[derive(Clone, Copy, Debug)]
pub struct Compiling {
    pub build: f64,
    pub build_again: f64,
    pub check: f64,
    pub check_again: f64,
}

/// What a dependency brings along.
#[derive(Clone, Copy, Debug)]
pub struct Tree {
    pub crates: u64,
    pub dev_seconds: f64,
    pub release_seconds: f64,
    pub megabytes: f64,
}

impl Results {
    /// The median of what each process says that has seen all that `compare` asks for.
    pub fn within_processes(&self, compare: impl Fn(&Process) -> Option<f64>) -> Option<f64> {
        quantile(&self.processes.iter().filter_map(compare).collect::<Vec<_>>(), 0.5)
    }

    /// What instrumentation adds to the bare work, in nanoseconds.
    pub fn added(&self, work: Work, stack: &str) -> Option<f64> {
        self.within_processes(|process| process.added(work, stack))
    }

    /// Nanoseconds for each operation, over all processes: what that part of the samples stays below.
    pub fn quantile(&self, work: Work, stack: &str, at: f64) -> Option<f64> {
        let of_all = self.processes.iter().filter_map(|process| process.0.get(&(work, stack.to_owned())));
        quantile(&of_all.flatten().copied().collect::<Vec<_>>(), at)
    }

    /// The fastest flood of a stack: the others ran while the machine had other things to do.
    pub fn flood(&self, stack: &str, latency_millis: u64) -> Option<&Delivered> {
        let runs = self.floods_of(stack, latency_millis).into_iter();
        runs.max_by(|a, b| a.per_second().total_cmp(&b.per_second()))
    }

    /// The most spans that any flood of a stack has lost.
    pub fn lost(&self, stack: &str, latency_millis: u64) -> Option<u64> {
        self.floods_of(stack, latency_millis).into_iter().map(Delivered::lost).max()
    }

    /// The most memory, in MiB, and the most CPU time for each span, in µs, that any flood of a stack has taken.
    pub fn most_taken(&self, stack: &str, latency_millis: u64) -> Option<(f64, f64)> {
        let taken = self.floods_of(stack, latency_millis).into_iter().map(|run| (run.mebibytes(), run.cpu_micros()));
        taken.reduce(|a, b| (a.0.max(b.0), a.1.max(b.1)))
    }

    fn floods_of(&self, stack: &str, latency_millis: u64) -> Vec<&Delivered> {
        let of_stack = |run: &&Delivered| run.stack == stack && run.latency_millis == latency_millis;
        self.floods.iter().filter(of_stack).collect()
    }

    pub fn start(&self, program: &str) -> Option<f64> {
        quantile(self.starts.get(program)?, 0.1)
    }
}

fn quantile(samples: &[f64], at: f64) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(((sorted.len().checked_sub(1)?) as f64 * at).round() as usize).copied()
}
