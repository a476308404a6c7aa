//! A traced program as a process of its own, which does what a test tells it to, line by line.
//!
//! A test binary runs itself: with [`ROLE`] set it is the program. So the program can be killed, started anew with the
//! same spool, given settings of its own, and measured apart from the backend, which lives in the test.

#![allow(dead_code, reason = "each test binary uses another part")]

mod awake;
mod latency;
mod role;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use braintrust_test_backend::Backend;
use serde::{Deserialize, Serialize};

pub use self::latency::Latency;
pub use self::role::{is_program, run_program};

/// The variable that makes a test binary the program.
const ROLE: &str = "BRAINTRUST_TEST_PROGRAM";

/// The variable that has the program's spans wait for room so many seconds, where memory is full.
pub const WAIT_FOR_ROOM: &str = "BRAINTRUST_TEST_WAIT_FOR_ROOM";

/// What the program can be told to do.
#[derive(Debug, Serialize, Deserialize)]
enum Order {
    /// Makes traced calls, one after the other.
    Calls { tenant: String, first: u32, count: u32 },
    /// Makes traced calls with an argument of so many bytes besides.
    Large { tenant: String, first: u32, count: u32, bytes: usize },
    /// Logs an attachment of this text.
    Attach { tenant: String, text: String },
    /// Makes traced calls on so many threads at once, as fast as they can.
    Load { tenant: String, threads: u32, count: u32 },
    /// Begins spans, and leaves them open.
    Open { tenant: String, first: u32, count: u32 },
    /// Logs to the open spans, and ends them.
    Close,
    /// Flushes the loggers of all tenants, one after the other.
    Flush { limit: Duration },
    /// Returns from `main`.
    End,
}

/// What the program answers.
#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    Done,
    Took(Latency),
    Flushed(Flushed),
}

/// What came of a flush of all tenants' loggers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Flushed {
    /// How long the flush of one logger took at most, of the time in which the program could run.
    pub took: Duration,
    pub delivered: u64,
    pub spooled: u64,
    pub queued: u64,
    pub lost: u64,
    /// The errors, if there were any.
    pub error: Option<String>,
}

/// The running program, as the test sees it.
pub struct Program {
    child: Child,
    orders: ChildStdin,
    answers: mpsc::Receiver<Answer>,
    complaints: Option<JoinHandle<String>>,
}

impl Program {
    /// Runs this binary as a program whose spans go to `backend`, with these environment variables.
    pub fn start(backend: &Backend, variables: &[(&str, &str)]) -> Self {
        Self::start_by(Command::new(std::env::current_exe().unwrap()), backend, variables)
    }

    /// Does the same by a command that is given this binary's path as its last argument.
    pub fn start_by(mut command: Command, backend: &Backend, variables: &[(&str, &str)]) -> Self {
        let mut child = command
            .env(ROLE, "1")
            .env("NO_PROXY", "127.0.0.1")
            .env("BRAINTRUST_APP_URL", backend.url())
            .env_remove("BRAINTRUST_API_URL")
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = child.stderr.take().unwrap();
        // Read all along, so that the program never waits for somebody to listen.
        let complaints = std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = stderr.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        let orders = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (answered, answers) = mpsc::channel();
        std::thread::spawn(move || {
            // A line that breaks off is the last of a program that was killed.
            for line in stdout.lines().map_while(Result::ok) {
                let Ok(answer) = serde_json::from_str(&line) else { return };
                let _ = answered.send(answer);
            }
        });
        Self { child, orders, answers, complaints: Some(complaints) }
    }

    /// Makes the calls `first..first + count` of a tenant.
    pub fn calls(&mut self, tenant: &str, first: u32, count: u32) -> Latency {
        match self.ask(&Order::Calls { tenant: tenant.to_owned(), first, count }) {
            Answer::Took(latency) => latency,
            other => panic!("{other:?}"),
        }
    }

    /// Makes calls as [`calls`](Self::calls) does, each with an argument of so many bytes besides.
    pub fn large_calls(&mut self, tenant: &str, first: u32, count: u32, bytes: usize) {
        self.ask(&Order::Large { tenant: tenant.to_owned(), first, count, bytes });
    }

    /// Logs an attachment of this text.
    pub fn attach(&mut self, tenant: &str, text: &str) {
        self.ask(&Order::Attach { tenant: tenant.to_owned(), text: text.to_owned() });
    }

    /// Makes the calls `0..count` of a tenant, spread over so many threads.
    pub fn load(&mut self, tenant: &str, threads: u32, count: u32) {
        self.ask(&Order::Load { tenant: tenant.to_owned(), threads, count });
    }

    /// Begins to make calls, as [`calls`](Self::calls) does, and does not wait for them.
    pub fn begin_calls(&mut self, tenant: &str, first: u32, count: u32) {
        self.tell(&Order::Calls { tenant: tenant.to_owned(), first, count });
    }

    /// Begins the calls `first..first + count` of a tenant, which end with [`close`](Self::close).
    pub fn open(&mut self, tenant: &str, first: u32, count: u32) {
        self.ask(&Order::Open { tenant: tenant.to_owned(), first, count });
    }

    pub fn close(&mut self) {
        self.ask(&Order::Close);
    }

    pub fn flush(&mut self, limit: Duration) -> Flushed {
        self.begin_flush(limit);
        self.flushed()
    }

    /// Has a flush begin, whose outcome [`flushed`](Self::flushed) waits for.
    pub fn begin_flush(&mut self, limit: Duration) {
        self.tell(&Order::Flush { limit });
    }

    pub fn flushed(&mut self) -> Flushed {
        match self.answer() {
            Answer::Flushed(flushed) => flushed,
            other => panic!("{other:?}"),
        }
    }

    /// The outcome of the next flush, passing over what else is answered before; none if it is not there in time.
    pub fn flushed_by(&mut self, deadline: Instant) -> Option<Flushed> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if let Answer::Flushed(flushed) = self.answers.recv_timeout(left).ok()? {
                return Some(flushed);
            }
        }
    }

    /// The most memory that the process has had resident at any time, in bytes; none where the system does not tell.
    pub fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kib * 1024)
    }

    /// Has the program return from `main`; what it wrote to stderr.
    pub fn end(mut self) -> String {
        self.tell(&Order::End);
        let status = self.child.wait().unwrap();
        let complaints = self.complaints();
        assert!(status.success(), "the program ended with {status}: {complaints}");
        complaints
    }

    /// Kills the program as `kill -9` does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn ask(&mut self, order: &Order) -> Answer {
        self.tell(order);
        self.answer()
    }

    fn tell(&mut self, order: &Order) {
        let line = serde_json::to_string(order).unwrap();
        let told = writeln!(self.orders, "{line}").and_then(|()| self.orders.flush());
        if let Err(error) = told {
            panic!("the program is gone ({error}): {}", self.complaints());
        }
    }

    fn answer(&mut self) -> Answer {
        self.answers.recv().unwrap_or_else(|_| panic!("the program is gone: {}", self.complaints()))
    }

    fn complaints(&mut self) -> String {
        self.complaints.take().map(|thread| thread.join().unwrap()).unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // After a test that failed; else it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
