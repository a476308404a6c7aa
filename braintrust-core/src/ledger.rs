//! The books of one logger: where its rows are, and what became of them, for flush reports and statistics.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::diagnostics;
use crate::error::{Error, Kind};
use crate::report::{AttachmentCounts, FlushReport, LossReason, Losses, Stats};

/// What became of a logger's rows, and how its sink is doing.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// Names the logger in warnings.
    label: String,
    /// Told of the bytes and rows that no longer take memory.
    on_freed: fn(usize, usize),
    books: Mutex<Books>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self::new(String::new(), |_, _| {})
    }
}

#[derive(Debug, Default)]
struct Books {
    /// Everything since the logger was made.
    total: Stats,
    /// What the last report has told already.
    reported_delivered: u64,
    reported_lost: Losses,
    reported_attachments: AttachmentCounts,
    /// Why rows were lost since the last report.
    loss: Option<String>,
    /// What the backend has refused since the last report, and where the rows are on disk.
    refusal: Option<String>,
    /// The refusal that somebody was told of last.
    told: Option<String>,
    /// Why the attempt before this moment failed.
    trouble: Option<String>,
}

/// Rows or attachments by the place they are counted in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// In memory only.
    pub(crate) queued: u64,
    /// On disk, written by this process.
    pub(crate) spooled: u64,
    /// On disk, written by a process before this one.
    pub(crate) earlier: u64,
}

impl Tally {
    /// Rows that are in memory only.
    pub(crate) fn in_memory(rows: usize) -> Self {
        Self { queued: rows as u64, ..Self::default() }
    }

    pub(crate) fn total(self) -> u64 {
        self.queued + self.spooled + self.earlier
    }
}

impl Ledger {
    /// Books without entries. `on_freed` is called with the bytes and rows that no longer take memory.
    pub(crate) fn new(label: String, on_freed: fn(usize, usize)) -> Self {
        Self { label, on_freed, books: Mutex::default() }
    }

    /// Rows have been made, and wait in memory.
    pub(crate) fn queued(&self, rows: usize, bytes: usize) {
        let mut books = self.books();
        books.total.recorded += rows as u64;
        books.total.queued += rows as u64;
        books.total.queued_bytes += bytes as u64;
    }

    /// Spans were refused before they were recorded.
    pub(crate) fn refused(&self, spans: u64) {
        let why = "more waited to be delivered than the bound on memory allows; the backend is too slow, or away";
        let mut books = self.books();
        books.total.lost.add(Losses::of(LossReason::QueueFull, spans));
        books.lose(why);
        drop(books);
        diagnostics::dropped(spans);
    }

    /// Rows no longer take memory.
    pub(crate) fn freed(&self, rows: usize, bytes: usize) {
        if rows == 0 && bytes == 0 {
            return;
        }
        let mut books = self.books();
        books.total.queued_bytes = books.total.queued_bytes.saturating_sub(bytes as u64);
        drop(books);
        (self.on_freed)(bytes, rows);
    }

    /// Rows that were in memory only are on disk now, too.
    pub(crate) fn spooled(&self, rows: u64) {
        let total = &mut self.books().total;
        total.queued = total.queued.saturating_sub(rows);
        total.spooled += rows;
    }

    /// The destination has accepted rows.
    pub(crate) fn delivered(&self, rows: Tally) {
        let total = &mut self.books().total;
        total.take(rows);
        total.delivered += rows.queued + rows.spooled;
        total.recovered += rows.earlier;
    }

    /// Rows are gone; `why` in words for the user.
    pub(crate) fn lost(&self, reason: LossReason, rows: Tally, why: &str) {
        if rows.total() == 0 {
            return;
        }
        let mut books = self.books();
        books.total.take(rows);
        books.total.lost.add(Losses::of(reason, rows.total()));
        books.lose(why);
        drop(books);
        if reason == LossReason::QueueFull {
            diagnostics::dropped(rows.total());
        } else {
            diagnostics::error(&format!("{reason}: {}", self.label), || {
                format!("{}: {}; {why}", self.label, Losses::of(reason, rows.total()))
            });
        }
    }

