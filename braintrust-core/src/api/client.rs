//! One attempt at one request: sends it with the key, and turns all that can go wrong into a `Failure`.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response};
use serde::de::DeserializeOwned;

use super::failure::{CHECK_URLS, Failure, advice};
use super::retry::{Remedy, classify, parse_retry_after};
use super::shared::HttpClient;
use super::unanswered::{Address, unanswered};
use crate::secret::ApiKey;

/// How much of an answer's body is read to explain a failure: far more than is shown, far less than could hurt.
const EXPLANATION_BYTES: usize = 4096;
const EXPLANATION_CHARS: usize = 200;

/// How much of an answer is read: far more than Braintrust ever says. What answers in its place may never end.
const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// Azure asks for a header of its own.
const AZURE_HOST: &str = "blob.core.windows.net";

/// Braintrust's API on behalf of one key.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    http: HttpClient,
    key: ApiKey,
}

/// A request before it is sent.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    /// The deployment's URL, and what follows it.
    pub(super) base: &'a str,
    pub(super) path: &'a str,
    /// JSON.
    pub(super) body: Option<Bytes>,
    /// How long the call may take, if less than other calls.
    pub(super) limit: Option<Duration>,
}

impl Call<'_> {
    fn url(&self) -> String {
        format!("{}{}", self.base.trim_end_matches('/'), self.path)
    }
}

impl Api {
    pub(crate) fn new(http: HttpClient, key: ApiKey) -> Self {
        Self { http, key }
    }

    /// Sends a call and answers with its successful response, whose body is still to be read.
    pub(super) async fn send(&self, call: Call<'_>) -> Result<Response, Failure> {
        let url = call.url();
        let line = format!("{} {url}", call.method);
        let mut request = self.http.requests.request(call.method, url).bearer_auth(self.key.expose());
        if let Some(body) = call.body {
            // An empty body would go without its length, and some proxies refuse a POST that doesn't tell it.
            request = request.header(CONTENT_LENGTH, body.len()).header(CONTENT_TYPE, "application/json").body(body);
        }
        if let Some(limit) = call.limit {
            request = request.timeout(limit);
        }
        match request.send().await {
            Ok(response) => self.judge(response, &line).await,
            Err(error) => Err(self.unanswered(&error, &line)),
        }
    }

    fn unanswered(&self, error: &reqwest::Error, line: &str) -> Failure {
        unanswered(error, line, Address::Configured, &self.http)
    }

    /// Sends a call and reads its answer as JSON.
    ///
    /// What is no JSON, or only a beginning of it, may be a proxy's page or a broken connection, and so is no refusal.
    pub(super) async fn fetch<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, Failure> {
        let (line, body) = self.fetch_bytes(call).await?;
        serde_json::from_slice(&body).map_err(|error| {
            let remedy = if error.is_data() { Remedy::None } else { Remedy::Again(None) };
            let error = self.scrub(&error.to_string());
            Failure::new(format!("{line}: the answer is not what Braintrust answers ({error}){CHECK_URLS}"), remedy)
        })
    }

    /// Sends a call and reads its whole answer; the line names the call.
    pub(super) async fn fetch_bytes(&self, call: Call<'_>) -> Result<(String, Bytes), Failure> {
        let line = format!("{} {}", call.method, call.url());
        let response = self.send(call).await?;
        let body = first_bytes(response, MAX_ANSWER + 1).await.map_err(|(_, error)| self.unanswered(&error, &line))?;
        if body.len() > MAX_ANSWER {
            let text = format!("{line}: the answer has more than {MAX_ANSWER} bytes{CHECK_URLS}");
            return Err(Failure::transient(text));
        }
        Ok((line, body.into()))
    }

    /// Uploads to a signed address, which says by itself who may: the key has no business there.
    pub(super) async fn upload(&self, request: impl FnOnce(&reqwest::Client) -> RequestBuilder) -> Result<(), Failure> {
        let request = request(&self.http.requests);
        // The address is a secret of its own.
        let line = "the upload of a large request";
        let uploaded = match request.send().await {
            Ok(response) => self.judge(response, line).await.map(drop),
            Err(error) => Err(unanswered(&error, line, Address::Signed, &self.http)),
        };
        // Whatever was wrong with the address, the next one may be better; the rows themselves were not judged.
        uploaded.map_err(|failure| {
            let failure = match failure.remedy {
                Remedy::None => Failure::transient(failure.text),
                _ => failure,
            };
            Failure { is_of_storage: true, ..failure }
        })
    }

    /// Puts data at a signed address, which says by itself who may: the key has no business there. The address is a
    /// secret as well, so `line` stands for it in messages.
    pub(super) async fn put_signed(
        &self,
        url: &str,
        headers: &BTreeMap<String, String>,
        data: Bytes,
        limit: Duration,
        line: &str,
    ) -> Result<(), Failure> {
        let mut request = self.http.requests.put(url).timeout(limit).header(CONTENT_LENGTH, data.len());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if reqwest::Url::parse(url).is_ok_and(|url| url.host_str().is_some_and(|host| host.contains(AZURE_HOST))) {
            request = request.header("x-ms-blob-type", "BlockBlob");
        }
        match request.body(data).send().await {
            Ok(response) => self.judge(response, line).await.map(drop),
            Err(error) => Err(unanswered(&error, line, Address::Signed, &self.http)),
        }
    }

    async fn judge(&self, response: Response, line: &str) -> Result<Response, Failure> {
        let status = response.status();
        let Err(remedy) = classify(status, asked_wait(&response)) else {
            return Ok(response);
        };
        let text = self.explain(response, line).await;
        let advice = if remedy == Remedy::None { advice(status) } else { "" };
        Err(Failure { status: Some(status), ..Failure::new(text + advice, remedy) })
    }

    /// What a server said, without the key, which some echo.
    pub(super) fn scrub(&self, said: &str) -> String {
        self.key.scrub(said)
    }

    /// What the server said about a failure.
    async fn explain(&self, response: Response, line: &str) -> String {
        let status = response.status();
        let mut text = format!("{line}: HTTP {status}");
        if let Some(place) = response.headers().get(LOCATION).and_then(|value| value.to_str().ok()) {
            text.push_str(&format!(" to {}", self.scrub(place)));
        }
        let body = first_bytes(response, EXPLANATION_BYTES).await.unwrap_or_else(|(begun, _)| begun);
        let body = self.scrub(&String::from_utf8_lossy(&body));
        let body = body.trim();
        if !body.is_empty() {
            text.push_str(": ");
            text.extend(body.chars().take(EXPLANATION_CHARS).map(|c| if c.is_control() { ' ' } else { c }));
        }
        text
    }
}

fn asked_wait(response: &Response) -> Option<Duration> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    parse_retry_after(value, SystemTime::now())
}

/// The first `limit` bytes of a response's body.
///
/// # Errors
///
/// What arrived of it, and why no more did.
async fn first_bytes(mut response: Response, limit: usize) -> Result<Vec<u8>, (Vec<u8>, reqwest::Error)> {
    let mut bytes = Vec::new();
    while bytes.len() < limit {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk[..chunk.len().min(limit - bytes.len())]),
            Ok(None) => break,
            Err(error) => return Err((bytes, error)),
        }
    }
    Ok(bytes)
}
