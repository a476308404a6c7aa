//! Which requests are calls of a model, and how their spans are opened.

use std::borrow::Cow;
use std::error::Error;

use braintrust_core::llm::{CallOptions, Endpoint, ModelCall, detect, is_enabled};
use braintrust_core::{Instrument as _, Logger, current_span, inject};
use memchr::memmem;
use reqwest::{Body, Method, Request, Response, Url};

use crate::call::Call;
use crate::request_body;

/// Traces the model calls among requests: each gets an `llm` span under what is current where it is made.
///
/// It is what [`Middleware`](crate::Middleware) is made of, for clients that send their requests in a way of their own.
///
/// ```
/// use braintrust::reqwest::Tracer;
///
/// async fn ask(client: &reqwest::Client, body: String) -> reqwest::Result<String> {
///     let tracer = Tracer::new("my-client");
///     let request = client.post("https://api.openai.com/v1/chat/completions").body(body).build()?;
///     tracer.send(request, |request| client.execute(request)).await?.text().await
/// }
/// ```
///
/// # What counts as a call
///
/// A `POST` to a path that ends as those of the known APIs do, on whatever host: OpenAI and what is compatible with it,
/// Anthropic, Gemini, Bedrock, Cohere, Ollama, and `/rerank` of whoever has it. Where such a path may belong to anything (`/responses`), and the host is not known
/// to serve models, the request must name a `model` as well, unless the client is [`dedicated`](Self::dedicated). What is
/// invoked on Bedrock is a call if it is Claude: by the model's id or, for the ARN of a profile, by the
/// `anthropic_version` in the request. More are added by [`endpoint`](Self::endpoint). Every other request is sent, and
/// its response returned, as it is.
///
/// # Compressed answers
///
/// What `reqwest` decompresses is read (its features `gzip`, `brotli`, `deflate` and `zstd`). A client that lacks them
/// asks for no compression, and gets none. Only for one that asks by a header of its own, and decompresses what comes by
/// itself, an answer stays compressed: its span then says so, and has neither output nor metrics. Three decompressors
/// would be much to depend on for that.
#[derive(Clone, Debug)]
pub struct Tracer {
    options: CallOptions,
    rules: Vec<Rule>,
    propagated: Vec<Cow<'static, str>>,
    /// Whether all that is sent is meant for a model's API.
    is_dedicated: bool,
}

/// An endpoint that is known by its address.
#[derive(Clone, Debug)]
struct Rule {
    host: Cow<'static, str>,
    path: Cow<'static, str>,
    endpoint: Endpoint,
}

impl Tracer {
    /// Traces in the name of the client library `instrumentation`, which the spans tell of.
    #[must_use]
    pub fn new(instrumentation: impl Into<Cow<'static, str>>) -> Self {
        let options = CallOptions::new(instrumentation);
        Self { options, rules: Vec::new(), propagated: Vec::new(), is_dedicated: false }
    }

    /// Has the spans go to the project that is registered under `key`: under its nearest span around the call, or as
    /// roots. An unknown key is warned of once, and then means "as usual".
    #[must_use]
    pub fn project(mut self, key: impl Into<Cow<'static, str>>) -> Self {
        self.options = self.options.with_project(key);
        self
    }

    /// Has the spans go to `logger`: under its nearest span around the call, or as roots.
    #[must_use]
    pub fn logger(mut self, logger: &Logger) -> Self {
        self.options = self.options.with_logger(logger);
        self
    }

