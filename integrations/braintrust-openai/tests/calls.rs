//! What the calls of a wrapped client become: every endpoint, retries, forms, projects, and headers for a gateway.

use std::sync::{Arc, Mutex};

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::types::InputSource;
use async_openai::types::audio::{AudioInput, CreateTranscriptionRequestArgs};
use braintrust::testing::{capture, memory_logger};
use braintrust::{Logger, llm, traced};
use futures::StreamExt as _;
use provider::server::{Reply, Request, Server};
use serde_json::{Value, json};

type Asked = Arc<Mutex<Vec<Request>>>;

/// A provider that keeps what it is asked, and is too busy for the first `busy` requests.
fn provider(busy: usize) -> (Server, Asked) {
    let asked = Asked::default();
    let kept = asked.clone();
    let server = Server::start(move |request: &Request| {
        let mut kept = kept.lock().unwrap();
        kept.push(request.clone());
        if kept.len() <= busy {
            return Reply::whole(503, "text/plain", "busy").header("retry-after", "0");
        }
        match request.path.as_str() {
            "/v1/audio/transcriptions" => {
                Reply::whole(200, "application/json", r#"{"text":"hello","usage":{"type":"duration","seconds":1}}"#)
            }
            _ => provider::answer(request),
        }
    });
    (server.unwrap(), asked)
}

fn client(server: &Server) -> Client<OpenAIConfig> {
    Client::with_config(OpenAIConfig::new().with_api_base(format!("{}/v1", server.url())).with_api_key("key"))
}

fn question() -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]})
}

#[traced(type = "task", skip(client))]
async fn use_all(client: &Client<OpenAIConfig>) {
    client.chat().create_byot::<_, Value>(question()).await.unwrap();
    client.responses().create_byot::<_, Value>(json!({"model": "m", "input": "How many?"})).await.unwrap();
    client.embeddings().create_byot::<_, Value>(json!({"model": "m", "input": "text"})).await.unwrap();
    client.moderations().create_byot::<_, Value>(json!({"input": "text"})).await.unwrap_err();
}

#[tokio::test]
async fn every_endpoint_that_asks_a_model_is_traced() {
    let (server, _) = provider(0);
    let client = braintrust::wrap_openai(client(&server));
    let traces = capture(use_all(&client)).await;

    let task = traces.find("use_all");
    let calls: Vec<_> = task.children().iter().map(|call| call.name().to_owned()).collect();
    assert_eq!(calls, ["Chat Completion", "openai.responses.create", "Embedding", "Moderation"]);
    let tokens = |name: &str| traces.find(name).metric("tokens");
    assert_eq!(
        [tokens("Chat Completion"), tokens("openai.responses.create"), tokens("Embedding")],
        [Some(51.0), Some(17.0), Some(4.0)]
    );
    assert!(traces.find("Moderation").error().unwrap().contains("404"), "the stand-in has none");
    assert_eq!(traces.find("Embedding").context().unwrap()["span_origin"]["instrumentation"]["name"], "async-openai");
}

#[tokio::test]
async fn a_call_through_the_helper_for_any_client_is_one_span() {
    let (server, asked) = provider(1);
    let client = braintrust::wrap_openai(client(&server));
    let traces = capture(async {
        let whole = client.chat().create_byot::<_, Value>(question()).await.unwrap();
        let helped = llm("openai")
            .name("helped")
            .request(&question())
            .run(async { client.chat().create_byot::<_, Value>(question()).await });
        assert_eq!(helped.await.unwrap(), whole);
        let streamed = json!({"model": "m", "messages": [], "stream": true});
        let chat = client.chat();
        let opening = chat.create_stream_byot::<_, Value>(streamed.clone());
        let items = llm("openai").name("streamed").request(&streamed).run_stream(opening).await.unwrap();
        assert!(items.count().await > 1);
    })
    .await;
    let names: Vec<_> = traces.spans().iter().map(|span| span.name().to_owned()).collect();
    assert_eq!(names, ["Chat Completion", "helped", "streamed"]);
    assert_eq!(traces.find("helped").metric("tokens"), traces.find("Chat Completion").metric("tokens"));
    assert!(traces.find("streamed").metric("time_to_first_token").is_some());
    assert_eq!(asked.lock().unwrap().len(), 4, "the first one twice");
}

#[tokio::test]
async fn a_form_is_put_together_once_for_each_attempt() {
    let (server, asked) = provider(2);
    let client = braintrust::wrap_openai(client(&server));
    let source = InputSource::VecU8 { filename: "hello.wav".to_owned(), vec: b"RIFF".to_vec() };
    let request = CreateTranscriptionRequestArgs::default().model("whisper-1").file(AudioInput { source }).build();
    let traces = capture(async {
        let reply = client.audio().transcription().create(request.unwrap()).await.unwrap();
        assert_eq!(reply.text, "hello");
    })
    .await;

    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 3);
    for request in asked.iter() {
        let (_, boundary) = request.header("content-type").unwrap().split_once("boundary=").unwrap();
        let body = String::from_utf8_lossy(&request.body);
        assert!(body.contains(boundary) && body.contains("RIFF"), "{body}");
    }
    let [call] = traces.spans().try_into().expect("three attempts are one call");
    assert_eq!((call.name(), call.error()), ("Transcription", None));
}

#[tokio::test]
async fn a_gateway_that_was_named_gets_the_same_trace_with_each_attempt_and_nobody_else_does() {
    let (server, asked) = provider(1);
    let told = braintrust::openai::tracer().propagate_to("127.0.0.1").wrap(client(&server));
    let (logger, rows) = memory_logger();
    logger.run(told.chat().create_byot::<_, Value>(question())).await.unwrap();
    logger.run(braintrust::wrap_openai(client(&server)).chat().create_byot::<_, Value>(question())).await.unwrap();
    logger.flush().await.unwrap();

    let asked = asked.lock().unwrap();
    let traces: Vec<_> = asked.iter().map(|request| request.header("traceparent")).collect();
    let [first, second, third] = traces[..] else { panic!("{traces:?}") };
    assert_eq!(first, second);
    assert!(first.unwrap().contains(rows.traces().spans()[0].span_id()), "it names the span of the call");
    assert_eq!(third, None);
}

#[tokio::test]
async fn spans_go_to_the_project_that_was_named() {
    let folder = tempfile::tempdir().unwrap();
    braintrust::register("support", Logger::builder().project("Support").local_folder(folder.path())).unwrap();
    let (server, _) = provider(0);
    let client = braintrust::openai::tracer().project("support").name("triage").wrap(client(&server));
    let elsewhere = capture(async { client.chat().create_byot::<_, Value>(question()).await.unwrap() }).await;

    assert!(elsewhere.is_empty());
    braintrust::logger("support").unwrap().flush().await.unwrap();
    let traces = braintrust::local::read(folder.path()).unwrap();
    assert_eq!(traces.find("triage").metric("tokens"), Some(51.0));
}
