//! Rows that are larger than a request may be: they are uploaded apart, and faults of that way lose none either.

use braintrust_test_backend::Endpoint::{Rows, Upload, Version};
use braintrust_test_backend::Fault;
use braintrust_test_backend::Trouble::{Busy, Hang, Html, Says, Status, TooLarge, Truncated};
use libtest_mimic::Trial;

use crate::scene::{RECOVERY, Scene, TENANT};
use crate::trial;

/// What a request may hold, and what one row takes.
const MOST: usize = 20_000;
const MOST_TOLD: &str = r#"{"logs3_payload_max_bytes": 20000}"#;
const ROW: usize = 50_000;
const ROWS: u32 = 20;

/// How large rows are uploaded.
#[derive(Clone, Copy)]
enum Way {
    Put,
    Form,
}

pub fn trials() -> Vec<Trial> {
    let faults: [(_, fn() -> Fault); 6] = [
        ("upload 403", || Fault::At(Upload, Status(403))),
        ("upload 500", || Fault::At(Upload, Status(500))),
        ("upload 429", || Fault::At(Upload, Busy(1))),
        ("upload hangs", || Fault::At(Upload, Hang)),
        ("upload answers with a web page", || Fault::At(Upload, Html)),
        ("upload answer truncated", || Fault::At(Upload, Truncated)),
    ];
    let mut trials = Vec::new();
    for (way, name) in [(Way::Put, "large rows"), (Way::Form, "large rows by form")] {
        trials.push(trial(name, move || healthy(way)));
        trials.push(trial(&format!("{name}, upload 400"), move || refused(way)));
        trials.extend(faults.map(|(what, fault)| trial(&format!("{name}, {what}"), move || faulty(way, fault()))));
    }
    trials
}

fn healthy(way: Way) {
    let mut scene = Scene::new(None);
    limit(&scene, way);
    large_and_small(&mut scene);
    scene.flush_well();
    scene.check();
}

fn faulty(way: Way, fault: Fault) {
    let mut scene = Scene::new(None);
    limit(&scene, way);
    scene.backend.fail(fault);
    large_and_small(&mut scene);
    scene.flush_in_vain();
    scene.backend.heal();
    limit(&scene, way);
    scene.recover();
    large_and_small(&mut scene);
    scene.flush_well();
    scene.check();
}

/// What storage refuses for good is kept for the next program: to try it on and on would hold up all other rows.
fn refused(way: Way) {
    let mut scene = Scene::patient();
    limit(&scene, way);
    scene.backend.fail(Fault::At(Upload, Status(400)));
    large_and_small(&mut scene);
    // Once this is over, each of them has been refused.
    let flushed = scene.program.flush(RECOVERY);
    assert_eq!((flushed.lost, flushed.queued, flushed.spooled), (0, 0, u64::from(ROWS)), "{flushed:?}");
    assert!(flushed.error.is_some(), "{flushed:?}");
    scene.backend.heal();
    limit(&scene, way);
    scene.calls(10);
    scene.recover_but(ROWS);

    scene.restart();
    scene.calls(10);
    scene.recover();
    assert_eq!(scene.backend.tally(TENANT).repeated, 0);
    scene.check();
}

/// Has the backend take small requests only.
fn limit(scene: &Scene, way: Way) {
    scene.backend.fail(Fault::At(Version, Says(MOST_TOLD)));
    scene.backend.fail(Fault::At(Rows, TooLarge(MOST)));
    match way {
        Way::Put => {}
        Way::Form => scene.backend.fail(Fault::Forms),
    }
}

fn large_and_small(scene: &mut Scene) {
    scene.calls(10);
    scene.program.large_calls(TENANT, scene.made, ROWS, ROW);
    scene.made += ROWS;
    scene.calls(10);
}
