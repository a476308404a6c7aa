//! What a logger writes to a local folder, `local::read` reads back.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use braintrust::{Logger, local, start_span, traced};
use insta::assert_snapshot;
use tempfile::TempDir;

/// Longer than any busy machine needs.
const LIMIT: Duration = Duration::from_secs(60);

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn logger(folder: &TempDir) -> Logger {
    Logger::builder().project("test").local_folder(folder.path()).build().unwrap()
}

fn flush(logger: &Logger) {
    logger.flush_blocking(LIMIT).unwrap();
}

#[traced(type = "tool")]
fn divide(a: u32, b: u32) -> Result<u32, String> {
    a.checked_div(b).ok_or_else(|| "division by zero".to_owned())
}

fn tree(dir: &Path) -> String {
    local::read(dir).unwrap().tree().durations(false).to_string()
}

#[test]
fn spans_come_back_as_the_trees_they_were() {
    let folder = folder();
    let logger = logger(&folder);

    logger.in_scope(|| {
        start_span("first").start().in_scope(|| {
            assert_eq!(divide(4, 2), Ok(2));
            assert!(divide(4, 0).is_err());
        });
        start_span("second").input("in").start().end();
    });
    flush(&logger);

    assert_snapshot!(tree(folder.path()), @r#"
    first(task)
    ├─ divide(tool) in={"a":4,"b":2} out=2
    ╰─ divide(tool) in={"a":4,"b":0} error="division by zero"
    second(task) in="in"
    "#);
    let traces = local::read(folder.path()).unwrap();
    assert!(traces.find("first").duration().unwrap() >= traces.find("divide").duration().unwrap());
}

#[test]
fn a_span_written_bit_by_bit_by_several_flushes_is_one_span() {
    let folder = folder();
    let logger = logger(&folder);

    let span = logger.start_span("job").input(1).start();
    flush(&logger);
    assert_snapshot!(tree(folder.path()), @"job(task) unfinished in=1");

    span.log(braintrust::Event::new().output(2).tag("done"));
    span.end();
    flush(&logger);
    assert_snapshot!(tree(folder.path()), @"job(task) in=1 out=2");
    assert_eq!(local::read(folder.path()).unwrap().find("job").tags(), ["done"]);
}

#[test]
fn a_line_cut_off_by_a_crash_is_skipped_and_counted() {
    let folder = folder();
    let logger = logger(&folder);
    logger.start_span("whole").start().end();
    flush(&logger);

    let is_rows = |path: &PathBuf| path.extension().is_some_and(|end| end == "jsonl");
    let path = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).find(is_rows).unwrap();
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(br#"{"id":"cut off in the mid"#).unwrap();

    let traces = local::read(folder.path()).unwrap();
    assert_eq!((traces.len(), traces.skipped_lines()), (1, 1));
}

#[test]
fn a_file_in_the_place_of_the_folder_is_told_of() {
    let folder = folder();
    let file = folder.path().join(".braintrust");
    fs::write(&file, "a note").unwrap();
    let logger = Logger::builder().project("test").local_folder(&file).build().unwrap();

    logger.start_span("step").start().end();
    let error = logger.flush_blocking(LIMIT).unwrap_err();

    assert_eq!(error.report().unwrap().lost.total(), 1);
    assert!(error.to_string().contains("there is a file where the folder should be"), "{error}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "a note", "it is left as it is");
}
