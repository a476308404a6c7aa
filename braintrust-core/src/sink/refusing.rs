//! Stands in for a sink that could not be made: counts every row as lost, and says why.

use super::RowBatch;
use super::immediate::{Delivery, RowWriter};
use crate::report::{LossReason, Losses};

/// A sink that has no way to deliver anything.
#[derive(Debug)]
pub(crate) struct RefusingSink {
    reason: String,
}

impl RefusingSink {
    pub(crate) fn new(reason: String) -> Self {
        Self { reason }
    }
}

impl RowWriter for RefusingSink {
    fn write(&mut self, rows: &RowBatch) -> Delivery {
        let lost = Losses::of(LossReason::Rejected, rows.len() as u64);
        Delivery { lost, error: Some(self.reason.clone()), ..Delivery::default() }
    }
}
