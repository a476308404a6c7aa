//! Calls through any client at all, from the values that it takes and gives.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::Stream;
use pin_project::pin_project;
use serde::Serialize;

use super::{CallOptions, Endpoint, ModelCall, WireApi, shape, transport};
use crate::capture;
use crate::span::{InSpan, Span};

/// What spans of these calls say made them.
const INSTRUMENTATION: &str = "llm";

/// Describes a call of a model of `provider` (whose prices apply), made with whatever client.
///
/// The request, and what comes back, need only be `Serialize`: clients' types mostly serialise to what is on the wire,
/// which is then read as if it had been. The wire format is recognised by the provider and the request's fields;
/// [`Llm::api`] names it where that goes wrong.
///
/// A call is one span, also through a client that traces its requests itself (a wrapped one, or one with a middleware):
/// what it sends straight from the future or stream that it is given here, retries included, is part of this call. What
/// makes several calls, such as an agent, is better given a span of its own by `#[traced(type = "task")]`, so that each
/// call is seen.
///
/// ```
/// # #[derive(serde::Serialize)]
/// # struct Request { model: &'static str, messages: Vec<serde_json::Value>, max_tokens: u32 }
/// # struct Client;
/// # impl Client {
/// #     async fn send(&self, _: &Request) -> Result<serde_json::Value, std::io::Error> { Ok(serde_json::json!({})) }
/// #     fn stream(&self, _: &Request) -> impl futures::Stream<Item = Result<serde_json::Value, std::io::Error>> {
/// #         futures::stream::empty()
/// #     }
/// # }
/// # async fn example(client: Client, request: Request) -> Result<(), Box<dyn std::error::Error>> {
/// let reply = braintrust::llm("anthropic").request(&request).run(client.send(&request)).await?;
/// let chunks = braintrust::llm("openai").request(&request).stream(client.stream(&request)); // passed through
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn llm(provider: impl Into<Cow<'static, str>>) -> Llm {
    let options = CallOptions::new(INSTRUMENTATION).with_location(Location::caller());
    Llm { provider: provider.into(), api: None, endpoint: None, options }
}

/// A call of a model that has not been made yet; made by [`llm`].
#[derive(Clone, Debug)]
#[must_use = "a call begins with `.request(..)`"]
pub struct Llm {
    provider: Cow<'static, str>,
    api: Option<WireApi>,
    endpoint: Option<Endpoint>,
    options: CallOptions,
}

impl Llm {
    /// Says which wire format the request and the response have.
    pub fn api(mut self, api: WireApi) -> Self {
        self.api = Some(api);
        self
    }

    /// Says all that an address would say: provider, wire format, and a model that the request does not name.
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// Names the span, instead of the name that goes with the API.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.options = self.options.with_name(name);
        self
    }

    /// Has the span go to the project that is registered under `key`.
    pub fn project(mut self, key: impl Into<Cow<'static, str>>) -> Self {
        self.options = self.options.with_project(key);
        self
    }

    /// Begins the call, and its span under the current one: `request` is about to be sent.
    ///
    /// It is serialised here and now, unless nothing listens.
    pub fn request<R: Serialize + ?Sized>(self, request: &R) -> LlmCall {
        if !super::is_enabled() {
            return LlmCall(ModelCall::off());
        }
        let request = serialized(request);
        let endpoint = self.endpoint.unwrap_or_else(|| {
            let api = self.api.unwrap_or_else(|| shape::api_of(&self.provider, &request));
            Endpoint::new(self.provider, api)
        });
        LlmCall(ModelCall::begin(endpoint, request, &self.options))
    }
}

/// A call of a model that has begun, and that ends, its span with it, when the answer does.
///
/// Made by [`Llm::request`].
#[derive(Debug)]
#[must_use = "the span ends when the call is dropped; give it the future or the stream of the answer"]
pub struct LlmCall(ModelCall);

impl LlmCall {
    /// The span of the call.
    #[must_use]
    pub fn span(&self) -> &Span {
        self.0.span()
    }

    /// Runs the future of an answer that comes in one piece, with the span current, and returns what it returns.
    ///
    /// # Errors
    ///
    /// That of the future, which becomes the error of the span.
    pub async fn run<T: Serialize, E: Display>(self, answer: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        self.run_shown(answer, |answer| serialized(answer)).await
    }

