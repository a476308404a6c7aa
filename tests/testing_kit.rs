//! The test kit, as other people's tests use it.
#![cfg(feature = "testing")]

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use braintrust::testing::{self, capture, capture_blocking, capture_blocking_with_output, capture_with_output};
use braintrust::{Event, Feedback, Instrument as _, Traces, current_span, start_span, traced};
use futures::executor::block_on;
use futures::future::join_all;
use insta::assert_snapshot;
use serde_json::Value;
use tokio::task::yield_now;

#[traced]
async fn answer(question: &str) -> String {
    yield_now().await;
    let length = count(question);
    yield_now().await;
    look_up(question).await.unwrap_or_else(|_| format!("{length} letters"))
}

#[traced]
fn count(text: &str) -> usize {
    text.len()
}

#[traced(type = "tool")]
async fn look_up(key: &str) -> Result<String, String> {
    yield_now().await;
    Err(format!("no entry `{key}`"))
}

fn expected_tree(question: &str) -> String {
    let length = question.len();
    format!(
        r#"answer(function) in={{"question":"{question}"}} out="{length} letters"
├─ count(function) in={{"text":"{question}"}} out={length}
╰─ look_up(tool) in={{"key":"{question}"}} error="no entry `{question}`""#
    )
}

#[test]
fn a_capture_has_the_spans_of_its_future() {
    let traces = block_on(capture(answer("hi")));

    assert_snapshot!(traces.tree(), @r#"
    answer(function) in={"question":"hi"} out="2 letters"
    ├─ count(function) in={"text":"hi"} out=2
    ╰─ look_up(tool) in={"key":"hi"} error="no entry `hi`"
    "#);
    let span = traces.find("answer");
    assert_eq!(span.parent(), None);
    assert!(span.error().is_none());
    assert!(traces.spans().iter().all(|span| span.is_finished()));
}

#[test]
fn captures_on_many_threads_do_not_see_each_other() {
    thread::scope(|threads| {
        for thread in 0..8 {
            threads.spawn(move || {
                for round in 0..25 {
                    let question = format!("{thread}-{round}");
                    let traces = block_on(capture(answer(&question)));
                    assert_eq!(traces.tree().to_string(), expected_tree(&question));
                }
            });
        }
    });
}

#[tokio::test]
async fn captures_that_take_turns_on_one_thread_do_not_see_each_other() {
    let questions: Vec<_> = (0..50).map(|n| format!("question {n}")).collect();

    let captures = join_all(questions.iter().map(|question| capture(answer(question)))).await;

    for (question, traces) in questions.iter().zip(captures) {
        assert_eq!(traces.tree().to_string(), expected_tree(question));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn captures_move_between_threads_with_their_tasks() {
    let tasks = (0..50).map(|n| {
        let question = format!("question {n}");
        tokio::spawn(async move { (capture(answer(&question)).await, question) })
    });
    for task in join_all(tasks).await {
        let (traces, question) = task.unwrap();
        assert_eq!(traces.tree().to_string(), expected_tree(&question));
    }
}

#[tokio::test]
async fn work_that_is_handed_to_a_task_is_captured_with_its_context() {
    let traces = capture(async {
        let span = start_span("job").start();
        span.run(async { tokio::spawn(answer("hi").in_current_span()).await.unwrap() }).await
    })
    .await;

    assert_eq!(traces.find("answer").parent(), Some(traces.find("job")));
}

#[test]
fn a_capture_within_a_capture_keeps_its_spans_to_itself() {
    let (inner, outer) = capture_blocking_with_output(|| {
        let _span = start_span("outer").start().enter();
        let inner = capture_blocking(|| count("inner"));
        count("outer");
        inner
    });

    assert_snapshot!(inner.tree(), @r#"count(function) in={"text":"inner"} out=5"#);
    assert_eq!(outer.find("count").input().unwrap()["text"], "outer");
    assert_eq!(outer.len(), 2);
}

#[test]
fn nothing_is_traced_before_and_after_a_capture() {
    assert!(start_span("before").start().is_noop());
    let (was_live, _) = capture_blocking_with_output(|| !start_span("within").start().is_noop());
    assert!(was_live);
    assert!(current_span().is_noop());
    assert!(start_span("after").start().is_noop());
}

#[tokio::test]
async fn the_value_comes_back_beside_the_traces() {
    let (value, traces) = capture_with_output(answer("four")).await;
    assert_eq!(value, "4 letters");
    assert_eq!(traces.len(), 3);
}

#[test]
fn a_span_that_is_still_open_is_captured_as_far_as_it_is() {
    let (span, traces) = capture_blocking_with_output(|| start_span("open").input(1).start());
    assert_snapshot!(traces.tree(), @"open(task) unfinished in=1");
    span.end();
}

#[test]
fn a_panic_in_a_capture_goes_on_to_the_test() {
    let outcome = std::panic::catch_unwind(|| capture_blocking(|| panic!("as the test wants it")));
    assert_eq!(*outcome.unwrap_err().downcast::<&str>().unwrap(), "as the test wants it");
}

#[test]
fn a_memory_logger_gives_its_rows_at_each_flush() {
    let (logger, rows) = testing::memory_logger();
    let span = logger.start_span("job").start();
    logger.flush_blocking(Duration::from_secs(60)).unwrap();
    assert_eq!(rows.rows().len(), 1);
    assert!(!rows.traces().find("job").is_finished());

    span.end();
    logger.flush_blocking(Duration::from_secs(60)).unwrap();
    assert_eq!(rows.rows().len(), 2);
    assert!(rows.traces().find("job").is_finished());
}

#[test]
fn what_is_said_of_a_span_is_no_span() {
    let (logger, rows) = testing::memory_logger();
    let id = logger.log(Event::new().output("pong"));
    logger.log_feedback(&id, Feedback::new().score("rating", 1.0).comment("nice").tag("seen")).unwrap();
    logger.log_feedback(&id, Feedback::new().comment("a\nlot")).unwrap();
    logger.update_span("elsewhere", Event::new().expected("pang")).unwrap();
    logger.flush_blocking(Duration::from_secs(60)).unwrap();
    let traces = rows.traces();

    assert_snapshot!(traces.tree(), @r#"root(task) out="pong" scores={"rating":1.0} comment="nice" comment="a\nlot""#);
    assert_eq!((traces.len(), traces.roots().len()), (1, 1));
    let span = traces.find("root");
    assert_eq!(span.comments(), ["nice", "a\nlot"]);
    assert_eq!((span.tags(), span.scores().unwrap()["rating"].as_f64()), (vec!["seen"], Some(1.0)));

    // All rows are written, and read again as what they are.
    let mut lines = Vec::new();
    traces.write_jsonl(&mut lines).unwrap();
    let written: Vec<Value> =
        lines.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let ids: BTreeSet<_> = rows.rows().iter().map(|row| row["id"].to_string()).collect();
    assert_eq!(written.iter().map(|row| row["id"].to_string()).collect::<BTreeSet<_>>(), ids);
    assert_eq!(written.len(), 4);
    assert_eq!(Traces::from_rows(written).tree().to_string(), traces.tree().to_string());
}
