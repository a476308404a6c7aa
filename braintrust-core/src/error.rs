//! The one error type of the crate: opaque, with predicates and a kept source.

use std::fmt;

use crate::report::FlushReport;

/// What went wrong when a logger was made, or when its rows were delivered.
///
/// The text names the thing, what was wrong with it, what was expected, and what to do.
/// Logging itself never returns an error: [`Span`](crate::Span) and [`Event`](crate::Event) have no fallible methods.
///
/// ```
/// # let scratch = tempfile::tempdir().unwrap();
/// # let folder = scratch.path().join("traces");
/// # let logger = braintrust::Logger::builder().project("p").local_folder(folder).build()?;
/// match logger.flush_blocking(std::time::Duration::from_secs(5)) {
///     Ok(report) => println!("{report}"),
///     Err(error) if error.is_timeout() => println!("{error}"), // what waits is sent later
///     Err(error) => {
///         let lost = error.report().map_or(0, |report| report.lost.total());
///         println!("{lost} rows are gone: {error}");
///     }
/// }
/// # Ok::<(), braintrust::Error>(())
/// ```
pub struct Error(Box<Kind>);

/// The private taxonomy behind [`Error`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Kind {
    #[error("{0}")]
    Config(String),
    #[error("{0}")]
    Slug(String),
    #[error("{0}")]
    Argument(String),
    #[error("{0}")]
    Backend(String),
    #[error("{message}")]
    Io { message: String, source: std::io::Error },
    #[error("{message}")]
    Flush { message: String, report: FlushReport, timed_out: bool, refused: bool },
}

impl Error {
    /// Not a conversion: those of a public type are public, and the documentation would show this one.
    pub(crate) fn new(kind: Kind) -> Self {
        Self(Box::new(kind))
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(Kind::Config(message.into()))
    }

    pub(crate) fn slug(message: impl Into<String>) -> Self {
        Self::new(Kind::Slug(message.into()))
    }

    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Self::new(Kind::Argument(message.into()))
    }

    pub(crate) fn backend(message: impl Into<String>) -> Self {
        Self::new(Kind::Backend(message.into()))
    }

    pub(crate) fn io(message: impl Into<String>, source: std::io::Error) -> Self {
        Self::new(Kind::Io { message: message.into(), source })
    }

    /// Whether a setting was missing, malformed or contradictory.
    #[must_use]
    pub fn is_config(&self) -> bool {
        matches!(*self.0, Kind::Config(_))
    }

    /// Whether a slug could not be read, or does not name what was asked of it.
    #[must_use]
    pub fn is_slug(&self) -> bool {
        matches!(*self.0, Kind::Slug(_))
    }

    /// Whether a call was given what it cannot take.
    #[must_use]
    pub fn is_argument(&self) -> bool {
        matches!(*self.0, Kind::Argument(_))
    }

    /// Whether the system refused something: a file, a folder or a thread. The [source](std::error::Error::source) is its
    /// [`std::io::Error`].
    #[must_use]
    pub fn is_io(&self) -> bool {
        matches!(*self.0, Kind::Io { .. })
    }

    /// Whether Braintrust refused a request, or did not answer it. Of a flush: whether it refused rows, or the key they
    /// were sent with; [`report`](Self::report) says how many rows are on disk or lost for that.
    #[must_use]
    pub fn is_backend(&self) -> bool {
        matches!(*self.0, Kind::Backend(_) | Kind::Flush { refused: true, .. })
    }

    /// Whether a flush ran out of time; its rows stay queued, and a later flush sends them.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(*self.0, Kind::Flush { timed_out: true, .. })
    }

    /// What a failed flush delivered and what it did not; `None` for every other error.
    #[must_use]
    pub fn report(&self) -> Option<&FlushReport> {
        match &*self.0 {
            Kind::Flush { report, .. } => Some(report),
            _ => None,
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&*self.0)
    }
}
