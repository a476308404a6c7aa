//! Several keys and backends in one process: no row leaves under another's key, and no project waits for another.

mod backend;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use backend::{Backend, KEY};
use braintrust::{Logger, Parent, SpanType, start_span};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn rows_of_two_keys_never_share_a_request() {
    let backend = Backend::start();
    let logger = |tenant: &str| backend.builder(tenant).api_key(format!("{KEY}-{tenant}")).build().unwrap();
    let tenants = ["north", "south", "east"];
    let loggers = tenants.map(logger);
    for round in 0..200 {
        for (logger, tenant) in loggers.iter().zip(tenants) {
            logger.start_span(tenant).input(round).start().end();
        }
    }
    for logger in &loggers {
        assert_eq!(logger.flush_blocking(LIMIT).unwrap().lost.total(), 0);
    }
    // A span may come in two rows, of which the first has its name.
    let mut seen = HashMap::new();
    for request in backend.requests().iter().filter(|request| request.path == "/logs3") {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let key = request.headers["authorization"].to_str().unwrap();
        for row in body["rows"].as_array().unwrap() {
            let id = row["id"].as_str().unwrap().to_owned();
            let name = row["span_attributes"]["name"].as_str().map(str::to_owned);
            let tenant = seen.entry(id).or_insert_with(|| name.unwrap());
            assert_eq!(key, format!("Bearer {KEY}-{tenant}"));
        }
    }
    assert_eq!(seen.len(), 600);
}

#[test]
fn a_project_whose_backend_is_away_holds_up_no_other() {
    let backend = Backend::start();
    let nowhere =
        Logger::builder().project("away").api_key(KEY).app_url("http://127.0.0.1:9").without_spool().build().unwrap();
    let unknown = backend.builder("p").org_name("nobody").build().unwrap();
    let healthy = backend.logger("here");
    for logger in [&nowhere, &unknown, &healthy] {
        logger.start_span("call").start().end();
    }
    let begun = Instant::now();
    assert_eq!(healthy.flush_blocking(LIMIT).unwrap().delivered, 1);
    assert!(begun.elapsed() < LIMIT, "waited for another project");

    // The flush of the other has made rows of all.
    let away = nowhere.flush_blocking(Duration::from_millis(300)).unwrap_err();
    assert!(away.is_timeout() && away.report().unwrap().queued == 1, "{away}");
    let refused = unknown.flush_blocking(LIMIT).unwrap_err();
    assert!(refused.to_string().contains("Organization nobody not found. Must be one of acme"), "{refused}");
    assert!(!refused.to_string().contains(KEY) && !format!("{refused:?}{unknown:?}").contains(KEY));
}

#[test]
fn links_lead_to_the_row() {
    let backend = Backend::start();
    let logger = backend.logger("My Project");
    let span = logger.start_span("call").start();
    assert_eq!(span.link(), "https://www.braintrust.dev/error-generating-link?msg=login-or-provide-org-name");
    logger.flush_blocking(LIMIT).unwrap();
    let page =
        format!("{}/app/acme/object?object_type=project_logs&object_id=project-1&id={}", backend.url(), span.id());
    assert_eq!(span.link(), page, "known since the login");
    logger.install();
    assert_eq!(futures::executor::block_on(braintrust::permalink(&span.export())).unwrap(), page);
    let refused = futures::executor::block_on(braintrust::permalink("nonsense")).unwrap_err();
    assert!(refused.is_slug(), "{refused}");
    span.end();
    logger.flush_blocking(LIMIT).unwrap();
    assert_eq!(braintrust::Span::noop().link(), "https://www.braintrust.dev/noop-span");
}

#[test]
fn a_span_names_its_parents() {
    let backend = Backend::start();
    let logger = backend.logger("p");
    let (left, right) = (logger.start_span("left").start(), logger.start_span("right").kind(SpanType::Tool).start());
    let merge = logger.start_span("merge").parent(Parent::spans([&left, &right])).start();
    assert_eq!(merge.parents(), Some(vec![left.span_id(), right.span_id()]));
    assert_eq!(merge.root_span_id(), left.root_span_id());
    assert_eq!(left.parents(), Some(Vec::new()));
    let remote = logger.start_span("remote").parent(left.export()).start();
    assert_eq!(remote.parents(), Some(vec![left.span_id()]));
    merge.in_scope(|| assert_eq!(braintrust::current_span().parents(), None, "a reference does not know"));
    drop((left, right, merge, remote));
    logger.flush_blocking(LIMIT).unwrap();
    let rows = backend.rows();
    let merge = rows.iter().find(|row| row["span_attributes"]["name"] == "merge").unwrap();
    assert_eq!(merge["span_parents"].as_array().unwrap().len(), 2);
}

/// Other tracing in the process is neither a parent nor told of our spans.
#[test]
fn other_tracing_is_left_alone() {
    let backend = Backend::start();
    let logger = backend.logger("p");
    tracing::info_span!("theirs").in_scope(|| {
        logger.in_scope(|| {
            let span = start_span("ours").start();
            assert_eq!(span.parents(), Some(Vec::new()));
            span.in_scope(|| assert!(tracing::Span::current().is_none(), "no subscriber, so no span of theirs"));
        });
    });
    assert_eq!(logger.flush_blocking(LIMIT).unwrap().delivered, 1);
}
