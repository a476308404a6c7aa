//! Reads the local folder back: the rows that were written there for want of an API key.

use std::fs;
use std::io::{self, BufRead as _, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::Error;
use crate::sink::{ATTACHMENTS, is_row_file};
use crate::traces::Traces;

/// Reads every trace in the folder `dir`, usually `.braintrust`.
///
/// Lines that cannot be read are skipped and counted in [`Traces::skipped_lines`]: a program that is killed in the middle
/// of a write leaves half a line, and that is no reason to hide the rest.
///
/// ```no_run
/// let traces = braintrust::local::read(".braintrust")?;
/// println!("{}", traces.tree());
/// # Ok::<(), braintrust::Error>(())
/// ```
///
/// # Errors
/// If the folder does not exist, or it or one of its files cannot be read.
pub fn read(dir: impl AsRef<Path>) -> Result<Traces, Error> {
    let mut rows = Vec::new();
    let mut skipped = 0;
    for path in row_files(dir.as_ref())? {
        match read_file(&path, &mut rows, &mut skipped) {
            // Old files are removed as new ones come, perhaps right now by a program that still runs.
            Err(gone) if gone.kind() == ErrorKind::NotFound => {}
            outcome => outcome.map_err(|source| cannot_read(&path, source))?,
        }
    }
    Ok(Traces::from_rows(rows).with_skipped_lines(skipped).with_durations())
}

/// The files of rows in `dir`, oldest first: their names sort by the time they were begun.
pub(crate) fn row_files(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(dir).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(|source| match source.kind() {
        ErrorKind::NotFound => no_folder(dir, source),
        _ => cannot_read(dir, source),
    })?;
    let mut paths: Vec<_> = entries.into_iter().map(|entry| entry.path()).filter(|path| holds_rows(path)).collect();
    paths.sort();
    Ok(paths)
}

fn holds_rows(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(is_row_file)
}

fn read_file(path: &Path, rows: &mut Vec<Value>, skipped: &mut usize) -> io::Result<()> {
    let mut file = BufReader::new(fs::File::open(path)?);
    let mut line = Vec::new();
    // By bytes: a damaged line need not even be UTF-8.
    while file.read_until(b'\n', &mut line)? > 0 {
        match serde_json::from_slice(&line) {
            Ok(row) => rows.push(row),
            Err(_) if line.trim_ascii().is_empty() => {}
            Err(_) => *skipped += 1,
        }
        line.clear();
    }
    Ok(())
}

/// Where a folder of rows has the data that they refer to.
pub(crate) fn attachments_of(dir: &Path) -> PathBuf {
    dir.join(ATTACHMENTS)
}

fn no_folder(dir: &Path, source: io::Error) -> Error {
    let message = format!(
        "there is no folder `{}` to read traces from; a program writes one where it runs when it has a logger but no \
         BRAINTRUST_API_KEY, so run it first, or give the path of its folder",
        dir.display()
    );
    Error::io(message, source)
}

fn cannot_read(path: &Path, source: io::Error) -> Error {
    Error::io(format!("cannot read traces from `{}`", path.display()), source)
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    /// A folder that is removed when the test is over.
    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn path(&self) -> &Path {
            self.0.path()
        }

        fn write(&self, name: &str, content: impl AsRef<[u8]>) {
            fs::write(self.path().join(name), content).unwrap();
        }
    }

    fn row(id: &str, rest: &str) -> String {
        let ids = format!(r#""id":"{id}","span_id":"{id}","root_span_id":"t""#);
        format!(r#"{{{ids},"span_attributes":{{"name":"{id}"}}{rest}}}"#) + "\n"
    }

    #[test]
    fn reads_rows_of_all_files_in_the_order_of_their_names() {
        let folder = Folder::new();
        folder.write("rows-2.jsonl", row("a", r#","_is_merge":true,"output":"later","metrics":{"end":3.5}"#));
        folder.write("rows-1.jsonl", row("a", r#","output":"first","metrics":{"start":1.0}"#));
        folder.write("rows-1.jsonl.tmp", row("b", ""));
        folder.write(".gitignore", "*\n");

        let traces = read(folder.path()).unwrap();

        assert_eq!(traces.tree().to_string(), r#"a 2.5s out="later""#);
        assert_eq!(traces.skipped_lines(), 0);
    }

    #[test]
    fn skips_and_counts_lines_that_are_no_rows() {
        let folder = Folder::new();
        let mut content = row("a", "").into_bytes();
        content.extend_from_slice(b"{\"id\":\"half\n\n\xff\xfe\n[1,2]\n");
        content.extend_from_slice(row("b", "").as_bytes());
        content.extend_from_slice(br#"{"id":"c","span_attr"#);
        folder.write("rows-1.jsonl", content);

        let traces = read(folder.path()).unwrap();

        let names: Vec<_> = traces.spans().iter().map(|span| span.name()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(traces.skipped_lines(), 4);
    }

    #[test]
    fn an_empty_folder_has_no_traces() {
        let folder = Folder::new();
        assert!(read(folder.path()).unwrap().is_empty());
    }

    #[test]
    fn names_a_folder_that_does_not_exist_and_says_what_to_do() {
        let error = read("no/such/folder").unwrap_err();

        let text = error.to_string();
        assert!(text.contains("`no/such/folder`"), "{text}");
        assert!(text.contains("run it first"), "{text}");
        assert!(error.source().is_some());
    }
}
