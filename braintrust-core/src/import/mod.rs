//! Importing traces: rows and trees of spans from files, readers and the local folder, into a logger.

mod check;
mod element;
mod identity;
mod progress;
mod report;
mod run;
mod scan;
mod source;
mod tree;
mod window;

use std::fmt;
use std::io::Read;
use std::path::Path;

use serde_json::Value;

pub use self::progress::Progress;
pub use self::report::{ImportReport, Problem};

use self::identity::Ids;
use self::progress::TerminalLine;
use self::run::Run;
use self::source::{Extent, Input, Source};
use self::tree::Numbering;
use self::window::Window;
use crate::error::Error;
use crate::logger::Logger;

/// Describes an import of rows and trees of spans into a logger; [`run`](Self::run) does it.
///
/// What Braintrust's API returns, what [`Traces::write_jsonl`](crate::Traces::write_jsonl) and the local folder hold,
/// and what programs in other languages write, can be sent to any project.
///
/// ```
/// # let scratch = tempfile::tempdir().unwrap();
/// # let folder = scratch.path().join("traces");
/// # let logger = braintrust::Logger::builder().project("p").local_folder(&folder).build()?;
/// use braintrust::import::Import;
///
/// let lines = r#"
/// {"name": "answer", "input": "1+1?", "output": "2", "children": [{"name": "chat", "type": "llm"}]}
/// {"name": "answer", "scores": "high"}
/// "#;
/// let report = Import::new(&logger).reader(lines.as_bytes(), "stdin").run()?;
///
/// assert_eq!((report.imported, report.skipped), (2, 1));
/// assert_eq!(
///     report.problems()[0].to_string(),
///     r#"stdin, line 3: `scores` is "high"; expected an object"#,
/// );
/// # Ok::<(), braintrust::Error>(())
/// ```
///
/// # Formats
///
/// What an input holds is recognised object by object, so that nothing has to be said about it:
///
/// * **rows** in Braintrust's own format, with `span_id`, `root_span_id`, `span_parents`. Several rows of one span are
///   merged by Braintrust's rules (`_is_merge`).
/// * **trees**: an object with the fields of a span, and `children` of the same shape. `name` and `type` may stand beside
///   `input` and `output`, or in `span_attributes`. A span without times gets those of its children or of its parent.
/// * **answers** of Braintrust's API: `{"events": [..]}` and `{"data": [..]}` with rows.
///
/// The objects may stand on lines of their own (JSON Lines), in arrays, or one after the other.
///
/// # What is not imported
///
/// Fields that name a container (`project_id`, `experiment_id`, …), since the rows go to the logger's project, and those
/// that only the backend writes (`_xact_id`, `comments`, …). What is no good, a line that is cut off or a field of the
/// wrong type, is skipped and reported with its line and what was expected, and the rest is imported.
#[must_use = "an import does nothing before `.run()`"]
pub struct Import<'a> {
    logger: Logger,
    inputs: Vec<Input<'a>>,
    keeps_ids: bool,
    on_progress: Box<dyn FnMut(&Progress<'_>) + 'a>,
}

impl<'a> Import<'a> {
    /// An import into the project of `logger`, of nothing yet.
    pub fn new(logger: &Logger) -> Self {
        Self { logger: logger.clone(), inputs: Vec::new(), keeps_ids: true, on_progress: Box::new(|_| {}) }
    }

    /// Reads a file. One in the folder that the logger itself writes to is refused.
    pub fn file(self, path: impl AsRef<Path>) -> Self {
        self.with(Input::File(path.as_ref().to_owned()))
    }

    /// Reads the folder that a logger without an API key writes, usually `.braintrust`.
    ///
    /// ```no_run
    /// # use braintrust::{Logger, import::Import};
    /// // With BRAINTRUST_API_KEY set, this sends to Braintrust what was traced before there was a key.
    /// let logger = Logger::builder().project("My Project").build()?;
    /// println!("{}", Import::new(&logger).local_folder(".braintrust").show_progress().run()?);
    /// # Ok::<(), braintrust::Error>(())
    /// ```
    pub fn local_folder(self, folder: impl AsRef<Path>) -> Self {
        self.with(Input::Folder(folder.as_ref().to_owned()))
    }

