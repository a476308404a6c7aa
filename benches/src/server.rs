//! The backend of all stacks on loopback: cheap, and it counts which spans have arrived.
//!
//! It speaks as much of Braintrust's protocol and of OTLP as clients need, and finds spans by the mark in their
//! question, so that it parses nothing.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use memchr::memmem::Finder;
use serde::{Deserialize, Serialize};

use crate::work::{MARK, MARK_DIGITS};

/// What has arrived.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Arrived {
    /// Different spans.
    pub spans: u64,
    /// Spans that came once more.
    pub again: u64,
    /// Requests with spans in them.
    pub requests: u64,
    /// Their bodies.
    pub bytes: u64,
}

/// A server in a process of its own, which ends with this handle.
pub struct Server {
    process: Child,
    asking: ChildStdin,
    answers: BufReader<ChildStdout>,
    pub address: SocketAddr,
}

impl Server {
    /// Starts this program anew as a server.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn start(latency: Duration) -> io::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["serve", &latency.as_millis().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(asking), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            unreachable!("piped")
        };
        let mut server =
            Self { process, asking, answers: BufReader::new(answers), address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        server.address = server.line()?.trim().parse().map_err(io::Error::other)?;
        Ok(server)
    }

    /// What has arrived of the spans numbered below `spans`.
    ///
    /// # Errors
    ///
    /// If the server is gone.
    pub fn arrived(&mut self, spans: u64) -> io::Result<Arrived> {
        writeln!(self.asking, "{spans}")?;
        Ok(serde_json::from_str(&self.line()?)?)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(line)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[derive(Default)]
struct Counts {
    requests: u64,
    bytes: u64,
    /// How often each span came, by its number.
    seen: Vec<u32>,
}

impl Counts {
    fn count(&mut self, body: &[u8], numbers: &[usize]) {
        if numbers.is_empty() {
            return;
        }
        self.requests += 1;
        self.bytes += body.len() as u64;
        for &number in numbers {
            if self.seen.len() <= number {
                self.seen.resize(number + 1, 0);
            }
            self.seen[number] += 1;
        }
    }

    fn below(&self, spans: usize) -> Arrived {
        let counted = self.seen.iter().take(spans).filter(|times| **times > 0);
        let (spans, again) = counted.fold((0, 0), |(spans, again), times| (spans + 1, again + u64::from(*times) - 1));
        Arrived { spans, again, requests: self.requests, bytes: self.bytes }
    }
}

/// Serves until standard input ends; answers each number on it with what has arrived of the spans below that.
///
/// # Errors
///
/// If no port is to be had, or standard output is gone.
pub fn serve(latency: Duration) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    println!("{address}");
    let counts = Arc::new(Mutex::new(Counts::default()));
    let counting = Arc::clone(&counts);
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let counts = Arc::clone(&counting);
            std::thread::spawn(move || attend(&connection, address, latency, &counts));
        }
    });
    for line in io::stdin().lines() {
        let spans = line?.trim().parse().map_err(io::Error::other)?;
        let arrived = counts.lock().expect("no count panics").below(spans);
        println!("{}", serde_json::to_string(&arrived)?);
    }
    Ok(())
}

/// Answers the requests of one connection until it closes.
fn attend(connection: &TcpStream, address: SocketAddr, latency: Duration, counts: &Mutex<Counts>) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut input = BufReader::with_capacity(64 * 1024, connection);
    let mark = Finder::new(MARK);
    let (mut line, mut body, mut numbers) = (String::new(), Vec::new(), Vec::new());
    loop {
        line.clear();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let length = content_length(&mut input, &mut line)?;
        body.resize(length, 0);
        input.read_exact(&mut body)?;
        numbers.clear();
        numbers.extend(mark.find_iter(&body).filter_map(|at| number(&body[at + MARK.len()..])));
        counts.lock().expect("no count panics").count(&body, &numbers);
        std::thread::sleep(latency);
        let (kind, answer) = answer_to(&path, address);
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n", answer.len());
        (&*connection).write_all(&[head.as_bytes(), answer.as_bytes()].concat())?;
    }
}

fn content_length(input: &mut impl io::BufRead, line: &mut String) -> io::Result<usize> {
    let mut length = 0;
    loop {
        line.clear();
        input.read_line(line)?;
        let header = line.trim_end().to_ascii_lowercase();
        match header.split_once(':') {
            None => return Ok(length),
            Some(("content-length", value)) => length = value.trim().parse().map_err(io::Error::other)?,
            Some(("content-encoding" | "transfer-encoding", _)) => {
                eprintln!("the server reads plain bodies of a stated length, not `{header}`");
                return Err(io::ErrorKind::Unsupported.into());
            }
            Some(_) => {}
        }
    }
}

fn number(digits: &[u8]) -> Option<usize> {
    str::from_utf8(digits.get(..MARK_DIGITS)?).ok()?.parse().ok()
}

fn answer_to(path: &str, address: SocketAddr) -> (&'static str, String) {
    const JSON: &str = "application/json";
    match path {
        "/v1/traces" => ("application/x-protobuf", String::new()),
        "/api/apikey/login" => {
            let org = format!(r#"{{"id":"org-1","name":"benches","api_url":"http://{address}"}}"#);
            (JSON, format!(r#"{{"org_info":[{org}]}}"#))
        }
        "/api/project/register" => (JSON, r#"{"project":{"id":"project-1","name":"benches"}}"#.to_owned()),
        "/version" => (JSON, r#"{"logs3_payload_max_bytes":6000000}"#.to_owned()),
        _ => (JSON, "{}".to_owned()),
    }
}
