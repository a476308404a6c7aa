//! The faults of a backend, each switched on for a while and then off.

use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use braintrust_test_backend::Endpoint::{Any, Login, Register, Rows, Version};
use braintrust_test_backend::Fault;
use braintrust_test_backend::Trouble::{Busy, Hang, Html, Says, Slow, Status, TooLarge, Truncated};
use libtest_mimic::Trial;

use crate::program::Latency;
use crate::scene::{RECOVERY, ROUND, Scene};
use crate::trial;

/// Other work on the machine can spoil a measurement, never make a slow program fast: so the best of many rounds counts,
/// and of more if need be.
const ATTEMPTS: u32 = 8;

/// Below this, in nanoseconds, differences are the machine's: fetching memory, or another process's turn. A call that
/// waited for a backend, a disk or the exporter would take a thousand times as long.
const NOISE: u64 = 50_000;

/// How often the calling thread may wait in some rounds of calls: for memory of the process, or for a lock that the
/// exporter has for a moment. A call that waited at every tenth block of records would do so more often.
const FEW_WAITS: u64 = 3;

/// A fault, and what it must not do.
struct Case {
    name: &'static str,
    fault: fn() -> Fault,
    /// Whether it is there from the beginning, before anything is known of the backend.
    from_the_start: bool,
    /// Whether rows arrive all the same while it is on.
    delivers: bool,
}

impl Case {
    /// A fault that comes while all is well, and holds rows up.
    const fn later(name: &'static str, fault: fn() -> Fault) -> Self {
        Self { name, fault, from_the_start: false, delivers: false }
    }

    /// A fault that is there when the program starts, and holds rows up.
    const fn from_the_start(name: &'static str, fault: fn() -> Fault) -> Self {
        Self { name, fault, from_the_start: true, delivers: false }
    }

    const fn harmless(self) -> Self {
        Self { delivers: true, ..self }
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
    Case::later("413", || Fault::At(Rows, TooLarge(20_000))).harmless(),
    Case::later("401", || Fault::At(Any, Status(401))),
    Case::later("403 for rows", || Fault::At(Rows, Status(403))),
    Case::later("407 for rows", || Fault::At(Rows, Status(407))),
    Case::later("web page for rows", || Fault::At(Rows, Html)),
    Case::later("truncated answer for rows", || Fault::At(Rows, Truncated)),
    Case::later("broken JSON for rows", || Fault::At(Rows, Says(r#"{"ids": ["#))),
    Case::from_the_start("web page for everything", || Fault::At(Any, Html)),
    Case::from_the_start("truncated answer for everything", || Fault::At(Any, Truncated)),
    Case::from_the_start("refused at the start", || Fault::Down),
    Case::from_the_start("version 500", || Fault::At(Version, Status(500))).harmless(),
    Case::from_the_start("version hangs", || Fault::At(Version, Hang)).harmless(),
    Case::from_the_start("version is a web page", || Fault::At(Version, Html)).harmless(),
    Case::from_the_start("version is negative", || Fault::At(Version, Says(r#"{"logs3_payload_max_bytes": -5}"#)))
        .harmless(),
    Case::from_the_start("login 500", || Fault::At(Login, Status(500))),
    Case::from_the_start("login 401", || Fault::At(Login, Status(401))),
    Case::from_the_start("login hangs", || Fault::At(Login, Hang)),
    Case::from_the_start("login without organizations", || Fault::At(Login, Says(r#"{"org_info": []}"#))),
    Case::from_the_start("registration 500", || Fault::At(Register, Status(500))),
    Case::from_the_start("registration 403", || Fault::At(Register, Status(403))),
];

pub fn trials() -> Vec<Trial> {
    let mut trials: Vec<_> = CASES.iter().map(|case| trial(case.name, || run(case))).collect();
    trials.push(trial("restarted mid-flush", restarted_mid_flush));
    trials
}

fn run(case: &Case) {
    let fault = case.fault;
    let mut scene = Scene::new(case.from_the_start.then(fault));
    if !case.from_the_start {
        scene.calls(100);
        scene.flush_well();
    }
    let (mut healthy, mut faulty) = (Latency::WORST, Latency::WORST);
    for attempt in 1.. {
        if !case.from_the_start {
            healthy = healthy.best(scene.rounds());
        }
        if attempt > 1 || !case.from_the_start {
            scene.backend.fail(fault());
        }
        // What has been told once is not asked again, so then such a fault is not felt.
        let flush = match (case.delivers, attempt > 1 && case.from_the_start) {
            (true, _) => Scene::flush_well,
            (false, true) => Scene::flush,
            (false, false) => Scene::flush_in_vain,
        };
        faulty = faulty.best(faulty_rounds(&mut scene, flush));
        if case.from_the_start {
            healthy = healthy.best(scene.rounds());
        }
        if faulty.p999 <= 2 * healthy.p999.max(NOISE) && faulty.waits <= FEW_WAITS {
            break;
        }
        assert!(attempt < ATTEMPTS, "a traced call takes {faulty:?} under this fault, {healthy:?} without it");
    }
    scene.recover();
    scene.check();
}

/// Rounds under a fault that is on already; all have arrived when this returns, and the fault is off.
fn faulty_rounds(scene: &mut Scene, flush: fn(&mut Scene)) -> Latency {
    scene.open();
    let faulty = scene.rounds();
    flush(scene);
    scene.program.close();
    scene.open();
    flush(scene);
    scene.backend.heal();
    scene.program.close();
    scene.recover();
    faulty
}

/// The backend goes away while rows are under way, and comes back within the flush's limit.
fn restarted_mid_flush() {
    // The same request may meet all three outages, and each of them twice: its rows are not to wait on disk for that.
    let mut scene = Scene::with_disk(None, |_| {
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.env("BRAINTRUST_NUM_RETRIES", "8");
        program
    });
    let slow = || Fault::At(Rows, Slow(Duration::from_millis(100)));
    scene.backend.fail(slow());
    scene.calls(ROUND);
    scene.program.begin_flush(RECOVERY);
    for _ in 0..3 {
        let before = scene.backend.row_requests();
        assert!(scene.backend.wait_until(RECOVERY, || scene.backend.row_requests() > before || scene.has_all()));
        scene.backend.fail(Fault::Down);
        sleep(Duration::from_millis(300));
        scene.backend.heal();
        scene.backend.fail(slow());
    }
    let flushed = scene.program.flushed();
    assert_eq!((flushed.error, flushed.lost), (None, 0));
    scene.check();
}
