//! The fault matrix: whatever a backend or a disk does wrong, no row is lost that the bounds allow to keep, each arrives
//! once the fault is over, flushes keep their limits, and the traced program is as fast as ever.
//!
//! Each case is a program of its own (see `program`) and a backend that is told to fail.

mod program;

use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use braintrust_test_backend::Endpoint::{Any, Login, Register, Rows, Version};
use braintrust_test_backend::Trouble::{Busy, Hang, Html, Says, Slow, Status, TooLarge, Truncated};
use braintrust_test_backend::{Backend, Fault};
use libtest_mimic::{Arguments, Trial};
use program::{Latency, Program};

const TENANT: &str = "north";

/// How long a flush may take while the backend fails.
const LIMIT: Duration = Duration::from_secs(1);
/// What a busy machine may add to that.
const MARGIN: Duration = Duration::from_secs(2);
/// How long rows may take to arrive once the fault is over: waits between attempts have grown by then.
const RECOVERY: Duration = Duration::from_secs(60);

/// A round of calls: enough for a 99.9th percentile, few enough to stay far from the bounds.
const ROUND: u32 = 4_000;
const ROUNDS: u32 = 5;
/// Other work on the machine can spoil a measurement, never make a slow program fast: so the best of many rounds counts,
/// and of more if need be.
const ATTEMPTS: u32 = 8;
/// Spans that are open while faults come and go.
const OPEN: u32 = 20;

/// The times of the sender, so short that a fault is felt many times within a second.
const SHORT: &[(&str, &str)] = &[("BRAINTRUST_HTTP_TIMEOUT", "1"), ("BRAINTRUST_QUEUE_SIZE", "1000000")];

/// A fault, and what it must not do.
struct Case {
    name: &'static str,
    fault: fn() -> Fault,
    /// Whether it is there from the beginning, before anything is known of the backend.
    from_the_start: bool,
    /// Whether rows arrive all the same while it is on.
    delivers: bool,
    /// Whether the library does not hold this yet.
    is_open: bool,
}

impl Case {
    /// A fault that comes while all is well, and holds rows up.
    const fn later(name: &'static str, fault: fn() -> Fault) -> Self {
        Self { name, fault, from_the_start: false, delivers: false, is_open: false }
    }

    /// A fault that is there when the program starts, and holds rows up.
    const fn from_the_start(name: &'static str, fault: fn() -> Fault) -> Self {
        Self { name, fault, from_the_start: true, delivers: false, is_open: false }
    }

    const fn harmless(self) -> Self {
        Self { delivers: true, ..self }
    }

    const fn open(self) -> Self {
        Self { is_open: true, ..self }
    }
}

