//! Forked children that go on without running another program.
#![expect(unsafe_code, reason = "forking is what is tested")]

use std::collections::{BTreeSet, HashMap};
use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use braintrust::{Attachment, Event, Logger, Parent, start_span, traced};
use futures::{Stream, StreamExt as _};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, alarm, fork};

use crate::{Case, Outcome, leaf, name};

const LIMIT: Duration = Duration::from_secs(60);

pub(crate) const CASES: &[Case] = &[
    Case::new("fork: both go on", both_go_on, |outcome| {
        outcome.assert_spans(&["after", "before", "child"]);
        assert_distinct_ids(outcome);
    }),
    Case::new("fork: a child that is killed at once", child_killed, |outcome| {
        outcome.assert_spans(&["after", "before"]);
    }),
    Case::new("fork: what the child records belongs to the span around the fork", within_a_span, |outcome| {
        let (parent, child) = (outcome.row("parent"), outcome.row("child"));
        assert_eq!(child["span_parents"][0], parent["span_id"]);
        assert_eq!(child["root_span_id"], parent["root_span_id"]);
        outcome.assert_spans(&["child", "parent"]);
    }),
    Case::new("fork: a daemon whose parent ends at once", daemon, |outcome| {
        outcome.assert_spans(&["before", "daemon"]);
    }),
    Case::new("fork: children of children", generations, |outcome| {
        outcome.assert_spans(&["generation 0", "generation 1", "generation 2", "generation 3"]);
        assert_distinct_ids(outcome);
    }),
    Case::new("fork: a logger made in the child", logger_of_the_child, |outcome| {
        outcome.assert_spans(&["before", "child", "old logger"]);
    }),
    Case::new("fork: flushes of the child report on the child alone", reports, |outcome| {
        outcome.assert_spans(&["before", "child"]);
    }),
    Case::new("fork: the child's books begin empty", books, |outcome| outcome.assert_spans(&["before", "child"])),
    Case::new("fork: a child keeps nothing from those who come after its parent", locks_of_a_parent, |outcome| {
        outcome.assert_spans(&["left on disk"]);
    }),
    Case::new("fork: while threads record", while_threads_record, |outcome| {
        assert_eq!(outcome.status.code(), Some(0), "{}", outcome.stderr);
        assert_distinct_ids(outcome);
        let children = outcome.rows.iter().filter(|row| name(row) == "child").count();
        let told = outcome.stderr.matches("nothing is traced in it").count();
        assert_eq!(children + told, CHILDREN, "{}", outcome.stderr);
        let counted: usize = outcome.stdout.trim().parse().unwrap();
        assert_eq!(outcome.rows.len() - children, counted, "each span of the parent arrives once");
    }),
    Case::new("fork: while threads look at what they have in common", while_threads_look_around, |outcome| {
        assert_eq!(outcome.status.code(), Some(0), "{}", outcome.stderr);
    }),
];

/// No two spans have an id in common, and no row arrives twice.
fn assert_distinct_ids(outcome: &Outcome) {
    for field in ["id", "span_id"] {
        let ids: BTreeSet<_> = outcome.rows.iter().map(|row| row[field].as_str().unwrap()).collect();
        assert_eq!(ids.len(), outcome.rows.len(), "{field}");
    }
}

/// Forks; the child does its work, and ends as a process does. Waits for it.
fn in_child(work: impl FnOnce()) {
    // SAFETY: the child runs code that allocates and locks, which the C library and the standard library bear; what
    // this library does about its own locks is what is tested.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            work();
            std::process::exit(0);
        }
        ForkResult::Parent { child } => {
            assert_eq!(waitpid(child, None).unwrap(), WaitStatus::Exited(child, 0));
        }
    }
}

fn span(name: impl Into<String>) {
    start_span(name.into()).start().end();
}

fn both_go_on(_: &Logger) {
    span("before");
    in_child(|| span("child"));
    span("after");
}

fn child_killed(_: &Logger) {
    span("before");
    // SAFETY: the child does nothing but end.
    if let ForkResult::Parent { child } = unsafe { fork() }.unwrap() {
        waitpid(child, None).unwrap();
    } else {
        span("child");
        kill(nix::unistd::getpid(), Signal::SIGKILL).unwrap();
    }
    span("after");
}

fn within_a_span(_: &Logger) {
    let parent = start_span("parent").start();
    parent.in_scope(|| in_child(|| span("child")));
}

fn daemon(_: &Logger) {
    span("before");
    let (alive, done) = std::io::pipe().map(|(read, write)| (write, read)).unwrap();
    // SAFETY: as above.
    if let ForkResult::Parent { .. } = unsafe { fork() }.unwrap() {
        // Returns, and so ends the process that was started; the test waits for both, by their common stderr.
        return;
    }
    drop(done);
    span("daemon");
    drop(alive);
}

fn generations(_: &Logger) {
    fn generation(number: u32) {
        span(format!("generation {number}"));
        if number < 3 {
            in_child(|| generation(number + 1));
        }
    }
    generation(0);
}

fn logger_of_the_child(old: &Logger) {
    span("before");
    in_child(|| {
        let backend = std::env::var(crate::BACKEND).unwrap();
        let logger = Logger::builder().project("p").api_key(crate::KEY).app_url(backend).build().unwrap();
        logger.start_span("child").start().end();
        assert_eq!(logger.flush_blocking(LIMIT).unwrap().delivered, 1);
        old.start_span("old logger").start().end();
    });
}

