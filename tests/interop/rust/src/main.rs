//! The Rust side of the exchange: starts spans with this crate. See ../README.md.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use braintrust::{Logger, Parent, Span};
use serde::{Deserialize, Serialize};
use serde_json::Value;

type Error = Box<dyn std::error::Error>;
type Headers = BTreeMap<String, String>;

#[derive(Deserialize)]
struct Request {
    project: String,
    slug: Option<String>,
    headers: Option<Headers>,
    carrier: Headers,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Span { row_id: String, span_id: String, root_span_id: String, parents: Value, slug: String, headers: Headers },
    Failure { error: String },
}

/// The loggers of the projects that were asked for. They write to a folder, so that nothing is sent anywhere.
struct Peer {
    folder: PathBuf,
    loggers: BTreeMap<String, Logger>,
}

impl Peer {
    fn start(&mut self, request: Request) -> Result<Answer, Error> {
        let parent = match (&request.slug, &request.headers) {
            (Some(slug), _) => Parent::from_slug(slug)?,
            (None, Some(headers)) => braintrust::extract(headers),
            (None, None) => Parent::root(),
        };
        let logger = self.logger(request.project)?;
        let span = logger.start_span("peer").parent(parent).start();
        let mut headers = request.carrier;
        braintrust::inject(&span, &mut headers);
        let slug = span.export();
        span.end();
        logger.flush_blocking(Duration::from_secs(60))?;
        let row = recorded(&self.folder, &span)?;
        Ok(Answer::Span {
            row_id: span.id(),
            span_id: span.span_id(),
            root_span_id: text(&row, "root_span_id"),
            parents: row
                .get("span_parents")
                .filter(|parents| parents.is_array())
                .cloned()
                .unwrap_or(Value::Array(Vec::new())),
            slug,
            headers,
        })
    }

    fn logger(&mut self, project: String) -> Result<Logger, Error> {
        if let Some(logger) = self.loggers.get(&project) {
            return Ok(logger.clone());
        }
        let logger = Logger::builder().project(&project).local_folder(&self.folder).build()?;
        self.loggers.insert(project, logger.clone());
        Ok(logger)
    }
}

/// The row of a span as it was written: what was recorded counts, not what the handle says.
fn recorded(folder: &Path, span: &Span) -> Result<Value, Error> {
    for path in files(folder)? {
        for line in fs::read_to_string(path)?.lines() {
            let row: Value = serde_json::from_str(line)?;
            if text(&row, "id") == span.id() {
                return Ok(row);
            }
        }
    }
    Err(format!("no row of the span {} is in {}", span.id(), folder.display()).into())
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "jsonl") {
            found.push(path);
        }
    }
    Ok(found)
}

fn text(row: &Value, field: &str) -> String {
    row.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn main() -> Result<(), Error> {
    let folder = std::env::temp_dir().join(format!("braintrust-interop-{}", std::process::id()));
    let mut peer = Peer { folder: folder.clone(), loggers: BTreeMap::new() };
    for line in io::stdin().lock().lines() {
        let request = serde_json::from_str(&line?).map_err(Error::from);
        let answer = request.and_then(|request| peer.start(request));
        let answer = answer.unwrap_or_else(|error| Answer::Failure { error: error.to_string() });
        println!("{}", serde_json::to_string(&answer)?);
        io::stdout().flush()?;
    }
    fs::remove_dir_all(folder)?;
    Ok(())
}
