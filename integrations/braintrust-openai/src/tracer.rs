//! What users configure, and the client that it makes.

use std::borrow::Cow;

use async_openai::Client;
use async_openai::config::Config;
use async_openai::middleware::ReqwestService;
use async_openai::middleware::retry::OpenAIRetryLayer;
use braintrust_core::Logger;
use braintrust_reqwest::{Endpoint, Tracer};
use tower_layer::Layer as _;

use crate::TraceLayer;

/// Traces every call of a client, and is short for [`tracer()`]`.wrap(client)`.
///
/// Each call gets one `llm` span, under what is current where the call is awaited, with the messages, the answer, the
/// model and the tokens. The client behaves as before: it retries as `async-openai` does, and returns what it returned.
/// It may be shared by any number of tasks.
///
/// ```
/// use async_openai::Client;
/// use async_openai::config::OpenAIConfig;
///
/// let client = braintrust::wrap_openai(Client::with_config(OpenAIConfig::new().with_api_key("..")));
/// ```
///
/// # Clients with HTTP settings of their own
///
/// `async-openai` lets nobody see the `reqwest::Client` or the service that a client sends its requests with, so the
/// wrapped client sends them with a new `reqwest::Client`, as `Client::new` and `Client::with_config` do. One that has
/// settings of its own (a proxy, a timeout) must be handed over again:
/// [`tracer()`]`.http_client(http).wrap(client)`; a stack of tower services takes [`OpenAiTracer::layer`].
#[must_use = "it is the wrapped client that is traced"]
pub fn wrap_openai<C: Config>(client: Client<C>) -> Client<C> {
    tracer().wrap(client)
}

/// Settings for tracing a client; [`wrap`](OpenAiTracer::wrap) applies them.
///
/// ```
/// use std::time::Duration;
///
/// use async_openai::Client;
///
/// let http = reqwest::Client::builder().timeout(Duration::from_secs(60)).build()?;
/// let client = braintrust::openai::tracer().project("support").http_client(http).wrap(Client::new());
/// # Ok::<(), reqwest::Error>(())
/// ```
#[must_use = "settings do nothing until a client is wrapped"]
pub fn tracer() -> OpenAiTracer {
    OpenAiTracer { tracer: Tracer::new("async-openai").dedicated(), http: None }
}

/// Settings for tracing a client, made by [`tracer()`].
#[derive(Clone, Debug)]
#[must_use = "settings do nothing until a client is wrapped"]
pub struct OpenAiTracer {
    tracer: Tracer,
    http: Option<reqwest::Client>,
}

impl OpenAiTracer {
    /// Has the spans go to the project that is registered under `key`; see [`Tracer::project`].
    pub fn project(mut self, key: impl Into<Cow<'static, str>>) -> Self {
        self.tracer = self.tracer.project(key);
        self
    }

    /// Has the spans go to `logger`; see [`Tracer::logger`].
    pub fn logger(mut self, logger: &Logger) -> Self {
        self.tracer = self.tracer.logger(logger);
        self
    }

    /// Names the spans, instead of the name that goes with the API that is called.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.tracer = self.tracer.name(name);
        self
    }

    /// Adds an endpoint to those that are known, for a service that is compatible but for its paths; see
    /// [`Tracer::endpoint`].
    pub fn endpoint(
        mut self,
        host: impl Into<Cow<'static, str>>,
        path: impl Into<Cow<'static, str>>,
        endpoint: Endpoint,
    ) -> Self {
        self.tracer = self.tracer.endpoint(host, path, endpoint);
        self
    }

    /// Sends the trace along to a host, such as a gateway that traces too; see [`Tracer::propagate_to`].
    pub fn propagate_to(mut self, host: impl Into<Cow<'static, str>>) -> Self {
        self.tracer = self.tracer.propagate_to(host);
        self
    }

    /// Has the wrapped client send its requests with `http`, instead of a new `reqwest::Client`.
    pub fn http_client(mut self, http: reqwest::Client) -> Self {
        self.http = Some(http);
        self
    }

    /// The layer that traces, for a stack of tower services of your own.
    ///
    /// Put it around what retries, so that one call is one span with all of its attempts:
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use async_openai::Client;
    /// use async_openai::middleware::ReqwestService;
    /// use async_openai::middleware::retry::OpenAIRetryLayer;
    /// use tower::ServiceBuilder;
    ///
    /// let service = ServiceBuilder::new()
    ///     .layer(braintrust::openai::tracer().project("support").layer())
    ///     .concurrency_limit(8)
    ///     .layer(OpenAIRetryLayer::new(5))
    ///     .service(ReqwestService::new(reqwest::Client::new()));
    /// let client = Client::new().with_http_service(service);
    /// ```
    pub fn layer(self) -> TraceLayer {
        TraceLayer::new(self.tracer)
    }

    /// The client, traced: with its own settings, and with `async-openai`'s own retries.
    ///
    /// What the client sent its requests with is replaced; see [`wrap_openai`].
    #[must_use = "it is the wrapped client that is traced"]
    pub fn wrap<C: Config>(mut self, client: Client<C>) -> Client<C> {
        let http = ReqwestService::new(self.http.take().unwrap_or_default());
        client.with_http_service(self.layer().layer(OpenAIRetryLayer::default().layer(http)))
    }
}
