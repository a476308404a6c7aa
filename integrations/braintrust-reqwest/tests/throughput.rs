//! How much tracing takes of the throughput of a stream. The bounds in here are generous, since machines are busy; for
//! numbers:
//!
//! ```text
//! cargo test --release -p braintrust-reqwest --test throughput -- --nocapture
//! ```
//!
//! Each answer is read in turns by three clients that share a connection: one as it is, one with a middleware that only
//! wraps the body (which is what reqwest takes for having a middleware look at bodies at all), and one that is traced.

use std::fmt;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use async_trait::async_trait;
use braintrust_core::testing::memory_logger;
use braintrust_reqwest::Middleware;
use bytes::Bytes;
use http::Extensions;
use http_body::{Frame, SizeHint};
use reqwest::{Body, Request, Response};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Next};
use tokio::runtime::Runtime;

/// Without optimisation, the test is only about what would be slower by far: buffering, or work that grows with the body.
const BYTES: usize = if cfg!(debug_assertions) { 2 } else { 10 } * 1024 * 1024;
const ROUNDS: usize = if cfg!(debug_assertions) { 12 } else { 60 };
/// Before anything is measured: the connection is opened, buffers have grown.
const WARM_UP: usize = 6;
/// The orders in which a round has its turns.
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1], [1, 2, 0], [0, 2, 1]];
/// How many times the time of a client that wraps bodies one that is traced may take. A busy machine has added half.
const MOST_TIME: f64 = 2.5;

/// An answer as it goes over the wire: a beginning, a part over and over, and an end.
struct Answer {
    head: String,
    /// Written at once, and small enough to stay in a cache, as what a server has just made does.
    part: Vec<u8>,
    repeats: usize,
    end: &'static [u8],
}

impl Answer {
    /// Events of `length` bytes, each a chunk, so many of which are written at once as make up `written` bytes.
    fn events(length: usize, written: usize) -> Self {
        let frame = r#"data: {"model":"m","choices":[{"index":0,"delta":{"content":""}}]}"#;
        let text = "x".repeat(length - frame.len() - 2);
        let event = frame.replace(r#""content":"""#, &format!(r#""content":"{text}""#)) + "\n\n";
        let chunk = format!("{length:x}\r\n{event}\r\n");
        let at_once = (written / chunk.len()).max(1);
        let head = "content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n".to_owned();
        Self { head, part: chunk.repeat(at_once).into(), repeats: BYTES / length / at_once, end: b"0\r\n\r\n" }
    }

    /// One JSON text, with its length.
    fn document() -> Self {
        let (part, end) = (vec![b'x'; 64 * 1024], br#""}}]}"#);
        let start = r#"{"choices":[{"index":0,"message":{"content":""#;
        let repeats = BYTES / part.len();
        let length = start.len() + repeats * part.len() + end.len();
        Self { head: format!("content-length: {length}\r\n\r\n{start}"), part, repeats, end }
    }

    /// Answers every request with this, as fast as it is taken, on a thread of its own.
    fn serve(self) -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            std::thread::scope(|scope| {
                for stream in listener.incoming() {
                    let answer = &self;
                    scope.spawn(move || answer.write_to(stream.unwrap()));
                }
            });
        });
        address
    }

    fn write_to(&self, mut stream: TcpStream) {
        stream.set_nodelay(true).unwrap();
        let mut requests = BufReader::new(stream.try_clone().unwrap());
        while skip_request(&mut requests) {
            stream.write_all(format!("HTTP/1.1 200 OK\r\n{}", self.head).as_bytes()).unwrap();
            for _ in 0..self.repeats {
                stream.write_all(&self.part).unwrap();
            }
            stream.write_all(self.end).unwrap();
        }
    }
}

/// Whether there was one more request on the connection.
fn skip_request(stream: &mut BufReader<TcpStream>) -> bool {
    let mut length = 0;
    let mut line = String::new();
    while stream.read_line(&mut line).unwrap_or(0) > 0 {
        let lower = line.to_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if lower == "\r\n" {
            return stream.read_exact(&mut vec![0; length]).is_ok();
        }
        line.clear();
    }
    false
}

/// What reading one answer took of the reader's thread.
#[derive(Clone, Copy, Default)]
struct Cost {
    /// In seconds.
    time: f64,
    /// In seconds on a processor, in the system too; zero where the system does not tell.
    work: f64,
    /// How often it needed a page from the system.
    faults: f64,
    allocations: f64,
    allocated_bytes: f64,
}

impl Cost {
    fn of(work: impl FnOnce()) -> Self {
        let (started, before) = (Instant::now(), worked());
        let allocated = allocation_counter::measure(work);
        let (time, after) = (started.elapsed().as_secs_f64(), worked());
        Self {
            time,
            work: after.0 - before.0,
            faults: after.1 - before.1,
            allocations: allocated.count_total as f64,
            allocated_bytes: allocated.bytes_total as f64,
        }
    }
}

/// The seconds for which this thread has run on a processor, and its page faults.
fn worked() -> (f64, f64) {
    #[cfg(target_os = "linux")]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        let facts = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let (_, after_name) = facts.rsplit_once(')').unwrap();
        let faults = after_name.split_whitespace().nth(7).unwrap().parse().unwrap();
        (time.tv_sec as f64 + time.tv_nsec as f64 / 1e9, faults)
    }
    #[cfg(not(target_os = "linux"))]
    (0.0, 0.0)
}

