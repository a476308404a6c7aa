//! Whole programs: what has been recorded by the time a process ends, or forks, is delivered, and what the library says
//! on the way is heard where it should be.
//!
//! Each case is a program of its own: this binary runs itself, with the name of the case and the address of a backend.

#[path = "../backend/mod.rs"]
mod backend;
mod diagnostics;
mod exits;
#[cfg(unix)]
mod forks;
// Which certificates a program trusts is told by variables on systems like this one only.
#[cfg(target_os = "linux")]
mod https;
#[cfg(target_os = "linux")]
#[path = "../program/mod.rs"]
mod program;
mod settings;

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use backend::{Backend, KEY};
use braintrust::{Logger, traced};
use braintrust_test_backend::Fault;
use libtest_mimic::{Arguments, Trial};
use serde_json::{Map, Value};

/// Where the backend of a program is; tells a program from the test itself.
const BACKEND: &str = "BRAINTRUST_TEST_BACKEND";
const SPOOL_DIR: &str = "BRAINTRUST_SPOOL_DIR";

/// A program, and what comes of it.
#[derive(Clone)]
struct Case {
    name: &'static str,
    /// Is given a logger, which is the default one.
    program: fn(&Logger),
    variables: &'static [(&'static str, &'static str)],
    /// Whether it has a spool, in a folder of its own.
    spools: bool,
    fault: Option<Fault>,
    check: fn(&Outcome),
}

/// What came of a program.
struct Outcome {
    status: ExitStatus,
    stdout: String,
    stderr: String,
    /// The rows that arrived, as they are stored: a program may be held up while a span is open, which then comes in two.
    rows: Vec<Map<String, Value>>,
    /// Where its spool was, if it had one.
    spool: PathBuf,
    /// How long it ran on after its first line on stdout.
    ended_after: Duration,
}

impl Case {
    const fn new(name: &'static str, program: fn(&Logger), check: fn(&Outcome)) -> Self {
        Self { name, program, variables: &[], spools: false, fault: None, check }
    }

    const fn with_spool(self) -> Self {
        Self { spools: true, ..self }
    }

    const fn with(self, variables: &'static [(&'static str, &'static str)]) -> Self {
        Self { variables, ..self }
    }

    fn run(&self) {
        let backend = Backend::start();
        if let Some(fault) = &self.fault {
            backend.fail(fault.clone());
        }
        let folder = tempfile::tempdir().unwrap();
        let spool = if self.spools { folder.path().to_owned() } else { PathBuf::from("off") };
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg(self.name)
            .env(BACKEND, backend.url())
            .env("NO_PROXY", "127.0.0.1")
            .env(SPOOL_DIR, &spool)
            .envs(self.variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut stderr = child.stderr.take().unwrap();
        // Read all along, so that the program never waits for somebody to listen.
        let stderr = std::thread::spawn(move || {
            let mut said = Vec::new();
            stderr.read_to_end(&mut said).map(|_| said)
        });
        let (mut stdout, mut said) = (BufReader::new(child.stdout.take().unwrap()), Vec::new());
        stdout.read_until(b'\n', &mut said).unwrap();
        let first_line = Instant::now();
        stdout.read_to_end(&mut said).unwrap();
        let stderr = text(&stderr.join().unwrap().unwrap());
        let status = child.wait().unwrap();
        let ended_after = first_line.elapsed();
        let outcome = Outcome { status, stdout: text(&said), stderr, rows: backend.stored(), spool, ended_after };
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(!said.contains(KEY), "the key was told: {said}");
        (self.check)(&outcome);
    }
}

impl Outcome {
    /// Asserts that the program ended well, and that just these spans arrived, each once, in any order.
    fn assert_spans(&self, expected: &[&str]) {
        assert_eq!(self.status.code(), Some(0), "{}", self.stderr);
        self.assert_arrived(expected);
    }

    fn assert_arrived(&self, expected: &[&str]) {
        let mut names: Vec<_> = self.rows.iter().map(name).collect();
        names.sort_unstable();
        assert_eq!(names, expected, "{}", self.stderr);
    }

    /// The row of the span of this name.
    #[cfg(unix)]
    fn row(&self, named: &str) -> &Map<String, Value> {
        self.rows.iter().find(|row| name(row) == named).unwrap_or_else(|| panic!("no `{named}`: {}", self.stderr))
    }
}

fn name(row: &Map<String, Value>) -> &str {
    row["span_attributes"]["name"].as_str().unwrap()
}

#[traced]
fn leaf(value: u32) -> u32 {
    value
}

#[traced]
async fn step(value: u32) -> u32 {
    value
}

fn one_call(_: &Logger) {
    leaf(1);
}

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    if program::is_program() {
        return program::run_program();
    }
    let cases = [exits::CASES, diagnostics::CASES, settings::CASES];
    #[cfg(unix)]
    let cases = cases.into_iter().chain([forks::CASES]);
    let cases: Vec<_> = cases.into_iter().flatten().collect();
    if let Ok(backend) = std::env::var(BACKEND) {
        let named = std::env::args().nth(1).unwrap();
        let case = cases.iter().find(|case| case.name == named).unwrap();
        let logger = Logger::builder().project("p").api_key(KEY).app_url(backend).build().unwrap();
        logger.install();
        (case.program)(&logger);
        return ExitCode::SUCCESS;
    }
    let trials = cases.into_iter().map(|case| {
        Trial::test(case.name, || {
            case.run();
            Ok(())
        })
    });
    #[cfg(target_os = "linux")]
    let trials = trials.chain(https::trials());
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}
