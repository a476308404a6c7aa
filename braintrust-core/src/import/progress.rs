//! How far an import is, and a line in the terminal that says so.

use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// How far an import is: what has been delivered, not what has merely been read.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    pub(super) source: &'a str,
    pub(super) done: u64,
    pub(super) skipped: u64,
    pub(super) total_rows: Option<u64>,
    pub(super) fraction: Option<f64>,
    pub(super) is_finished: bool,
}

impl Progress<'_> {
    /// What is being read: the file, or the name that was given with the reader; empty in the last report.
    #[must_use]
    pub fn source(&self) -> &str {
        self.source
    }

    /// Rows that are done with: delivered, or skipped as no good.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done
    }

    /// How many of them were skipped.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// How many rows there are in all. Known if all of them are handed over as values, by iterators that know their
    /// length; a file's rows cannot be told from its size.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.total_rows
    }

    /// Which part of the input is done with, from 0 to 1: by rows where [`total`](Self::total) is known, by bytes if
    /// all of it is files; else unknown.
    #[must_use]
    pub fn fraction(&self) -> Option<f64> {
        self.fraction
    }

    /// Whether this is the last report.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.is_finished
    }
}

impl fmt::Display for Progress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(fraction) = self.fraction {
            write!(f, "{:3.0}%  ", fraction * 100.0)?;
        }
        write!(f, "{} rows", self.done)?;
        if self.skipped > 0 {
            write!(f, ", {} of them skipped", self.skipped)?;
        }
        match self.source {
            "" => Ok(()),
            source => write!(f, "  {source}"),
        }
    }
}

/// A line on stderr that is written over and over, and removed in the end. Nothing if stderr is no terminal.
#[derive(Debug)]
pub(super) struct TerminalLine {
    is_terminal: bool,
    shown: Option<Instant>,
}

impl TerminalLine {
    /// More often than this nobody can read it.
    const INTERVAL: Duration = Duration::from_millis(100);
    /// Narrower than terminals usually are.
    const WIDTH: usize = 79;

    pub(super) fn new() -> Self {
        Self { is_terminal: io::stderr().is_terminal(), shown: None }
    }

    pub(super) fn show(&mut self, progress: &Progress<'_>) {
        let is_soon = self.shown.is_some_and(|shown| shown.elapsed() < Self::INTERVAL);
        if !self.is_terminal || is_soon && !progress.is_finished {
            return;
        }
        self.shown = Some(Instant::now());
        // A line that wraps could not be written over.
        let line: String = format!("importing {progress}").chars().take(Self::WIDTH).collect();
        // A terminal that went away is no reason to stop the import.
        let _ = match progress.is_finished {
            true => write!(io::stderr(), "\r\x1b[2K"),
            false => write!(io::stderr(), "\r\x1b[2K{line}"),
        };
    }
}
