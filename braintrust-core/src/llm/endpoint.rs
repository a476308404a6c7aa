//! Who is called, and in which wire format.

use std::borrow::Cow;

use super::WireApi;

/// Who is called, and in which wire format: what a request's address says of it.
///
/// Found by [`detect`](super::detect()), or made by hand for a service that it does not know.
///
/// ```
/// use braintrust::llm::{Endpoint, WireApi};
///
/// let endpoint = Endpoint::new("acme-gateway", WireApi::ChatCompletions);
/// assert_eq!(endpoint.provider(), "acme-gateway");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    provider: Cow<'static, str>,
    api: WireApi,
    model: Option<String>,
    streams: Option<bool>,
    /// What a request's body has to have besides, for the request to be a call.
    proving_entry: Option<&'static str>,
}

impl Endpoint {
    /// A service of `provider` (whose prices apply: the vendor, gateway or reseller that is paid) that speaks `api`.
    pub fn new(provider: impl Into<Cow<'static, str>>, api: WireApi) -> Self {
        Self { provider: provider.into(), api, model: None, streams: None, proving_entry: None }
    }

    /// Names the model, where the address does and the request's body does not.
    #[must_use]
    pub fn with_model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Says whether the answer comes as a stream, where the address says so and the request's body does not.
    #[must_use]
    pub fn with_streaming(mut self, streams: bool) -> Self {
        self.streams = Some(streams);
        self
    }

    /// Names another provider.
    #[must_use]
    pub fn with_provider(mut self, provider: impl Into<Cow<'static, str>>) -> Self {
        self.provider = provider.into();
        self
    }

    /// Says which entry of a request's body proves that it is a call, if the address alone does not.
    #[must_use]
    pub(super) fn with_proving_entry(mut self, entry: Option<&'static str>) -> Self {
        self.proving_entry = entry;
        self
    }

    /// Who is paid for the call.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// The wire format.
    #[must_use]
    pub fn api(&self) -> WireApi {
        self.api
    }

    /// The model that the address names.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// Whether the answer comes as a stream, as far as the address says.
    #[must_use]
    pub fn streams(&self) -> Option<bool> {
        self.streams
    }

    /// Whether the address alone proves that a model is called in this wire format: nothing but models is served by its
    /// host, or nothing else has such a path. If not, a request counts whose body has the
    /// [`proving_entry`](Self::proving_entry).
    ///
    /// An endpoint that was made by hand is certain.
    ///
    /// ```
    /// use braintrust::llm::detect;
    ///
    /// assert!(detect("api.openai.com", "/v1/moderations").unwrap().is_certain());
    /// assert!(!detect("forum.example", "/v1/moderations").unwrap().is_certain());
    /// ```
    #[must_use]
    pub fn is_certain(&self) -> bool {
        self.proving_entry.is_none()
    }

    /// The entry that a request's body must have to be a call, where the address alone does not prove it.
    ///
    /// `model` where such a path may belong to anything; an entry of the wire format where the address leaves open which
    /// provider's model it leads to, as the ARN of one of Bedrock's inference profiles does.
    ///
    /// ```
    /// use braintrust::llm::detect;
    ///
    /// assert_eq!(detect("forum.example", "/v1/moderations").unwrap().proving_entry(), Some("model"));
    /// let profile = "/model/arn:aws:bedrock:eu-west-1:1:application-inference-profile/p/invoke";
    /// assert_eq!(detect("gateway.example", profile).unwrap().proving_entry(), Some("anthropic_version"));
    /// assert_eq!(detect("api.openai.com", "/v1/moderations").unwrap().proving_entry(), None);
    /// ```
    #[must_use]
    pub fn proving_entry(&self) -> Option<&'static str> {
        self.proving_entry
    }
}
