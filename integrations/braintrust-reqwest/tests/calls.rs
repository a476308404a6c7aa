//! What becomes a span, whose child it is, where it goes, and what is sent along.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use braintrust_core::testing::{capture, memory_logger};
use braintrust_core::{Instrument as _, Logger, start_span};
use braintrust_reqwest::{Endpoint, Middleware, Tracer, WireApi};
use provider::server::{Reply, Request, Server};
use reqwest::Body;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Next};
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";

/// A provider that notes the names of the headers that it is sent.
struct Noting {
    server: Server,
    asked: Arc<Mutex<Vec<Vec<String>>>>,
}

impl Noting {
    fn start() -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = asked.clone();
        let server = Server::start(move |request: &Request| {
            let names = request.headers.iter().map(|(name, _)| name.clone()).collect();
            noted.lock().unwrap().push(names);
            match request.path.as_str() {
                "/v2/generate" => provider::answer(&Request { path: CHAT.to_owned(), ..Request::default() }),
                "/v1/busy/chat/completions" if noted.lock().unwrap().len() < 3 => {
                    Reply::whole(503, "text/plain", "busy")
                }
                path if path.ends_with("/chat/completions") => {
                    provider::answer(&Request { path: CHAT.to_owned(), ..Request::default() })
                }
                _ => provider::answer(request),
            }
        });
        Self { server: server.unwrap(), asked }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.url())
    }

    /// The headers of each request, as far as they are about traces.
    fn trace_headers(&self) -> Vec<Vec<String>> {
        let is_traces = |name: &&String| ["traceparent", "tracestate", "baggage"].contains(&name.as_str());
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|names| names.iter().filter(is_traces).cloned().collect()).collect()
    }
}