    /// Reads from anything, like `std::io::stdin()`. The name is for reports.
    pub fn reader(self, reader: impl Read + 'a, name: impl Into<String>) -> Self {
        self.with(Input::Reader(Box::new(reader), name.into()))
    }

    /// Takes rows, trees or answers that have been read already.
    pub fn rows<I: IntoIterator<Item = Value>>(self, rows: I) -> Self
    where
        I::IntoIter: 'a,
    {
        self.with(Input::Rows(Box::new(rows.into_iter())))
    }

    /// Whether ids are kept, as they are unless told otherwise, or made anew.
    ///
    /// With its ids kept, a row that is there already is replaced, so that the same import may be done again without
    /// harm; trees whose spans have no ids are the exception. Ids that are made anew make copies: what belongs together
    /// by its ids still does, across all inputs of the import.
    pub fn keep_ids(mut self, keep: bool) -> Self {
        self.keeps_ids = keep;
        self
    }

    /// Calls `report` now and then, and once when all is done.
    pub fn on_progress(mut self, report: impl FnMut(&Progress<'_>) + 'a) -> Self {
        self.on_progress = Box::new(report);
        self
    }

    /// Shows the progress in a line on stderr, if that is a terminal.
    pub fn show_progress(self) -> Self {
        let mut line = TerminalLine::new();
        self.on_progress(move |progress| line.show(progress))
    }

    fn with(mut self, input: Input<'a>) -> Self {
        self.inputs.push(input);
        self
    }

    /// Does the import, and returns when all of it has arrived.
    ///
    /// It goes in steps of some thousand rows or a few megabytes, each of which is delivered before the next is read, so
    /// that memory is bounded. It blocks: async programs call it by way of `spawn_blocking`.
    ///
    /// # Errors
    ///
    /// If an input cannot be opened (before anything is sent) or read to its end, if it is the very folder that the logger
    /// writes to, or if the destination takes nothing at all. What was delivered before stays delivered, and is no obstacle
    /// to doing the import again. What is wrong with single rows is no error: see [`ImportReport`].
    pub fn run(self) -> Result<ImportReport, Error> {
        for input in &self.inputs {
            self.refuse_own_folder(input)?;
        }
        let mut sources: Vec<Source<'_>> = Vec::new();
        for input in self.inputs {
            sources.extend(input.open()?);
        }
        let mut run = Run {
            logger: &self.logger,
            ids: Ids::new(self.keeps_ids),
            on_progress: self.on_progress,
            extent: Extent::of(&sources),
            read: Extent::NOTHING,
            numbering: Numbering::default(),
            window: Window::default(),
            report: ImportReport::default(),
            spooled_before: self.logger.stats().spooled,
            attachments: None,
        };
        for source in sources {
            run.take(source)?;
        }
        Ok(run.finish())
    }

    /// A folder that is read while it is written to would hold everything twice.
    fn refuse_own_folder(&self, input: &Input<'_>) -> Result<(), Error> {
        let (path, is_file) = match input {
            Input::Folder(path) => (path, false),
            Input::File(path) => (path, true),
            Input::Reader(..) | Input::Rows(_) => return Ok(()),
        };
        let found = path.canonicalize().ok();
        let folder = found.as_deref().and_then(|found| if is_file { found.parent() } else { Some(found) });
        let own = self.logger.local_folder().and_then(|own| own.canonicalize().ok());
        if folder.is_none() || folder != own.as_deref() {
            return Ok(());
        }
        let path = path.display();
        Err(Error::argument(format!(
            "`{path}` cannot be imported into a logger that writes to it; set BRAINTRUST_API_KEY to send it to Braintrust, \
             or give the logger another folder"
        )))
    }
}

impl fmt::Debug for Import<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Import")
            .field("logger", &self.logger)
            .field("keeps_ids", &self.keeps_ids)
            .finish_non_exhaustive()
    }
}
