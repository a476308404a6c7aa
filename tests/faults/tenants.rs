//! Several tenants under faults: no row ever shares a request with another's, or leaves under another's key, nor by way of
//! the spool and another process.

use std::fs;
use std::path::Path;
use std::time::Instant;

use braintrust_test_backend::Endpoint::{Any, Rows};
use braintrust_test_backend::Trouble::{Hang, Status, TooLarge};
use braintrust_test_backend::{Fault, key_of};
use libtest_mimic::Trial;

use crate::scene::{LIMIT, RECOVERY, Scene};
use crate::trial;

const TENANTS: [&str; 3] = ["north", "south", "east"];

pub fn trials() -> Vec<Trial> {
    vec![
        trial("tenants under faults", tenants_under_faults),
        trial("tenants across a restart", tenants_across_a_restart),
    ]
}

fn calls(scene: &mut Scene, tenants: &[&str], count: u32) {
    for round in 0..10 {
        for tenant in tenants {
            scene.program.calls(tenant, scene.made + round * count / 10, count / 10);
        }
    }
    scene.made += count;
}

/// The backend judges each row by the key it comes with.
fn tenants_under_faults() {
    let mut scene = Scene::new(None);
    let faults = [
        Fault::Down,
        Fault::At(Rows, TooLarge(1_500)),
        Fault::ResetMidBody,
        Fault::At(Any, Hang),
        Fault::At(Any, Status(503)),
    ];
    for fault in faults {
        scene.backend.fail(fault);
        calls(&mut scene, &TENANTS, 500);
        assert_eq!(scene.program.flush(LIMIT).lost, 0);
        calls(&mut scene, &TENANTS, 500);
        scene.backend.heal();
    }
    all_arrive(&mut scene, &TENANTS);
    scene.program.end();
    assert_eq!(scene.backend.violations(), [""; 0]);
}

/// A program ends while the backend is away; the next ones send what it left, each only what is its own.
fn tenants_across_a_restart() {
    let mut scene = Scene::new(Some(Fault::Down));
    calls(&mut scene, &TENANTS, 500);
    scene.program.flush(LIMIT);
    scene.restart();
    let spooled = files_below(&scene.spool());
    assert!(!spooled.is_empty(), "nothing was kept");
    for tenant in TENANTS {
        let key = key_of(tenant);
        let shows = |file: &Vec<u8>| file.windows(key.len()).any(|part| part == key.as_bytes());
        assert!(!spooled.iter().any(shows), "a key is on the disk");
    }

    // This one knows two of the keys; what is the third's has to wait.
    scene.backend.heal();
    calls(&mut scene, &TENANTS[..2], 10);
    all_arrive(&mut scene, &TENANTS[..2]);
    assert_eq!(scene.backend.tally(TENANTS[2]).arrived, 0, "sent under somebody's key");
    scene.restart();
    scene.program.calls(TENANTS[2], 500, 10);
    all_arrive(&mut scene, &TENANTS);
    scene.program.end();
    assert_eq!(scene.backend.violations(), [""; 0]);
}

fn all_arrive(scene: &mut Scene, tenants: &[&str]) {
    let deadline = Instant::now() + RECOVERY;
    for tenant in tenants {
        loop {
            let flushed = scene.program.flush(LIMIT);
            assert_eq!(flushed.lost, 0, "{flushed:?}");
            if scene.backend.tally(tenant).ended == u64::from(scene.made) {
                break;
            }
            let missing = scene.backend.missing(tenant, 0..scene.made);
            assert!(Instant::now() < deadline, "{missing:?} … of {tenant} are missing; {flushed:?}");
        }
    }
}

fn files_below(folder: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![fs::read(&path).unwrap()] }).collect()
}
