//! One client that a thousand tasks share, each under a span of its own.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use braintrust::testing::{MemoryRows, memory_logger};
use braintrust::{Instrument as _, Logger, TracedSpan, task_span};
use futures::{StreamExt as _, stream};
use reqwest::{Body, Response};
use serde_json::{Value, json};
use tokio::sync::Barrier;
use tower::{ServiceBuilder, service_fn};

const CALLS: usize = 1_000;

/// What a caller does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Whole,
    Refused,
    /// Gives up before there is a response.
    Impatient,
    Stream,
    /// Leaves a stream after its first piece.
    Leaving,
}

impl Way {
    fn of(call: usize) -> Self {
        match call % 8 {
            0 | 1 => Self::Whole,
            2 => Self::Refused,
            3 => Self::Impatient,
            4 | 5 => Self::Stream,
            _ => Self::Leaving,
        }
    }

    fn streams(self) -> bool {
        matches!(self, Self::Stream | Self::Leaving)
    }
}

/// Answers without a network, so that a thousand calls need no thousand sockets: to `question 7` with `answer 7`.
async fn answer(factory: HttpRequestFactory) -> Result<Response, OpenAIError> {
    let request = factory.build().await?;
    let asked: Value = serde_json::from_slice(request.body().unwrap().as_bytes().unwrap()).unwrap();
    let question = asked["messages"][0]["content"].as_str().unwrap();
    let call: usize = question.rsplit(' ').next().unwrap().parse().unwrap();
    tokio::time::sleep(Duration::from_millis(call as u64 % 17)).await;
    Ok(match Way::of(call) {
        Way::Whole => respond(200, "application/json", Body::from(whole(call).to_string())),
        Way::Refused => respond(400, "application/json", Body::from(refusal(call).to_string())),
        Way::Impatient => std::future::pending().await,
        Way::Stream => respond(200, "text/event-stream", Body::wrap_stream(events(call))),
        // It goes on for ever, and says no more.
        Way::Leaving => {
            respond(200, "text/event-stream", Body::wrap_stream(events(call).take(1).chain(stream::pending())))
        }
    })
}

fn respond(status: u16, content_type: &str, body: Body) -> Response {
    http::Response::builder().status(status).header("content-type", content_type).body(body).unwrap().into()
}

fn whole(call: usize) -> Value {
    let message = json!({"role": "assistant", "content": format!("answer {call}")});
    let usage = json!({"prompt_tokens": call, "completion_tokens": 2, "total_tokens": call + 2});
    json!({"model": "m", "choices": [{"index": 0, "finish_reason": "stop", "message": message}], "usage": usage})
}

fn refusal(call: usize) -> Value {
    json!({"error": {"message": format!("refusal {call}"), "type": "invalid_request_error", "param": null, "code": null}})
}

fn events(call: usize) -> impl futures::Stream<Item = Result<String, Infallible>> {
    let delta = |delta: Value| json!({"model": "m", "choices": [{"index": 0, "delta": delta}]});
    let usage = json!({"prompt_tokens": call, "completion_tokens": 2, "total_tokens": call + 2});
    let events = [
        delta(json!({"role": "assistant", "content": "answer "})).to_string(),
        delta(json!({"content": call.to_string()})).to_string(),
        json!({"model": "m", "choices": [], "usage": usage}).to_string(),
        "[DONE]".to_owned(),
    ];
    stream::iter(events.map(|event| format!("data: {event}\n\n"))).then(|event| async {
        tokio::task::yield_now().await;
        Ok(event)
    })
}

async fn call(client: &Client<OpenAIConfig>, call: usize) {
    let way = Way::of(call);
    let message = json!({"role": "user", "content": format!("question {call}")});
    let request = json!({"model": "m", "messages": [message], "stream": way.streams()});
    if way.streams() {
        let mut stream = client.chat().create_stream_byot::<_, Value>(request).await.unwrap();
        while let Some(item) = stream.next().await {
            item.unwrap();
            if way == Way::Leaving {
                return;
            }
        }
        return;
    }
    let chat = client.chat();
    let reply = chat.create_byot::<_, Value>(request);
    if way == Way::Impatient {
        assert!(tokio::time::timeout(Duration::from_millis(5), reply).await.is_err());
    } else {
        assert_eq!(reply.await.is_err(), way == Way::Refused);
    }
}

/// Waits until all spans have ended: `async-openai` reads streams in tasks of its own, which may outlive their users.
async fn all_ended(logger: &Logger, rows: &MemoryRows) {
    loop {
        logger.flush().await.unwrap();
        let traces = rows.traces();
        let finished = traces.spans().iter().filter(|span| span.is_finished()).count();
        if finished == 2 * CALLS {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_call_is_found_under_its_own_caller() {
    let (logger, rows) = memory_logger();
    let tracing = braintrust::openai::tracer().layer();
    let client = Client::with_config(OpenAIConfig::new().with_api_base("http://model.invalid/v1").with_api_key("key"))
        .with_http_service(ServiceBuilder::new().layer(tracing).service(service_fn(answer)));
    let client = Arc::new(client);
    let all_at_once = Arc::new(Barrier::new(CALLS));

    let tasks: Vec<_> = (0..CALLS)
        .map(|number| {
            let (client, all_at_once) = (client.clone(), all_at_once.clone());
            let caller = logger.in_scope(|| task_span(format!("caller {number}")).start());
            let task = async move {
                all_at_once.wait().await;
                call(&client, number).await;
            };
            tokio::spawn(task.in_span(&caller))
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    tokio::time::timeout(Duration::from_secs(60), all_ended(&logger, &rows)).await.expect("every span ends");

    let traces = rows.traces();
    let callers: HashMap<_, _> = traces.roots().into_iter().map(|caller| (caller.name(), caller)).collect();
    for number in 0..CALLS {
        check(number, &callers[format!("caller {number}").as_str()]);
    }
}

fn check(number: usize, caller: &TracedSpan<'_>) {
    let [call] = caller.children().try_into().unwrap_or_else(|_| panic!("{caller:?} has one call"));
    assert_eq!(call.input().unwrap()[0]["content"], format!("question {number}"));
    let said = || call.output().unwrap()[0]["message"]["content"].clone();
    let error = call.error().unwrap_or_default();
    match Way::of(number) {
        Way::Whole | Way::Stream => {
            assert_eq!(said(), format!("answer {number}"));
            assert_eq!(call.metric("prompt_tokens"), Some(number as f64));
            assert_eq!(error, "");
        }
        Way::Refused => assert!(error.contains(&format!("refusal {number}")), "{error}"),
        Way::Impatient => assert!(error.contains("cancelled"), "{error}"),
        Way::Leaving => {
            assert_eq!(said(), "answer ", "what had arrived is kept");
            assert!(error.contains("cancelled"), "{error}");
        }
    }
}
