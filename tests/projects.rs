//! Several projects in one process: each sees its own tree, whatever is around it.

use std::time::Duration;

use braintrust::testing::memory_logger;
use braintrust::{Event, Feedback, Logger, Span, SpanType, Traces, current_span, start_span, traced};
use serde_json::{Value, json};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(60);

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn a_project_looks_through_the_spans_of_others_for_its_own() {
    let [(a, a_rows), (b, b_rows)] = [memory_logger(), memory_logger()];
    a.start_span("a1").start().in_scope(|| {
        b.start_span("b1").start().in_scope(|| {
            a.start_span("a2").start().in_scope(|| {
                start_span("a3").start().in_scope(|| b.start_span("b2").start().end());
            });
        });
    });
    a.flush_blocking(LIMIT).unwrap();
    b.flush_blocking(LIMIT).unwrap();
    let (a, b) = (a_rows.traces(), b_rows.traces());
    assert_eq!(a.find("a2").parent(), Some(a.find("a1")));
    assert_eq!(a.find("a3").parent(), Some(a.find("a2")));
    assert_eq!(b.find("b2").parent(), Some(b.find("b1")));
    assert_eq!((a.len(), b.len()), (3, 2));
    assert_ne!(a.find("a1").root_span_id(), b.find("b1").root_span_id());
}

#[traced(project = "support")]
fn triage(ticket: u32) -> u32 {
    help(ticket)
}

#[traced(project = "billing")]
fn help(ticket: u32) -> u32 {
    escalate(ticket)
}

#[traced(project = "support")]
fn escalate(ticket: u32) -> u32 {
    ticket
}

#[traced(project = "nobody knows this")]
fn unknown() {
    assert!(!current_span().is_noop());
}

#[test]
fn projects_by_key() {
    let (support, billing) = (folder(), folder());
    let register = |key: &str, folder: &TempDir| {
        braintrust::register(key, Logger::builder().project(key).local_folder(folder.path()))
    };
    register("support", &support).unwrap();
    register("billing", &billing).unwrap();
    triage(1);
    for key in ["support", "billing"] {
        braintrust::logger(key).unwrap().flush_blocking(LIMIT).unwrap();
    }
    let read = |folder: &TempDir| braintrust::local::read(folder.path()).unwrap();
    let (support_traces, billing_traces): (Traces, Traces) = (read(&support), read(&billing));
    assert_eq!(support_traces.find("escalate").parent(), Some(support_traces.find("triage")));
    assert_eq!((support_traces.len(), billing_traces.len()), (2, 1));
    assert_eq!(billing_traces.find("help").parent(), None);

    let taken = register("support", &support).unwrap_err().to_string();
    assert!(taken.contains("`support` is registered already"), "{taken}");
    let missing = braintrust::logger("sales").unwrap_err().to_string();
    assert!(missing.contains("`sales`") && missing.contains("`billing`, `support`"), "{missing}");
    assert!(!missing.contains("did you mean"), "{missing}");
    let misspelt = braintrust::logger("suport").unwrap_err();
    assert!(misspelt.is_config() && misspelt.to_string().contains("did you mean `support`?"), "{misspelt}");

    let (logger, rows) = memory_logger();
    logger.in_scope(unknown);
    logger.flush_blocking(LIMIT).unwrap();
    assert_eq!(rows.traces().len(), 1, "an unknown key means as usual");
}

/// What two loggers have in common is said once.
#[test]
fn a_builder_can_be_cloned() {
    let folder = folder();
    let common = Logger::builder().local_folder(folder.path()).org_name("acme").max_generator_items(1_000);
    for project in ["north", "south"] {
        let logger = common.clone().project(project).build().unwrap();
        logger.log(Event::new().output(project));
        logger.flush_blocking(LIMIT).unwrap();
    }
    let traces = braintrust::local::read(folder.path()).unwrap();
    let projects: Vec<_> = traces.spans().iter().map(|span| span.row()["project_name"].clone()).collect();
    assert_eq!(projects, ["north", "south"]);
}

#[test]
fn a_row_that_stays_here_has_no_link() {
    let folder = folder();
    // Neither a login nor the name of the organisation would help.
    for builder in [Logger::builder(), Logger::builder().org_name("acme")] {
        let logger = builder.project("p").local_folder(folder.path()).build().unwrap();
        let link = logger.start_span("call").start().link();
        assert_eq!(link, "https://www.braintrust.dev/error-generating-link?msg=rows-are-kept-locally");
        logger.flush_blocking(LIMIT).unwrap();
    }
}

