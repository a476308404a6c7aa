//! Answers that no provider should send: their users get them all the same, in time, and the span says what it can.

use braintrust_core::testing::{MemoryRows, memory_logger};
use braintrust_core::{Logger, Traces};
use braintrust_reqwest::Middleware;
use provider::server::{Reply, Server};
use reqwest::Response;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

const EVENTS: &str = "text/event-stream";
const JSON: &str = "application/json";
const MIB: usize = 1024 * 1024;

/// A provider with one answer, and a client that is traced.
struct Setting {
    server: Server,
    client: ClientWithMiddleware,
    logger: Logger,
    rows: MemoryRows,
}

impl Setting {
    fn new(reply: Reply) -> Self {
        let (logger, rows) = memory_logger();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            server: Server::start(move |_| reply.clone()).unwrap(),
            client: ClientBuilder::new(http).with(Middleware::new()).build(),
            logger,
            rows,
        }
    }

    async fn ask(&self) -> Response {
        let request = self.client.post(format!("{}/v1/chat/completions", self.server.url()));
        let asked = r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;
        self.logger.run(request.body(asked).send()).await.unwrap()
    }

    /// The span of the one call, which has ended.
    async fn traces(&self) -> Traces {
        self.logger.flush().await.unwrap();
        let traces = self.rows.traces();
        assert_eq!(traces.len(), 1);
        assert!(traces.spans()[0].is_finished(), "{:?}", traces.spans()[0].row());
        traces
    }
}

/// All bytes of an answer.
async fn whole(mut response: Response) -> usize {
    let mut length = 0;
    while let Some(chunk) = response.chunk().await.unwrap() {
        length += chunk.len();
    }
    length
}

#[tokio::test]
async fn a_line_of_a_hundred_megabytes() {
    let mut chunks = vec![b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"".to_vec()];
    chunks.extend(vec![vec![b'x'; MIB]; 100]);
    let reply = Reply::chunks(200, EVENTS, chunks);
    let setting = Setting::new(reply);
    assert!(whole(setting.ask().await).await > 100 * MIB);
    let traces = setting.traces().await;
    let row = serde_json::to_string(traces.spans()[0].row()).unwrap();
    assert!(row.len() < 32 * MIB, "what is kept is bounded: {} bytes", row.len());
}

#[tokio::test]
async fn bytes_that_are_no_text_and_json_that_is_no_answer() {
    let deep = "[".repeat(MIB);
    let bodies: [(&str, Vec<u8>); 7] = [
        (EVENTS, b"data: {\"choices\":[{\"delta\":{\"content\":\"\xff\xfe\"}}]}\n\ndata: [DONE]\n\n".to_vec()),
        (JSON, b"{\"choices\":[{\"message\":{\"content\":\"\xff\"}}]}".to_vec()),
        (JSON, deep.clone().into_bytes()),
        (EVENTS, format!("data: {deep}\n\ndata: [DONE]\n\n").into_bytes()),
        (
            JSON,
            br#"{"choices":[],"usage":{"prompt_tokens":-5,"completion_tokens":1e400,"total_tokens":"many"}}"#.to_vec(),
        ),
        (JSON, br#"{"choices":{"index":{}},"usage":[],"model":7}"#.to_vec()),
        (EVENTS, vec![b'\n'; MIB]),
    ];
    for (content_type, body) in bodies {
        let length = body.len();
        let setting = Setting::new(Reply::whole(200, content_type, body));
        assert_eq!(whole(setting.ask().await).await, length);
        let traces = setting.traces().await;
        let span = traces.spans()[0];
        let counts = span.metrics().unwrap().iter().filter(|(key, _)| key.contains("tokens"));
        assert_eq!(counts.count(), 0, "no number is invented: {:?}", span.metrics());
    }
}

#[tokio::test]
async fn a_stream_without_end_whose_user_leaves() {
    let event = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"again \"}}]}\n\n";
    let setting = Setting::new(Reply::chunks(200, EVENTS, [event]).forever(event.repeat(1000)));
    let mut response = setting.ask().await;
    let mut length = 0;
    while length < 40 * MIB {
        length += response.chunk().await.unwrap().unwrap().len();
    }
    drop(response);
    let traces = setting.traces().await;
    let span = traces.spans()[0];
    assert!(span.error().unwrap().contains("cancelled"), "{:?}", span.error());
    assert!(serde_json::to_string(span.output().unwrap()).unwrap().contains("again again"), "what came is kept");
}

#[tokio::test]
async fn a_compressed_answer_that_is_passed_on_as_it_is() {
    // As to a client whose decompression is off, or that knows no such kind.
    let reply = Reply::whole(200, JSON, b"\x1b\x02".as_slice()).header("content-encoding", "br");
    let setting = Setting::new(reply);
    assert_eq!(whole(setting.ask().await).await, 2);
    let traces = setting.traces().await;
    let span = traces.spans()[0];
    assert_eq!((span.output(), span.error()), (None, None));
    let notes = &span.span_attributes().unwrap()["response_notes"];
    assert!(notes[0].as_str().unwrap().contains("compressed (br)"), "{notes}");
}