fn client(middleware: Middleware) -> ClientWithMiddleware {
    ClientBuilder::new(http()).with(middleware).build()
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn ask(client: &ClientWithMiddleware, url: String) -> Value {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    let reply = client.post(url).body(body.to_string()).send().await.unwrap().text().await.unwrap();
    serde_json::from_str(&reply).unwrap()
}

#[tokio::test]
async fn a_call_is_a_child_of_what_is_current_where_it_is_awaited() {
    let provider = Noting::start();
    let client = client(Middleware::new());
    let traces = capture(async {
        // Made here, awaited there: what counts is who waits for it.
        let call = ask(&client, provider.url("/v1/messages"));
        start_span("parent").start().run(call).await;

        let elsewhere = start_span("elsewhere").start();
        let (client, url) = (client.clone(), provider.url(CHAT));
        let task = async move { ask(&client, url).await };
        tokio::spawn(task.in_span(&elsewhere)).await.unwrap();
    })
    .await;

    assert_eq!(traces.find("anthropic.messages.create").parent(), Some(traces.find("parent")));
    let chat = traces.find("Chat Completion");
    assert_eq!(chat.parent(), Some(traces.find("elsewhere")));
    assert_eq!(chat.kind(), Some("llm"));
    assert_eq!(chat.metadata().unwrap()["model"], "gpt-4o-mini-2024-07-18");
    assert_eq!(chat.metric("tokens"), Some(51.0));
    assert_eq!(chat.context().unwrap()["span_origin"]["instrumentation"]["name"], "reqwest-middleware");
}

#[tokio::test]
async fn spans_go_to_the_project_that_was_named() {
    let folder = tempfile::tempdir().unwrap();
    let support = Logger::builder().project("Support").local_folder(folder.path());
    braintrust_core::register("support", support).unwrap();
    let (other, other_rows) = memory_logger();

    let provider = Noting::start();
    let traces = capture(async {
        ask(&client(Middleware::new().project("support")), provider.url(CHAT)).await;
        ask(&client(Middleware::new().project("nobody knows this")), provider.url("/v1/messages")).await;
        ask(&client(Middleware::new().logger(&other).name("mine")), provider.url(CHAT)).await;
    })
    .await;

    let support = braintrust_core::logger("support").unwrap();
    support.flush().await.unwrap();
    other.flush().await.unwrap();
    assert_eq!(names(&braintrust_core::local::read(folder.path()).unwrap()), ["Chat Completion"]);
    assert_eq!(names(&traces), ["anthropic.messages.create"], "what an unknown key means");
    assert_eq!(names(&other_rows.traces()), ["mine"]);
}

fn names(traces: &braintrust_core::Traces) -> Vec<String> {
    traces.spans().iter().map(|span| span.name().to_owned()).collect()
}

#[tokio::test]
async fn only_calls_of_models_are_traced() {
    let provider = Noting::start();
    let client = client(Middleware::new());
    let traces = capture(async {
        client.get(provider.url(CHAT)).send().await.unwrap();
        client.post(provider.url("/v1/files")).body("{}").send().await.unwrap();
        // A path that others have too, and a body that asks no model.
        client.post(provider.url("/surveys/7/responses")).body(r#"{"answers":[1]}"#).send().await.unwrap();
        client.post(provider.url("/surveys/7/completions")).send().await.unwrap();
    })
    .await;
    assert_eq!(names(&traces), [""; 0]);
}

#[tokio::test]
async fn calls_that_name_no_model_are_known_by_their_address() {
    let provider = Noting::start();
    let address = provider.server.url().trim_start_matches("http://").parse::<SocketAddr>().unwrap();
    let hosts = ["api.openai.com", "forum.example"];
    let http = hosts.iter().fold(reqwest::Client::builder().no_proxy(), |http, host| http.resolve(host, address));
    let client = ClientBuilder::new(http.build().unwrap()).with(Middleware::new()).build();
    let traces = capture(async {
        for (host, path) in [
            ("api.openai.com", "/v1/moderations"),
            ("api.openai.com", "/v1/responses"),
            ("forum.example", "/v1/moderations"),
            ("forum.example", "/v1/messages"),
            ("forum.example", "/v1/images/generations"),
        ] {
            let url = format!("http://{host}:{}{path}", address.port());
            client.post(url).body(r#"{"input":"hi","prompt":"hi"}"#).send().await.unwrap();
        }
    })
    .await;
    assert_eq!(names(&traces), ["Moderation", "openai.responses.create", "Image Generation"]);
    assert_eq!(traces.find("Moderation").input().unwrap(), "hi");
    assert_eq!(provider.asked.lock().unwrap().len(), 5, "each is sent, whatever it is");
}

/// Claude and another model, invoked by ARNs that name neither.
#[tokio::test]
async fn what_a_profile_invokes_is_known_by_the_request() {
    let claude =
        r#"{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#;
    let talks_of_it = json!({"inputText": "What is \"anthropic_version\" in a \"model\"?"}).to_string();
    let names_a_model = r#"{"model":"m","inputText":"hi"}"#;
    let arn = "arn:aws:bedrock:eu-west-1:1:application-inference-profile/abc";
    let encoded = "arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Aapplication-inference-profile%2Fabc";
    let provider = Noting::start();
    for tracer in [Tracer::new("test"), Tracer::new("test").dedicated()] {
        for id in [arn, encoded] {
            let traces = capture(async {
                for body in [claude, &talks_of_it, names_a_model] {
                    let url = provider.url(&format!("/model/{id}/invoke"));
                    let request = http().post(url).body(body.to_owned()).build().unwrap();
                    tracer.send(request, |request| http().execute(request)).await.unwrap();
                }
            })
            .await;
            assert_eq!(names(&traces), ["anthropic.messages.create"], "{id}");
            let call = traces.find("anthropic.messages.create");
            assert_eq!(call.metadata().unwrap()["model"], arn);
            assert_eq!(call.input().unwrap()[0]["content"], "hi");
        }
    }
    assert_eq!(provider.asked.lock().unwrap().len(), 12, "each is sent, whatever it is");
}

#[tokio::test]
async fn endpoints_of_ones_own() {
    let provider = Noting::start();
    let address: reqwest::Url = provider.server.url().parse().unwrap();
    let acme = || Endpoint::new("acme", WireApi::ChatCompletions);
    let middleware = Middleware::new()
        .endpoint("llm.acme.example", "/v2/generate", Endpoint::new("nobody", WireApi::Messages))
        .endpoint(address.authority().to_owned(), "/v2/generate", acme());
    let traces = capture(async {
        ask(&client(middleware), provider.url("/v2/generate")).await;
        ask(&client(Middleware::new().endpoint("127.0.0.1", "/generate", acme())), provider.url("/v2/generate")).await;
        ask(&client(Middleware::new().endpoint("127.0.0.1:1", "/generate", acme())), provider.url("/v2/generate"))
            .await;
    })
    .await;
    assert_eq!(names(&traces), ["Chat Completion", "Chat Completion"]);
    assert_eq!(traces.find("Chat Completion").metadata().unwrap()["provider"], "acme");
}

#[tokio::test]
async fn a_trace_is_sent_along_only_where_that_was_asked_for() {
    let provider = Noting::start();
    let told = client(Middleware::new().propagate_to("127.0.0.1"));
    let not_told = client(Middleware::new().propagate_to("gateway.example"));
    let (logger, _rows) = memory_logger();
    let work = async {
        ask(&not_told, provider.url(CHAT)).await;
        ask(&told, provider.url(CHAT)).await;
        // To a host that was named, whatever is asked there.
        told.get(provider.url("/v1/models")).send().await.unwrap();
    };
    logger.start_span("work").start().run(work).await;

    let [nothing, to_chat, to_models] = provider.trace_headers().try_into().unwrap();
    assert_eq!(nothing, [""; 0]);
    assert_eq!(to_chat, ["traceparent", "baggage"]);
    assert_eq!(to_models, ["traceparent", "baggage"]);
}

#[tokio::test]
async fn without_a_logger_nothing_is_sent_along_or_changed() {
    // Other tests of this program make loggers, but none is current here, and none is the default.
    let provider = Noting::start();
    ask(&client(Middleware::new().propagate_to("127.0.0.1")), provider.url(CHAT)).await;
    assert_eq!(provider.trace_headers(), [[""; 0]]);
}

#[tokio::test]
async fn a_request_whose_body_is_a_stream_is_sent_as_it_is() {
    let provider = Noting::start();
    let client = client(Middleware::new());
    let traces = capture(async {
        let pieces = ["{\"model\":\"m\",", "\"messages\":[]}"].map(Ok::<_, std::io::Error>);
        let body = Body::wrap_stream(futures::stream::iter(pieces));
        let reply = client.post(provider.url(CHAT)).body(body).send().await.unwrap();
        assert!(reply.text().await.unwrap().contains("A span is"));
    })
    .await;
    let chat = traces.find("Chat Completion");
    assert_eq!(chat.metric("tokens"), Some(51.0), "the answer is read all the same");
    let notes = &chat.span_attributes().unwrap()["request_notes"];
    assert!(notes[0].as_str().unwrap().contains("stream"), "{notes}");
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_any_more_is_cancelled() {
    // It takes connections, and never answers.
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let client = client(Middleware::new());
    let traces = capture(async {
        let call = client.post(format!("http://{}{CHAT}", silent.local_addr().unwrap())).body("{}").send();
        assert!(tokio::time::timeout(Duration::from_millis(50), call).await.is_err());
    })
    .await;
    let chat = traces.find("Chat Completion");
    assert!(chat.is_finished());
    assert!(chat.error().unwrap().contains("cancelled"));
}

/// Sends a request again as long as the answer is 503, as `reqwest-retry` does.
struct Retry;

#[async_trait::async_trait]
impl reqwest_middleware::Middleware for Retry {
    async fn handle(
        &self,
        request: reqwest::Request,
        extensions: &mut http::Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        loop {
            let _attempt = start_span("attempt").start();
            let response = next.clone().run(request.try_clone().unwrap(), extensions).await?;
            if response.status() != 503 {
                return Ok(response);
            }
        }
    }
}

#[tokio::test]
async fn retries_inside_are_one_call_and_what_they_do_is_below_it() {
    let provider = Noting::start();
    let client = ClientBuilder::new(http()).with(Middleware::new()).with(Retry).build();
    let traces = capture(async { ask(&client, provider.url("/v1/busy/chat/completions")).await }).await;
    let chat = traces.find("Chat Completion");
    assert_eq!(traces.find_all("attempt").len(), 3);
    assert!(traces.find_all("attempt").iter().all(|attempt| attempt.parent() == Some(chat)));
    assert_eq!(chat.error(), None);
    assert_eq!(chat.metric("tokens"), Some(51.0));
}
