//! What a flush says of rows that could not be delivered: which of it is an error, of what kind, and where the rows are.

mod backend;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use backend::Backend;
use braintrust::{Event, Logger, LoggerBuilder, LossReason, MaskedField};
use braintrust_test_backend::{Endpoint, Fault, Trouble};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);

fn builder(backend: &Backend) -> LoggerBuilder {
    backend.builder("p").num_retries(0)
}

fn logger_with_spool(backend: &Backend, spool: &Path) -> Logger {
    builder(backend).spool_dir(spool).build().unwrap()
}

#[test]
fn what_braintrust_refuses_is_an_error_that_names_the_folder() {
    let refusals = [(Endpoint::Login, 401), (Endpoint::Rows, 401), (Endpoint::Rows, 400)];
    for (endpoint, status) in refusals {
        let (backend, spool) = (Backend::start(), tempfile::tempdir().unwrap());
        backend.fail(Fault::At(endpoint, Trouble::Status(status)));
        let logger = logger_with_spool(&backend, spool.path());
        logger.log(Event::new().output("kept"));
        let error = logger.flush_blocking(LIMIT).unwrap_err();
        assert!(error.is_backend() && !error.is_timeout() && !error.is_config(), "{error}");
        let report = error.report().unwrap();
        assert_eq!((report.spooled, report.lost.total()), (1, 0), "{error}");
        assert!(error.to_string().contains(&format!("in {}", spool.path().display())), "{error}");
        assert!(format!("{error:?}").contains("lost: {}"), "{error:?}");
    }
}

#[test]
fn a_backend_in_trouble_is_no_error_while_rows_can_wait_on_disk() {
    for fault in [Fault::At(Endpoint::Login, Trouble::Status(500)), Fault::Down] {
        let (backend, spool) = (Backend::start(), tempfile::tempdir().unwrap());
        backend.fail(fault);
        let logger = logger_with_spool(&backend, spool.path());
        logger.log(Event::new().output("kept"));
        let report = logger.flush_blocking(LIMIT).unwrap();
        assert_eq!((report.delivered, report.spooled, report.lost.total()), (0, 1, 0), "{report}");
        assert!(logger.stats().last_error.is_some());

        // What is reset while the backend comes back is no error either, and tried again.
        backend.heal();
        let sent = || logger.flush_blocking(LIMIT).unwrap().delivered == 1;
        assert!(backend.wait_until(LIMIT, sent), "{:?}", logger.stats());
    }
}

#[test]
fn a_refusal_without_a_disk_is_a_loss_and_a_silence_a_timeout() {
    let backend = Backend::start();
    backend.fail(Fault::At(Endpoint::Rows, Trouble::Status(400)));
    let logger = builder(&backend).without_spool().build().unwrap();
    logger.log(Event::new().output("lost"));
    let refused = logger.flush_blocking(LIMIT).unwrap_err();
    assert!(refused.is_backend() && !refused.is_timeout(), "{refused}");
    assert_eq!(refused.report().unwrap().lost.count(LossReason::Rejected), 1);
    assert!(format!("{refused:?}").contains("lost: {Rejected: 1}"), "{refused:?}");

    backend.fail(Fault::Down);
    logger.log(Event::new().output("waits"));
    let begun = Instant::now();
    // Where the machine is busy, time runs out before the exporter has made a row of it.
    while logger.stats().queued == 0 {
        let late = logger.flush_blocking(Duration::from_millis(300)).unwrap_err();
        assert!(late.is_timeout() && begun.elapsed() < LIMIT, "{late}");
    }
    let late = logger.flush_blocking(Duration::from_millis(300)).unwrap_err();
    assert!(late.is_timeout() && !late.is_backend(), "{late}");
    assert_eq!(late.report().unwrap().queued, 1);
}

/// Rows of the logger's own project come all the while, so there is always something to send.
#[test]
fn a_flush_does_not_wait_for_a_project_that_cannot_be_had_for_now() {
    let [spool, elsewhere] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let backend = Backend::start();
    let logger = logger_with_spool(&backend, spool.path());
    logger.log(Event::new().output("its own project is known from here on"));
    assert_eq!(logger.flush_blocking(LIMIT).unwrap().delivered, 1);

    let other = Logger::builder().project("elsewhere").local_folder(elsewhere.path()).build().unwrap();
    let parent = other.start_span("caller").start().export();
    backend.fail(Fault::At(Endpoint::Register, Trouble::Status(503)));
    // Longer than a tick of the exporter's: before one row has arrived there is another.
    backend.fail(Fault::At(Endpoint::Rows, Trouble::Slow(Duration::from_secs(1))));
    let is_over = AtomicBool::new(false);
    let flushed = thread::scope(|scope| {
        scope.spawn(|| {
            while !backend.wait_until(Duration::from_millis(10), || is_over.load(Ordering::Relaxed)) {
                logger.log(Event::new().output("there is more"));
            }
        });
        logger.start_span("callee").parent(parent).start().end();
        let flushed = [(); 2].map(|()| {
            // The flush has something to wait for, and while it does more comes. For the second, the callee is on disk.
            logger.log(Event::new().output("there is some"));
            let begun = Instant::now();
            (logger.flush_blocking(LIMIT), begun.elapsed())
        });
        is_over.store(true, Ordering::Relaxed);
        flushed
    });
    for (report, took) in flushed {
        let report = report.unwrap();
        assert!(took < LIMIT, "{took:?}");
        assert_eq!((report.spooled, report.lost.total()), (1, 0), "it is told that one row waits: {report}");
    }
    let last_error = logger.stats().last_error.unwrap();
    assert!(last_error.contains("/api/project/register: HTTP 503"), "and why: {last_error}");

    backend.heal();
    let has_arrived = || {
        logger.flush_blocking(LIMIT).unwrap();
        backend.stored().iter().any(|row| row["span_attributes"]["name"] == "callee")
    };
    assert!(backend.wait_until(LIMIT, has_arrived), "{:?}", logger.stats());
}