    /// Names the spans, instead of the name that goes with the API that is called.
    #[must_use]
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.options = self.options.with_name(name);
        self
    }

    /// Counts every `POST` to `host` with a path that ends in `path` as a call of `endpoint`, whatever else is known of
    /// it. A host with a port is meant with that port only.
    ///
    /// ```
    /// use braintrust::llm::{Endpoint, WireApi};
    /// use braintrust::reqwest::Tracer;
    ///
    /// let acme = Endpoint::new("acme", WireApi::ChatCompletions);
    /// let tracer = Tracer::new("my-client").endpoint("llm.acme.example", "/v2/generate", acme);
    /// ```
    #[must_use]
    pub fn endpoint(
        mut self,
        host: impl Into<Cow<'static, str>>,
        path: impl Into<Cow<'static, str>>,
        endpoint: Endpoint,
    ) -> Self {
        self.rules.push(Rule { host: host.into(), path: path.into(), endpoint });
        self
    }

    /// Counts every `POST` to a path of a known API as a call, even where such a path may belong to anything: for a client
    /// that talks to nothing but a model's API.
    #[must_use]
    pub fn dedicated(mut self) -> Self {
        self.is_dedicated = true;
        self
    }

    /// Adds `traceparent`, `tracestate` and `baggage` to requests to `host`, so that its own spans join the trace: for a
    /// gateway that traces too. No other host is sent any of them.
    #[must_use]
    pub fn propagate_to(mut self, host: impl Into<Cow<'static, str>>) -> Self {
        self.propagated.push(host.into());
        self
    }

    /// Sends a request by `send`, and traces it if it is a call of a model.
    ///
    /// The span is current while `send` runs. It ends with the response's body, when that has been read, fails, or is
    /// dropped; and if the response is never come to, with the error or with the drop of this future.
    ///
    /// # Errors
    /// Those of `send`.
    pub async fn send<F, E>(&self, mut request: Request, send: impl FnOnce(Request) -> F) -> Result<Response, E>
    where
        F: Future<Output = Result<Response, E>>,
        E: Error + 'static,
    {
        match self.begin(&mut request) {
            Some(call) => {
                let sending = send(request).in_span(call.span());
                call.conclude(sending.await)
            }
            None => send(request).await,
        }
    }

    /// Begins the span of a request that is about to be sent; `None` if it is no call of a model, or nothing listens.
    ///
    /// For clients that [`send`](Self::send) does not suit. Nothing of the request is changed, but for headers to hosts
    /// that were named to [`propagate_to`](Self::propagate_to).
    #[must_use = "dropping the call ends its span"]
    pub fn begin(&self, request: &mut Request) -> Option<Call> {
        if !is_enabled() {
            return None;
        }
        let call = self.begin_call(request);
        if self.is_propagated_to(request.url()) {
            match &call {
                Some(call) => inject(call.span(), request.headers_mut()),
                None => inject(&current_span(), request.headers_mut()),
            }
        }
        call
    }

    fn begin_call(&self, request: &mut Request) -> Option<Call> {
        let endpoint = self.recognise(request)?;
        let body = request_body::share(request);
        let is_stream = body.is_none();
        let watched = ModelCall::begin(endpoint, body.unwrap_or_default(), &self.options);
        if watched.span().is_noop() {
            return None;
        }
        let call = Call::new(watched);
        if is_stream {
            call.note("request_notes", "the request's body is a stream or a form, and not read");
        }
        Some(call)
    }

    fn recognise(&self, request: &Request) -> Option<Endpoint> {
        if request.method() != Method::POST {
            return None;
        }
        let url = request.url();
        if let Some(rule) = self.rules.iter().find(|rule| rule.fits(url)) {
            return Some(rule.endpoint.clone());
        }
        // Without a name and a password before it.
        let host = url.authority().rsplit('@').next()?;
        let endpoint = detect(host, url.path())?;
        let is_call = match endpoint.proving_entry() {
            None => true,
            Some("model") if self.is_dedicated => true,
            Some(entry) => has_entry(request, entry),
        };
        is_call.then_some(endpoint)
    }

    fn is_propagated_to(&self, url: &Url) -> bool {
        self.propagated.iter().any(|host| is_host(url, host))
    }
}

impl Rule {
    fn fits(&self, url: &Url) -> bool {
        is_host(url, &self.host) && url.path().trim_end_matches('/').ends_with(self.path.trim_end_matches('/'))
    }
}

/// Whether a request's body has an entry that is called `name`, or may have one.
fn has_entry(request: &Request, name: &str) -> bool {
    let quoted = format!("\"{name}\"");
    let bytes = request.body().map(Body::as_bytes);
    bytes.is_some_and(|bytes| bytes.is_none_or(|bytes| memmem::find(bytes, quoted.as_bytes()).is_some()))
}

/// Whether a URL leads to a host, given by its name or by name and port.
fn is_host(url: &Url, host: &str) -> bool {
    let Some(name) = url.host_str() else { return false };
    if name.eq_ignore_ascii_case(host) {
        return true;
    }
    let with_port = host.rsplit_once(':').and_then(|(name, port)| Some((name, port.parse().ok()?)));
    with_port.is_some_and(|(host, port): (_, u16)| {
        name.eq_ignore_ascii_case(host) && url.port_or_known_default() == Some(port)
    })
}
