//! `LocalSink` against a real file system.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::*;
use crate::container::Container;

/// A path for one test's folder, removed with all that is in it when the test ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("braintrust-local-{:016x}", fastrand::u64(..))))
    }

    fn row_files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).expect("the folder is there").map(|entry| entry.expect("an entry").path());
        let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).collect();
        files.sort();
        files
    }

    fn rows(&self) -> Vec<Value> {
        self.row_files().iter().flat_map(|file| rows_in(file)).collect()
    }

    fn total_size(&self) -> u64 {
        self.row_files().iter().map(|file| size_of(file)).sum()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
        drop(fs::remove_file(&self.0));
    }
}

fn rows_in(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).expect("UTF-8");
    assert!(text.ends_with('\n'), "{text:?}");
    text.lines().map(|line| serde_json::from_str(line).expect("a row in each line")).collect()
}

fn size_of(file: &Path) -> u64 {
    fs::metadata(file).expect("the file is there").len()
}

fn named(project: &str) -> ProjectRef {
    ProjectRef::Name(project.to_owned())
}

fn batch(rows: impl IntoIterator<Item = impl AsRef<str>>) -> RowBatch {
    let mut batch = RowBatch::default();
    for row in rows {
        batch.push_with(0, None, |text| text.extend_from_slice(row.as_ref().as_bytes()));
    }
    batch
}

/// What a line of project "p" has besides the text of its only field.
const AROUND: usize = r#"{"x":"","project_name":"p","log_id":"g"}"#.len() + 1;