fn reports(logger: &Logger) {
    span("before");
    in_child(|| {
        assert_eq!(logger.flush_blocking(LIMIT).unwrap().delivered, 0, "what was recorded before is the parent's");
        span("child");
        assert_eq!(logger.flush_blocking(LIMIT).unwrap().delivered, 1);
    });
    assert_eq!(logger.flush_blocking(LIMIT).unwrap().delivered, 1);
}

fn books(logger: &Logger) {
    span("before");
    assert_eq!(logger.flush_blocking(LIMIT).unwrap().delivered, 1);
    in_child(|| {
        span("child");
        assert_eq!(logger.flush_blocking(LIMIT).unwrap().delivered, 1);
        let stats = logger.stats();
        assert_eq!((stats.recorded, stats.delivered), (1, 1), "what the parent has delivered is in its own books");
    });
    let stats = logger.stats();
    assert_eq!((stats.recorded, stats.delivered), (1, 1), "what the child has delivered is in its own books");
}

/// What a parent has left on disk is sent by the next process, though a child of it lives on.
fn locks_of_a_parent(_: &Logger) {
    struct Killed(Pid);

    impl Drop for Killed {
        fn drop(&mut self) {
            kill(self.0, Signal::SIGKILL).unwrap();
        }
    }

    let spool = tempfile::tempdir().unwrap();
    let make_logger = || {
        let backend = std::env::var(crate::BACKEND).unwrap();
        let builder =
            Logger::builder().project("p").api_key(crate::KEY).app_url(backend).durable(true).sync_flush(true);
        builder.spool_dir(spool.path()).build().unwrap()
    };
    let (mut told, mut tell) = std::io::pipe().unwrap();
    // SAFETY: as above.
    match unsafe { fork() }.unwrap() {
        ForkResult::Parent { child } => {
            assert_eq!(waitpid(child, None).unwrap(), WaitStatus::Signaled(child, Signal::SIGKILL, false));
        }
        ForkResult::Child => {
            let logger = make_logger();
            logger.start_span("left on disk").start().end();
            // Nothing leaves before a flush.
            while logger.stats().spooled == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
            // SAFETY: as above.
            if let ForkResult::Child = unsafe { fork() }.unwrap() {
                // By itself: it has let go what it inherited when it gets here.
                tell.write_all(&nix::unistd::getpid().as_raw().to_ne_bytes()).unwrap();
                loop {
                    nix::unistd::pause();
                }
            }
            kill(nix::unistd::getpid(), Signal::SIGKILL).unwrap();
        }
    }
    let mut child = [0; 4];
    told.read_exact(&mut child).unwrap();
    let _lives = Killed(Pid::from_raw(i32::from_ne_bytes(child)));
    let logger = make_logger();
    logger.flush_blocking(LIMIT).unwrap();
    assert_eq!(logger.stats().recovered, 1, "{:?}", logger.stats());
}

const CHILDREN: usize = 20;

fn while_threads_record(logger: &Logger) {
    static STOP: AtomicBool = AtomicBool::new(false);
    let threads: Vec<_> = (0..3)
        .map(|_| {
            std::thread::spawn(|| {
                let mut count = 0;
                // Fewer than the queue holds, however long the machine takes to fork.
                while !STOP.load(Ordering::Relaxed) && count < 20_000 {
                    leaf(count);
                    count += 1;
                    if count % 8 == 0 {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                }
                count
            })
        })
        .collect();
    for _ in 0..CHILDREN {
        in_child(|| span("child"));
    }
    STOP.store(true, Ordering::Relaxed);
    let count: u32 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(logger.flush_blocking(LIMIT).unwrap().lost.total(), 0);
    println!("{count}");
}

/// Takes, for a moment each, the locks of what threads have in common: of loggers by number and by key, of attachments
/// that wait, of the length of a tick, and of what has been told.
fn look_around(seed: u32) {
    let headers = HashMap::from([
        ("traceparent".to_owned(), format!("00-{:032x}-{:016x}-01", seed + 1, seed + 1)),
        ("baggage".to_owned(), "braintrust.parent=project_name:elsewhere".to_owned()),
    ]);
    start_span("under headers").parent(Parent::from_headers(&headers)).start().end();
    braintrust::logger("usual").unwrap();
    for _ in 0..20 {
        drop(Event::new().input(Attachment::from_bytes("never logged")).score("beyond", 2.0));
    }
    futures::executor::block_on(items().for_each(|_| async {}));
}

#[traced]
fn items() -> impl Stream<Item = u32> {
    futures::stream::iter(0..2)
}

fn while_threads_look_around(logger: &Logger) {
    static STOP: AtomicBool = AtomicBool::new(false);
    braintrust::register("usual", Logger::builder().project("usual").api_key(crate::KEY)).unwrap();
    std::thread::scope(|threads| {
        for _ in 0..3 {
            threads.spawn(|| (0..).take_while(|_| !STOP.load(Ordering::Relaxed)).for_each(look_around));
        }
        for number in 0..3 * CHILDREN {
            in_child(|| {
                // One that hangs is killed, and found out by that.
                alarm::set(120);
                look_around(0);
                // There can be none if the machine is so busy that the exporter does not stand still.
                let _ = Logger::builder().project(format!("of child {number}")).api_key(crate::KEY).build();
                let _ = logger.flush_blocking(Duration::ZERO);
            });
        }
        STOP.store(true, Ordering::Relaxed);
    });
}
