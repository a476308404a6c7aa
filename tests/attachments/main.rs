//! Attachments: wherever in a value they stand, their data arrives, once, after the rows; and what goes wrong is told.

#[path = "../backend/mod.rs"]
mod backend;

mod captures;
mod disk;
mod files;
mod messages;
mod troubles;
mod values;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use backend::Backend;
use braintrust::{Logger, LoggerBuilder};
use serde_json::Value;
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(60);

/// What the backend has been told and sent of an attachment.
#[derive(Clone, Debug, Default, PartialEq)]
struct Arrived {
    announced: Vec<Value>,
    data: Vec<Vec<u8>>,
    statuses: Vec<Value>,
}

fn arrived(backend: &Backend) -> BTreeMap<String, Arrived> {
    let mut all: BTreeMap<String, Arrived> = BTreeMap::new();
    for request in backend.requests() {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let key = |body: &Value| body["key"].as_str().unwrap().to_owned();
        match request.path.as_str() {
            "/attachment" => all.entry(key(&body)).or_default().announced.push(body),
            "/attachment/status" => all.entry(key(&body)).or_default().statuses.push(body["status"].clone()),
            path => {
                if let Some(key) = path.strip_prefix("/upload/") {
                    assert!(!request.headers.contains_key("authorization"), "the key has no business there");
                    assert_eq!(request.headers["x-test"], "1");
                    all.entry(key.to_owned()).or_default().data.push(request.body.to_vec());
                }
            }
        }
    }
    all
}

fn flushed(logger: &Logger) -> (u64, u64) {
    let report = match logger.flush_blocking(LIMIT) {
        Ok(report) => report,
        Err(error) => error.report().unwrap_or_else(|| panic!("{error}")).clone(),
    };
    (report.attachments.delivered, report.attachments.lost)
}

fn is_reference(value: &Value, filename: &str, content_type: &str) -> bool {
    value["type"] == "braintrust_attachment"
        && value["filename"] == filename
        && value["content_type"] == content_type
        && value.as_object().unwrap().len() == 4
        && value["key"].as_str().unwrap().len() == 36
}

fn logger_with(backend: &Backend, set: impl FnOnce(LoggerBuilder) -> LoggerBuilder) -> Logger {
    set(backend.builder("p")).build().unwrap()
}

/// A folder that is removed when the test is over.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str, data: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, data).unwrap();
        path
    }
}
