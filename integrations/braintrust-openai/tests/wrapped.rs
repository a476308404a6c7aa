//! A wrapped client returns what the client itself returns, for every kind of answer.

use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use braintrust::testing::memory_logger;
use futures::{Stream, StreamExt as _};
use provider::server::{Reply, Request, Server};
use serde_json::{Value, json};

/// A server whose replies can be set, and the same client, wrapped and not.
struct Setting {
    _server: Server,
    replies: Arc<Mutex<Vec<Reply>>>,
    asked: Arc<AtomicUsize>,
    plain: Client<OpenAIConfig>,
    wrapped: Client<OpenAIConfig>,
}

impl Setting {
    fn new() -> Self {
        let replies = Arc::new(Mutex::new(Vec::<Reply>::new()));
        let asked = Arc::new(AtomicUsize::new(0));
        let (left, counted) = (replies.clone(), asked.clone());
        let server = Server::start(move |_: &Request| {
            counted.fetch_add(1, Ordering::Relaxed);
            let mut replies = left.lock().unwrap();
            if replies.len() > 1 { replies.remove(0) } else { replies[0].clone() }
        })
        .unwrap();
        let plain = Client::with_config(OpenAIConfig::new().with_api_base(server.url()).with_api_key("key"));
        let wrapped = braintrust::wrap_openai(plain.clone());
        Self { _server: server, replies, asked, plain, wrapped }
    }

    /// What each client makes of the replies to its requests, the last of which is repeated, and how often it asked.
    async fn each<T>(&self, replies: &[Reply], call: impl AsyncFn(&Client<OpenAIConfig>) -> T) -> [(T, usize); 2] {
        let mut results = Vec::new();
        for client in [&self.plain, &self.wrapped] {
            *self.replies.lock().unwrap() = replies.to_vec();
            let before = self.asked.load(Ordering::Relaxed);
            results.push((call(client).await, self.asked.load(Ordering::Relaxed) - before));
        }
        results.try_into().unwrap_or_else(|_| unreachable!("there are two clients"))
    }
}

fn question(stream: bool) -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": stream})
}

async fn create(client: &Client<OpenAIConfig>) -> String {
    let reply: Result<Value, OpenAIError> = client.chat().create_byot(question(false)).await;
    shown(&reply)
}

async fn create_stream(client: &Client<OpenAIConfig>) -> String {
    let stream: Result<_, OpenAIError> = client.chat().create_stream_byot::<_, Value>(question(true)).await;
    match stream {
        Ok(stream) => all(stream).await,
        Err(error) => shown(&Err::<(), _>(error)),
    }
}

async fn all(stream: impl Stream<Item = Result<Value, OpenAIError>>) -> String {
    let items: Vec<_> = stream.map(|item| shown(&item)).collect().await;
    items.join("\n")
}

/// A result as its user sees it. The chain below an error of a body holds links of `reqwest` more when it is traced.
fn shown<T: Debug>(result: &Result<T, OpenAIError>) -> String {
    match result {
        Err(OpenAIError::Reqwest(error)) => {
            let kinds =
                [error.is_timeout(), error.is_body(), error.is_decode(), error.is_connect(), error.is_request()];
            format!("{error} {kinds:?}")
        }
        other => format!("{other:?}"),
    }
}

const JSON: &str = "application/json";
const GOOD: &str = r#"{"id":"1","choices":[{"index":0,"message":{"role":"assistant","content":"hello"}}]}"#;

fn failure(status: u16, kind: &str) -> Reply {
    let body = json!({"error": {"message": "not so", "type": kind, "param": null, "code": null}});
    // What is retried is retried at once.
    Reply::whole(status, JSON, body.to_string()).header("retry-after", "0")
}

fn event(data: &str) -> String {
    format!("data: {data}\n\n")
}

#[tokio::test]
async fn every_kind_of_answer() {
    let good = Reply::whole(200, JSON, GOOD);
    let cases = [
        ("good", vec![good.clone()]),
        ("unauthorised", vec![failure(401, "invalid_request_error")]),
        ("no quota", vec![failure(429, "insufficient_quota")]),
        ("busy, then good", vec![failure(429, "requests"), failure(503, "server_error"), good.clone()]),
        ("busy", vec![failure(429, "requests")]),
        ("broken", vec![failure(500, "server_error")]),
        ("an error that is no JSON", vec![Reply::whole(404, "text/html", "<p>where?")]),
        ("malformed", vec![Reply::whole(200, JSON, "{\"id\":")]),
        ("empty", vec![Reply::whole(200, JSON, "")]),
        ("not UTF-8", vec![Reply::whole(200, JSON, b"\xff\xfe".as_slice())]),
        ("cut off", vec![Reply::whole(200, JSON, GOOD).promising(1000)]),
    ];
    let (logger, rows) = memory_logger();
    let setting = Setting::new();
    for (kind, replies) in &cases {
        let [plain, wrapped] = logger.run(setting.each(replies, create)).await;
        assert_eq!(wrapped, plain, "{kind}");
    }
    logger.flush().await.unwrap();
    let traces = rows.traces();
    assert_eq!(traces.len(), cases.len(), "a span for each call, with its retries inside");
    assert!(traces.spans().iter().all(|span| span.is_finished()), "none is left open");
    for ((kind, _), span) in cases.iter().zip(traces.spans()) {
        let fails = !["good", "busy, then good", "malformed", "empty", "not UTF-8"].contains(kind);
        assert!(!fails || span.error().is_some(), "{kind}: {:?}", span.row());
    }
}

#[tokio::test]
async fn every_kind_of_stream() {
    let stream = |chunks: &[String]| Reply::chunks(200, "text/event-stream", chunks.to_vec());
    let cases = [
        ("good", vec![stream(&[event(GOOD), event(GOOD), event("[DONE]")])]),
        (
            "in pieces",
            vec![stream(&[
                "data: {\"a\"".to_owned(),
                ":1}\n".to_owned(),
                "\ndata: [DO".to_owned(),
                "NE]\n\n".to_owned(),
            ])],
        ),
        ("without its last event", vec![stream(&[event(GOOD)])]),
        ("malformed", vec![stream(&[event("{"), event(GOOD), event("[DONE]")])]),
        ("keepalives", vec![stream(&[": ping\n\n".to_owned(), event(GOOD), event("[DONE]")])]),
        ("cut off", vec![Reply::whole(200, "text/event-stream", event(GOOD)).promising(1000)]),
        ("refused", vec![failure(400, "invalid_request_error")]),
        ("busy, then good", vec![failure(503, "server_error"), stream(&[event(GOOD), event("[DONE]")])]),
        ("no stream", vec![Reply::whole(200, JSON, GOOD)]),
        ("empty", vec![Reply::whole(200, "text/event-stream", "")]),
    ];
    let (logger, rows) = memory_logger();
    let setting = Setting::new();
    for (kind, replies) in &cases {
        let [plain, wrapped] = logger.run(setting.each(replies, create_stream)).await;
        assert_eq!(wrapped, plain, "{kind}");
    }
    // The crate reads streams in tasks of its own, which may end after their users.
    let ended = async || {
        logger.flush().await.unwrap();
        let rows = rows.traces();
        rows.spans().iter().filter(|span| span.is_finished()).count()
    };
    while ended().await < cases.len() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(rows.traces().len(), cases.len(), "a span for each call");
}
