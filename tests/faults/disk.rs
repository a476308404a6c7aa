//! Disks that fail while the backend is away: the spool can keep nothing, so memory does.

use std::fs;
use std::path::Path;
use std::process::Command;

use braintrust_test_backend::Fault;
use libtest_mimic::Trial;

use crate::scene::{Scene, this_binary};
use crate::trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("spool is no folder", || backend_away(spool_is_a_file)),
        trial("spool is read-only", || backend_away(spool_is_read_only)),
        trial("disk full", || backend_away(full_disk)),
    ]
}

/// Room for all that is made while the backend is away, which may have nowhere else to go: about 36 MB of rows.
const QUEUE_BYTES: &str = "134217728";

/// The backend is away for a while, and the disk is no help.
fn backend_away(prepare: fn(&Path) -> Command) {
    let mut scene = Scene::with_disk(None, |spool| {
        let mut program = prepare(spool);
        program.env("BRAINTRUST_QUEUE_BYTES", QUEUE_BYTES);
        program
    });
    scene.calls(100);
    scene.flush_well();
    scene.backend.fail(Fault::Down);
    for _ in 0..3 {
        scene.open();
        scene.rounds();
        scene.flush_in_vain();
        scene.program.close();
    }
    scene.flush_in_vain();
    scene.backend.heal();
    scene.recover();
    scene.check();
}

/// No folder can be made in its place, not even by a superuser.
fn spool_is_a_file(spool: &Path) -> Command {
    fs::write(spool, "not a folder").unwrap();
    this_binary()
}

/// A superuser, whom no mode stops, can write to it all the same.
fn spool_is_read_only(spool: &Path) -> Command {
    fs::create_dir(spool).unwrap();
    let mut permissions = fs::metadata(spool).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(spool, permissions).unwrap();
    this_binary()
}

/// A shell that lets the program write no file beyond a few kilobytes, which then fails as on a full disk.
fn full_disk(_: &Path) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\""]).arg(std::env::current_exe().unwrap());
    shell
}
