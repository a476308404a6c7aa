//! Stands in for a sink that could not be made: counts every row as lost, and says why.

use std::future::ready;

use super::{Delivering, Delivery, Progress, RowBatch, Sink};
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

impl Sink for RefusingSink {
    fn deliver<'a>(&'a mut self, rows: RowBatch, _: &'a Progress) -> Delivering<'a> {
        let lost = Losses::of(LossReason::Rejected, rows.len() as u64);
        Box::pin(ready(Delivery { delivered: 0, lost, error: Some(self.reason.clone()) }))
    }
}