/// A mask runs on the thread that sends spans.
#[test]
fn a_flush_in_a_mask_does_not_wait_for_itself() {
    let backend = Backend::start();
    let inner = backend.logger("inner");
    let (tell, told) = mpsc::channel();
    let mask = move |_: MaskedField, _: &mut Value| tell.send(inner.flush_blocking(LIMIT)).unwrap();
    let logger = builder(&backend).without_spool().mask(mask).build().unwrap();
    logger.log(Event::new().output("masked"));
    assert_eq!(logger.flush_blocking(LIMIT).unwrap().delivered, 1);
    let error = told.recv().unwrap().unwrap_err();
    assert!(error.is_config() && error.to_string().contains("it would wait for itself"), "{error}");
}

/// The file of rows in a spool that has one, whatever else lies beside it.
fn rows_file(spool: &Path) -> PathBuf {
    let entries = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut files = entries(spool).flat_map(|folder| entries(&folder).collect::<Vec<_>>());
    files.find(|file| file.extension().is_some_and(|extension| extension == "rows")).unwrap()
}

/// What a crash of the machine has left may be anything; there is nothing in it to wait for.
#[test]
fn a_flush_does_not_wait_for_a_spool_of_damage() {
    let (backend, spool) = (Backend::start(), tempfile::tempdir().unwrap());
    backend.fail(Fault::Down);
    let first = logger_with_spool(&backend, spool.path());
    first.log(Event::new().output("makes the folder"));
    assert_eq!(first.flush_blocking(LIMIT).unwrap().spooled, 1);
    backend.heal();
    let folder = rows_file(spool.path()).parent().unwrap().to_owned();
    std::fs::write(folder.join("0000000000000000-0000000000000000-0000000000000000.rows"), [7; 1000]).unwrap();
    let second = logger_with_spool(&backend, spool.path());
    let begun = Instant::now();
    assert_eq!(second.flush_blocking(LIMIT).unwrap().lost.total(), 0);
    assert!(begun.elapsed() < LIMIT);
}

/// Of several rows that are refused at once, only those are lost that there is no place for.
#[test]
fn what_is_refused_is_kept_as_far_as_there_is_room() {
    let [spool, elsewhere] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let backend = Backend::start();
    let logger = builder(&backend).spool_dir(spool.path()).spool_bytes(20_000).build().unwrap();
    logger.log(Event::new().output("its own project is known from here on"));
    assert_eq!(logger.flush_blocking(LIMIT).unwrap().delivered, 1);
    let other = Logger::builder().project("elsewhere").local_folder(elsewhere.path()).build().unwrap();
    let parent = other.start_span("caller").start().export();
    backend.fail(Fault::At(Endpoint::Register, Trouble::Status(403)));
    for size in [10, 100_000, 10] {
        logger.start_span("callee").parent(parent.clone()).start().log(Event::new().output("x".repeat(size)));
    }
    let error = logger.flush_blocking(LIMIT).unwrap_err();
    let report = error.report().unwrap();
    assert_eq!((report.spooled, report.lost.count(LossReason::Rejected)), (2, 1), "{error}");
}

/// Files may be damaged, or cut, while the program runs: it says what is gone.
#[test]
fn rows_that_cannot_be_read_back_are_counted_as_lost() {
    let (backend, spool) = (Backend::start(), tempfile::tempdir().unwrap());
    backend.fail(Fault::Down);
    let logger = logger_with_spool(&backend, spool.path());
    (0..10).for_each(|number| drop(logger.log(Event::new().output(number))));
    assert_eq!(logger.flush_blocking(LIMIT).unwrap().spooled, 10);
    let file = std::fs::File::options().write(true).open(rows_file(spool.path())).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    backend.heal();
    let is_over = || {
        let _ = logger.flush_blocking(LIMIT);
        logger.stats().spooled == 0
    };
    assert!(backend.wait_until(LIMIT, is_over), "{:?}", logger.stats());
    let stats = logger.stats();
    assert_eq!((stats.delivered + stats.lost.count(LossReason::Disk), stats.queued), (10, 0), "{stats:?}");
    assert_eq!(backend.rows().len() as u64, stats.delivered);
    assert!((1..10).contains(&stats.delivered), "{stats:?}");
}

/// A server that wants to be left alone for minutes is left alone from then on, not after so many more attempts.
#[test]
fn a_flush_does_not_wait_for_a_server_that_wants_to_be_left_alone() {
    for endpoint in [Endpoint::Login, Endpoint::Register, Endpoint::Rows] {
        let (backend, spool) = (Backend::start(), tempfile::tempdir().unwrap());
        backend.fail(Fault::At(endpoint, Trouble::Busy(300)));
        let logger = builder(&backend).num_retries(3).spool_dir(spool.path()).build().unwrap();
        logger.log(Event::new().output("kept"));
        let begun = Instant::now();
        let report = logger.flush_blocking(LIMIT).unwrap();
        assert!(begun.elapsed() < LIMIT, "{endpoint:?}");
        assert_eq!((report.spooled, report.lost.total()), (1, 0), "{report}");
    }
}
