//! Rows that are larger than a request may be: they are uploaded apart, and faults of that way lose none either.

use braintrust_test_backend::Endpoint::{Rows, Upload, Version};
use braintrust_test_backend::Fault;
use braintrust_test_backend::Trouble::{Busy, Hang, Html, Says, Status, TooLarge, Truncated};
use libtest_mimic::Trial;

use crate::scene::{Scene, TENANT};
use crate::trial;

/// What a request may hold, and what one row takes.
const MOST: usize = 20_000;
const MOST_TOLD: &str = r#"{"logs3_payload_max_bytes": 20000}"#;
const ROW: usize = 50_000;
const ROWS: u32 = 20;

pub fn trials() -> Vec<Trial> {
    let healthy = trial("large rows", || run(None));
    // What storage refuses is kept for the next program, which this trial does not start.
    let refused = trial("large rows, upload 403", || run(Some(Fault::At(Upload, Status(403))))).with_ignored_flag(true);
    let faults: [(_, fn() -> Fault); 5] = [
        ("large rows, upload 500", || Fault::At(Upload, Status(500))),
        ("large rows, upload 429", || Fault::At(Upload, Busy(1))),
        ("large rows, upload hangs", || Fault::At(Upload, Hang)),
        ("large rows, upload answers with a web page", || Fault::At(Upload, Html)),
        ("large rows, upload answer truncated", || Fault::At(Upload, Truncated)),
    ];
    let faulty = faults.into_iter().map(|(name, fault)| trial(name, move || run(Some(fault()))));
    faulty.chain([healthy, refused]).collect()
}

fn run(fault: Option<Fault>) {
    let limits = || [Fault::At(Version, Says(MOST_TOLD)), Fault::At(Rows, TooLarge(MOST))];
    let mut scene = Scene::new(None);
    limits().into_iter().for_each(|limit| scene.backend.fail(limit));
    if let Some(fault) = fault {
        scene.backend.fail(fault);
        large_and_small(&mut scene);
        scene.flush_in_vain();
        scene.backend.heal();
        limits().into_iter().for_each(|limit| scene.backend.fail(limit));
        scene.recover();
    }
    large_and_small(&mut scene);
    scene.flush_well();
    scene.check();
}

fn large_and_small(scene: &mut Scene) {
    scene.calls(10);
    scene.program.large_calls(TENANT, scene.made, ROWS, ROW);
    scene.made += ROWS;
    scene.calls(10);
}
