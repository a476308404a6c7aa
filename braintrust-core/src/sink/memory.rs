//! Keeps rows in memory, for tests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::RowBatch;
use super::immediate::{Delivery, RowWriter};
use crate::container::{Container, ProjectRef};
use crate::report::{LossReason, Losses};

/// The rows that a logger has delivered to memory; clones share them.
#[derive(Clone, Debug)]
pub struct MemoryRows(Arc<Mutex<Vec<Value>>>);

impl MemoryRows {
    /// No rows yet. Not `Default`, which would be public: rows that no logger delivers to are of no use.
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// The rows delivered so far, as they would have gone over the wire: several for a span that was logged to between
    /// two flushes.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn rows(&self) -> Vec<Value> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A sink that parses each row and keeps it.
#[derive(Debug)]
pub(crate) struct MemorySink {
    rows: MemoryRows,
    /// What closes a row that names no container of its own.
    own_closing: Vec<u8>,
}

impl MemorySink {
    pub(crate) fn new(rows: MemoryRows, project: &str) -> Self {
        let own = Container::Project(ProjectRef::Name(project.to_owned()));
        Self { rows, own_closing: own.closing() }
    }

    fn take(&mut self, batch: &RowBatch) -> Delivery {
        let mut delivery = Delivery::default();
        for row in batch.iter() {
            let closing = row.container.map_or_else(|| self.own_closing.clone(), |container| container.closing());
            match serde_json::from_slice(&[row.text, &closing].concat()) {
                Ok(row) => {
                    self.rows.lock().push(row);
                    delivery.delivered += 1;
                }
                Err(error) => {
                    delivery.lost.add(Losses::of(LossReason::Rejected, 1));
                    delivery.error = Some(format!("a row is not valid JSON: {error}"));
                }
            }
        }
        delivery
    }
}

impl RowWriter for MemorySink {
    fn write(&mut self, rows: &RowBatch) -> Delivery {
        self.take(rows)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn batch(open_rows: &[&str]) -> RowBatch {
        let mut batch = RowBatch::default();
        for row in open_rows {
            batch.push_with(0, None, |out| out.extend_from_slice(row.as_bytes()));
        }
        batch
    }

    #[test]
    fn rows_are_closed_with_the_project_and_shared_by_all_handles() {
        let rows = MemoryRows::new();
        let mut sink = MemorySink::new(rows.clone(), "say \"hi\"");

        let delivery = sink.take(&batch(&[r#"{"id":"1""#, r#"{"id":"2""#]));

        assert_eq!((delivery.delivered, delivery.lost, delivery.error), (2, Losses::NONE, None));
        assert_eq!(rows.rows(), ["1", "2"].map(|id| json!({"id": id, "project_name": "say \"hi\"", "log_id": "g"})));
    }

    #[test]
    fn a_row_with_a_container_is_closed_with_that() {
        let rows = MemoryRows::new();
        let mut batch = batch(&[r#"{"id":"1""#]);
        let container = Container::Playground("s".to_owned()).encode();
        batch.push_with(0, Some(&container), |out| out.extend_from_slice(br#"{"id":"2""#));

        MemorySink::new(rows.clone(), "p").take(&batch);

        let own = json!({"id": "1", "project_name": "p", "log_id": "g"});
        assert_eq!(rows.rows(), [own, json!({"id": "2", "prompt_session_id": "s", "log_id": "x"})]);
    }

    #[test]
    fn a_row_that_is_not_json_is_counted_as_lost() {
        let mut sink = MemorySink::new(MemoryRows::new(), "test");

        let delivery = sink.take(&batch(&["{\"id\":", "{\"id\":1"]));

        assert_eq!((delivery.delivered, delivery.lost.count(LossReason::Rejected)), (1, 1));
        assert!(delivery.error.unwrap().contains("not valid JSON"));
    }
}
