//! Streams through any client: when they end, what they had brought by then, and that they are passed on untouched.

use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use braintrust::llm::{Endpoint, WireApi};
use braintrust::testing::{capture, capture_blocking, memory_logger};
use braintrust::{current_span, llm, start_span};
use bytes::Bytes;
use futures::executor::block_on;
use futures::stream::{self, Stream, StreamExt as _};
use serde_json::{Value, json};

use super::{LIMIT, begin, merged};

fn chunk(text: &str) -> Value {
    json!({"model": "m-1", "choices": [{"index": 0, "delta": {"content": text}}]})
}

fn last() -> Value {
    json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 2, "completion_tokens": 3}})
}

fn request() -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": true})
}

type Item = Result<Value, io::Error>;

#[test]
fn the_first_token_is_the_first_that_was_generated() {
    const PAUSE: Duration = Duration::from_millis(40);
    let (logger, rows) = memory_logger();
    let mut call = begin(&logger, &Endpoint::new("acme", WireApi::ChatCompletions), &request().to_string());
    call.respond(200, Some("text/event-stream"));
    let role = json!({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]});
    for event in [role, chunk("a"), chunk("b")] {
        std::thread::sleep(PAUSE);
        call.chunk(&format!("data: {event}\n\n").into());
    }
    call.finish();
    logger.flush_blocking(LIMIT).unwrap();
    let metrics = &merged(&rows)[0]["metrics"];
    let number = |key: &str| metrics[key].as_f64().unwrap();
    let (first, all) = (number("time_to_first_token"), number("end") - number("start"));
    assert!(first >= 2.0 * PAUSE.as_secs_f64(), "{first}: not at the chunk that only names the role");
    assert!(first + PAUSE.as_secs_f64() <= all + 0.001, "{first} of {all}: not at a later token");
}

#[test]
fn a_stream_that_was_read_to_its_last_event_was_not_abandoned() {
    let (logger, rows) = memory_logger();
    for (events, error) in [(vec![chunk("a"), last()], false), (vec![chunk("a")], true)] {
        let mut call = begin(&logger, &Endpoint::new("acme", WireApi::ChatCompletions), &request().to_string());
        call.respond(200, Some("text/event-stream"));
        events.iter().for_each(|event| call.chunk(&format!("data: {event}\n\n").into()));
        drop(call);
        logger.flush_blocking(LIMIT).unwrap();
        let row = merged(&rows).pop().unwrap();
        assert_eq!(row["error"].is_string(), error, "{row}");
        assert_eq!(row["output"][0]["message"]["content"], "a");
    }
}

