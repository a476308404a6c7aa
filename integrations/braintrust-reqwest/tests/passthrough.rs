//! Whoever uses a traced client gets what the untraced one gives: every byte, header, address and error.

use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use braintrust_core::testing::memory_logger;
use braintrust_reqwest::Middleware;
use proptest::prelude::*;
use provider::server::{Reply, Request, Server};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

const CHAT: &str = "/v1/chat/completions";
const ASKED: &str = r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;

/// All that a user can see of a call.
#[derive(Debug, PartialEq)]
struct Outcome {
    head: Option<Head>,
    body: Vec<u8>,
    error: Option<Failure>,
}

#[derive(Debug, PartialEq)]
struct Head {
    status: u16,
    version: http::Version,
    url: String,
    headers: Vec<(String, Vec<u8>)>,
    length: Option<u64>,
    remote: Option<std::net::SocketAddr>,
}

#[derive(Debug, PartialEq)]
struct Failure {
    text: String,
    root_cause: String,
    /// `is_timeout`, `is_body`, `is_decode`, `is_connect`, `is_request`.
    kind: [bool; 5],
}

impl Failure {
    fn of(error: &reqwest::Error) -> Self {
        let mut root: &dyn Error = error;
        while let Some(cause) = root.source() {
            root = cause;
        }
        Self {
            text: error.to_string(),
            root_cause: root.to_string(),
            kind: [error.is_timeout(), error.is_body(), error.is_decode(), error.is_connect(), error.is_request()],
        }
    }
}

/// A server whose reply can be set, and the same client with and without tracing.
struct Setting {
    server: Server,
    reply: Arc<Mutex<Reply>>,
    plain: ClientWithMiddleware,
    traced: ClientWithMiddleware,
}

impl Setting {
    fn new(http: reqwest::ClientBuilder) -> Self {
        let reply = Arc::new(Mutex::new(Reply::whole(200, "application/json", "{}")));
        let current = reply.clone();
        let server = Server::start(move |request: &Request| match request.path.strip_prefix("/redirect") {
            Some(path) => Reply::whole(307, "text/plain", "over there").header("location", path),
            None => current.lock().unwrap().clone(),
        });
        let http = http.no_proxy().build().unwrap();
        Self {
            server: server.unwrap(),
            reply,
            plain: ClientBuilder::new(http.clone()).build(),
            traced: ClientBuilder::new(http).with(Middleware::new()).build(),
        }
    }

    /// What the plain client and the traced one make of a reply.
    async fn both(&self, path: &str, reply: Reply) -> [Outcome; 2] {
        *self.reply.lock().unwrap() = reply;
        let url = format!("{}{path}", self.server.url());
        [outcome(&self.plain, &url).await, outcome(&self.traced, &url).await]
    }
}

