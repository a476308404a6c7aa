//! Imports traces: those that programs in other languages wrote, and those of the local folder.
//!
//! ```text
//! cargo run --example import_traces
//! cargo run --example import_traces -- traces.jsonl more.json
//! some-program | cargo run --example import_traces -- -
//! ```
//!
//! `examples/traces.jsonl` holds two trees of spans as any program can print them, a row in Braintrust's own format, and
//! two mistakes: these are reported, and the rest is imported.

use std::path::Path;
use std::time::Duration;

use braintrust::import::Import;
use braintrust::{Logger, local, traced};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/traces.jsonl");

#[traced(type = "task")]
fn greet(name: &str) -> String {
    format!("Hello, {name}!")
}

/// A program without an API key: its traces stay in a folder, until they are imported.
fn trace_offline(folder: &Path) -> anyhow::Result<()> {
    let logger = Logger::builder().project("Offline").local_folder(folder).build()?;
    logger.in_scope(|| greet("world"));
    logger.flush_blocking(Duration::from_secs(5))?;
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let scratch = std::env::temp_dir().join(format!("braintrust-import-{}", std::process::id()));
    let (offline, imported) = (scratch.join("offline"), scratch.join("imported"));
    trace_offline(&offline)?;

    // Without `local_folder` and with BRAINTRUST_API_KEY set, all of this goes to Braintrust.
    let logger = Logger::builder().project("Imported").local_folder(&imported).build()?;
    let files: Vec<_> = std::env::args().skip(1).collect();
    let mut import = Import::new(&logger).on_progress(|progress| println!("{progress}"));
    for file in &files {
        import = if file == "-" { import.reader(std::io::stdin(), "stdin") } else { import.file(file) };
    }
    if files.is_empty() {
        import = import.file(SAMPLE).local_folder(&offline);
    }
    let report = import.run()?;

    println!("\n{report}\n");
    println!("{}", local::read(&imported)?.tree().max_width(40));
    std::fs::remove_dir_all(&scratch)?;
    Ok(())
}