const CASES: &[Case] = &[
    Case::later("refused", || Fault::Down),
    Case::later("reset mid-body", || Fault::ResetMidBody),
    Case::later("hang", || Fault::At(Any, Hang)),
    Case::later("slow drip", || Fault::Drip(Duration::from_millis(50))),
    Case::later("500", || Fault::At(Any, Status(500))),
    Case::later("502 for rows", || Fault::At(Rows, Status(502))),
    Case::later("429 storm", || Fault::At(Any, Busy(1))),
    Case::later("413", || Fault::At(Rows, TooLarge(2_000))).harmless(),
    Case::later("401", || Fault::At(Any, Status(401))).open(),
    Case::later("403 for rows", || Fault::At(Rows, Status(403))).open(),
    Case::later("web page for rows", || Fault::At(Rows, Html)).open(),
    Case::later("truncated answer for rows", || Fault::At(Rows, Truncated)),
    Case::later("broken JSON for rows", || Fault::At(Rows, Says(r#"{"ids": ["#))).open(),
    Case::from_the_start("web page for everything", || Fault::At(Any, Html)).open(),
    Case::from_the_start("truncated answer for everything", || Fault::At(Any, Truncated)),
    Case::from_the_start("refused at the start", || Fault::Down),
    Case::from_the_start("version 500", || Fault::At(Version, Status(500))).harmless(),
    Case::from_the_start("version hangs", || Fault::At(Version, Hang)).harmless(),
    Case::from_the_start("version is a web page", || Fault::At(Version, Html)).harmless(),
    Case::from_the_start("version is negative", || Fault::At(Version, Says(r#"{"logs3_payload_max_bytes": -5}"#)))
        .harmless(),
    Case::from_the_start("login 500", || Fault::At(Login, Status(500))),
    Case::from_the_start("login 401", || Fault::At(Login, Status(401))).open(),
    Case::from_the_start("login hangs", || Fault::At(Login, Hang)),
    Case::from_the_start("login without organizations", || Fault::At(Login, Says(r#"{"org_info": []}"#))).open(),
    Case::from_the_start("registration 500", || Fault::At(Register, Status(500))),
    Case::from_the_start("registration 403", || Fault::At(Register, Status(403))).open(),
];

fn main() -> ExitCode {
    if program::is_program() {
        return program::run_program();
    }
    let mut trials: Vec<_> =
        CASES.iter().map(|case| trial(case.name, || run(case)).with_ignored_flag(case.is_open)).collect();
    trials.push(trial("restarted mid-flush", restarted_mid_flush));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(name: &str, run: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, || {
        run();
        Ok(())
    })
}

/// A program and its backend, with what has been made so far.
struct Scene {
    backend: Backend,
    program: Program,
    made: u32,
}

impl Scene {
    fn new(fault: Option<Fault>, variables: &[(&str, &str)]) -> Self {
        let backend = Backend::start_counting();
        fault.into_iter().for_each(|fault| backend.fail(fault));
        let program = Program::start(&backend, variables);
        Self { backend, program, made: 0 }
    }

    fn calls(&mut self, count: u32) -> Latency {
        let latency = self.program.calls(TENANT, self.made, count);
        self.made += count;
        latency
    }

    fn open(&mut self) {
        self.program.open(TENANT, self.made, OPEN);
        self.made += OPEN;
    }

    /// Some rounds of calls, in which records are exported and requests come and go.
    fn rounds(&mut self) -> Latency {
        let rounds = (0..ROUNDS).map(|_| {
            sleep(Duration::from_millis(100));
            self.calls(ROUND)
        });
        rounds.reduce(Latency::best).unwrap()
    }

    /// A flush while the backend fails.
    fn flush_in_vain(&mut self, delivers: bool) {
        let flushed = self.program.flush(if delivers { RECOVERY } else { LIMIT });
        assert_eq!(flushed.lost, 0, "{flushed:?}");
        if delivers {
            assert_eq!(flushed.error, None, "{flushed:?}");
        } else {
            assert!(flushed.took < LIMIT + MARGIN, "a flush of {LIMIT:?} took {:?}", flushed.took);
        }
    }

    /// Waits until everything has arrived.
    fn recover(&mut self) {
        let deadline = Instant::now() + RECOVERY;
        loop {
            let flushed = self.program.flush(Duration::from_secs(2));
            assert_eq!(flushed.lost, 0, "{flushed:?}");
            let tally = self.backend.tally(TENANT);
            if tally.ended == u64::from(self.made) && flushed.error.is_none() {
                return;
            }
            let missing = self.backend.missing(TENANT, self.made);
            assert!(
                Instant::now() < deadline,
                "of {} calls {tally:?}, {missing:?} … are missing; {flushed:?}",
                self.made
            );
        }
    }

    fn check(self) {
        let complaints = self.program.end();
        assert_eq!(self.backend.violations(), [""; 0], "{complaints}");
        assert_eq!(self.backend.missing(TENANT, self.made), [0; 0], "{complaints}");
        let tally = self.backend.tally(TENANT);
        assert_eq!((tally.arrived, tally.ended), (u64::from(self.made), u64::from(self.made)), "{complaints}");
    }
}

fn run(case: &Case) {
    let fault = case.fault;
    let mut scene = Scene::new(case.from_the_start.then(fault), SHORT);
    if !case.from_the_start {
        scene.calls(100);
        assert_eq!(scene.program.flush(RECOVERY).error, None);
    }
    let (mut healthy, mut faulty) = (Latency::WORST, Latency::WORST);
    for attempt in 1.. {
        if !case.from_the_start {
            healthy = healthy.best(scene.rounds());
        }
        if attempt > 1 || !case.from_the_start {
            scene.backend.fail(fault());
        }
        faulty = faulty.best(faulty_rounds(&mut scene, case));
        if case.from_the_start {
            healthy = healthy.best(scene.rounds());
        }
        if faulty.p999 <= 2 * healthy.p999 {
            break;
        }
        assert!(attempt < ATTEMPTS, "a traced call takes {faulty:?} under this fault, {healthy:?} without it");
    }
    scene.recover();
    scene.check();
}

/// Rounds under a fault that is on already; all have arrived when this returns, and the fault is off.
fn faulty_rounds(scene: &mut Scene, case: &Case) -> Latency {
    scene.open();
    let faulty = scene.rounds();
    scene.flush_in_vain(case.delivers);
    scene.program.close();
    scene.open();
    scene.flush_in_vain(case.delivers);
    if case.delivers {
        assert!(scene.backend.tally(TENANT).arrived >= u64::from(scene.made), "rows are held up");
    }
    scene.backend.heal();
    scene.program.close();
    scene.recover();
    faulty
}

/// The backend goes away while rows are under way, and comes back within the flush's limit.
fn restarted_mid_flush() {
    let mut scene = Scene::new(None, SHORT);
    scene.backend.fail(Fault::At(Rows, Slow(Duration::from_millis(100))));
    scene.calls(ROUND);
    scene.program.begin_flush(RECOVERY);
    for _ in 0..3 {
        let before = scene.backend.row_requests();
        while scene.backend.row_requests() == before && scene.backend.tally(TENANT).ended < u64::from(scene.made) {
            sleep(Duration::from_millis(1));
        }
        scene.backend.fail(Fault::Down);
        sleep(Duration::from_millis(300));
        scene.backend.heal();
    }
    let flushed = scene.program.flushed();
    assert_eq!((flushed.error, flushed.lost), (None, 0));
    scene.check();
}
