//! What each request is answered with: what Braintrust answers, or what the plan has in its place.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse as _, Json, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::arrivals::{Envelope, Row};
use crate::faults::{Endpoint, Plan, Trouble};
use crate::under_way::Visit;
use crate::uploads::Uploads;
use crate::{Request, Shared, lock};

/// All that answering takes.
#[derive(Clone)]
pub(crate) struct Answering {
    url: Arc<str>,
    plan: watch::Receiver<Plan>,
    shared: Arc<Shared>,
    uploads: Uploads,
}

/// What a request for rows holds in place of rows that were uploaded before.
#[derive(Deserialize)]
struct Uploaded {
    key: String,
}

impl Answering {
    pub(crate) fn new(address: SocketAddr, plan: watch::Receiver<Plan>, shared: Arc<Shared>) -> Self {
        Self { url: format!("http://{address}").into(), plan, shared, uploads: Uploads::default() }
    }

    pub(crate) async fn answer(State(answering): State<Self>, request: axum::extract::Request) -> Response {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let endpoint = endpoint(&path);
        if endpoint == Endpoint::Rows {
            lock(&answering.shared.arrivals).row_requests += 1;
            answering.shared.tell();
        }
        let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else {
            // The client is gone; nobody reads this.
            return StatusCode::BAD_REQUEST.into_response();
        };
        let request = Request { method: parts.method, path, headers: parts.headers, body };
        if let Some(requests) = &answering.shared.requests {
            lock(requests).push(request.clone());
        }
        let shared = Arc::clone(&answering.shared);
        shared.tell();
        let answer = answering.answer_at(endpoint, &request).await;
        shared.tell();
        answer
    }

    async fn answer_at(mut self, endpoint: Endpoint, request: &Request) -> Response {
        if request.path != "/logs3" {
            return match self.trouble(endpoint, request.body.len()).await {
                Some(troubled) => troubled,
                None if request.path == "/upload" => match self.uploads.take_form(request).await {
                    Ok(()) => StatusCode::NO_CONTENT.into_response(),
                    Err(what) => self.refuse(what),
                },
                None => self.usual(request),
            };
        }
        match self.rows_of(&request.body) {
            Ok(body) => self.answer_rows(&body, request).await,
            Err(what) => self.refuse(what),
        }
    }

    /// The body that has the rows: this one, or one that was uploaded before.
    fn rows_of(&self, body: &Bytes) -> Result<Bytes, String> {
        let envelope: Envelope<'_> =
            serde_json::from_slice(body).map_err(|error| format!("a body is no JSON: {error}"))?;
        if envelope.rows.get().starts_with('[') {
            return Ok(body.clone());
        }
        let uploaded: Uploaded =
            serde_json::from_str(envelope.rows.get()).map_err(|error| format!("no rows: {error}"))?;
        self.uploads.get(&uploaded.key).ok_or_else(|| format!("never uploaded: {}", uploaded.key))
    }

