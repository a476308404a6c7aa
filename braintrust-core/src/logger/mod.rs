//! A handle to one project's logs.

mod builder;
mod destination;
mod hiding;
mod permalink;
mod projects;

pub use builder::LoggerBuilder;
pub use permalink::permalink;
pub(crate) use projects::logger_or_usual;
pub use projects::{logger, register};

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tokio::sync::oneshot;

use self::permalink::LinkTarget;
use crate::active::{self, LoggerId};
use crate::context::{Context, InContext};
use crate::error::Error;
use crate::event::Event;
use crate::export::{self, Exporter};
use crate::ledger::Ledger;
#[cfg(feature = "testing")]
use crate::registry::LoggerFacts;
use crate::report::{FlushReport, Stats};
use crate::span::{self, Feedback, Parent, SpanBuilder};

/// How long an awaited flush waits for a destination that does not answer.
const FLUSH_LIMIT: Duration = Duration::from_secs(30);

/// A handle to one project's logs, whose clones are cheap and share everything.
///
/// Made by [`init_logger`], or by [`Logger::builder`] for more than one in a process. Its spans are sent in the
/// background by a thread of the library; the rest leaves when the process exits, or with [`flush`](Self::flush).
/// Dropping handles sends and stops nothing.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), braintrust::Error> {
/// # let scratch = tempfile::tempdir().unwrap();
/// # let folder = scratch.path().join("traces");
/// use braintrust::{Event, Logger};
///
/// let logger = Logger::builder().project("My Project").local_folder(folder).build()?;
/// let span = logger.start_span("request").start();
/// span.log(Event::new().output("pong"));
/// span.end();
/// println!("{}", logger.flush_blocking(std::time::Duration::from_secs(5))?); // 1 delivered, none lost
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Logger(Arc<Shared>);

struct Shared {
    id: LoggerId,
    project: String,
    local_folder: Option<PathBuf>,
    /// Where links to its rows are asked for; none for rows that are not in Braintrust.
    link_target: Option<Arc<LinkTarget>>,
    ledger: Arc<Ledger>,
    exporter: &'static Exporter,
    #[cfg(feature = "testing")]
    is_temporary: bool,
}

/// Makes a logger for a project, with its settings from the environment, and makes it the process's default.
///
/// With `BRAINTRUST_API_KEY` set, spans go to that project of Braintrust, which is made if it does not exist. Without
/// a key they go to the local folder `.braintrust`, and a line on stderr says so: [`local::read`](crate::local::read) reads
/// it. It grows to 256 MiB at most, the oldest rows make room for new ones, only its owner may read it, and git ignores it.
/// No request is made here.
///
/// ```no_run
/// fn main() -> Result<(), braintrust::Error> {
///     let logger = braintrust::init_logger("My Project")?;
///     braintrust::start_span("work").start().in_scope(|| println!("what is traced here goes to My Project"));
///     if let Err(error) = logger.flush_blocking(std::time::Duration::from_secs(5)) {
///         eprintln!("{error}"); // what was not delivered, and why: no reason to end a program
///     }
///     Ok(())
/// }
/// ```
///
/// # Process exit
///
/// What has been recorded when the process ends is flushed, for up to 5 seconds; what was not delivered by then is told
/// on stderr. `BRAINTRUST_DISABLE_ATEXIT_FLUSH` switches that off.
///
/// | the process | what was recorded |
/// |---|---|
/// | returns from `main`, whether its runtimes are gone or not | is flushed |
/// | calls `std::process::exit` | is flushed |
/// | panics in `main` | is flushed |
/// | handles SIGTERM or SIGINT, and then ends in one of these ways | is flushed |
/// | is killed by a signal that it does not handle, or aborts (as with `panic = "abort"`) | is delivered as far as that was done: a second's worth may be missing. With [`durable`](LoggerBuilder::durable), what is older than the exporter's tick (250 ms) is on disk, and sent by the next process |
/// | calls `_exit`, or `exec` | as if it were killed |
/// | forks | stays with the parent, which sends it. The child traces on: an exporter of its own starts with its first span or flush, ids are new, and spans that were open around the fork are parents in both. A child that ends by `_exit` or runs another program has nothing to flush |
///
/// A fork waits for a moment at which the exporter is at rest, which is mostly at once. If there is none within 2 seconds,
/// nothing is traced in the child, and a warning says so. `fork` and `daemon` of the C library are seen, a bare system
/// call is not.
///
/// # Errors
///
/// If the system refuses the thread that sends spans. Never for want of a key.
pub fn init_logger(project: impl Into<String>) -> Result<Logger, Error> {
    let logger = Logger::builder().project(project).build()?;
    logger.install();
    Ok(logger)
}