async fn outcome(client: &ClientWithMiddleware, url: &str) -> Outcome {
    let mut outcome = Outcome { head: None, body: Vec::new(), error: None };
    let mut response = match client.post(url).body(ASKED).send().await {
        Ok(response) => response,
        Err(reqwest_middleware::Error::Reqwest(error)) => {
            outcome.error = Some(Failure::of(&error));
            return outcome;
        }
        Err(other) => panic!("{other:?}"),
    };
    let headers =
        response.headers().iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    outcome.head = Some(Head {
        status: response.status().as_u16(),
        version: response.version(),
        url: response.url().to_string(),
        headers,
        length: response.content_length(),
        remote: response.remote_addr(),
    });
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => outcome.body.extend_from_slice(&chunk),
            Ok(None) => return outcome,
            Err(error) => {
                outcome.error = Some(Failure::of(&error));
                return outcome;
            }
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn event_stream() -> String {
    let event =
        |text: &str| format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n");
    format!("{}{}data: [DONE]\n\n", event("Hel"), event("lo"))
}

/// `hello\n`, compressed.
const GZIPPED: [u8; 26] = [
    0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0x02, 0xff, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xe7, 0x02, 0, 0x20, 0x30, 0x3a, 0x36,
    0x06, 0, 0, 0,
];

fn kinds() -> Vec<(&'static str, &'static str, Reply)> {
    let json = "application/json";
    vec![
        ("a good answer", CHAT, Reply::whole(200, json, r#"{"choices":[{"index":0,"message":{"content":"hi"}}]}"#)),
        ("a stream", CHAT, Reply::chunks(200, "text/event-stream", event_stream().split_inclusive("\n\n"))),
        ("an error", CHAT, Reply::whole(401, json, r#"{"error":{"message":"no such key"}}"#)),
        ("an error that is no JSON", CHAT, Reply::whole(502, "text/html", "<html>bad gateway")),
        ("an empty body", CHAT, Reply::whole(200, json, "")),
        ("an empty body in chunks", CHAT, Reply::chunks(200, json, [""])),
        ("nothing to say", CHAT, Reply::whole(204, json, "")),
        ("malformed", CHAT, Reply::whole(200, json, "{\"choices\":[{\"index\"")),
        ("no text at all", CHAT, Reply::chunks(200, "audio/mpeg", [vec![0xff, 0xfb, 0, 1], vec![0xfe; 70_000]])),
        ("bytes that are not UTF-8", CHAT, Reply::whole(200, json, b"{\"id\":\"\xff\xfe\"}".as_slice())),
        ("cut off", CHAT, Reply::whole(200, json, r#"{"choices":["#).promising(100)),
        ("a stream that is cut off", CHAT, Reply::chunks(200, "text/event-stream", ["data: {"]).reset()),
        ("compressed", CHAT, Reply::whole(200, json, GZIPPED).header("content-encoding", "gzip")),
        ("compressed badly", CHAT, Reply::whole(200, json, &GZIPPED[..20]).header("content-encoding", "gzip")),
        ("headers twice", CHAT, Reply::whole(200, json, "{}").header("set-cookie", "a=1").header("set-cookie", "b=2")),
        ("elsewhere", "/redirect/v1/chat/completions", Reply::whole(200, json, "{}")),
        ("no call of a model", "/v1/files", Reply::whole(200, json, "{}")),
    ]
}

#[test]
fn every_kind_of_answer_comes_out_as_it_came_in() {
    let (logger, rows) = memory_logger();
    let runtime = runtime();
    for automatic in [true, false] {
        let setting = Setting::new(reqwest::Client::builder().gzip(automatic));
        for (kind, path, reply) in kinds() {
            let [plain, traced] = runtime.block_on(logger.run(setting.both(path, reply)));
            assert!(traced.error.is_some() || traced.head.is_some());
            assert_eq!(traced, plain, "{kind}, decompressed: {automatic}");
        }
    }
    logger.flush_blocking(Duration::from_secs(60)).unwrap();
    let traces = rows.traces();
    assert_eq!(traces.len(), 2 * (kinds().len() - 1), "a span for each call of a model");
    assert!(traces.spans().iter().all(|span| span.is_finished()), "none is left open");
}

#[test]
fn refused_connections_and_timeouts_are_the_users_own() {
    let (logger, rows) = memory_logger();
    let runtime = runtime();
    let setting = |limit| Setting::new(reqwest::Client::builder().timeout(limit));
    // A busy machine may take longer than that for what does come: then each client gets more time.
    let mut limit = Duration::from_millis(150);
    let mut late = 0;
    loop {
        let piece = "data: {}\n\n";
        let slow = Reply::chunks(200, "text/event-stream", [piece]).silent();
        let [plain, traced] = runtime.block_on(logger.run(setting(limit).both(CHAT, slow)));
        late += 1;
        let have_begun = [&plain, &traced].iter().all(|outcome| outcome.body == piece.as_bytes());
        if have_begun || limit > Duration::from_secs(20) {
            assert!(plain.error.as_ref().is_some_and(|error| error.kind[0]), "it takes too long: {plain:?}");
            assert_eq!(traced, plain);
            break;
        }
        limit *= 2;
    }

    let setting = setting(limit);
    let [plain, traced] = runtime.block_on(logger.run(async {
        let url = "http://127.0.0.1:1/v1/chat/completions?key=secret";
        [outcome(&setting.plain, url).await, outcome(&setting.traced, url).await]
    }));
    assert!(plain.error.as_ref().is_some_and(|error| error.kind[3]), "nobody listens there: {plain:?}");
    assert_eq!(traced, plain);

    logger.flush_blocking(Duration::from_secs(60)).unwrap();
    let traces = rows.traces();
    let errors: Vec<_> = traces.spans().iter().map(|span| span.error().unwrap_or_default().into_owned()).collect();
    let (refused, timed_out) = errors.split_last().unwrap();
    assert_eq!(timed_out.len(), late, "{errors:?}");
    assert!(timed_out.iter().all(|error| error.contains("timed out")), "{errors:?}");
    assert!(refused.contains("refused") && !refused.contains("secret"), "{errors:?}");
}

fn replies() -> impl Strategy<Value = Reply> {
    let status = prop_oneof![Just(200), Just(201), Just(400), Just(401), Just(404), Just(429), Just(500), Just(529)];
    let content_type = prop_oneof![
        Just("application/json"),
        Just("text/event-stream; charset=utf-8"),
        Just("application/x-ndjson"),
        Just("application/vnd.amazon.eventstream"),
        Just("text/html"),
    ];
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        Just(event_stream().into_bytes()),
        Just(b"data: {\"choices\":[".to_vec()),
        Just(br#"{"choices":[{"index":0,"message":{"content":"hi"}}],"usage":{"prompt_tokens":-1}}"#.to_vec()),
        (1_usize..300_000).prop_map(|length| vec![b'x'; length]),
    ];
    let body = prop::collection::vec(piece, 0..6);
    (status, content_type, body, prop_oneof![Just(None), (0_usize..50).prop_map(Some)]).prop_map(
        |(status, content_type, chunks, promised)| {
            let length: usize = chunks.iter().map(Vec::len).sum();
            let reply = Reply::chunks(status, content_type, chunks).header("x-request-id", "req_1");
            match promised {
                Some(missing) => reply.promising(length + missing),
                None => reply,
            }
        },
    )
}

#[test]
fn any_answer_comes_out_as_it_came_in() {
    let (logger, rows) = memory_logger();
    let runtime = runtime();
    let setting = Setting::new(reqwest::Client::builder());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..Default::default()
    });
    let mut calls = 0;
    runner
        .run(&replies(), |reply| {
            let [plain, traced] = runtime.block_on(logger.run(setting.both(CHAT, reply)));
            prop_assert_eq!(traced, plain);
            Ok(())
        })
        .unwrap();
    calls += 200;
    logger.flush_blocking(Duration::from_secs(60)).unwrap();
    let traces = rows.traces();
    assert_eq!(traces.len(), calls);
    assert!(traces.spans().iter().all(|span| span.is_finished()), "none is left open");
}