    /// Does what [`run`](Self::run) does for an answer that is not `Serialize`, or not as it is on the wire: `show` says
    /// what is to be read instead.
    ///
    /// # Errors
    ///
    /// That of the future, which becomes the error of the span.
    pub async fn run_as<T, E, R>(
        self,
        answer: impl Future<Output = Result<T, E>>,
        show: impl FnOnce(&T) -> R,
    ) -> Result<T, E>
    where
        E: Display,
        R: Serialize,
    {
        self.run_shown(answer, |answer| serialized(&show(answer))).await
    }

    async fn run_shown<T, E: Display>(
        self,
        answer: impl Future<Output = Result<T, E>>,
        show: impl FnOnce(&T) -> Bytes,
    ) -> Result<T, E> {
        let mut call = self.0;
        let span = call.span().clone();
        let answer = InSpan::during_model_call(answer, span).await;
        match &answer {
            _ if call.is_off() => {}
            Ok(answer) => {
                call.respond(200, None);
                call.chunk(&show(answer));
                call.finish();
            }
            Err(error) => call.fail_with(transport::shown(error)),
        }
        answer
    }

    /// Passes the stream of an answer through, with the span current whenever it runs.
    ///
    /// Items, and the moments at which they come, are the stream's own. The span ends with the stream, at the first
    /// error, or when the stream is dropped, with what had come by then.
    pub fn stream<S, T, E>(mut self, answer: S) -> LlmStream<S>
    where
        S: Stream<Item = Result<T, E>>,
        T: Serialize,
        E: Display,
    {
        self.0.respond(200, Some(LINES));
        let inner = InSpan::during_model_call(answer, self.span().clone());
        LlmStream { inner, call: Some(self.0) }
    }

    /// Runs a future whose answer is a stream, and passes that through as [`stream`](Self::stream) does.
    ///
    /// # Errors
    ///
    /// If the future's output is one.
    pub async fn run_stream<S, T, E, F>(self, opening: impl Future<Output = Result<S, F>>) -> Result<LlmStream<S>, F>
    where
        S: Stream<Item = Result<T, E>>,
        T: Serialize,
        E: Display,
        F: Display,
    {
        let span = self.span().clone();
        match InSpan::during_model_call(opening, span).await {
            Ok(answer) => Ok(self.stream(answer)),
            Err(error) => {
                if !self.0.is_off() {
                    self.0.fail_with(transport::shown(&error));
                }
                Err(error)
            }
        }
    }
}

/// How the items of a stream are laid down: each in a line.
const LINES: &str = "application/x-ndjson";

/// The stream of a model's answer, passed through; made by [`LlmCall::stream`].
#[pin_project]
#[must_use = "streams do nothing unless polled"]
pub struct LlmStream<S> {
    /// Dropped before the call, whose span its destructors may still log to.
    #[pin]
    inner: InSpan<S>,
    /// Taken when the span ends.
    call: Option<ModelCall>,
}

impl<S, T, E> Stream for LlmStream<S>
where
    S: Stream<Item = Result<T, E>>,
    T: Serialize,
    E: Display,
{
    type Item = Result<T, E>;

    fn poll_next(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        let polled = this.inner.poll_next(task);
        match &polled {
            Poll::Pending => {}
            Poll::Ready(Some(Ok(item))) => {
                if let Some(call) = this.call.as_mut().filter(|call| !call.is_off()) {
                    call.chunk(&line(item));
                }
            }
            Poll::Ready(Some(Err(error))) => {
                if let Some(call) = this.call.take().filter(|call| !call.is_off()) {
                    call.fail_with(transport::shown(error));
                }
            }
            Poll::Ready(None) => {
                if let Some(call) = this.call.take() {
                    call.finish();
                }
            }
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl<S> fmt::Debug for LlmStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LlmStream").field("call", &self.call).finish_non_exhaustive()
    }
}

fn serialized(value: &(impl Serialize + ?Sized)) -> Bytes {
    let mut out = Vec::new();
    capture::write_json(value, &mut out);
    out.into()
}

fn line(item: &impl Serialize) -> Bytes {
    let mut out = Vec::new();
    capture::write_json(item, &mut out);
    out.push(b'\n');
    out.into()
}
