//! A small HTTP/1.1 server on loopback that answers from a script, down to when each piece of a body is written.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// What a client asked.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The path with its query.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// All of it.
    pub body: Vec<u8>,
}

impl Request {
    /// The first header of that name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What a client is to receive.
#[derive(Clone, Debug)]
pub struct Reply {
    status: String,
    headers: Vec<(String, String)>,
    steps: Vec<Step>,
    framing: Framing,
    /// How much is gathered before it is written, unless there is a pause.
    gathered: usize,
}

#[derive(Clone, Debug)]
enum Step {
    Send(Vec<u8>),
    Wait(Duration),
    /// Goes on when there is a permit.
    Await(Arc<Semaphore>),
    /// The same again until the client has gone.
    Forever(Vec<u8>),
    /// Ends the connection as if the server had crashed.
    Reset,
}

#[derive(Clone, Copy, Debug)]
enum Framing {
    Chunked,
    /// With a `content-length`: of what is sent, or longer than that.
    Length(usize),
}

impl Reply {
    /// A body that is sent whole, with its length.
    pub fn whole(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let framing = Framing::Length(body.len());
        Self { framing, ..Self::chunks(status, content_type, [body]) }
    }

    /// A body in chunks.
    pub fn chunks<C: Into<Vec<u8>>>(status: u16, content_type: &str, chunks: impl IntoIterator<Item = C>) -> Self {
        let steps = chunks.into_iter().map(|chunk| Step::Send(chunk.into())).collect();
        Self { status: status.to_string(), headers: Vec::new(), steps, framing: Framing::Chunked, gathered: 64 * 1024 }
            .header("content-type", content_type)
    }

    /// With one more header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes each chunk by itself, as providers do with what a model says.
    pub fn one_by_one(mut self) -> Self {
        self.gathered = 0;
        self
    }

    /// Waits before each chunk.
    pub fn paced(mut self, pause: Duration) -> Self {
        self.steps = self.steps.into_iter().flat_map(|step| [Step::Wait(pause), step]).collect();
        self
    }

    /// Waits for a permit before each chunk.
    pub fn gated(mut self, gate: &Arc<Semaphore>) -> Self {
        self.steps = self.steps.into_iter().flat_map(|step| [Step::Await(gate.clone()), step]).collect();
        self
    }

    /// Promises `length` bytes, however many are sent.
    pub fn promising(mut self, length: usize) -> Self {
        self.framing = Framing::Length(length);
        self
    }

    /// After what was sent so far, the same chunk again until the client has gone.
    pub fn forever(mut self, chunk: impl Into<Vec<u8>>) -> Self {
        self.steps.push(Step::Forever(chunk.into()));
        self
    }

    /// After what was sent so far, nothing more comes, and the connection stays as it is.
    pub fn silent(mut self) -> Self {
        self.steps.push(Step::Await(Arc::new(Semaphore::new(0))));
        self
    }

    /// After what was sent so far, the connection breaks.
    pub fn reset(mut self) -> Self {
        self.steps.push(Step::Reset);
        self
    }
}

/// Runs until it is dropped, on a thread of its own.
pub struct Server {
    address: SocketAddr,
    _stop: tokio::sync::oneshot::Sender<()>,
}

impl Server {
    /// Answers each request as `answer` says.
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("provider".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => (),
                    _ = listen(listener, Arc::new(answer)) => (),
                }
            });
        })?;
        Ok(Self { address, _stop: stop })
    }

    /// Where it listens, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

type Answer = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

async fn listen(listener: std::net::TcpListener, answer: Answer) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answer = answer.clone();
        // A client that goes away is no concern of the server's.
        tokio::spawn(async move { serve(stream, answer).await.ok() });
    }
}

async fn serve(stream: TcpStream, answer: Answer) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await? {
        if !write(stream.get_mut(), answer(&request)).await? {
            break;
        }
    }
    Ok(())
}

/// The next request on a connection; none if it has been closed.
async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let mut first = String::new();
    if stream.read_line(&mut first).await? == 0 {
        return Ok(None);
    }
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let mut request = Request { path, headers, body: Vec::new() };
    request.body = match request.header("content-length").and_then(|length| length.parse().ok()) {
        Some(length) => read_exactly(stream, length).await?,
        None if request.header("transfer-encoding").is_some() => read_chunks(stream).await?,
        None => Vec::new(),
    };
    Ok(Some(request))
}

async fn read_exactly(stream: &mut BufReader<TcpStream>, length: usize) -> io::Result<Vec<u8>> {
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(body)
}

async fn read_chunks(stream: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        stream.read_line(&mut size).await?;
        let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
        let chunk = read_exactly(stream, size + 2).await?;
        if size == 0 {
            return Ok(body);
        }
        body.extend_from_slice(&chunk[..size]);
    }
}

/// Whether the connection can take another request.
async fn write(stream: &mut TcpStream, reply: Reply) -> io::Result<bool> {
    let mut head = format!("HTTP/1.1 {} Scripted\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    match reply.framing {
        Framing::Chunked => head.push_str("transfer-encoding: chunked\r\n\r\n"),
        Framing::Length(length) => head.push_str(&format!("content-length: {length}\r\n\r\n")),
    }
    let mut unsent = head.into_bytes();
    let mut sent = 0;
    for step in &reply.steps {
        if !matches!(step, Step::Send(_)) || unsent.len() > reply.gathered {
            stream.write_all(&std::mem::take(&mut unsent)).await?;
        }
        match step {
            Step::Send(chunk) => {
                put_framed(reply.framing, chunk, &mut unsent);
                sent += chunk.len();
            }
            Step::Wait(pause) => tokio::time::sleep(*pause).await,
            Step::Await(gate) => gate.acquire().await.map_err(io::Error::other)?.forget(),
            Step::Forever(chunk) => {
                put_framed(reply.framing, chunk, &mut unsent);
                loop {
                    stream.write_all(&unsent).await?;
                }
            }
            Step::Reset => {
                stream.set_zero_linger()?;
                return Ok(false);
            }
        }
    }
    if let Framing::Chunked = reply.framing {
        unsent.extend_from_slice(b"0\r\n\r\n");
    }
    stream.write_all(&unsent).await?;
    Ok(match reply.framing {
        Framing::Chunked => true,
        Framing::Length(length) => sent == length,
    })
}

/// Writes a chunk as it goes over the wire.
fn put_framed(framing: Framing, chunk: &[u8], out: &mut Vec<u8>) {
    match framing {
        // An empty one would end the body.
        Framing::Chunked if chunk.is_empty() => (),
        Framing::Chunked => {
            out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            out.extend_from_slice(chunk);
            out.extend_from_slice(b"\r\n");
        }
        Framing::Length(_) => out.extend_from_slice(chunk),
    }
}
