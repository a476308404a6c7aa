//! What stands between a program and its backend: a front that speaks TLS or not, and a proxy.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use braintrust_test_backend::Backend;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsAcceptor;

use super::authority::HOST;

/// How a front talks.
#[derive(Clone)]
pub enum Speech {
    Tls(TlsAcceptor),
    Plain,
}

/// The public address of a backend.
pub struct Front {
    address: SocketAddr,
    speech: Arc<Mutex<Speech>>,
    _runtime: Runtime,
}

impl Front {
    pub fn start(backend: &Backend, speech: Speech) -> Self {
        let speech = Arc::new(Mutex::new(speech));
        let (spoken, behind) = (Arc::clone(&speech), backend.address());
        let (address, runtime) = serve(move |stream| {
            let speech = spoken.lock().unwrap().clone();
            async move {
                match speech {
                    Speech::Plain => connect(stream, behind).await,
                    Speech::Tls(acceptor) => {
                        // Who does not trust the certificate hangs up.
                        if let Ok(stream) = acceptor.accept(stream).await {
                            connect(stream, behind).await;
                        }
                    }
                }
            }
        });
        Self { address, speech, _runtime: runtime }
    }

    /// Host and port.
    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// Has new connections be served like this.
    pub fn speak(&self, speech: Speech) {
        *self.speech.lock().unwrap() = speech;
    }
}

/// A proxy that opens tunnels to wherever it is asked to.
pub struct Proxy {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    _runtime: Runtime,
}

#[derive(Default)]
struct State {
    /// What it answers in place of opening a tunnel.
    refusal: Option<&'static str>,
    tunnels: usize,
    /// All that clients have sent.
    seen: Vec<u8>,
}

impl Proxy {
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let kept = Arc::clone(&state);
        let (address, runtime) = serve(move |stream| tunnel(stream, Arc::clone(&kept)));
        Self { address, state, _runtime: runtime }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Has it answer like this from now on, in place of opening tunnels.
    pub fn refuse(&self, answer: &'static str) {
        self.state.lock().unwrap().refusal = Some(answer);
    }

    /// Has it open tunnels again.
    pub fn agree(&self) {
        self.state.lock().unwrap().refusal = None;
    }

    pub fn tunnels(&self) -> usize {
        self.state.lock().unwrap().tunnels
    }

    /// Whether clients have sent this text so that the proxy could read it.
    pub fn has_seen(&self, text: &str) -> bool {
        self.state.lock().unwrap().seen.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

async fn tunnel(mut client: TcpStream, state: Arc<Mutex<State>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = client.read_u8().await else { return };
        head.push(byte);
    }
    state.lock().unwrap().seen.extend_from_slice(&head);
    let head = String::from_utf8(head).unwrap();
    let target = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).map(str::to_owned);
    let refusal = state.lock().unwrap().refusal;
    if let Some(answer) = refusal {
        let _ = client.write_all(answer.as_bytes()).await;
        return;
    }
    let Some(target) = target else { return };
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    state.lock().unwrap().tunnels += 1;
    let _ = client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await;
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let up = async {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
            state.lock().unwrap().seen.extend_from_slice(&buffer[..count]);
            if to_server.write_all(&buffer[..count]).await.is_err() {
                break;
            }
        }
        let _ = to_server.shutdown().await;
    };
    let down = async {
        let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
        let _ = to_client.shutdown().await;
    };
    tokio::join!(up, down);
}

async fn connect(mut client: impl AsyncRead + AsyncWrite + Unpin, behind: SocketAddr) {
    if let Ok(mut server) = TcpStream::connect(behind).await {
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}

/// Listens on loopback, and has each connection served, until the runtime is dropped.
fn serve<F: Future<Output = ()> + Send + 'static>(
    serve: impl Fn(TcpStream) -> F + Send + 'static,
) -> (SocketAddr, Runtime) {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind((HOST, 0))).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move {
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream));
            }
        }
    });
    (address, runtime)
}
