//! A traced body is read as the untraced one is: piece by piece, when they come, with the same ends, hints and trailers.

use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use braintrust_core::testing::memory_logger;
use braintrust_reqwest::Tracer;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::{Body as _, Frame, SizeHint};
use proptest::prelude::*;
use provider::server::{Reply, Server};
use reqwest::{Body, Response};
use tokio::sync::Semaphore;

/// What one poll of a body gives.
#[derive(Clone, Debug)]
enum Step {
    Data(Vec<u8>),
    Trailers(String),
    Fail(String),
    Pending,
}

/// A body that goes by a script, and counts how often it was asked.
struct Scripted {
    steps: VecDeque<Step>,
    hint: (u64, Option<u64>),
    knows_its_end: bool,
    polls: Arc<Mutex<usize>>,
}

impl http_body::Body for Scripted {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        *self.polls.lock().unwrap() += 1;
        match self.steps.pop_front() {
            None => Poll::Ready(None),
            Some(Step::Pending) => Poll::Pending,
            Some(Step::Data(data)) => Poll::Ready(Some(Ok(Frame::data(data.into())))),
            Some(Step::Fail(text)) => Poll::Ready(Some(Err(std::io::Error::other(text)))),
            Some(Step::Trailers(value)) => {
                let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
                Poll::Ready(Some(Ok(Frame::trailers(HeaderMap::from_iter([(http::header::EXPIRES, value)])))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.knows_its_end && self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_lower(self.hint.0);
        if let Some(upper) = self.hint.1 {
            hint.set_upper(upper);
        }
        hint
    }
}

/// What a reader sees in one poll, before and after it.
#[derive(Debug, PartialEq)]
struct Seen {
    was_at_end: bool,
    hint: (u64, Option<u64>),
    frame: String,
    polls: usize,
}

/// Reads a response until its end or its first error, or for `limit` polls.
fn read(response: Response, polls: &Mutex<usize>, limit: usize) -> Vec<Seen> {
    let (_, body) = http::Response::<Body>::from(response).into_parts();
    let mut body = pin!(body);
    let mut seen = Vec::new();
    while seen.len() < limit {
        let (was_at_end, hint) = (body.is_end_stream(), body.size_hint());
        let polled = body.as_mut().poll_frame(&mut Context::from_waker(Waker::noop()));
        let (frame, done) = match polled {
            Poll::Pending => ("pending".to_owned(), false),
            Poll::Ready(None) => ("end".to_owned(), true),
            Poll::Ready(Some(Ok(frame))) => (format!("{frame:?}"), false),
            Poll::Ready(Some(Err(error))) => (error.to_string(), true),
        };
        seen.push(Seen { was_at_end, hint: (hint.lower(), hint.upper()), frame, polls: *polls.lock().unwrap() });
        if done {
            break;
        }
    }
    seen
}

fn scripts() -> impl Strategy<Value = (Vec<Step>, (u64, Option<u64>), bool, usize)> {
    let data = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        Just(b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\n\n".to_vec()),
        Just(vec![b'y'; 10_000]),
    ];
    let step = prop_oneof![4 => data.prop_map(Step::Data), 1 => Just(Step::Pending)];
    let last = prop_oneof![
        3 => Just(None),
        1 => "[a-z]{1,5}".prop_map(|value| Some(Step::Trailers(value))),
        1 => "[a-z]{1,5}".prop_map(|text| Some(Step::Fail(text))),
    ];
    let steps = (prop::collection::vec(step, 0..12), last).prop_map(|(mut steps, last)| {
        steps.extend(last);
        steps
    });
    (steps, (0_u64..1000, prop::option::of(1000_u64..2000)), any::<bool>(), 1_usize..20)
}

fn response(steps: &[Step], hint: (u64, Option<u64>), knows_its_end: bool, polls: &Arc<Mutex<usize>>) -> Response {
    *polls.lock().unwrap() = 0;
    let body = Scripted { steps: steps.iter().cloned().collect(), hint, knows_its_end, polls: polls.clone() };
    let head = http::Response::builder().header("content-type", "text/event-stream");
    Response::from(head.body(Body::wrap(body)).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_poll_of_a_traced_body_is_one_of_the_body_itself((steps, hint, knows_its_end, limit) in scripts()) {
        let polls = Arc::new(Mutex::new(0));
        let plain = read(response(&steps, hint, knows_its_end, &polls), &polls, limit);

        let (logger, rows) = memory_logger();
        let traced = logger.in_scope(|| {
            let mut request = reqwest::Request::new(reqwest::Method::POST, "http://h/v1/chat/completions".parse().unwrap());
            let call = Tracer::new("test").begin(&mut request).expect("a call of a model");
            call.respond(response(&steps, hint, knows_its_end, &polls))
        });
        let seen = read(traced, &polls, limit);
        prop_assert_eq!(&seen, &plain);

        logger.flush_blocking(Duration::from_secs(60)).unwrap();
        let traces = rows.traces();
        prop_assert_eq!(traces.len(), 1);
        let span = traces.spans()[0];
        // Whoever knows that there is no more, or was told of an error, has not left early.
        let is_through = *polls.lock().unwrap() >= steps.len();
        let has_failed = is_through && matches!(steps.last(), Some(Step::Fail(_)));
        let at_end = seen.last().is_some_and(|seen| seen.frame == "end") || (is_through && knows_its_end);
        let is_read = at_end || has_failed;
        let error = span.error().unwrap_or_default();
        prop_assert_eq!(error.contains("cancelled"), !is_read, "{}", error);
        prop_assert!(span.is_finished());
    }
}

#[tokio::test]
async fn a_reader_that_takes_its_time_is_not_overtaken() {
    // The server can send no more than fits between it and the reader: what tracing would read ahead, it would send.
    let sent = Arc::new(AtomicUsize::new(0));
    let event = "data: {}\n\n".repeat(100);
    let counted = sent.clone();
    let body = futures::stream::repeat_with(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok::<_, std::convert::Infallible>(event.clone())
    });
    let (logger, _rows) = memory_logger();
    let mut request = reqwest::Request::new(reqwest::Method::POST, "http://h/v1/chat/completions".parse().unwrap());
    let call = logger.in_scope(|| Tracer::new("test").begin(&mut request)).unwrap();
    let head = http::Response::builder().header("content-type", "text/event-stream");
    let mut response = call.respond(head.body(Body::wrap_stream(body)).unwrap().into());
    for taken in 1..=50 {
        response.chunk().await.unwrap();
        assert_eq!(sent.load(Ordering::Relaxed), taken);
    }
}

#[tokio::test]
async fn a_piece_is_passed_on_before_the_next_one_is_sent() {
    let gate = Arc::new(Semaphore::new(0));
    let pieces = ["data: 1", "\n\n", "data: 2\n\n"];
    let reply = Reply::chunks(200, "text/event-stream", pieces).gated(&gate);
    let server = Server::start(move |_| reply.clone()).unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let (logger, _rows) = memory_logger();
    let request = client.post(format!("{}/v1/chat/completions", server.url())).build().unwrap();
    let tracer = Tracer::new("test");
    let sent = logger.run(tracer.send(request, |request| client.execute(request)));
    let mut response = sent.await.expect("its head comes before any piece");
    for piece in pieces {
        gate.add_permits(1);
        let chunk = tokio::time::timeout(Duration::from_secs(60), response.chunk()).await.expect("it is passed on");
        assert_eq!(chunk.unwrap().unwrap(), piece);
    }
    assert_eq!(response.chunk().await.unwrap(), None);
}
