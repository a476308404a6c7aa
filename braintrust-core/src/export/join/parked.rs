//! Records of loggers of which no row leaves: they stay as they are meanwhile, because rows are larger.

use std::collections::BTreeMap;

use super::Carried;
use crate::active::LoggerId;
use crate::record::Record;
use crate::record::bound::Amount;

/// What waits of loggers whose rows wait.
#[derive(Debug, Default)]
pub(crate) struct Parked {
    /// Whose records, and how many bytes of rows were in memory when that began.
    loggers: BTreeMap<LoggerId, u64>,
    records: Carried,
}

impl Parked {
    /// Has records of a logger wait from now on, of which rows of so many bytes are in memory.
    pub(crate) fn park(&mut self, logger: LoggerId, bytes: u64) {
        self.loggers.insert(logger, bytes);
    }

    /// Whether records of this logger wait.
    pub(crate) fn includes(&self, logger: LoggerId) -> bool {
        !self.loggers.is_empty() && self.loggers.contains_key(&logger)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.loggers.is_empty()
    }

    /// Takes a record of a logger whose records wait; whether they do.
    pub(super) fn takes(&mut self, record: &Record<'_>) -> bool {
        let waits = self.includes(record.span.logger);
        if waits {
            self.push(record);
        }
        waits
    }

    pub(super) fn push(&mut self, record: &Record<'_>) {
        self.records.push(record);
    }

    /// Ends the wait of all loggers but those that `goes_on`, given the bytes that they were parked with; if there are such,
    /// all records are given out, and those of the others will be parked anew.
    pub(crate) fn leave(&mut self, goes_on: impl Fn(LoggerId, u64) -> bool) -> Carried {
        let before = self.loggers.len();
        self.loggers.retain(|logger, bytes| goes_on(*logger, *bytes));
        if self.loggers.len() < before { std::mem::take(&mut self.records) } else { Carried::default() }
    }

    /// What the records count for.
    pub(crate) fn amount(&self) -> Amount {
        self.records.amount()
    }
}