    /// The backend has refused rows, which stay on disk in the folder `place`.
    pub(crate) fn refused_by_backend(&self, why: &str, place: &str) {
        let refusal = format!("{why}; the rows are kept on disk, in {place}");
        let mut books = self.books();
        books.refusal = Some(refusal.clone());
        books.total.last_error = Some(why.to_owned());
        drop(books);
        if diagnostics::error(&format!("refused: {}", self.label), || format!("{}: {refusal}", self.label)) {
            self.books().told = Some(refusal);
        }
    }

    /// A request for rows is about to be sent.
    pub(crate) fn sending(&self, bytes: usize, is_retry: bool) {
        let total = &mut self.books().total;
        total.requests += 1;
        total.retries += u64::from(is_retry);
        total.bytes_sent += bytes as u64;
    }

    /// An attachment is to be uploaded.
    pub(crate) fn attachment_queued(&self) {
        self.books().total.attachments.queued += 1;
    }

    /// An attachment that was in memory only is on disk now.
    pub(crate) fn attachment_spooled(&self) {
        let attachments = &mut self.books().total.attachments;
        attachments.queued = attachments.queued.saturating_sub(1);
        attachments.spooled += 1;
    }

    /// An attachment has been uploaded, from where it was counted.
    pub(crate) fn attachment_delivered(&self, from: Tally) {
        let attachments = &mut self.books().total.attachments;
        attachments.take(from);
        attachments.delivered += from.queued + from.spooled;
        attachments.recovered += from.earlier;
    }

    /// The data of an attachment is gone from where it was counted; `why` in words for the user.
    pub(crate) fn attachment_lost(&self, from: Tally, why: &str) {
        let mut books = self.books();
        let attachments = &mut books.total.attachments;
        attachments.take(from);
        attachments.lost += from.total();
        books.lose(why);
        drop(books);
        diagnostics::warn_once(&format!("attachment lost: {}", self.label), || format!("{}: {why}", self.label));
    }

    /// Notes why the latest attempt failed (`None`: it went well).
    pub(crate) fn note(&self, trouble: Option<String>) {
        let mut books = self.books();
        if trouble.is_some() {
            books.total.last_error.clone_from(&trouble);
        }
        books.trouble = trouble;
    }

    /// Why the latest attempt failed.
    #[cfg(test)]
    pub(crate) fn trouble(&self) -> Option<String> {
        self.books().trouble.clone()
    }

    /// Whether rows or attachments are still on their way.
    pub(crate) fn has_queued(&self) -> bool {
        let total = &self.books().total;
        total.queued + total.attachments.queued > 0
    }

    /// How many rows wait in memory only, and how many bytes those on their way take.
    pub(crate) fn waiting(&self) -> (u64, u64) {
        let total = &self.books().total;
        (total.queued, total.queued_bytes)
    }

    /// How much memory rows take that are on their way.
    pub(crate) fn queued_bytes(&self) -> u64 {
        self.books().total.queued_bytes
    }

    /// How the logger has fared so far.
    pub(crate) fn stats(&self) -> Stats {
        self.books().total.clone()
    }

    /// Closes the books since the last report.
    ///
    /// # Errors
    ///
    /// If rows were lost or refused, or (`late`) the flush ran out of time with rows still in memory.
    pub(crate) fn report(&self, late: Option<Duration>) -> Result<FlushReport, Error> {
        self.close(late).map_err(|failure| {
            if failure.refusal.is_some() {
                self.books().told = failure.refusal;
            }
            failure.error
        })
    }

    /// Closes the books at the end of the process: what is to be said then, if there is something that nobody was told.
    pub(crate) fn last_words(&self, late: Option<Duration>) -> Option<Error> {
        let failure = self.close(late).err()?;
        let is_known = failure.refusal.is_some() && failure.refusal == self.books().told;
        (!is_known).then_some(failure.error)
    }

