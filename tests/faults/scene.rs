//! A program and its backend, and what every case asks of them.

use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use braintrust_test_backend::{Backend, Fault};
use tempfile::TempDir;

use crate::program::{Flushed, Latency, Program};

/// The tenant of cases that need no other.
pub const TENANT: &str = "north";

/// How long a flush may take while the backend fails.
pub const LIMIT: Duration = Duration::from_secs(1);
/// What a busy machine may add to that.
const MARGIN: Duration = Duration::from_secs(2);
/// How long rows may take to arrive once the fault is over: waits between attempts have grown by then.
pub const RECOVERY: Duration = Duration::from_secs(240);

/// A round of calls: enough for a 99.9th percentile, few enough to stay far from the bounds.
pub const ROUND: u32 = 4_000;
const ROUNDS: u32 = 5;
/// Spans that are open while faults come and go.
const OPEN: u32 = 20;

/// In seconds; so short that a fault is felt many times while it lasts.
const HTTP_TIMEOUT: &str = "1";
const TIMEOUT: &str = "BRAINTRUST_HTTP_TIMEOUT";
const SPOOL_DIR: &str = "BRAINTRUST_SPOOL_DIR";

pub fn this_binary() -> Command {
    Command::new(std::env::current_exe().unwrap())
}

/// A program and its backend, with what has been made so far.
pub struct Scene {
    pub backend: Backend,
    pub program: Program,
    pub made: u32,
    folder: TempDir,
    http_timeout: &'static str,
}

impl Scene {
    /// A program that starts when this fault, if any, is on already. It has a spool of its own.
    pub fn new(fault: Option<Fault>) -> Self {
        Self::with_disk(fault, |_| this_binary())
    }

    /// The same, where no request runs out of its time, however busy the machine is.
    pub fn patient() -> Self {
        Self::start(None, "240", |_| this_binary())
    }

    /// The same as the first with a spool folder that `prepare` may spoil, and a command that limits the program.
    pub fn with_disk(fault: Option<Fault>, prepare: impl FnOnce(&Path) -> Command) -> Self {
        Self::start(fault, HTTP_TIMEOUT, prepare)
    }

    fn start(fault: Option<Fault>, http_timeout: &'static str, prepare: impl FnOnce(&Path) -> Command) -> Self {
        let backend = Backend::start_counting();
        fault.into_iter().for_each(|fault| backend.fail(fault));
        let folder = tempfile::tempdir().unwrap();
        let spool = folder.path().join("spool");
        let command = prepare(&spool);
        let variables = [(TIMEOUT, http_timeout), (SPOOL_DIR, spool.to_str().unwrap())];
        let program = Program::start_by(command, &backend, &variables);
        Self { backend, program, made: 0, folder, http_timeout }
    }

    /// The folder of the spool.
    pub fn spool(&self) -> std::path::PathBuf {
        self.folder.path().join("spool")
    }

    /// Ends the program, and starts another with the same spool.
    pub fn restart(&mut self) {
        let spool = self.spool();
        // It is idle until it is told to do something.
        let variables = [(TIMEOUT, self.http_timeout), (SPOOL_DIR, spool.to_str().unwrap())];
        let next = Program::start(&self.backend, &variables);
        std::mem::replace(&mut self.program, next).end();
    }

    pub fn calls(&mut self, count: u32) -> Latency {
        let latency = self.program.calls(TENANT, self.made, count);
        self.made += count;
        latency
    }

    pub fn open(&mut self) {
        self.program.open(TENANT, self.made, OPEN);
        self.made += OPEN;
    }

    /// Some rounds of calls, in which records are exported and requests come and go.
    pub fn rounds(&mut self) -> Latency {
        let rounds = (0..ROUNDS).map(|_| {
            sleep(Duration::from_millis(100));
            self.calls(ROUND)
        });
        rounds.reduce(Latency::and).unwrap()
    }

    /// A flush that keeps its limit, and loses nothing.
    pub fn flush(&mut self) {
        self.flush_in_time();
    }

    /// A flush while the backend fails: it tells what waits, too.
    pub fn flush_in_vain(&mut self) {
        let flushed = self.flush_in_time();
        assert!(flushed.error.is_some() || flushed.spooled > 0, "the fault is not felt: {flushed:?}");
    }

    fn flush_in_time(&mut self) -> Flushed {
        let flushed = self.program.flush(LIMIT);
        assert_eq!(flushed.lost, 0, "{flushed:?}");
        assert!(flushed.took < LIMIT + MARGIN, "a flush of {LIMIT:?} took {:?}", flushed.took);
        flushed
    }

    /// Flushes after which everything has arrived. Where the machine is so busy that requests run out of their second, rows
    /// wait on disk for a while, and one flush is not enough.
    pub fn flush_well(&mut self) {
        let deadline = Instant::now() + RECOVERY;
        loop {
            let flushed = self.program.flush(RECOVERY);
            assert_eq!((flushed.lost, &flushed.error), (0, &None));
            if self.backend.tally(TENANT).arrived == u64::from(self.made) {
                return;
            }
            assert!(flushed.spooled > 0 && Instant::now() < deadline, "{}", self.what_is_missing(&flushed));
            sleep(Duration::from_millis(20));
        }
    }

    /// Waits until everything has arrived, now that nothing is in the way.
    pub fn recover(&mut self) {
        let flushed = self.recover_but(0);
        assert_eq!(flushed.error, None);
    }

    /// Waits until everything has arrived but so many calls, which this program will not send.
    pub fn recover_but(&mut self, missing: u32) -> Flushed {
        let deadline = Instant::now() + RECOVERY;
        loop {
            let flushed = self.program.flush(Duration::from_secs(2));
            assert_eq!(flushed.lost, 0, "{flushed:?}");
            let has_arrived = self.backend.tally(TENANT).ended == u64::from(self.made - missing);
            if has_arrived && (flushed.error.is_none() || missing > 0) {
                return flushed;
            }
            assert!(Instant::now() < deadline, "{}", self.what_is_missing(&flushed));
            sleep(Duration::from_millis(20));
        }
    }

    pub fn has_all(&self) -> bool {
        self.backend.tally(TENANT).ended == u64::from(self.made)
    }

    fn what_is_missing(&self, flushed: &Flushed) -> String {
        let (made, tally) = (self.made, self.backend.tally(TENANT));
        let missing = self.backend.missing(TENANT, 0..made);
        format!("of {made} calls {tally:?}; {missing:?} … are missing; the last flush: {flushed:?}")
    }

    /// Ends the program; by now everything has arrived, and no rule was broken.
    pub fn check(self) {
        let complaints = self.program.end();
        assert_eq!(self.backend.violations(), [""; 0], "{complaints}");
        assert_eq!(self.backend.missing(TENANT, 0..self.made), [0; 0], "{complaints}");
        let tally = self.backend.tally(TENANT);
        assert_eq!((tally.arrived, tally.ended), (u64::from(self.made), u64::from(self.made)), "{complaints}");
    }
}
