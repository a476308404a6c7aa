//! The helper for any client, around a client that traces its calls itself: each call is one span.

use braintrust::{Span, llm, start_span};
use braintrust_core::testing::{capture, memory_logger};
use braintrust_reqwest::Middleware;
use futures::{StreamExt as _, stream};
use provider::server::Server;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use serde_json::{Value, json};

/// A traced client, and the provider that it asks.
struct Client {
    http: ClientWithMiddleware,
    provider: Server,
}

impl Client {
    fn new(middleware: Middleware) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let provider = Server::start(provider::answer).unwrap();
        Self { http: ClientBuilder::new(http).with(middleware).build(), provider }
    }

    async fn ask(&self) -> Result<Value, reqwest_middleware::Error> {
        let url = format!("{}/v1/chat/completions", self.provider.url());
        let reply = self.http.post(url).body(request().to_string()).send().await?.text().await?;
        Ok(serde_json::from_str(&reply).unwrap())
    }
}

fn request() -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]})
}

fn parent_of<'a>(traces: &'a braintrust::Traces, name: &str) -> Option<&'a str> {
    traces.find(name).parent().map(|parent| parent.name())
}

#[tokio::test]
async fn a_call_through_both_is_one_span() {
    let client = Client::new(Middleware::new());
    let traces = capture(async {
        let call = async { llm("openai").name("whole").request(&request()).run(client.ask()).await };
        start_span("caller").start().run(call).await.unwrap();
        let opening = async { client.ask().await.map(|answer| stream::iter([Ok::<_, std::io::Error>(answer)])) };
        let answer = llm("openai").name("stream").request(&request()).run_stream(opening).await.unwrap();
        assert_eq!(answer.count().await, 1);
        // What a stream sends while it is read belongs to its call, too.
        let asking = stream::once(client.ask());
        assert_eq!(llm("openai").name("late").request(&request()).stream(asking).count().await, 1);
        client.ask().await.unwrap();
    })
    .await;
    let names: Vec<_> = traces.spans().iter().map(|span| span.name().to_owned()).collect();
    assert_eq!(names, ["caller", "whole", "stream", "late", "Chat Completion"]);
    assert_eq!(parent_of(&traces, "whole"), Some("caller"));
    for name in ["whole", "stream", "late", "Chat Completion"] {
        let call = traces.find(name);
        assert_eq!((call.kind(), call.metric("tokens"), call.error()), (Some("llm"), Some(51.0), None), "{name}");
    }
}

#[tokio::test]
async fn a_call_inside_of_other_work_keeps_its_own_span() {
    let client = Client::new(Middleware::new());
    let (other, other_rows) = memory_logger();
    let elsewhere = Client::new(Middleware::new().logger(&other));
    let traces = capture(async {
        let agent = async {
            let tool: Span = start_span("tool").start();
            tool.run(client.ask()).await?;
            elsewhere.ask().await
        };
        llm("openai").name("agent").request(&request()).run(agent).await.unwrap();
    })
    .await;
    assert_eq!(parent_of(&traces, "tool"), Some("agent"));
    assert_eq!(parent_of(&traces, "Chat Completion"), Some("tool"), "it is the tool's call");
    assert_eq!(traces.len(), 3);
    other.flush().await.unwrap();
    assert_eq!(other_rows.traces().len(), 1, "another project has no span of it yet");
}