impl Logger {
    /// Describes a logger other than the default one.
    pub fn builder() -> LoggerBuilder {
        LoggerBuilder::new()
    }

    /// Makes this logger the process's default: it takes every span that has no parent and names no logger.
    pub fn install(&self) {
        permalink::install(self);
        active::set_default_logger(self.0.id);
    }

    /// The name of the project, or its id where only that is known.
    #[must_use]
    pub fn project(&self) -> &str {
        &self.0.project
    }

    /// The folder that the rows of this logger go to; `None` if they go to Braintrust.
    #[must_use]
    pub fn local_folder(&self) -> Option<&Path> {
        self.0.local_folder.as_deref()
    }

    pub(crate) fn id(&self) -> LoggerId {
        self.0.id
    }

    /// Begins a span of this logger: under its nearest span around the caller, or as a root.
    pub fn start_span(&self, name: impl Into<Cow<'static, str>>) -> SpanBuilder {
        SpanBuilder::new(name.into()).of_logger(self.0.id)
    }

    /// Logs a whole root span at once, and returns the id of its row.
    #[track_caller]
    pub fn log(&self, event: Event) -> String {
        let span = self.start_span("root").parent(Parent::root()).event(event).start();
        span.end();
        span.id()
    }

    /// Runs `work` with this logger current: it takes the spans that begin there, whatever is the process's default.
    pub fn in_scope<R>(&self, work: impl FnOnce() -> R) -> R {
        Context::of_logger(self.0.id).scope(work)
    }

    /// Wraps `future` so that this logger is current whenever it runs, as by [`in_scope`](Self::in_scope).
    pub fn run<F: Future>(&self, future: F) -> InContext<F> {
        InContext::new(future, Context::of_logger(self.0.id))
    }

    /// Sends everything that was recorded before this call, and says what became of it. Spans that are still open are
    /// sent as far as they are.
    ///
    /// Works under any executor and on any runtime, not only the one that the spans were recorded on. What is dropped
    /// before it is done goes on in the background. The exit of the process flushes too: see
    /// [process exit](crate::init_logger#process-exit).
    ///
    /// A backend that cannot be reached, or answers that it is in trouble, is no error as long as rows can wait on disk:
    /// the report counts them as [`spooled`](FlushReport::spooled), and [`Stats::last_error`] says why.
    ///
    /// # Errors
    ///
    /// All but the last have an [`Error::report`] of what became of the rows.
    ///
    /// * Rows or attachments were lost; the report has the reasons.
    /// * Braintrust refuses rows, or the key that they are sent with ([`Error::is_backend`]). Rows are kept on disk, if
    ///   they can be: the report counts them, and the text names the folder. (An earlier process with this key may have
    ///   left them there; each process tries them once.)
    /// * The destination has not answered within 30 seconds, and what waits for it is in memory only
    ///   ([`Error::is_timeout`]): it stays queued, and is sent when it does.
    /// * Nothing is sent in this process, because it was forked at a moment at which that could not be made ready
    ///   ([`Error::is_config`]).
    pub async fn flush(&self) -> Result<FlushReport, Error> {
        self.flush_within(FLUSH_LIMIT).await
    }

    pub(crate) async fn flush_within(&self, limit: Duration) -> Result<FlushReport, Error> {
        let (done, waiting) = oneshot::channel();
        self.0.exporter.flush(Some(self.0.id), limit, move |late| {
            let _ = done.send(late);
        });
        self.report(waiting.await.ok(), limit)
    }

