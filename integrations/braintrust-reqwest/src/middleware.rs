//! The middleware for `reqwest-middleware`.

use std::borrow::Cow;

use async_trait::async_trait;
use braintrust_core::Logger;
use braintrust_core::llm::Endpoint;
use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::Next;

use crate::Tracer;

/// Traces the model calls that go through a `reqwest_middleware::ClientWithMiddleware`, and leaves all other requests
/// alone.
///
/// ```
/// use braintrust::reqwest::Middleware;
///
/// let client = reqwest_middleware::ClientBuilder::new(reqwest::Client::new()).with(Middleware::new()).build();
/// ```
///
/// Each call gets one `llm` span, under what is current where the call is awaited, with the messages, the answer, the
/// model and the tokens. A client may be shared by any number of tasks. The user of the client gets every byte when it
/// comes, in the pieces in which it comes; a span ends when its response has been read, fails, or is dropped.
///
/// Add it before a middleware that retries, so that one call is one span with all of its attempts:
/// `.with(Middleware::new()).with(retry)`. Added after it, each attempt is a span.
///
/// Libraries that take such a client are traced by it too. With `rig` 0.44 (feature `reqwest-middleware-rustls`), a model
/// is given the client by `.with_http(rig_reqwest::ReqwestMiddlewareClient::from(client))`.
///
/// Which requests count is told at [`Tracer`], whose settings are those of this type.
#[derive(Clone, Debug)]
pub struct Middleware(Tracer);

impl Middleware {
    /// Middleware that traces every call to an API that is known.
    #[must_use]
    pub fn new() -> Self {
        Self(Tracer::new("reqwest-middleware"))
    }

    /// Has the spans go to a registered project; see [`Tracer::project`].
    #[must_use]
    pub fn project(self, key: impl Into<Cow<'static, str>>) -> Self {
        Self(self.0.project(key))
    }

    /// Has the spans go to a logger; see [`Tracer::logger`].
    #[must_use]
    pub fn logger(self, logger: &Logger) -> Self {
        Self(self.0.logger(logger))
    }

    /// Names the spans; see [`Tracer::name`].
    #[must_use]
    pub fn name(self, name: impl Into<Cow<'static, str>>) -> Self {
        Self(self.0.name(name))
    }

    /// Adds an endpoint to those that are known; see [`Tracer::endpoint`].
    ///
    /// ```
    /// use braintrust::llm::{Endpoint, WireApi};
    /// use braintrust::reqwest::Middleware;
    ///
    /// let acme = Endpoint::new("acme", WireApi::ChatCompletions);
    /// let middleware = Middleware::new().endpoint("llm.acme.example", "/v2/generate", acme);
    /// ```
    #[must_use]
    pub fn endpoint(
        self,
        host: impl Into<Cow<'static, str>>,
        path: impl Into<Cow<'static, str>>,
        endpoint: Endpoint,
    ) -> Self {
        Self(self.0.endpoint(host, path, endpoint))
    }

    /// Sends the trace along to a host; see [`Tracer::propagate_to`].
    #[must_use]
    pub fn propagate_to(self, host: impl Into<Cow<'static, str>>) -> Self {
        Self(self.0.propagate_to(host))
    }
}

impl Default for Middleware {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Tracer> for Middleware {
    fn from(tracer: Tracer) -> Self {
        Self(tracer)
    }
}

#[async_trait]
impl reqwest_middleware::Middleware for Middleware {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        self.0.send(request, |request| next.run(request, extensions)).await
    }
}
