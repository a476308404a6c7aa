//! A run as tables, in Markdown that reads well in a terminal too.

use std::fmt::Write as _;

use crate::bars::{self, thousands};
use crate::results::Results;
use crate::stacks::{BARE, SERDE_JSON, SONIC, STACKS};
use crate::work::Work;

const WORKS: [Work; 9] = [
    Work::Call,
    Work::AsyncCall,
    Work::Poll,
    Work::Span,
    Work::SpanOn4Threads,
    Work::Depth,
    Work::Root,
    Work::Payload,
    Work::Prompt,
];

/// The whole report.
pub fn report(results: &Results, machine: &str) -> String {
    let mut text = format!("# Results\n\n{machine}.\n");
    section(&mut text, "The bars", &bars_table(results));
    section(
        &mut text,
        "On the calling thread: ns of CPU time for each operation, median (p10)",
        &caller_table(results),
    );
    section(&mut text, "Heap allocations on the calling thread for each span", &allocations_table(results));
    section(
        &mut text,
        "A flood of captured spans from one thread, end to end to loopback: the fastest of the runs, and the most that was \
         lost or taken in any",
        &flood_table(results),
    );
    section(&mut text, "Program start to end, ms (p10)", &start_table(results));
    section(&mut text, "Compiling 200 functions, CPU seconds", &compiling_table(results));
    section(&mut text, "Dependency trees, the crate itself included", &tree_table(results));
    text
}

fn section(text: &mut String, title: &str, table: &Table) {
    if !table.rows.is_empty() {
        let _ = write!(text, "\n## {title}\n\n{}", table.markdown());
    }
}

fn bars_table(results: &Results) -> Table {
    let mut table = Table::new(&["what", "must", "reach for", "seen", ""]);
    for bar in bars::all(results) {
        table.row([bar.what, bar.must, bar.reach, &bar.seen, bar.verdict.text()].map(str::to_owned));
    }
    table
}

fn caller_table(results: &Results) -> Table {
    let mut header = vec!["stack"];
    header.extend(WORKS.map(Work::title));
    let mut table = Table::new(&header);
    for stack in [&BARE, &SERDE_JSON, &SONIC].into_iter().chain(STACKS) {
        let cells = WORKS.map(|work| {
            let [median, p10] = [0.5, 0.1].map(|at| results.quantile(work, stack.name, at));
            Some(format!("{} ({})", nanos(median?), nanos(p10?)))
        });
        if cells.iter().any(Option::is_some) {
            let cells = cells.into_iter().map(Option::unwrap_or_default);
            table.row(std::iter::once(stack.name.to_owned()).chain(cells));
        }
    }
    table
}

fn nanos(nanos: f64) -> String {
    if nanos < 100.0 { format!("{nanos:.1}") } else { thousands(nanos) }
}

fn allocations_table(results: &Results) -> Table {
    let mut table = Table::new(&["stack", "nothing captured", "651 bytes captured", "64 KiB captured"]);
    for stack in STACKS {
        let cells = [Work::Span, Work::Payload, Work::Prompt]
            .map(|work| results.allocations.get(&(work, stack.name.to_owned())));
        if cells.iter().any(Option::is_some) {
            let cells = cells.map(|cell| cell.map_or_else(String::new, |count| format!("{count:.2}")));
            table.row(std::iter::once(stack.name.to_owned()).chain(cells));
        }
    }
    table
}

fn flood_table(results: &Results) -> Table {
    let mut table = Table::new(&[
        "stack",
        "latency",
        "spans",
        "spans/s delivered",
        "lost",
        "caller ns/span (wall)",
        "CPU µs/span",
        "MiB over base",
        "bytes/span",
        "requests",
    ]);
    for latency in [0, 100] {
        for stack in STACKS {
            let Some(run) = results.flood(stack.name, latency) else { continue };
            let lost = results.lost(stack.name, latency).unwrap_or(0);
            let (mebibytes, cpu) = results.most_taken(stack.name, latency).unwrap_or_default();
            table.row([
                stack.title.to_owned(),
                format!("{latency} ms"),
                thousands(run.flood.spans as f64),
                thousands(run.per_second()),
                thousands(lost as f64),
                thousands(run.caller_nanos()),
                format!("{cpu:.1}"),
                format!("{mebibytes:.0}"),
                format!("{:.0}", run.arrived.bytes as f64 / run.arrived.spans.max(1) as f64),
                thousands(run.arrived.requests as f64),
            ]);
        }
    }
    table
}

fn start_table(results: &Results) -> Table {
    let mut table = Table::new(&["program", "ms"]);
    for program in results.starts.keys() {
        let millis = results.start(program).map_or_else(String::new, |millis| format!("{millis:.2}"));
        table.row([program.clone(), millis]);
    }
    table
}

fn compiling_table(results: &Results) -> Table {
    let mut table = Table::new(&["attribute", "build", "build again", "check", "check again"]);
    for (attribute, seconds) in &results.compiling {
        let cells = [seconds.build, seconds.build_again, seconds.check, seconds.check_again];
        table.row(std::iter::once(attribute.clone()).chain(cells.map(|seconds| format!("{seconds:.2}"))));
    }
    table
}

fn tree_table(results: &Results) -> Table {
    let mut table = Table::new(&["program", "crates", "CPU s, dev", "CPU s, release", "MB, stripped"]);
    for (program, tree) in &results.trees {
        table.row([
            program.clone(),
            tree.crates.to_string(),
            format!("{:.1}", tree.dev_seconds),
            format!("{:.1}", tree.release_seconds),
            format!("{:.2}", tree.megabytes),
        ]);
    }
    table
}

/// A table whose columns are padded to one width.
struct Table {
    rows: Vec<Vec<String>>,
    header: Vec<String>,
}

impl Table {
    fn new(header: &[&str]) -> Self {
        Self { rows: Vec::new(), header: header.iter().map(|title| (*title).to_owned()).collect() }
    }

    fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn markdown(&self) -> String {
        let width = |column: usize| {
            let cells = std::iter::once(&self.header).chain(&self.rows);
            cells.map(|row| row[column].chars().count()).max().unwrap_or(0).max(3)
        };
        let widths: Vec<_> = (0..self.header.len()).map(width).collect();
        let mut text = String::new();
        let mut line = |cells: &[String]| {
            for (cell, width) in cells.iter().zip(&widths) {
                let _ = write!(text, "| {cell}{} ", " ".repeat(width - cell.chars().count()));
            }
            text.push_str("|\n");
        };
        line(&self.header);
        line(&widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>());
        self.rows.iter().for_each(|row| line(row));
        text
    }
}
