//! A stand-in for Braintrust on loopback: answers login, registration and `/version`, and keeps the rows it is sent.

#![allow(dead_code, reason = "each test binary uses another part")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Json;
use braintrust::Logger;
use serde_json::{Map, Value, json};

/// One request that the backend has seen.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// The running backend. It has a thread and a runtime of its own, so that the tested program needs neither.
pub struct Backend {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
    _stop: tokio::sync::oneshot::Sender<()>,
}

pub const KEY: &str = "sk-test-0123456789abcdef";

impl Backend {
    pub fn start() -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state((address, Arc::clone(&seen)));
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let server = axum::serve(listener, router);
                tokio::select! {
                    served = server => served.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        Self { address, seen, _stop: stop }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A logger whose rows come here.
    pub fn logger(&self, project: &str) -> Logger {
        Logger::builder().project(project).api_key(KEY).app_url(self.url()).build().unwrap()
    }

    pub fn requests(&self) -> Vec<Request> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All rows sent so far, in the order of their arrival.
    pub fn rows(&self) -> Vec<Map<String, Value>> {
        let requests = self.requests();
        let bodies = requests.iter().filter(|request| request.path == "/logs3").map(|request| &request.body);
        bodies.flat_map(|body| rows_of(body)).collect()
    }
}

fn rows_of(body: &[u8]) -> Vec<Map<String, Value>> {
    let envelope: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(envelope["api_version"], 2);
    envelope["rows"].as_array().unwrap().iter().map(|row| row.as_object().unwrap().clone()).collect()
}

async fn answer(
    State((address, seen)): State<(SocketAddr, Arc<Mutex<Vec<Request>>>)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Json<Value> {
    let path = uri.path().to_owned();
    seen.lock().unwrap().push(Request { method, path: path.clone(), headers, body: body.to_vec() });
    Json(match path.as_str() {
        "/api/apikey/login" => {
            json!({"org_info": [{"id": "org-1", "name": "acme", "api_url": format!("http://{address}")}]})
        }
        "/api/project/register" => json!({"project": {"id": "project-1", "name": "p"}}),
        "/version" => json!({"logs3_payload_max_bytes": 6_000_000}),
        _ => json!({}),
    })
}
