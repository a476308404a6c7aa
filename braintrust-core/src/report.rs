//! What became of recorded spans: delivered, spooled, still queued, or lost and why.

use std::fmt;

/// Why rows were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum LossReason {
    /// The bound on memory was reached, so a new span was not recorded, or the oldest rows made room for it.
    QueueFull,
    /// The backend refused the rows for good, and there is no spool that could keep them.
    Rejected,
    /// The local folder could not be written, or rows that waited on disk could not be read back.
    Disk,
    /// A row is larger than anything the backend takes.
    TooLarge,
    /// Rows that the backend had refused were kept on disk, and removed to make room, or after a week.
    SpoolFull,
}

impl LossReason {
    const ALL: [Self; 5] = [Self::QueueFull, Self::Rejected, Self::Disk, Self::TooLarge, Self::SpoolFull];

    /// The reason in words, as reports print it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue full",
            Self::Rejected => "rejected by the backend",
            Self::Disk => "disk not usable",
            Self::TooLarge => "too large for the backend",
            Self::SpoolFull => "refused, and removed from the spool",
        }
    }
}

impl fmt::Display for LossReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Lost rows, counted by reason.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Losses([u64; LossReason::ALL.len()]);

impl Losses {
    /// No losses.
    pub(crate) const NONE: Self = Self([0; LossReason::ALL.len()]);

    /// `count` rows lost for `reason`.
    pub(crate) fn of(reason: LossReason, count: u64) -> Self {
        let mut losses = Self::NONE;
        losses.0[reason as usize] = count;
        losses
    }

    pub(crate) fn add(&mut self, other: Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }

    /// What has been lost beyond `earlier`.
    pub(crate) fn since(mut self, earlier: Self) -> Self {
        for (mine, theirs) in self.0.iter_mut().zip(earlier.0) {
            *mine -= theirs;
        }
        self
    }

    /// How many rows were lost for `reason`.
    #[must_use]
    pub fn count(&self, reason: LossReason) -> u64 {
        self.0[reason as usize]
    }

    /// How many rows were lost in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The reasons that apply, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (LossReason, u64)> + '_ {
        LossReason::ALL.into_iter().map(|reason| (reason, self.count(reason))).filter(|(_, count)| *count > 0)
    }
}

/// The reasons that apply, with their counts.
impl fmt::Debug for Losses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl fmt::Display for Losses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.total() == 0 {
            return f.write_str("none lost");
        }
        for (index, (reason, count)) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{count} lost ({reason})")?;
        }
        Ok(())
    }
}

/// What became of one logger's rows since its previous flush.
///
/// A span that is short is one row; one that is still open when a flush comes, or is logged to after it ended,
/// takes a row more each time.
///
/// ```
/// # let scratch = tempfile::tempdir().unwrap();
/// # let folder = scratch.path().join("traces");
/// # let logger = braintrust::Logger::builder().project("p").local_folder(folder).build()?;
/// logger.start_span("step").start().end();
/// let report = logger.flush_blocking(std::time::Duration::from_secs(5))?;
///
/// assert_eq!((report.delivered, report.lost.total()), (1, 0));
/// assert_eq!(report.to_string(), "1 delivered, none lost");
/// # Ok::<(), braintrust::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlushReport {
    /// Rows that the destination has accepted since the previous flush.
    pub delivered: u64,
    /// Rows that wait on disk now, to be sent later.
    pub spooled: u64,
    /// Rows that are still queued in memory only (only after a flush that ran out of time).
    pub queued: u64,
    /// Rows that are gone since the previous flush, by reason.
    pub lost: Losses,
    /// What became of attachments.
    pub attachments: AttachmentCounts,
}

impl fmt::Display for FlushReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} delivered", self.delivered)?;
        if self.spooled > 0 {
            write!(f, ", {} spooled", self.spooled)?;
        }
        if self.queued > 0 {
            write!(f, ", {} still queued", self.queued)?;
        }
        write!(f, ", {}", self.lost)?;
        write!(f, "{}", self.attachments)
    }
}

/// What became of the data of attachments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttachmentCounts {
    /// Uploaded, or written to the local folder (in a report of a flush: since the previous one).
    pub delivered: u64,
    /// On disk now, to be uploaded later, by this process or the next.
    pub spooled: u64,
    /// Still to be uploaded, and not on disk (in a report of a flush: only after one that ran out of time).
    pub queued: u64,
    /// Given up: refused, too large, or no longer there (in a report of a flush: since the previous one).
    pub lost: u64,
    /// Of processes before this one, found on disk and uploaded (in a report of a flush: since the previous one). They
    /// count nowhere else.
    pub recovered: u64,
}

impl AttachmentCounts {
    /// What has been delivered, lost and recovered beyond `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            delivered: self.delivered - earlier.delivered,
            lost: self.lost - earlier.lost,
            recovered: self.recovered - earlier.recovered,
            ..self
        }
    }
}

/// As the end of a sentence that begins with rows.
impl fmt::Display for AttachmentCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { delivered, spooled, queued, lost, recovered } = *self;
        if delivered + spooled + queued + lost + recovered == 0 {
            return Ok(());
        }
        f.write_str("; attachments:")?;
        let parts = [
            (delivered, "delivered"),
            (recovered, "of earlier processes delivered"),
            (spooled, "spooled"),
            (queued, "still queued"),
            (lost, "lost"),
        ];
        for (index, (count, what)) in parts.into_iter().filter(|(count, _)| *count > 0).enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma} {count} {what}")?;
        }
        Ok(())
    }
}

/// How a logger has fared since it was made.
///
/// What has become a row is delivered, spooled, queued or lost: `recorded` is the sum of these. Losses count also the
/// spans that were refused before there was a row of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Rows made of what the program recorded. What is younger than the exporter's tick (250 ms) is not yet a row; nor is
    /// what waits while rows take all the memory that may wait.
    pub recorded: u64,
    /// Rows that the destination has accepted.
    pub delivered: u64,
    /// Rows that wait on disk now.
    pub spooled: u64,
    /// Rows that wait in memory only now.
    pub queued: u64,
    /// The memory that rows take now, in bytes: those that wait, and those that are also on disk.
    pub queued_bytes: u64,
    /// Rows that are gone, by reason.
    pub lost: Losses,
    /// Rows of processes before this one, found on disk and delivered now. They count nowhere else.
    pub recovered: u64,
    /// Requests for rows that were sent, repetitions included.
    pub requests: u64,
    /// Requests for rows that were sent because an earlier one failed.
    pub retries: u64,
    /// Bytes of all request bodies for rows.
    pub bytes_sent: u64,
    /// What became of attachments.
    pub attachments: AttachmentCounts,
    /// Why something could not be delivered when that last happened, in words.
    pub last_error: Option<String>,
}
