//! The way of an import: objects in, rows out, window after window.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::check;
use super::element::{self, Rows};
use super::identity::Ids;
use super::progress::Progress;
use super::report::{ImportReport, Place, Problem};
use super::scan::{Found, Objects};
use super::source::{Content, Extent, Source};
use super::tree::Numbering;
use super::window::Window;
use crate::attachment;
use crate::error::{Error, Kind};
use crate::logger::Logger;
use crate::report::{FlushReport, LossReason, Losses};
use crate::span;

/// How long a window may take. The destination's own patience is shorter: this is for one that does not answer at all.
const FLUSH_LIMIT: Duration = Duration::from_secs(120);
/// How often it is tried to get a row in where the program's own spans have taken all the room.
const ATTEMPTS: u32 = 100;

/// An import under way.
pub(super) struct Run<'a> {
    pub(super) logger: &'a Logger,
    pub(super) ids: Ids,
    pub(super) on_progress: Box<dyn FnMut(&Progress<'_>) + 'a>,
    /// How much input there is.
    pub(super) extent: Extent,
    /// How much of it has been read.
    pub(super) read: Extent,
    pub(super) numbering: Numbering,
    pub(super) window: Window,
    pub(super) report: ImportReport,
    /// How many rows waited on disk before.
    pub(super) spooled_before: u64,
    /// Where the data is that the rows at hand refer to.
    pub(super) attachments: Option<PathBuf>,
}

impl Run<'_> {
    /// Reads a source to its end.
    pub(super) fn take(&mut self, source: Source<'_>) -> Result<(), Error> {
        let name: Arc<str> = source.name.as_str().into();
        self.attachments = source.attachments;
        let outcome = match source.content {
            Content::Text(input) => self.take_text(input, &name),
            Content::Rows(rows) => self.take_rows(rows, &name),
        };
        // What was read before an error is delivered all the same.
        self.deliver(&name)?;
        outcome
    }

    fn take_text(&mut self, input: impl Read, name: &Arc<str>) -> Result<(), Error> {
        let mut objects = Objects::new(input);
        let before = self.read.bytes;
        while let Some(found) = objects.next().map_err(|source| Error::io(format!("cannot read `{name}`"), source))? {
            self.read.bytes = before.map(|before| before + objects.bytes());
            let place = |line| Place { source: Arc::clone(name), number: line, is_line: true };
            match found {
                Found::Object { object, line } => self.take_object(object, &place(line))?,
                Found::Bad { line, problem } => self.reject(place(line), String::new(), problem, 1),
            }
        }
        self.read.bytes = before.map(|before| before + objects.bytes());
        Ok(())
    }

    fn take_rows(&mut self, rows: impl Iterator<Item = Value>, name: &Arc<str>) -> Result<(), Error> {
        for (row, number) in rows.zip(1..) {
            self.read.rows = self.read.rows.map(|rows| rows + 1);
            let place = Place { source: Arc::clone(name), number, is_line: false };
            match row {
                Value::Object(object) => self.take_object(object, &place)?,
                other => self.reject(place, String::new(), check::not_a_span(&other), 1),
            }
        }
        Ok(())
    }

    fn take_object(&mut self, object: element::Row, place: &Place) -> Result<(), Error> {
        let Rows { rows, rejected } = element::rows_of(object, &self.ids, &mut self.numbering);
        for bad in rejected {
            self.reject(place.clone(), bad.path, bad.problem, bad.spans);
        }
        for row in rows {
            match self.window.add(row) {
                Ok(()) => self.report.read += 1,
                Err(problem) => self.reject(place.clone(), String::new(), problem, 1),
            }
            if self.window.is_full() {
                self.deliver(&place.source)?;
            }
        }
        Ok(())
    }

    fn reject(&mut self, place: Place, path: String, problem: String, spans: u64) {
        self.report.reject(Problem::new(place, path, problem), spans);
    }

    /// Sends what has been gathered, and waits until it has arrived.
    fn deliver(&mut self, source: &str) -> Result<(), Error> {
        let window = std::mem::take(&mut self.window);
        if window.is_empty() {
            return Ok(());
        }
        let mut missing = 0;
        for text in window.texts() {
            missing += self.pass_on(text)?;
        }
        missing += self.settle()?;
        self.report.imported += window.taken().saturating_sub(missing);
        self.say(source, false);
        Ok(())
    }

    /// Records a row. Where the program's own spans have taken all the room, what is recorded is sent first; returns how
    /// many rows did not arrive then.
    fn pass_on(&mut self, text: &[u8]) -> Result<u64, Error> {
        let mut missing = 0;
        if let Some(folder) = &self.attachments {
            attachment::restore(text, folder);
        }
        for _ in 0..ATTEMPTS {
            if span::pass_on_row(self.logger.id(), text) {
                return Ok(missing);
            }
            missing += self.settle()?;
        }
        Err(Error::backend(
            "the import stopped: spans are recorded faster than they can be sent, so there is no room for it",
        ))
    }

    /// Waits until what was recorded has arrived, and returns how many rows have not. If none have, the next ones would
    /// not either, and that is an error.
    fn settle(&mut self) -> Result<u64, Error> {
        let report = match self.logger.flush_blocking(FLUSH_LIMIT) {
            Ok(report) => report,
            Err(error) => self.despite(error)?,
        };
        // A row of ours that finds no room is tried again: those that are lost for want of it are the program's.
        let lost = report.lost.iter().filter(|(reason, _)| *reason != LossReason::QueueFull);
        // A flush says how many there are on disk by now, not how many came; those that have left it since have arrived.
        let spooled = report.spooled.saturating_sub(self.spooled_before);
        let mut missing = spooled.saturating_sub(self.report.spooled);
        self.report.imported += self.report.spooled.saturating_sub(spooled);
        self.report.spooled = spooled;
        for (reason, count) in lost {
            self.report.lost.add(Losses::of(reason, count));
            missing += count;
        }
        Ok(missing)
    }

    /// What a flush that failed did all the same: an import goes on while some rows arrive, and none are refused but
    /// for want of room.
    fn despite(&self, error: Error) -> Result<FlushReport, Error> {
        let Some(report) = error.report() else { return Err(error) };
        let only_lacked_room = report.lost.total() == report.lost.count(LossReason::QueueFull);
        let some_arrived = report.delivered > 0 || report.spooled > self.spooled_before + self.report.spooled;
        if !error.is_timeout() && (only_lacked_room || some_arrived) {
            return Ok(report.clone());
        }
        Err(Error::new(Kind::Flush {
            message: format!("the import stopped after {} rows: {error}", self.report.imported),
            report: report.clone(),
            timed_out: error.is_timeout(),
            refused: error.is_backend(),
        }))
    }

    /// Reports the last progress.
    pub(super) fn finish(mut self) -> ImportReport {
        self.say("", true);
        self.report
    }

    fn say(&mut self, source: &str, is_finished: bool) {
        let progress = Progress {
            source,
            done: self.report.imported + self.report.skipped + self.report.spooled + self.report.lost.total(),
            skipped: self.report.skipped,
            total_rows: self.extent.rows,
            fraction: if is_finished { Some(1.0) } else { self.read.part_of(&self.extent) },
            is_finished,
        };
        (self.on_progress)(&progress);
    }
}
