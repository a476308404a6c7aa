//! A run: every measurement in a process of its own, the stacks in turns.

use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::caller::{Listening, Seen};
use crate::flood::Flood;
use crate::results::{Compiling, Delivered, Process, Results, Tree};
use crate::server::Server;
use crate::stacks::STACKS;
use crate::work::Work;

/// Stacks that can be measured in one process: `tracing` has one subscriber for all of it.
const SIDE_BY_SIDE: [&[&str]; 2] = [
    &["braintrust", "tracing", "fastrace", "opentelemetry", "braintrust-sdk-rust"],
    &["braintrust", "fastrace", "tracing-otel"],
];

/// Stacks that lose nothing in a flood, and so can be compared under latency.
const LOSSLESS: [&str; 4] = ["braintrust-waiting", "tracing-otel-wide", "fastrace-splitting", "opentelemetry"];

/// How thorough a run is.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    rounds: usize,
    samples: usize,
    spans: u64,
    starts: usize,
}

impl Effort {
    /// Minutes; what goes into the repository.
    pub const FULL: Self = Self { rounds: 5, samples: 20, spans: 200_000, starts: 40 };
    /// A look at where one stands, in less than a minute.
    pub const QUICK: Self = Self { rounds: 1, samples: 10, spans: 200_000, starts: 10 };
}

/// The parts of a run, by the names that the command line has for them.
pub const PARTS: [&str; 6] = ["caller", "allocations", "flood", "start", "compile", "tree"];

/// Runs one part of [`PARTS`].
///
/// # Errors
///
/// If a program that does the measuring does not start, or does not say what was expected of it.
pub fn part(name: &str, effort: Effort, results: &mut Results) -> io::Result<()> {
    match name {
        "caller" => caller(effort, results),
        "allocations" => allocations(results),
        "flood" => floods(effort, results),
        "start" => starts(effort, results),
        "compile" => compiling(effort, results),
        "tree" => trees(results),
        _ => Err(io::Error::other(format!("no part is called `{name}`; there are {}", PARTS.join(", ")))),
    }
}

fn caller(effort: Effort, results: &mut Results) -> io::Result<()> {
    let server = Server::start(Duration::ZERO)?;
    for _ in 0..effort.rounds {
        for listening in [Listening::Nobody, Listening::Somebody] {
            for stacks in SIDE_BY_SIDE {
                let mode = if listening == Listening::Somebody { "on" } else { "off" };
                let samples = effort.samples.to_string();
                let output = this(&["caller", mode, &stacks.join(","), &server.address.to_string(), &samples])?;
                let mut process = Process::default();
                for line in output.lines() {
                    let seen: Seen = serde_json::from_str(line)?;
                    process.0.extend(seen.samples.into_iter().map(|(stack, samples)| ((seen.work, stack), samples)));
                }
                results.processes.push(process);
            }
        }
    }
    Ok(())
}

fn allocations(results: &mut Results) -> io::Result<()> {
    let server = Server::start(Duration::ZERO)?;
    for stack in STACKS {
        let output = program("allocations", &[stack.name, &server.address.to_string()])?;
        for work in [Work::Span, Work::Payload, Work::Prompt] {
            if stack.work(work).is_none() {
                continue;
            }
            let line = output.lines().find_map(|line| line.strip_prefix(work.title()));
            let count = line.ok_or_else(|| incomplete(work.title()))?.trim().parse().map_err(io::Error::other)?;
            results.allocations.insert((work, stack.name.to_owned()), count);
        }
    }
    Ok(())
}

fn floods(effort: Effort, results: &mut Results) -> io::Result<()> {
    for _ in 0..effort.rounds.min(3) {
        for stack in STACKS {
            // Nothing is kept, so nothing arrives.
            if stack.name != "tracing" {
                flood(stack.name, 0, effort.spans, results)?;
            }
        }
        for stack in LOSSLESS {
            flood(stack, 100, effort.spans, results)?;
        }
    }
    Ok(())
}

fn flood(stack: &str, latency_millis: u64, spans: u64, results: &mut Results) -> io::Result<()> {
    // With a request for each span, the usual number would take a minute.
    let spans = if stack == "braintrust-sdk-rust" { spans / 20 } else { spans };
    let mut server = Server::start(Duration::from_millis(latency_millis))?;
    let output = this(&["flood", stack, &server.address.to_string(), &spans.to_string()])?;
    let flood: Flood = serde_json::from_str(&output)?;
    let arrived = server.arrived(spans)?;
    results.floods.push(Delivered { stack: stack.to_owned(), latency_millis, flood, arrived });
    Ok(())
}

fn starts(effort: Effort, results: &mut Results) -> io::Result<()> {
    const PROGRAMS: [&str; 4] = ["bare", "braintrust", "tracing", "fastrace"];
    for _ in 0..effort.starts {
        for name in PROGRAMS {
            let begun = Instant::now();
            program(&format!("start-{name}"), &[])?;
            results.starts.entry(name.to_owned()).or_default().push(begun.elapsed().as_secs_f64() * 1e3);
        }
    }
    Ok(())
}

fn compiling(effort: Effort, results: &mut Results) -> io::Result<()> {
    for (name, columns) in script("compile_time/run.sh", &[&effort.rounds.to_string()])? {
        let [build, build_again, check, check_again] = columns[..] else { return Err(incomplete(&name)) };
        results.compiling.insert(name, Compiling { build, build_again, check, check_again });
    }
    Ok(())
}

fn trees(results: &mut Results) -> io::Result<()> {
    for (name, columns) in script("dependency_tree/run.sh", &[])? {
        let [crates, dev_seconds, release_seconds, megabytes] = columns[..] else { return Err(incomplete(&name)) };
        results.trees.insert(name, Tree { crates: crates as u64, dev_seconds, release_seconds, megabytes });
    }
    Ok(())
}

/// Runs this program anew, and returns what it prints.
fn this(arguments: &[&str]) -> io::Result<String> {
    printed(Command::new(std::env::current_exe()?).args(arguments))
}

/// Runs another program of this workspace, built beside this one.
fn program(name: &str, arguments: &[&str]) -> io::Result<String> {
    let path = std::env::current_exe()?.with_file_name(name);
    if !path.exists() {
        return Err(io::Error::other(format!("`{name}` is not built: `cargo build --release --workspace` first")));
    }
    printed(Command::new(path).args(arguments))
}

/// Runs a script of this folder. Returns the rows of the table that it prints.
fn script(path: &str, arguments: &[&str]) -> io::Result<Vec<(String, Vec<f64>)>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    let output = printed(Command::new(path).args(arguments))?;
    let row = |line: &str| {
        let mut cells = line.split_whitespace();
        let name = cells.next().unwrap_or_default().to_owned();
        let columns = cells.map(|cell| cell.parse().map_err(|_| incomplete(line))).collect::<io::Result<Vec<f64>>>()?;
        Ok((name, columns))
    };
    output.lines().skip(1).map(row).collect()
}

fn incomplete(row: &str) -> io::Error {
    io::Error::other(format!("a number is missing in the row `{row}`"))
}

fn printed(command: &mut Command) -> io::Result<String> {
    let output = command.stderr(Stdio::inherit()).stdin(Stdio::null()).output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("{command:?} ended with {}", output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