#[test]
fn a_retry_begins_the_response_anew() {
    let (logger, rows) = memory_logger();
    let mut call = begin(&logger, &Endpoint::new("acme", WireApi::ChatCompletions), &request().to_string());
    call.respond(500, Some("text/plain"));
    call.chunk(&Bytes::from_static(b"oops"));
    call.respond(200, Some("application/json"));
    call.chunk(&Bytes::from_static(br#"{"choices":[{"message":{"content":"ok"}}]}"#));
    call.finish();
    logger.flush_blocking(LIMIT).unwrap();
    let row = &merged(&rows)[0];
    assert_eq!((row.get("error"), &row["output"][0]["message"]["content"]), (None, &json!("ok")));
}

#[test]
fn an_answer_of_any_client_is_read() {
    let traces = capture_blocking(|| {
        let task = start_span("task").start();
        let answered: Result<Value, io::Error> = task.in_scope(|| {
            let call = llm("anthropic").name("ask").request(&json!({"model": "claude", "messages": [], "max_tokens": 3}));
            block_on(call.run(async {
                assert_eq!(current_span().span_id().len(), 16, "the span is current");
                Ok(json!({"role": "assistant", "model": "claude-1", "content": [], "usage": {"input_tokens": 1, "output_tokens": 2}}))
            }))
        });
        assert_eq!(answered.unwrap()["model"], "claude-1", "the answer comes back as it was");
        let failed = llm("openai")
            .request(&request())
            .run(async { Err::<Value, _>(io::Error::other("no route: https://h/p?key=s3cret")) });
        block_on(failed).unwrap_err();
    });
    let call = traces.find("ask");
    assert_eq!(call.parent(), Some(traces.find("task")));
    assert_eq!((call.kind(), call.metric("tokens")), (Some("llm"), Some(3.0)));
    assert_eq!(call.metadata().unwrap()["model"], "claude-1");
    assert_eq!(call.context().unwrap()["caller_filename"], file!());
    let failed = traces.find("Chat Completion");
    assert_eq!(failed.error().as_deref(), Some("no route: https://h/p?..."));
    assert_eq!(failed.input().unwrap()[0]["content"], "hi");
}

#[test]
fn answers_that_are_not_serialisable_can_be_shown() {
    struct Opaque(&'static str);
    let traces = capture_blocking(|| {
        let call = llm("acme").request(&request());
        let answer =
            call.run_as(async { Ok::<_, io::Error>(Opaque("hey")) }, |answer| json!({"choices": [{"text": answer.0}]}));
        assert_eq!(block_on(answer).unwrap().0, "hey");
        let texts = stream::iter(["Hel", "lo"].map(Ok::<_, io::Error>));
        assert_eq!(block_on(llm("acme").name("texts").request(&request()).stream(texts).count()), 2);
    });
    assert_eq!(traces.find("Chat Completion").output().unwrap(), &json!([{"text": "hey"}]));
    assert_eq!(traces.find("texts").output().unwrap(), "Hello");
}

#[test]
fn a_stream_of_any_client_is_passed_through_item_by_item() {
    static POLLS: AtomicUsize = AtomicUsize::new(0);
    let traces = capture_blocking(|| {
        let items = [chunk("Hel"), chunk("lo"), last()];
        let source = stream::iter(items.clone()).map(|item| {
            POLLS.fetch_add(1, Ordering::Relaxed);
            assert!(!current_span().is_noop(), "the span is current");
            Item::Ok(item)
        });
        let mut passed = pin!(llm("acme").request(&request()).stream(source));
        assert_eq!(passed.size_hint(), (3, Some(3)));
        for (number, item) in items.iter().enumerate() {
            assert_eq!(POLLS.load(Ordering::Relaxed), number, "nothing is taken before it is asked for");
            assert_eq!(&block_on(passed.next()).unwrap().unwrap(), item);
        }
        assert!(block_on(passed.next()).is_none());
        assert!(current_span().is_noop());
    });
    let call = traces.find("Chat Completion");
    assert_eq!(call.output().unwrap()[0]["message"]["content"], "Hello");
    assert_eq!((call.metric("tokens"), call.error()), (Some(5.0), None));
    assert!(call.metric("time_to_first_token").is_some());
}

#[test]
fn a_stream_ends_its_span_on_an_error_and_when_it_is_dropped() {
    let traces = capture_blocking(|| {
        let failing = stream::iter([Ok(chunk("a")), Err(io::Error::other("reset")), Ok(chunk("b"))]);
        assert_eq!(
            block_on(llm("acme").name("failing").request(&request()).stream(failing).count()),
            3,
            "passed on to the end"
        );

        let mut dropped = Box::pin(
            llm("acme")
                .name("dropped")
                .request(&request())
                .stream(stream::iter([Item::Ok(chunk("a")), Ok(chunk("b"))])),
        );
        assert!(block_on(dropped.next()).is_some());
        drop(dropped);

        let never: stream::Pending<Item> = stream::pending();
        let mut pending = Box::pin(llm("acme").name("pending").request(&request()).stream(never));
        let mut task = Context::from_waker(std::task::Waker::noop());
        assert!(matches!(pending.as_mut().poll_next(&mut task), Poll::Pending));
    });
    for (name, error) in [("failing", "reset"), ("dropped", "cancelled"), ("pending", "cancelled")] {
        let span = traces.find(name);
        assert!(span.error().unwrap().starts_with(error), "{name}: {:?}", span.error());
        let text = span.output().map(|output| &output[0]["message"]["content"]);
        assert_eq!(text, (name != "pending").then_some(&json!("a")), "{name}: what had come by then");
        assert!(span.metric("end").is_some());
    }
}

#[tokio::test]
async fn calls_that_share_a_client_each_have_their_own_parent() {
    const CALLS: usize = 1000;
    let traces = capture(async {
        let calls = (0..CALLS).map(|number| {
            let caller = start_span(format!("caller {number}")).start();
            caller.run(async move {
                let source = stream::iter(0..4).then(move |at| async move {
                    tokio::task::yield_now().await;
                    Item::Ok(chunk(&format!("{number}.{at} ")))
                });
                let passed = llm("acme").name(format!("call {number}")).request(&request()).stream(source);
                // A third is dropped halfway.
                let taken = if number % 3 == 0 { 2 } else { usize::MAX };
                pin!(passed).take(taken).count().await
            })
        });
        futures::future::join_all(calls).await
    })
    .await;
    assert_eq!(traces.len(), 2 * CALLS);
    for number in 0..CALLS {
        let call = traces.find(&format!("call {number}"));
        assert_eq!(call.parent(), Some(traces.find(&format!("caller {number}"))));
        let text = call.output().unwrap()[0]["message"]["content"].as_str().unwrap().to_owned();
        assert!(text.split_whitespace().all(|word| word.split('.').next() == Some(&number.to_string())), "{text}");
        assert_eq!((call.error().is_some(), call.metric("end").is_some()), (number % 3 == 0, true));
    }
}
