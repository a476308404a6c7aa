//! The stand-in for Braintrust, with loggers whose rows go there.

#![allow(dead_code, reason = "each test binary uses another part")]

use std::collections::HashMap;
use std::ops::Deref;

use braintrust::{Logger, LoggerBuilder};
use serde_json::{Map, Value};

pub const KEY: &str = "sk-test-0123456789abcdef";

/// The running backend, which keeps every request.
pub struct Backend(braintrust_test_backend::Backend);

impl Backend {
    pub fn start() -> Self {
        Self(braintrust_test_backend::Backend::start())
    }

    /// A logger whose rows come here.
    pub fn logger(&self, project: &str) -> Logger {
        self.builder(project).build().unwrap()
    }

    /// A logger whose rows come here, to be built as the test wants it.
    ///
    /// It has no spool: the default one lies in the home folder of whoever runs the tests. What is left there does not
    /// belong there, and comes to whichever test gets the same port next.
    pub fn builder(&self, project: &str) -> LoggerBuilder {
        Logger::builder().project(project).api_key(KEY).app_url(self.url()).without_spool()
    }

    /// All rows sent so far, in the order of their arrival.
    pub fn rows(&self) -> Vec<Map<String, Value>> {
        let requests = self.requests();
        let bodies = requests.iter().filter(|request| request.path == "/logs3").map(|request| &request.body);
        bodies.flat_map(|body| rows_of(body)).collect()
    }

    /// The rows as Braintrust stores them: what is to be merged into an earlier row is in there.
    ///
    /// A span is sent bit by bit where its program is held up while it is open, which a busy machine does at any time.
    pub fn stored(&self) -> Vec<Map<String, Value>> {
        let mut stored: Vec<Map<String, Value>> = Vec::new();
        let mut places = HashMap::new();
        for row in self.rows() {
            let id = row["id"].as_str().unwrap().to_owned();
            match places.get(&id) {
                Some(place) if row.get("_is_merge") == Some(&Value::Bool(true)) => merge(&mut stored[*place], row),
                _ => {
                    places.insert(id, stored.len());
                    stored.push(row);
                }
            }
        }
        stored
    }
}

fn merge(known: &mut Map<String, Value>, later: Map<String, Value>) {
    for (key, value) in later {
        match (known.get_mut(&key), value) {
            (Some(Value::Object(known)), Value::Object(later)) => merge(known, later),
            (_, value) => drop(known.insert(key, value)),
        }
    }
}

impl Deref for Backend {
    type Target = braintrust_test_backend::Backend;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

fn rows_of(body: &[u8]) -> Vec<Map<String, Value>> {
    let envelope: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(envelope["api_version"], 2);
    envelope["rows"].as_array().unwrap().iter().map(|row| row.as_object().unwrap().clone()).collect()
}