    async fn answer_rows(mut self, body: &[u8], request: &Request) -> Response {
        let rows = match parse_rows(body) {
            Ok(rows) => rows,
            Err(what) => return self.refuse(what),
        };
        let mut ids: Vec<_> = rows.iter().map(Row::id).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| pair[0] == pair[1]) {
            self.violation("two rows of one id in one request".to_owned());
        }
        let visit = Visit::begin(Arc::clone(&self.shared), ids);
        let troubled = self.trouble(Endpoint::Rows, request.body.len()).await;
        if !visit.complete() {
            self.violation("two rows of one id in requests under way at once".to_owned());
        }
        match troubled {
            Some(troubled) => troubled,
            None => {
                lock(&self.shared.arrivals).take(&rows, key(&request.headers));
                Json(json!({"ids": []})).into_response()
            }
        }
    }

    /// The answer that the plan has in place of the usual one, once it is time for either.
    async fn trouble(&mut self, endpoint: Endpoint, size: usize) -> Option<Response> {
        let _ = self.plan.wait_for(|plan| !plan.hangs(endpoint)).await;
        let trouble = self.plan.borrow().trouble(endpoint).cloned()?;
        match trouble {
            Trouble::Hang => None,
            Trouble::Slow(time) => {
                tokio::time::sleep(time).await;
                None
            }
            Trouble::Status(status) => {
                let status = StatusCode::from_u16(status).expect("a status");
                Some((status, "as the test wants it").into_response())
            }
            Trouble::Busy(seconds) => {
                Some((StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, seconds.to_string())], "slow down").into_response())
            }
            Trouble::TooLarge(most) => {
                (size > most).then(|| (StatusCode::PAYLOAD_TOO_LARGE, "too large").into_response())
            }
            Trouble::Html => Some(Html("<!doctype html><title>Sign in to the network</title>").into_response()),
            Trouble::Truncated => Some(truncated()),
            Trouble::Says(text) => Some(([(CONTENT_TYPE, "application/json")], text).into_response()),
        }
    }

    fn usual(&self, request: &Request) -> Response {
        let announced = lock(&self.shared.announced).clone();
        let data_plane = announced.data_plane.as_deref().unwrap_or(&self.url);
        let storage = announced.storage.as_deref().unwrap_or(&self.url);
        match request.path.as_str() {
            "/api/apikey/login" => Json(json!({"org_info": [{"id": "org-1", "name": "acme", "api_url": data_plane}]})),
            "/api/project/register" => {
                let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                Json(json!({"project": {"id": "project-1", "name": asked["project_name"]}}))
            }
            "/version" => Json(json!({"version": "1.0"})),
            "/logs3/overflow" => Json(self.uploads.place(storage, self.plan.borrow().takes_forms)),
            "/attachment" => {
                let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                let key = asked["key"].as_str().unwrap_or_default();
                // The query stands for the signature.
                let signed = format!("{storage}/upload/{key}?signature=do-not-show");
                Json(json!({"signedUrl": signed, "headers": {"content-type": asked["content_type"], "x-test": "1"}}))
            }
            "/attachment/status" => Json(json!({})),
            path => match path.strip_prefix("/upload/") {
                Some(key) => {
                    self.uploads.put(key, request.body.clone());
                    Json(json!({}))
                }
                None => return StatusCode::NOT_FOUND.into_response(),
            },
        }
        .into_response()
    }

    fn refuse(&self, what: String) -> Response {
        self.violation(what.clone());
        (StatusCode::BAD_REQUEST, what).into_response()
    }

    fn violation(&self, what: String) {
        lock(&self.shared.arrivals).violation(what);
    }
}

fn endpoint(path: &str) -> Endpoint {
    match path {
        "/api/apikey/login" => Endpoint::Login,
        "/api/project/register" => Endpoint::Register,
        "/version" => Endpoint::Version,
        "/logs3" => Endpoint::Rows,
        _ => Endpoint::Upload,
    }
}

fn key(headers: &HeaderMap) -> &str {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    value.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default()
}

fn parse_rows(body: &[u8]) -> Result<Vec<Row<'_>>, String> {
    let envelope: Envelope<'_> = serde_json::from_slice(body).map_err(|error| format!("a body is no JSON: {error}"))?;
    if envelope.api_version != 2 {
        return Err(format!("api_version is {}, expected 2", envelope.api_version));
    }
    serde_json::from_str(envelope.rows.get()).map_err(|error| format!("a row is malformed: {error}"))
}

/// An answer that promises more than it has: the connection breaks off under it.
fn truncated() -> Response {
    let text = r#"{"ids": ["#;
    let length = (text.len() + 100).to_string();
    // Of a body whose length is known, the server would correct the header.
    let body = Body::from_stream(futures::stream::iter([Ok::<_, Infallible>(text)]));
    ([(CONTENT_TYPE, "application/json".to_owned()), (CONTENT_LENGTH, length)], body).into_response()
}