/// A row that takes exactly `size` bytes in a file of project "p".
fn row_of_size(size: usize) -> String {
    format!(r#"{{"x":"{}""#, "x".repeat(size - AROUND))
}

async fn deliver(sink: &mut LocalSink, rows: RowBatch) -> Delivery {
    sink.write(&rows)
}

async fn deliver_well(sink: &mut LocalSink, rows: RowBatch) {
    let count = rows.len() as u64;
    let delivery = deliver(sink, rows).await;
    assert_eq!((delivery.delivered, delivery.lost, delivery.error), (count, Losses::NONE, None));
}

#[tokio::test]
async fn rows_are_lines_closed_with_the_project() {
    let scratch = Scratch::new();
    let mut sink = LocalSink::new(&scratch.0, named("My \"Project\""));
    deliver_well(&mut sink, batch([r#"{"id":"1""#, r#"{"id":"2""#])).await;
    deliver_well(&mut sink, batch([r#"{"id":"3""#])).await;

    assert_eq!(scratch.row_files().len(), 1);
    let row = |id| json!({"id": id, "project_name": "My \"Project\"", "log_id": "g"});
    assert_eq!(scratch.rows(), [row("1"), row("2"), row("3")]);
}

#[tokio::test]
async fn rows_with_a_container_are_closed_with_that() {
    let scratch = Scratch::new();
    let mut rows = batch([r#"{"id":"1""#]);
    let elsewhere = Container::Project(ProjectRef::Id { id: "4de9".to_owned(), name: Some("q".to_owned()) });
    for (container, row) in [(elsewhere, r#"{"id":"2""#), (Container::Experiment("e".to_owned()), r#"{"id":"3""#)] {
        rows.push_with(0, Some(&container.encode()), |text| text.extend_from_slice(row.as_bytes()));
    }
    deliver_well(&mut LocalSink::new(&scratch.0, named("p")), rows).await;
    let expected = [
        json!({"id": "1", "project_name": "p", "log_id": "g"}),
        json!({"id": "2", "project_id": "4de9", "log_id": "g"}),
        json!({"id": "3", "experiment_id": "e"}),
    ];
    assert_eq!(scratch.rows(), expected);
}

#[test]
fn a_project_is_named_by_its_name_if_that_is_known() {
    let id = |name: Option<&str>| ProjectRef::Id { id: "4de9".to_owned(), name: name.map(str::to_owned) };
    assert_eq!(closing(id(None)), br#","project_id":"4de9","log_id":"g"}"#);
    assert_eq!(closing(id(Some("p"))), br#","project_name":"p","log_id":"g"}"#);
}

#[tokio::test]
async fn a_row_that_spans_lines_becomes_one_line() {
    let scratch = Scratch::new();
    let mut sink = LocalSink::new(&scratch.0, named("p"));
    deliver_well(&mut sink, batch(["{\"id\":\"1\",\"input\":{\r\n  \"text\": \"a\\nb\"\n}"])).await;
    assert_eq!(scratch.rows(), [json!({"id": "1", "input": {"text": "a\nb"}, "project_name": "p", "log_id": "g"})]);
}

#[tokio::test]
async fn the_folder_is_made_with_the_first_row_and_hidden_from_git() {
    let scratch = Scratch::new();
    let mut sink = LocalSink::new(scratch.0.join("a/b"), named("p"));
    deliver_well(&mut sink, RowBatch::default()).await;
    assert!(!scratch.0.exists());
    deliver_well(&mut sink, batch([r#"{"id":"1""#])).await;
    assert_eq!(fs::read_to_string(scratch.0.join("a/b/.gitignore")).expect("it is there"), "*\n");
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_rows() {
    use std::os::unix::fs::PermissionsExt as _;

    let scratch = Scratch::new();
    let mut sink = LocalSink::new(&scratch.0, named("p"));
    deliver_well(&mut sink, batch([r#"{"id":"1""#])).await;
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&scratch.0), 0o700);
    assert_eq!(mode(&scratch.row_files()[0]), 0o600);
}

#[tokio::test]
async fn names_tell_the_time_the_process_and_the_order() {
    let scratch = Scratch::new();
    let mut sink = LocalSink::bounded(&scratch.0, named("p"), 400);
    for _ in 0..3 {
        deliver_well(&mut sink, batch([row_of_size(100)])).await;
    }
    assert_eq!(scratch.row_files().len(), 3);
    for (number, file) in scratch.row_files().iter().enumerate() {
        let name = file.file_name().and_then(|name| name.to_str()).expect("a name of ASCII");
        let [start, time, process, tag] = name.split('-').collect::<Vec<_>>()[..] else { panic!("{name}") };
        assert_eq!(start, "rows");
        assert!(time.len() == 16 && &time[8..9] == "T" && time.ends_with('Z'), "{time}");
        assert_eq!(process, std::process::id().to_string());
        assert!(tag.ends_with(&format!("{number:04x}.jsonl")), "{tag}");
    }
}

#[tokio::test]
async fn a_file_is_filled_to_the_last_byte_and_then_another_begun() {
    let scratch = Scratch::new();
    let mut sink = LocalSink::bounded(&scratch.0, named("p"), 1200);
    for _ in 0..4 {
        deliver_well(&mut sink, batch([row_of_size(100)])).await;
    }
    let sizes: Vec<u64> = scratch.row_files().iter().map(|file| size_of(file)).collect();
    assert_eq!(sizes, [300, 100]);
}

#[tokio::test]
async fn a_batch_may_fill_several_files_and_a_huge_row_has_its_own() {
    let scratch = Scratch::new();
    let mut sink = LocalSink::bounded(&scratch.0, named("p"), 1200);
    deliver_well(&mut sink, batch([100, 100, 100, 100, 500, 100].map(row_of_size))).await;
    let sizes: Vec<u64> = scratch.row_files().iter().map(|file| size_of(file)).collect();
    assert_eq!(sizes, [300, 100, 500, 100]);
    assert_eq!(scratch.rows().len(), 6);
}

#[tokio::test]
async fn the_oldest_files_make_room_and_others_files_stay() {
    let scratch = Scratch::new();
    fs::create_dir_all(&scratch.0).expect("the temporary folder is writable");
    let place = |name: &str, minutes_ago: u64| {
        let path = scratch.0.join(name);
        let file = fs::File::create(&path).expect("writable");
        file.set_len(100).expect("writable");
        file.set_modified(SystemTime::now() - Duration::from_secs(60 * minutes_ago)).expect("a time");
        path
    };
    // Neither the names nor the order in which they are made tell the age.
    let mut files = [3, 1, 5, 2, 8, 4, 7, 6].map(|minutes| (minutes, place(&format!("rows-{minutes}.jsonl"), minutes)));
    files.sort();
    let notes = place("notes.jsonl", 9);
    let ages_left = || files.iter().filter(|(_, path)| path.exists()).map(|(age, _)| *age).collect::<Vec<_>>();

    let mut sink = LocalSink::bounded(&scratch.0, named("p"), 800);
    deliver_well(&mut sink, batch([row_of_size(100)])).await;
    assert_eq!(ages_left(), [1, 2, 3, 4, 5, 6], "600 bytes may stay beside a file of up to 200");
    deliver_well(&mut sink, batch([row_of_size(100)])).await;
    assert_eq!(ages_left(), [1, 2, 3, 4, 5, 6], "the same file");
    deliver_well(&mut sink, batch([row_of_size(100)])).await;
    assert_eq!(ages_left(), [1, 2, 3, 4], "another file");
    assert!(notes.exists());
}

#[tokio::test]
async fn the_folder_never_holds_more_than_its_bound() {
    let scratch = Scratch::new();
    let mut sink = LocalSink::bounded(&scratch.0, named("p"), 1000);
    for size in [100, 250, 50, 240, 260, 999, 100, 60, 70, 80, 250, 250, 250, 250] {
        deliver_well(&mut sink, batch([row_of_size(size)])).await;
        assert!(scratch.total_size() <= 1000, "{} bytes after a row of {size}", scratch.total_size());
        let latest = scratch.rows().pop().expect("the row just written");
        assert_eq!(latest["x"].as_str().map(str::len), Some(size - AROUND), "{latest}");
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_reported_and_tried_again() {
    let scratch = Scratch::new();
    fs::write(&scratch.0, "a file where the folder should be").expect("the temporary folder is writable");
    let dir = scratch.0.join("rows");
    let mut sink = LocalSink::new(&dir, named("p"));

    let delivery = sink.write(&batch([r#"{"id":"1""#, r#"{"id":"2""#]));
    assert_eq!((delivery.delivered, delivery.lost), (0, Losses::of(LossReason::Disk, 2)));
    let error = delivery.error.expect("a reason");
    assert!(error.starts_with(&format!("cannot write to {}: ", dir.display())), "{error}");
    assert!(error.contains("(2 rows lost); make the folder writable"), "{error}");

    fs::remove_file(&scratch.0).expect("it is there");
    deliver_well(&mut sink, batch([r#"{"id":"3""#])).await;
    assert_eq!(fs::read_dir(&dir).expect("it was made").count(), 2, "rows and .gitignore");
}

#[tokio::test]
async fn a_folder_removed_while_the_program_runs_is_made_again() {
    let scratch = Scratch::new();
    let mut sink = LocalSink::new(&scratch.0, named("p"));
    deliver_well(&mut sink, batch([r#"{"id":"1""#])).await;
    fs::remove_dir_all(&scratch.0).expect("it is there");
    deliver_well(&mut sink, batch([r#"{"id":"2""#])).await;
    assert_eq!(scratch.rows(), [json!({"id": "2", "project_name": "p", "log_id": "g"})]);
}

#[tokio::test]
async fn loggers_of_one_program_write_side_by_side() {
    let scratch = Scratch::new();
    let mut first = LocalSink::new(&scratch.0, named("p"));
    let mut second = LocalSink::new(&scratch.0, named("q"));
    for _ in 0..3 {
        deliver_well(&mut first, batch([r#"{"id":"1""#])).await;
        deliver_well(&mut second, batch([r#"{"id":"2""#])).await;
    }
    let mut files: Vec<_> = scratch.row_files().iter().map(|file| rows_in(file)).collect();
    files.sort_by_key(|rows| rows[0]["id"].to_string());
    let row = |id, project| json!({"id": id, "project_name": project, "log_id": "g"});
    assert_eq!(files, [vec![row("1", "p"); 3], vec![row("2", "q"); 3]]);
}