async fn read(client: &ClientWithMiddleware, server: SocketAddr) {
    let request = client.post(format!("http://{server}/v1/chat/completions")).body(r#"{"model":"m","messages":[]}"#);
    let mut response = request.send().await.unwrap();
    let mut length = 0;
    while let Some(chunk) = response.chunk().await.unwrap() {
        length += chunk.len();
    }
    assert!(length > BYTES * 9 / 10);
}

/// Middleware that does with bodies what any must that looks at them, and does not look.
struct Wrapper;

struct Wrapped(Body);

#[async_trait]
impl reqwest_middleware::Middleware for Wrapper {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let response = http::Response::<Body>::from(next.run(request, extensions).await?);
        Ok(response.map(|body| Body::wrap(Wrapped(body))).into())
    }
}

impl http_body::Body for Wrapped {
    type Data = Bytes;
    type Error = reqwest::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// What the same answer cost each client, round by round.
struct Rounds(Vec<[Cost; 3]>);

const PLAIN: usize = 0;
const WRAPPED: usize = 1;
const TRACED: usize = 2;

impl Rounds {
    fn run(runtime: &Runtime, answer: Answer) -> Self {
        let server = answer.serve();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let client = || ClientBuilder::new(http.clone());
        let clients = [client().build(), client().with(Wrapper).build(), client().with(Middleware::new()).build()];
        let (logger, rows) = memory_logger();
        let mut rounds = Vec::new();
        for round in 0..WARM_UP + ROUNDS {
            let mut costs = [Cost::default(); 3];
            for client in ORDERS[round % ORDERS.len()] {
                // What the exporter's thread does is no part of the call, and neither are the caches that it leaves.
                runtime.block_on(logger.flush()).unwrap();
                runtime.block_on(read(&clients[PLAIN], server));
                costs[client] = Cost::of(|| runtime.block_on(logger.run(read(&clients[client], server))));
            }
            rounds.push(costs);
        }
        runtime.block_on(logger.flush()).unwrap();
        assert_eq!(rows.traces().len(), rounds.len());
        Self(rounds.split_off(WARM_UP))
    }

    fn compare(&self, client: usize, other: usize, cost: impl Fn(&Cost) -> f64) -> Comparison {
        let all = |client: usize| self.0.iter().map(|costs| cost(&costs[client])).collect::<Vec<_>>();
        let ratios = all(client).iter().zip(all(other)).map(|(cost, other)| cost / other).collect();
        Comparison { before: quartiles(all(other))[1], after: quartiles(all(client))[1], ratios: quartiles(ratios) }
    }

    /// What tracing allocates in addition, at the median: how often, and how many bytes.
    fn allocated(&self) -> (f64, f64) {
        let [count, bytes] = [|cost: &Cost| cost.allocations, |cost: &Cost| cost.allocated_bytes]
            .map(|cost| self.compare(TRACED, WRAPPED, cost))
            .map(|compared| compared.after - compared.before);
        (count, bytes)
    }
}

fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[values.len() * quarter / 4])
}

/// Medians, and the quartiles of the ratios within a round.
struct Comparison {
    before: f64,
    after: f64,
    ratios: [f64; 3],
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [low, median, high] = self.ratios.map(|ratio| (ratio - 1.0) * 100.0);
        let [before, after] = [self.before, self.after].map(|seconds| seconds * 1e3);
        write!(f, "{before:6.2} -> {after:6.2} ms, {median:+5.1} % ({low:+5.1} to {high:+5.1} %)")
    }
}

#[test]
fn a_traced_stream_is_about_as_fast() {
    let cases = [
        ("events of 250 bytes, written one by one", Answer::events(250, 0)),
        ("events of 250 bytes, many at once", Answer::events(250, 64 * 1024)),
        ("events of 4000 bytes, many at once", Answer::events(4_000, 64 * 1024)),
        ("events of 60000 bytes", Answer::events(60_000, 0)),
        ("one JSON document", Answer::document()),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (kind, answer) in cases {
        let rounds = Rounds::run(&runtime, answer);
        println!("{} MiB as {kind}", BYTES >> 20);
        for (label, client, other) in [
            ("wrapped to plain", WRAPPED, PLAIN),
            ("traced to plain", TRACED, PLAIN),
            ("traced to wrapped", TRACED, WRAPPED),
        ] {
            let [time, work] =
                [|cost: &Cost| cost.time, |cost: &Cost| cost.work].map(|cost| rounds.compare(client, other, cost));
            println!("  {label:17}  time {time}\n{:21}work {work}", "");
        }
        let faults = rounds.compare(TRACED, WRAPPED, |cost| cost.faults);
        let (allocations, bytes) = rounds.allocated();
        println!("  page faults {} -> {}; more allocations: {allocations}, {bytes} bytes", faults.before, faults.after);

        let work = rounds.compare(TRACED, WRAPPED, |cost| cost.work);
        let slowest = if work.before > 0.0 { work } else { rounds.compare(TRACED, WRAPPED, |cost| cost.time) };
        assert!(slowest.ratios[1] < MOST_TIME, "{kind}: {slowest}");
        // What is kept has to be somewhere; but not twice, and not each piece by itself.
        assert!(bytes < 2.0 * BYTES as f64, "{kind}: {bytes} bytes were allocated");
        assert!(allocations < (BYTES / 4096) as f64, "{kind}: {allocations} allocations");
    }
}
