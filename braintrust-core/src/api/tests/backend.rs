//! A stand-in for Braintrust: answers as it does, unless a test's script answers first, and keeps what it was sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Json, Response};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket};

pub(crate) const ORG_ID: &str = "0a0a0a0a-1111-4222-8333-444444444444";
pub(crate) const PROJECT_ID: &str = "4de99a16-0540-5e7b-9943-8e91ac929802";

/// A request that the server received.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Who sent it: the port tells one connection from another.
    pub(crate) from: SocketAddr,
    pub(crate) at: Instant,
    /// Which one it is among those to its path, from 1.
    pub(crate) nth: usize,
}

impl Seen {
    pub(crate) fn is(&self, path: &str) -> bool {
        self.path == path
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.body).expect("UTF-8")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

#[derive(Default)]
struct Record {
    requests: Vec<Seen>,
    under_way: usize,
    most_at_once: usize,
}

/// A running server; it stops with the test's runtime.
pub(crate) struct Backend {
    pub(crate) url: String,
    record: Arc<Mutex<Record>>,
}

/// An address at which nothing answers yet, and at which nobody else can.
pub(crate) struct Place {
    socket: TcpSocket,
    address: SocketAddr,
}

impl Backend {
    /// A server on a free port; what `script` answers goes before the usual answer.
    pub(crate) async fn start<F>(script: impl Fn(Seen) -> F + Clone + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Option<Response>> + Send + 'static,
    {
        Self::reserve().start(script).await
    }

    pub(crate) fn reserve() -> Place {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
        let address = socket.local_addr().expect("the socket is bound");
        Place { socket, address }
    }

    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.record.lock().expect("no handler panicked").requests.clone()
    }

    pub(crate) fn requests_to(&self, path: &str) -> Vec<Seen> {
        let mut requests = self.requests();
        requests.retain(|seen| seen.is(path));
        requests
    }

    /// The most requests that were under way at the same time.
    pub(crate) fn most_at_once(&self) -> usize {
        self.record.lock().expect("no handler panicked").most_at_once
    }
}

impl Place {
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) async fn start<F>(self, script: impl Fn(Seen) -> F + Clone + Send + Sync + 'static) -> Backend
    where
        F: Future<Output = Option<Response>> + Send + 'static,
    {
        let url = self.url();
        let record = Arc::new(Mutex::new(Record::default()));
        let router = Router::new().fallback({
            let (record, url) = (record.clone(), url.clone());
            move |request: Request| async move {
                let seen = receive(&record, request).await;
                let scripted = script(seen.clone()).await;
                record.lock().expect("no handler panicked").under_way -= 1;
                scripted.unwrap_or_else(|| usual(&seen, &url))
            }
        });
        let listener: TcpListener = self.socket.listen(1024).expect("the port is still ours");
        tokio::spawn(
            async move { axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await },
        );
        Backend { url, record }
    }
}

async fn receive(record: &Mutex<Record>, request: Request) -> Seen {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.expect("a whole body");
    let path = parts.uri.path().to_owned();
    let ConnectInfo(from) = parts.extensions.get::<ConnectInfo<SocketAddr>>().expect("the service is made with it");
    let from = *from;
    let mut record = record.lock().expect("no handler panicked");
    let nth = 1 + record.requests.iter().filter(|seen| seen.path == path).count();
    let seen =
        Seen { method: parts.method.to_string(), path, headers: parts.headers, body, from, at: Instant::now(), nth };
    record.requests.push(seen.clone());
    record.under_way += 1;
    record.most_at_once = record.most_at_once.max(record.under_way);
    seen
}

/// The id that the project called `name` is registered with.
pub(crate) fn id_of(name: &str) -> String {
    if name == "my-project" { PROJECT_ID.to_owned() } else { format!("id of {name}") }
}

fn usual(seen: &Seen, url: &str) -> Response {
    let organization = |id: &str, name: &str| json!({"id": id, "name": name, "api_url": url, "proxy_url": url});
    match seen.path.as_str() {
        "/api/apikey/login" => {
            let organizations = [organization(ORG_ID, "test-org"), organization("other", "other-org")];
            Json(json!({"org_info": organizations})).into_response()
        }
        "/api/project/register" => {
            let name = seen.json()["project_name"].as_str().expect("a name").to_owned();
            Json(json!({"project": {"id": id_of(&name), "name": name}})).into_response()
        }
        "/version" => Json(json!({"version": "1.0"})).into_response(),
        "/logs3" => Json(json!({"ids": []})).into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
