//! Uploads that fail, hang or may not be: told, repeated where that helps, and never in the way of rows.

use std::time::{Duration, Instant};

use braintrust::{Attachment, Event, LoggerBuilder, SpanType};
use braintrust_test_backend::{Endpoint, Fault, Trouble};
use serde_json::json;

use crate::backend::{Backend, KEY};
use crate::messages::message;
use crate::{LIMIT, arrived, flushed, logger_with};

#[test]
fn an_upload_that_is_refused_is_told_and_holds_up_no_rows() {
    let backend = Backend::start();
    let logger = backend.logger("p");
    backend.fail(Fault::At(Endpoint::Upload, Trouble::Status(403)));
    logger.log(Event::new().input(Attachment::from_bytes(&b"refused"[..])));
    let error = logger.flush_blocking(LIMIT).unwrap_err();
    assert_eq!((error.report().unwrap().delivered, error.report().unwrap().attachments.lost), (1, 1), "{error}");
    for secret in [KEY, "do-not-show"] {
        assert!(!format!("{error} {error:?}").contains(secret), "{error:?}");
    }
    backend.heal();
    logger.log(Event::new().input(Attachment::from_bytes(&b"welcome"[..])));
    assert_eq!(flushed(&logger), (1, 0));
}

#[test]
fn an_upload_is_repeated_until_the_backend_is_well_again() {
    let backend = Backend::start();
    let logger = logger_with(&backend, LoggerBuilder::without_spool);
    backend.fail(Fault::At(Endpoint::Upload, Trouble::Status(503)));
    logger.log(Event::new().input(Attachment::from_bytes(&b"in the end"[..])));
    let asked = || backend.requests().iter().filter(|request| request.path == "/attachment").count();
    assert!(
        backend.wait_until(LIMIT, || logger.stats().delivered == 1 && asked() > 0),
        "rows don't wait for attachments"
    );
    let early = logger.flush_blocking(Duration::from_millis(300)).unwrap_err();
    assert!(early.is_timeout() && early.report().unwrap().attachments.queued == 1, "{early}");
    assert_eq!(early.report().unwrap().delivered, 1);
    assert!(backend.wait_until(LIMIT, || asked() >= 2), "it is not tried again");
    backend.heal();
    assert_eq!(flushed(&logger), (1, 0));
    let arrived: Vec<_> = arrived(&backend).into_values().collect();
    assert_eq!(arrived[0].data, [b"in the end"]);
}

#[test]
fn without_a_spool_data_waits_in_memory_for_a_backend_that_is_away() {
    let backend = Backend::start();
    let logger = logger_with(&backend, LoggerBuilder::without_spool);
    backend.fail(Fault::Down);
    logger.log(Event::new().input(Attachment::from_bytes(&b"patient"[..])));
    let begun = Instant::now();
    // Where the machine is busy, time runs out before the exporter has found the attachment.
    while logger.stats().attachments.queued == 0 {
        let early = logger.flush_blocking(Duration::from_millis(300)).unwrap_err();
        assert!(early.is_timeout() && begun.elapsed() < LIMIT, "{early}");
    }
    let early = logger.flush_blocking(Duration::from_millis(700)).unwrap_err();
    assert!(early.is_timeout() && early.report().unwrap().attachments.queued == 1, "{early}");
    backend.heal();
    assert_eq!(flushed(&logger), (1, 0));
    assert_eq!(arrived(&backend).into_values().next().unwrap().data, [b"patient"]);
}

/// Neither the flush during which that is found out waits for minutes, nor the next.
#[test]
fn a_flush_does_not_wait_for_uploads_where_the_server_wants_to_be_left_alone() {
    let (backend, spool) = (Backend::start(), tempfile::tempdir().unwrap());
    let logger = logger_with(&backend, |builder| builder.spool_dir(spool.path()));
    backend.fail(Fault::At(Endpoint::Upload, Trouble::Busy(300)));
    logger.log(Event::new().input(Attachment::from_bytes(&b"kept"[..])));
    for _ in 0..2 {
        let begun = Instant::now();
        let report = logger.flush_blocking(LIMIT).unwrap();
        assert!(begun.elapsed() < LIMIT);
        assert_eq!((report.attachments.spooled, report.attachments.lost), (1, 0), "{report}");
    }
}

/// Each failed attempt is followed by a wait, of twice as long as the one before, that rows with attachments do not end.
#[test]
fn attachments_do_not_hurry_a_backend_that_is_away() {
    let (backend, spool) = (Backend::start(), tempfile::tempdir().unwrap());
    let logger = logger_with(&backend, |builder| builder.num_retries(0).spool_dir(spool.path()));
    backend.fail(Fault::At(Endpoint::Rows, Trouble::Status(503)));
    let log = |number: u32| logger.log(Event::new().input(Attachment::from_bytes(number.to_be_bytes().to_vec())));
    let begun = Instant::now();
    log(0);
    // From here on nothing is under way.
    let is_away = || logger.stats().last_error.is_some_and(|error| error.contains("trying again in"));
    while !is_away() {
        assert!(begun.elapsed() < LIMIT, "{:?}", logger.stats());
        backend.wait_until(Duration::from_millis(10), || false);
    }
    let before = backend.row_requests();
    for number in 1.. {
        log(number);
        if begun.elapsed() > Duration::from_secs(3) {
            break;
        }
        backend.wait_until(Duration::from_millis(50), || false);
    }
    // A wait is at least half of what it is meant to be, which is half a second at first.
    let (requests, took) = (backend.row_requests() - before, begun.elapsed());
    let waits = (0..requests).map(|attempt| Duration::from_millis(250 << attempt));
    assert!(waits.sum::<Duration>() <= took, "{requests} more requests in {took:?}");
}

#[test]
fn what_is_too_large_is_told_and_not_uploaded() {
    let backend = Backend::start();
    let logger = logger_with(&backend, |builder| builder.max_attachment_bytes(100));
    let large = Attachment::from_bytes(vec![0; 101]).filename("large.bin");
    logger.log(Event::new().input(json!([large, Attachment::from_bytes(vec![0; 100])])));
    let error = logger.flush_blocking(LIMIT).unwrap_err();
    assert!(error.to_string().contains("`large.bin` could not be uploaded: it has 101 bytes"), "{error}");
    let counts = error.report().unwrap().attachments;
    assert_eq!((counts.delivered, counts.lost), (1, 1));
    let states: Vec<_> =
        arrived(&backend).into_values().map(|arrived| arrived.statuses[0]["upload_status"].clone()).collect();
    assert!(states.contains(&json!("done")) && states.contains(&json!("error")), "{states:?}");
    let messages = message(&"aGVsbG8g".repeat(30));
    logger.start_span("chat").kind(SpanType::Llm).input(&messages).start().end();
    assert_eq!(flushed(&logger), (0, 0));
    assert_eq!(backend.stored()[1]["input"], messages, "data that is too large stays in the message");
}

#[test]
fn rows_go_on_while_an_upload_hangs() {
    let backend = Backend::start();
    let logger = backend.logger("p");
    backend.fail(Fault::At(Endpoint::Upload, Trouble::Hang));
    logger.log(Event::new().input(Attachment::from_bytes(&b"slow"[..])));
    for round in 1..=3 {
        logger.log(Event::new().input(round));
        assert!(backend.wait_until(LIMIT, || backend.stored().len() > round), "rows wait for an upload");
    }
    backend.heal();
    assert_eq!(flushed(&logger), (1, 0));
}
