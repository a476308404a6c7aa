//! The exporter: a thread of its own, with a runtime of its own, which takes what was recorded to where it goes.

mod content;
mod deferred;
mod exit;
mod join;
mod lane;
pub(crate) mod merge;
mod row;
mod worker;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc;

pub(crate) use content::Content;
pub(crate) use deferred::defer;
pub(crate) use exit::set_flush_at_exit;
pub(crate) use worker::MakeSink;
use worker::{Command, Worker};

use crate::active::LoggerId;
use crate::diagnostics;
use crate::error::Error;
use crate::ledger::Ledger;

/// The one exporter of the process, started with the first logger.
#[derive(Debug)]
pub(crate) struct Exporter {
    commands: mpsc::UnboundedSender<Command>,
    /// For the reports at process exit.
    ledgers: Mutex<Vec<(LoggerId, String, Arc<Ledger>)>>,
    /// A forked child has a copy of all this, but not the thread.
    process: u32,
}

static EXPORTER: OnceLock<Exporter> = OnceLock::new();

impl Exporter {
    /// The running exporter.
    ///
    /// `environment` is what its rows say of where the program runs; the first caller's stays.
    ///
    /// # Errors
    ///
    /// If the system refuses a thread.
    pub(crate) fn get_or_start(environment: Option<String>) -> Result<&'static Self, Error> {
        static STARTING: Mutex<()> = Mutex::new(());
        let _starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = EXPORTER.get() {
            return Ok(running);
        }
        let exporter = Self::start(environment)?;
        let exporter = EXPORTER.get_or_init(|| exporter);
        exit::flush_at_exit();
        Ok(exporter)
    }

    fn start(environment: Option<String>) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .on_thread_unpark(diagnostics::hush_dependencies)
            .build()
            .map_err(|source| Error::io("the exporter's runtime could not be started", source))?;
        let (commands, inbox) = mpsc::unbounded_channel();
        thread::Builder::new()
            .name("braintrust-exporter".to_owned())
            .spawn(move || {
                let local = tokio::task::LocalSet::new();
                local.block_on(&runtime, Worker::new(inbox, environment).run());
            })
            .map_err(|source| Error::io("the exporter's thread could not be started", source))?;
        Ok(Self { commands, ledgers: Mutex::default(), process: std::process::id() })
    }

    /// Opens a lane for the rows of `logger`, whose content is treated as `content` says; `label` names it in messages.
    pub(crate) fn open(
        &self,
        logger: LoggerId,
        label: String,
        ledger: Arc<Ledger>,
        content: Content,
        make_sink: MakeSink,
    ) {
        self.ledgers.lock().unwrap_or_else(PoisonError::into_inner).push((logger, label, Arc::clone(&ledger)));
        self.command(Command::Open { logger, ledger, content, make_sink });
    }

    /// Closes the lane of `logger`, once what it has recorded is delivered. Rows recorded later go nowhere.
    #[cfg(feature = "testing")]
    pub(crate) fn close(&self, logger: LoggerId) {
        self.ledgers.lock().unwrap_or_else(PoisonError::into_inner).retain(|(id, ..)| *id != logger);
        self.command(Command::Close { logger });
    }

    /// Sends what was recorded so far by `logger`, or by all, and calls `done` when it has arrived, or with `true` when
    /// `limit` has passed. `done` is dropped uncalled if the exporter is gone.
    pub(crate) fn flush(&self, logger: Option<LoggerId>, limit: Duration, done: impl FnOnce(bool) + Send + 'static) {
        self.command(Command::Flush { logger, limit, done: Box::new(done) });
    }

    /// Runs a task on the exporter's runtime.
    pub(crate) fn run<F: Future<Output = ()> + 'static>(&self, task: impl FnOnce() -> F + Send + 'static) {
        self.command(Command::Run(Box::new(move || Box::pin(task()))));
    }

    fn command(&self, command: Command) {
        if self.commands.send(command).is_err() {
            diagnostics::warn_once("exporter gone", || "the exporter has stopped; spans go nowhere".to_owned());
        }
    }
}