#[test]
fn an_update_never_overtakes_the_row_that_it_is_about() {
    let (logger, rows) = memory_logger();
    let span = logger.start_span("answer").kind(SpanType::Task).input("q").start();
    // Still open, and not sent: the update must wait for the start, or the start would wipe it out.
    logger.update_span(&span.id(), Event::new().expected("late")).unwrap();
    span.log(Event::new().output("a"));
    logger.update_span(&span.id(), Event::new().metadata("reviewed", true)).unwrap();
    logger.flush_blocking(LIMIT).unwrap();
    span.end();
    logger.update_span(&span.id(), Event::new().score("ok", 1.0)).unwrap();
    logger.flush_blocking(LIMIT).unwrap();
    let traces = rows.traces();
    let row = traces.find("answer");
    assert_eq!(
        (row.input(), row.output(), row.expected()),
        (Some(&json!("q")), Some(&json!("a")), Some(&json!("late")))
    );
    assert_eq!(row.metadata().unwrap()["reviewed"], true);
    assert_eq!(row.scores().unwrap()["ok"], 1.0);
    assert!(row.is_finished());
    assert_eq!(rows.rows()[0].get("_is_merge"), None, "{:?}", rows.rows());
}

#[test]
fn an_update_of_a_row_from_elsewhere_names_only_what_it_was_given() {
    let (logger, rows) = memory_logger();
    logger.update_span("custom-id-1", Event::new().output("late")).unwrap();
    logger.flush_blocking(LIMIT).unwrap();
    let expected = json!({
        "id": "custom-id-1", "output": "late", "_is_merge": true, "project_name": rows.rows()[0]["project_name"],
        "log_id": "g",
    });
    assert_eq!(rows.rows(), [expected]);
}

#[test]
fn what_is_said_of_a_span_that_was_not_recorded_goes_nowhere() {
    let (logger, rows) = memory_logger();
    let nothing = Span::noop();
    logger.update_span(&nothing.id(), Event::new().output("late")).unwrap();
    logger.log_feedback(&nothing.id(), Feedback::new().score("user_rating", 1.0).comment("nice")).unwrap();
    braintrust::update_span(&nothing.export(), Event::new().output("late")).unwrap();
    logger.flush_blocking(LIMIT).unwrap();
    assert_eq!(rows.rows(), Vec::<serde_json::Value>::new());
}

#[test]
fn a_slug_is_no_row_id() {
    let (logger, rows) = memory_logger();
    let slug = logger.start_span("answer").start().export();
    let update = logger.update_span(&slug, Event::new().output("late")).unwrap_err();
    let feedback = logger.log_feedback(&slug, Feedback::new().tag("seen")).unwrap_err();
    for error in [update, feedback] {
        assert!(error.is_argument() && error.to_string().contains("was given a slug"), "{error}");
    }
    logger.flush_blocking(LIMIT).unwrap();
    assert_eq!(rows.rows().len(), 1, "the span alone: {:?}", rows.rows());
}

#[test]
fn feedback_is_an_update_and_a_comment_a_row_of_its_own() {
    let (logger, rows) = memory_logger();
    let feedback = Feedback::new().score("user_rating", 0.5).comment("nice").metadata("user", 7);
    logger.log_feedback("row-1", feedback).unwrap();
    logger.flush_blocking(LIMIT).unwrap();
    let rows = rows.rows();
    let (updates, comments): (Vec<&Value>, Vec<&Value>) = rows.iter().partition(|row| row["id"] == "row-1");
    assert_eq!(updates[0]["scores"], json!({"user_rating": 0.5}));
    assert_eq!(updates[0]["_is_merge"], true);
    assert_eq!(comments[0]["origin"], json!({"id": "row-1"}));
    assert_eq!(comments[0]["comment"], json!({"text": "nice"}));
    assert!(comments[0].get("_is_merge").is_none() && comments[0]["created"].is_string());
    for row in [updates[0], comments[0]] {
        assert_eq!((&row["_audit_source"], &row["_audit_metadata"]), (&json!("external"), &json!({"user": 7})));
        assert!(row.get("span_id").is_none() && row.get("metadata").is_none());
    }
    assert_eq!((updates.len(), comments.len()), (1, 1));
    let nothing = logger.log_feedback("row-1", Feedback::new()).unwrap_err().to_string();
    assert_eq!(nothing, "At least one of scores, expected, tags, or comment must be specified");
}
