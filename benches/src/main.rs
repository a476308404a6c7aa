//! Runs the comparison, or, started anew by itself, one measurement of it.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use comparison::bars::{self, Verdict};
use comparison::caller::{self, Listening};
use comparison::results::Results;
use comparison::run::{self, Effort, PARTS};
use comparison::stacks::{self, Destination, Stack};
use comparison::{flood, machine, report, server};

const USAGE: &str = "usage: comparison [--quick] [--write] [part ...], where a part is one of";

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["serve", latency] => number(latency).and_then(|millis| server::serve(Duration::from_millis(millis))),
        ["caller", mode, stacks, server, samples] => measure(mode, stacks, server, samples),
        ["flood", stack, server, spans] => flood_from_here(stack, server, spans),
        _ => compare(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs all parts, or those asked for. A run of everything is written down, and any other if that is asked for.
fn compare(arguments: &[&str]) -> io::Result<()> {
    let quick = arguments.contains(&"--quick");
    let effort = if quick { Effort::QUICK } else { Effort::FULL };
    let asked: Vec<_> = arguments.iter().copied().filter(|argument| !argument.starts_with("--")).collect();
    if let Some(unknown) = arguments.iter().find(|it| it.starts_with("--") && !["--quick", "--write"].contains(it)) {
        return Err(io::Error::other(format!("`{unknown}` is no option\n{USAGE} {}", PARTS.join(", "))));
    }
    if let Some(unknown) = asked.iter().find(|part| !PARTS.contains(part)) {
        return Err(io::Error::other(format!("`{unknown}` is no part\n{USAGE} {}", PARTS.join(", "))));
    }
    let parts = match (asked.is_empty(), quick) {
        (false, _) => asked.clone(),
        // The compiler's time takes minutes however it is measured.
        (true, true) => PARTS[..4].to_vec(),
        (true, false) => PARTS.to_vec(),
    };
    let machine = machine::description();
    let mut results = Results::default();
    for part in parts {
        eprintln!("measuring: {part}");
        run::part(part, effort, &mut results)?;
    }
    let report = report::report(&results, &machine);
    print!("{report}");
    if arguments.contains(&"--write") || !quick && asked.is_empty() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/RESULTS.md"), report)?;
    }
    let bars = bars::all(&results);
    if asked.is_empty() && !quick && bars.len() < bars::COUNT {
        return Err(io::Error::other(format!("only {} of {} bars were measured", bars.len(), bars::COUNT)));
    }
    if let Some(missed) = bars.iter().find(|bar| bar.verdict == Verdict::Missed) {
        return Err(io::Error::other(format!("missed: {} ({})", missed.what, missed.seen)));
    }
    Ok(())
}

fn measure(mode: &str, names: &str, server: &str, samples: &str) -> io::Result<()> {
    let listening = if mode == "on" { Listening::Somebody } else { Listening::Nobody };
    let stacks: Vec<_> = names.split(',').map(stack).collect::<io::Result<_>>()?;
    let samples = usize::try_from(number(samples)?).map_err(io::Error::other)?;
    let tell = |seen: &caller::Seen| println!("{}", serde_json::to_string(seen).unwrap_or_default());
    caller::measure(&stacks, listening, Destination::Nowhere(address(server)?), samples, tell);
    Ok(())
}

fn flood_from_here(name: &str, server: &str, spans: &str) -> io::Result<()> {
    let flood = flood::run(stack(name)?, Destination::Server(address(server)?), number(spans)?);
    println!("{}", serde_json::to_string(&flood)?);
    Ok(())
}

fn stack(name: &str) -> io::Result<&'static Stack> {
    stacks::named(name).ok_or_else(|| io::Error::other(format!("no stack is called `{name}`")))
}

fn address(text: &str) -> io::Result<SocketAddr> {
    text.parse().map_err(io::Error::other)
}

fn number(text: &str) -> io::Result<u64> {
    text.parse().map_err(io::Error::other)
}
