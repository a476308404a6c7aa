//! The repository's Markdown files, and the passages they consist of.

use std::path::Path;
use std::{fmt, io};

use braintrust::traced;
use serde::Serialize;

/// What stands under one heading.
#[derive(Serialize)]
pub struct Passage {
    pub document: String,
    pub heading: String,
    pub text: String,
}

impl fmt::Display for Passage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, \"{}\":\n{}", self.document, self.heading, self.text.trim())
    }
}

/// Where the documents are.
const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

#[traced(type = "tool")]
pub async fn read_file(name: &str) -> io::Result<String> {
    tokio::fs::read_to_string(Path::new(REPOSITORY).join(name)).await
}

/// Cuts a document at its headings, and leaves out its code.
pub fn split(document: &str, markdown: &str) -> Vec<Passage> {
    let mut passages = Vec::<Passage>::new();
    let mut in_code = false;
    for line in markdown.lines() {
        let is_fence = line.starts_with("```");
        in_code ^= is_fence;
        if is_fence || in_code {
            continue;
        }
        if let Some(heading) = line.strip_prefix('#') {
            let heading = heading.trim_start_matches('#').trim().to_owned();
            passages.push(Passage { document: document.to_owned(), heading, text: String::new() });
        } else if let Some(passage) = passages.last_mut() {
            passage.text.push_str(line);
            passage.text.push('\n');
        }
    }
    passages
}