    fn close(&self, late: Option<Duration>) -> Result<FlushReport, Failure> {
        let mut books = self.books();
        let total = &books.total;
        let report = FlushReport {
            delivered: total.delivered - books.reported_delivered,
            spooled: total.spooled,
            queued: if late.is_some() { total.queued } else { 0 },
            lost: total.lost.since(books.reported_lost),
            attachments: AttachmentCounts {
                queued: if late.is_some() { total.attachments.queued } else { 0 },
                ..total.attachments.since(books.reported_attachments)
            },
        };
        (books.reported_delivered, books.reported_lost) = (books.total.delivered, books.total.lost);
        books.reported_attachments = books.total.attachments;
        let (loss, refusal) = (books.loss.take(), books.refusal.take());
        let trouble = books.trouble.clone();
        drop(books);
        let is_refused = refusal.is_some() || was_refused(report.lost);
        let queued = report.queued + report.attachments.queued;
        if report.lost.total() > 0 || report.attachments.lost > 0 {
            let why = loss.unwrap_or_else(|| "the queue was full".to_owned());
            return Err(Failure::new(why, report, late.is_some(), is_refused));
        }
        if let Some(why) = refusal {
            let failure = Failure::new(why.clone(), report, late.is_some(), is_refused);
            return Err(Failure { refusal: (queued == 0).then_some(why), ..failure });
        }
        match late {
            Some(limit) if queued > 0 => {
                let why = trouble.unwrap_or_else(|| "the destination did not answer in time".to_owned());
                Err(Failure::new(format!("no answer within {limit:?}; {why}"), report, true, is_refused))
            }
            _ => Ok(report),
        }
    }

    /// In a forked child: closes the books of its parent. `false` if one of the parent's threads was writing in them,
    /// and now never lets go.
    #[cfg(all(unix, not(braintrust_loom)))]
    pub(crate) fn leave_to_parent(&self) -> bool {
        self.books.try_lock().map(|mut books| *books = Books::default()).is_ok()
    }

    /// Closes the books after a flush that the exporter has not got to within `limit`.
    ///
    /// # Errors
    ///
    /// Always: what was recorded before the flush may not even be rows yet, so nobody can say that it is safe.
    pub(crate) fn report_unheard(&self, limit: Duration) -> Result<FlushReport, Error> {
        let report = self.report(Some(limit))?;
        let why = format!("the exporter did not get to it within {limit:?}; the machine is busy");
        Err(Failure::new(why, report, true, false).error)
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn lose(&mut self, why: &str) {
        self.loss = Some(why.to_owned());
        self.total.last_error = Some(why.to_owned());
    }
}

impl Stats {
    /// Takes rows out of where they wait.
    fn take(&mut self, rows: Tally) {
        self.queued = self.queued.saturating_sub(rows.queued);
        self.spooled = self.spooled.saturating_sub(rows.spooled);
    }
}

impl AttachmentCounts {
    /// Takes attachments out of where they wait.
    fn take(&mut self, from: Tally) {
        self.queued = self.queued.saturating_sub(from.queued);
        self.spooled = self.spooled.saturating_sub(from.spooled);
    }
}

/// Why a flush is no success.
struct Failure {
    error: Error,
    /// What the backend refused, if it is that and nothing more.
    refusal: Option<String>,
}

impl Failure {
    fn new(why: String, report: FlushReport, timed_out: bool, refused: bool) -> Self {
        let message = format!("flush was not complete: {report}; {why}");
        Self { error: Error::new(Kind::Flush { message, report, timed_out, refused }), refusal: None }
    }
}

/// Whether rows were lost because the backend does not take them.
fn was_refused(lost: Losses) -> bool {
    lost.count(LossReason::Rejected) + lost.count(LossReason::TooLarge) > 0
}
