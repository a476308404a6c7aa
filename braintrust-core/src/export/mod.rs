//! The exporter: a thread of its own, with a runtime of its own, which takes what was recorded to where it goes.

mod content;
mod deferred;
mod exit;
#[cfg(all(unix, not(braintrust_loom)))]
mod fork;
mod join;
mod lane;
pub(crate) mod merge;
mod row;
mod standstill;
mod worker;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc;

pub(crate) use content::Content;
pub(crate) use deferred::defer;
pub(crate) use exit::set_flush_at_exit;
#[cfg(all(unix, not(braintrust_loom)))]
pub(crate) use fork::hold_in_forks;
pub(crate) use worker::MakeSink;
use worker::{Command, Worker};

use crate::active::{self, LoggerId};
use crate::diagnostics;
use crate::error::Error;
use crate::ledger::Ledger;

/// The one exporter of the process, started with the first logger, and anew in every forked child.
#[derive(Debug)]
pub(crate) struct Exporter {
    running: Mutex<Running>,
    /// What rows say of where the program runs, for forked children.
    #[cfg(all(unix, not(braintrust_loom)))]
    environment: Option<String>,
}

/// The exporter's thread, as the rest of the program sees it.
struct Running {
    commands: mpsc::UnboundedSender<Command>,
    /// Whose thread it is.
    process: u32,
    loggers: Vec<Opened>,
}

/// A logger whose rows have a lane.
#[derive(Clone)]
struct Opened {
    logger: LoggerId,
    /// Names it in messages.
    label: String,
    ledger: Arc<Ledger>,
    content: Arc<Content>,
    make_sink: MakeSink,
}

static EXPORTER: OnceLock<Exporter> = OnceLock::new();

/// Taken by whoever may have to start the exporter.
fn starting() -> MutexGuard<'static, ()> {
    static STARTING: Mutex<()> = Mutex::new(());
    STARTING.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Exporter {
    /// The running exporter.
    ///
    /// `environment` is what its rows say of where the program runs; the first caller's stays.
    ///
    /// # Errors
    ///
    /// If the system refuses a thread, or this is a forked child in which there can be none.
    pub(crate) fn get_or_start(environment: Option<String>) -> Result<&'static Self, Error> {
        let _starting = starting();
        if active::is_lost() {
            return Err(Error::config(
                "this process was forked while its parent was busy sending spans, so nothing can be traced in it; fork \
                 before the first logger is made, or after a flush",
            ));
        }
        if let Some(running) = EXPORTER.get() {
            return Ok(running);
        }
        let commands = start(environment.clone())?;
        let running = Running { commands, process: std::process::id(), loggers: Vec::new() };
        let exporter = EXPORTER.get_or_init(|| Self {
            running: Mutex::new(running),
            #[cfg(all(unix, not(braintrust_loom)))]
            environment,
        });
        exit::flush_at_exit();
        #[cfg(all(unix, not(braintrust_loom)))]
        fork::follow_forks();
        Ok(exporter)
    }

    /// Starts in a forked child what runs in its parent: a thread, with a lane for every logger.
    ///
    /// # Errors
    ///
    /// If the system refuses a thread.
    #[cfg(all(unix, not(braintrust_loom)))]
    fn restart(&self) -> Result<(), Error> {
        let mut running = self.running();
        let commands = start(self.environment.clone())?;
        // The other end belongs to a runtime that the child shares with its parent: not even its end is to be heard.
        std::mem::forget(std::mem::replace(&mut running.commands, commands));
        running.process = std::process::id();
        running.loggers.retain(|opened| opened.ledger.leave_to_parent());
        for opened in &running.loggers {
            running.send(Command::Open(opened.clone()));
        }
        Ok(())
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
        // Before the lock: in a forked child, this may have to start the thread.
        let _ = active::enabled();
        let opened = Opened { logger, label, ledger, content: Arc::new(content), make_sink };
        let mut running = self.running();
        running.send(Command::Open(opened.clone()));
        running.loggers.push(opened);
    }

    /// Closes the lane of `logger`, once what it has recorded is delivered. Rows recorded later go nowhere.
    #[cfg(feature = "testing")]
    pub(crate) fn close(&self, logger: LoggerId) {
        let _ = active::enabled();
        let mut running = self.running();
        running.loggers.retain(|opened| opened.logger != logger);
        running.send(Command::Close { logger });
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
        // In a forked child, this may have to start the thread; where that cannot be, there is nobody to tell.
        if active::enabled() {
            self.running().send(command);
        }
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    fn send(&self, command: Command) {
        if self.commands.send(command).is_err() {
            diagnostics::warn_once("exporter gone", || "the exporter has stopped; spans go nowhere".to_owned());
        }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("process", &self.process).finish_non_exhaustive()
    }
}

/// Whether this is the exporter's own thread, which cannot wait for itself.
pub(crate) fn is_this_thread() -> bool {
    standstill::is_at_work_here()
}

/// Starts the thread of an exporter, which takes commands.
fn start(environment: Option<String>) -> Result<mpsc::UnboundedSender<Command>, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_park(standstill::end_work)
        .on_thread_unpark(standstill::begin_work)
        .build()
        .map_err(|source| Error::io("the exporter's runtime could not be started", source))?;
    let (commands, inbox) = mpsc::unbounded_channel();
    thread::Builder::new()
        .name("braintrust-exporter".to_owned())
        .spawn(move || {
            standstill::begin_work();
            let local = tokio::task::LocalSet::new();
            local.block_on(&runtime, Worker::new(inbox, environment).run());
        })
        .map_err(|source| Error::io("the exporter's thread could not be started", source))?;
    Ok(commands)
}
