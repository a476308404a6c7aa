//! How much tracing takes of the throughput of a stream. The bound in here is generous, since machines are busy; for
//! numbers:
//!
//! ```text
//! cargo test --release -p braintrust-reqwest --test throughput -- --nocapture
//! ```

use std::fmt;
use std::time::{Duration, Instant};

use braintrust_core::testing::memory_logger;
use braintrust_reqwest::Middleware;
use provider::server::{Reply, Server};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

const BYTES: usize = 10 * 1024 * 1024;
const ROUNDS: usize = if cfg!(debug_assertions) { 5 } else { 25 };

/// 10 MB of an answer in events of `length` bytes.
fn events(length: usize) -> Reply {
    let frame = r#"data: {"model":"m","choices":[{"index":0,"delta":{"content":""}}]}"#;
    let text = "x".repeat(length - frame.len() - 2);
    let event = frame.replace(r#""content":"""#, &format!(r#""content":"{text}""#)) + "\n\n";
    Reply::chunks(200, "text/event-stream", vec![event; BYTES / length])
}

async fn read(client: &ClientWithMiddleware, server: &Server) -> Duration {
    let started = Instant::now();
    let request = client.post(format!("{}/v1/chat/completions", server.url())).body(r#"{"model":"m","messages":[]}"#);
    let mut response = request.send().await.unwrap();
    let mut length = 0;
    while let Some(chunk) = response.chunk().await.unwrap() {
        length += chunk.len();
    }
    assert!(length > BYTES * 9 / 10);
    started.elapsed()
}

/// Times of the same work with and without tracing, taken in turns.
struct Times {
    plain: Vec<Duration>,
    traced: Vec<Duration>,
}

impl Times {
    async fn take(reply: Reply) -> Self {
        let server = Server::start(move |_| reply.clone()).unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let plain = ClientBuilder::new(http.clone()).build();
        let traced = ClientBuilder::new(http).with(Middleware::new()).build();
        let (logger, _rows) = memory_logger();
        let mut times = Self { plain: Vec::new(), traced: Vec::new() };
        for _ in 0..ROUNDS {
            times.plain.push(read(&plain, &server).await);
            times.traced.push(logger.run(read(&traced, &server)).await);
            // What the exporter's thread does with it is no part of the call.
            logger.flush().await.unwrap();
        }
        times.plain.sort();
        times.traced.sort();
        times
    }

    /// How much longer the shortest, and the median, of the traced runs takes.
    fn ratios(&self) -> [f64; 2] {
        [0, ROUNDS / 2].map(|place| self.traced[place].as_secs_f64() / self.plain[place].as_secs_f64())
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [shortest, median] = self.ratios().map(|ratio| (ratio - 1.0) * 100.0);
        let at = |times: &[Duration], place: usize| times[place].as_secs_f64() * 1e3;
        write!(
            f,
            "plain {:.2} ms (median {:.2}), traced {:.2} ms (median {:.2}): {shortest:+.1} % (median {median:+.1} %)",
            at(&self.plain, 0),
            at(&self.plain, ROUNDS / 2),
            at(&self.traced, 0),
            at(&self.traced, ROUNDS / 2),
        )
    }
}

#[tokio::test]
async fn a_traced_stream_is_about_as_fast() {
    for length in [200, 4_000, 60_000] {
        let times = Times::take(events(length)).await;
        println!("10 MB in events of {length} bytes: {times}");
        assert!(times.ratios()[0] < 1.6, "{times}");
    }
}