    /// Does what [`flush`](Self::flush) does, for code that cannot await; it returns within `limit`.
    ///
    /// May be called anywhere, inside an async runtime too: the runtime is not needed, only held up.
    ///
    /// # Errors
    ///
    /// As [`flush`](Self::flush), with `limit` in place of 30 seconds. And at once where it would wait for itself: on the
    /// thread that sends spans, which runs masks ([`Error::is_config`]).
    pub fn flush_blocking(&self, limit: Duration) -> Result<FlushReport, Error> {
        if export::is_this_thread() {
            return Err(Error::config(
                "`flush_blocking` was called on the thread that sends spans, for instance in a mask: it would wait for \
                 itself; flush where spans are made",
            ));
        }
        let (done, waiting) = mpsc::sync_channel(1);
        self.0.exporter.flush(Some(self.0.id), limit, move |late| {
            let _ = done.send(late);
        });
        // The exporter keeps the limit; the margin is for a machine that is too busy to let it.
        let margin = Duration::from_millis(250);
        match waiting.recv_timeout(limit.saturating_add(margin)) {
            Err(mpsc::RecvTimeoutError::Disconnected) => self.report(None, limit),
            Err(mpsc::RecvTimeoutError::Timeout) => self.0.ledger.report_unheard(limit),
            Ok(late) => self.report(Some(late), limit),
        }
    }

    /// How this logger has fared since it was made: what was recorded, delivered, kept on disk and lost.
    ///
    /// ```
    /// # let scratch = tempfile::tempdir().unwrap();
    /// # let folder = scratch.path().join("traces");
    /// # let logger = braintrust::Logger::builder().project("p").local_folder(folder).build()?;
    /// let stats = logger.stats();
    /// assert_eq!((stats.recorded, stats.lost.total()), (0, 0));
    /// # Ok::<(), braintrust::Error>(())
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.ledger.stats()
    }

    /// Merges fields into the row `row_id` of this logger's project, by which [`Span::id`](crate::Span::id) names a span.
    ///
    /// The row must have been recorded by this process, or delivered before. An empty id is that of a no-op, and nothing
    /// is done; a warning says so once.
    ///
    /// # Errors
    ///
    /// If `row_id` is a slug ([`Error::is_argument`]): that goes to the function [`update_span`](crate::update_span).
    pub fn update_span(&self, row_id: &str, event: Event) -> Result<(), Error> {
        span::update_row(self.0.id, row_id, event)
    }

    /// Records what someone thinks of the row `row_id` of this logger's project. An empty id is that of a no-op, and
    /// nothing is done; a warning says so once.
    ///
    /// # Errors
    ///
    /// If the feedback holds neither a score, nor an expected value, a tag or a comment, or if `row_id` is a slug
    /// ([`Error::is_argument`] of both).
    ///
    /// ```no_run
    /// # let logger = braintrust::init_logger("p")?;
    /// # let row_id = "";
    /// use braintrust::{Feedback, FeedbackSource};
    ///
    /// logger.log_feedback(row_id, Feedback::new().score("user_rating", 1.0).comment("nice"))?;
    /// # Ok::<(), braintrust::Error>(())
    /// ```
    pub fn log_feedback(&self, row_id: &str, feedback: Feedback) -> Result<(), Error> {
        span::log_feedback(self.0.id, row_id, feedback)
    }

    fn report(&self, late: Option<bool>, limit: Duration) -> Result<FlushReport, Error> {
        let Some(late) = late else {
            return Err(Error::config("the exporter does not run in this process, so nothing can be flushed"));
        };
        self.0.ledger.report(late.then_some(limit))
    }
}

/// A logger that writes to memory ends with its last handle: tests make many. What it has recorded is delivered first.
#[cfg(feature = "testing")]
impl Drop for Shared {
    fn drop(&mut self) {
        if self.is_temporary {
            self.exporter.close(self.id);
            LoggerFacts::forget(self.id);
        }
    }
}

impl fmt::Debug for Logger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logger").field("project", &self.0.project).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flush_that_the_exporter_does_not_get_to_is_no_success() {
        let folder = tempfile::tempdir().unwrap();
        let logger = Logger::builder().project("p").local_folder(folder.path()).build().unwrap();
        let ((go_on, held_up), (tell, is_held_up)) = (mpsc::channel::<()>(), mpsc::channel());
        logger.0.exporter.run(move || async move {
            tell.send(()).unwrap();
            let _ = held_up.recv();
        });
        is_held_up.recv().unwrap();
        logger.start_span("call").start().end();
        let error = logger.flush_blocking(Duration::from_millis(1)).unwrap_err();
        assert!(error.is_timeout(), "{error}");
        go_on.send(()).unwrap();
        assert_eq!(logger.flush_blocking(FLUSH_LIMIT).unwrap().delivered, 1);
    }
}
