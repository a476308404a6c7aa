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

/// Without optimisation, the test is only about what would be slower by far: buffering, or work that grows with the body.
const BYTES: usize = if cfg!(debug_assertions) { 2 } else { 10 } * 1024 * 1024;
const ROUNDS: usize = if cfg!(debug_assertions) { 7 } else { 40 };

/// An answer in events of `length` bytes.
fn events(length: usize) -> Reply {
    let frame = r#"data: {"model":"m","choices":[{"index":0,"delta":{"content":""}}]}"#;
    let text = "x".repeat(length - frame.len() - 2);
    let event = frame.replace(r#""content":"""#, &format!(r#""content":"{text}""#)) + "\n\n";
    Reply::chunks(200, "text/event-stream", vec![event; BYTES / length])
}

/// An answer that is no stream.
fn whole() -> Reply {
    let text = "x".repeat(BYTES);
    Reply::whole(200, "application/json", format!(r#"{{"choices":[{{"index":0,"message":{{"content":"{text}"}}}}]}}"#))
}

/// How long something took.
#[derive(Clone, Copy)]
struct Time {
    wall: Duration,
    /// What this thread worked, if the system tells.
    work: Option<Duration>,
}

impl Time {
    async fn of(work: impl Future) -> Self {
        let (started, worked) = (Instant::now(), worked());
        work.await;
        let after = self::worked();
        Self { wall: started.elapsed(), work: worked.and_then(|before| after?.checked_sub(before)) }
    }
}

/// The time for which this thread has run on a processor.
fn worked() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split(' ').next()?.parse().ok()?))
}

async fn read(client: &ClientWithMiddleware, server: &Server) {
    let request = client.post(format!("{}/v1/chat/completions", server.url())).body(r#"{"model":"m","messages":[]}"#);
    let mut response = request.send().await.unwrap();
    let mut length = 0;
    while let Some(chunk) = response.chunk().await.unwrap() {
        length += chunk.len();
    }
    assert!(length > BYTES * 9 / 10);
}

/// Times of the same work with and without tracing, taken in turns.
struct Times {
    plain: Vec<Time>,
    traced: Vec<Time>,
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
            times.plain.push(Time::of(read(&plain, &server)).await);
            times.traced.push(Time::of(logger.run(read(&traced, &server))).await);
            // What the exporter's thread does with it is no part of the call.
            logger.flush().await.unwrap();
        }
        times
    }

    /// The shortest and the median time without tracing and with it, and what the latter takes more.
    fn compare(&self, time: impl Fn(&Time) -> Duration) -> Comparison {
        let sorted = |times: &[Time]| {
            let mut times: Vec<_> = times.iter().map(&time).collect();
            times.sort();
            [times[0], times[times.len() / 2]]
        };
        Comparison { plain: sorted(&self.plain), traced: sorted(&self.traced) }
    }
}

/// Shortest and median times.
struct Comparison {
    plain: [Duration; 2],
    traced: [Duration; 2],
}

impl Comparison {
    fn ratio(&self, place: usize) -> f64 {
        self.traced[place].as_secs_f64() / self.plain[place].as_secs_f64()
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [plain, traced] = [self.plain, self.traced].map(|times| times.map(|time| time.as_secs_f64() * 1e3));
        let more = [0, 1].map(|place| (self.ratio(place) - 1.0) * 100.0);
        write!(
            f,
            "{:7.2} -> {:7.2} ms ({:+5.1} %), median {:7.2} -> {:7.2} ms ({:+5.1} %)",
            plain[0], traced[0], more[0], plain[1], traced[1], more[1]
        )
    }
}

#[tokio::test]
async fn a_traced_stream_is_about_as_fast() {
    let cases = [
        ("events of 250 bytes, written one by one", events(250).one_by_one()),
        ("events of 250 bytes, many at once", events(250)),
        ("events of 4000 bytes, many at once", events(4_000)),
        ("events of 60000 bytes", events(60_000)),
        ("one JSON document", whole()),
    ];
    for (kind, reply) in cases {
        let times = Times::take(reply).await;
        let wall = times.compare(|time| time.wall);
        println!("{} MiB as {kind}\n  time: {wall}", BYTES >> 20);
        if times.plain[0].work.is_some() {
            println!("  work: {}", times.compare(|time| time.work.unwrap_or_default()));
        }
        assert!(wall.ratio(0) < 3.0, "{kind}: {wall}");
    }
}
