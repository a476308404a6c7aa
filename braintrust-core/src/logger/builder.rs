//! What a logger is to be, before it exists.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::destination::Destination;
use super::{Logger, Shared};
#[cfg(all(unix, not(braintrust_loom)))]
use super::{permalink, projects};
use crate::active;
use crate::capture;
use crate::config::{Change, Environment, ProcessSettings, Settings, SpoolDir, Target, WhenFull};
use crate::container::ProjectRef;
use crate::diagnostics::{self, Verbosity};
use crate::error::Error;
use crate::export::{self, Content, Exporter};
use crate::ids::IdStyle;
use crate::ledger::Ledger;
use crate::mask::MaskRules;
use crate::panic_site;
use crate::record::bound::{self, Amount, Limits};
use crate::secret::ApiKey;
#[cfg(feature = "testing")]
use crate::sink::MemoryRows;

/// Where rows go that have no key to go to Braintrust with.
const LOCAL_FOLDER: &str = ".braintrust";
/// Braintrust's own name for the project of those who name none.
const DEFAULT_PROJECT: &str = "Global";

/// Describes a [`Logger`]; [`build`](Self::build) makes it.
///
/// What is not given comes from the environment: from a variable of the process, or else from the nearest
/// `.env.braintrust`; and what is not said there has a default. The page [settings](crate::settings) has them all.
///
/// A clone says the same, so that what several loggers have in common need be said once.
#[derive(Clone, Default)]
#[must_use = "a logger is made with `.build()`"]
pub struct LoggerBuilder {
    project: Option<String>,
    project_id: Option<String>,
    /// A key that was given, even if it is blank, which is an error.
    api_key: Option<Option<ApiKey>>,
    changes: Vec<Change<Settings>>,
    process_changes: Vec<Change<ProcessSettings>>,
    pub(super) mask: MaskRules,
    /// Where rows go, if not where the key decides.
    destination: Option<Destination>,
}

/// # Settings of one logger
impl LoggerBuilder {
    pub(super) fn new() -> Self {
        Self::default()
    }

    fn set(mut self, change: impl FnOnce(&mut Settings) + Clone + Send + Sync + 'static) -> Self {
        self.changes.push(Arc::new(move |settings| change.clone()(settings)));
        self
    }

    /// The project by name, instead of `BRAINTRUST_PROJECT`; it is made if it does not exist.
    pub fn project(mut self, name: impl Into<String>) -> Self {
        self.project = Some(name.into());
        self
    }

    /// The project by id, for which nothing has to be asked of Braintrust; instead of `BRAINTRUST_PROJECT_ID`.
    pub fn project_id(mut self, id: impl Into<String>) -> Self {
        self.project_id = Some(id.into());
        self
    }

    /// The API key, instead of `BRAINTRUST_API_KEY`.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(ApiKey::new(&key.into()));
        self
    }

    /// The organisation, instead of `BRAINTRUST_ORG_NAME`, or else the first that the key belongs to.
    pub fn org_name(self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.set(|settings| settings.org_name = Some(name))
    }

    /// The address of the Braintrust application, instead of `BRAINTRUST_APP_URL`.
    pub fn app_url(self, url: impl Into<String>) -> Self {
        let url = url.into();
        self.set(|settings| settings.app_url = url)
    }

    /// The address at which people open the application, instead of `BRAINTRUST_APP_PUBLIC_URL`, for links.
    pub fn app_public_url(self, url: impl Into<String>) -> Self {
        let url = url.into();
        self.set(|settings| settings.app_public_url = Some(url))
    }

    /// The address of the data plane, instead of `BRAINTRUST_API_URL`, or else the one that the login names.
    pub fn api_url(self, url: impl Into<String>) -> Self {
        let url = url.into();
        self.set(|settings| settings.api_url = Some(url))
    }

    /// Has rows written to this folder, whether there is a key or not. [`local::read`](crate::local::read) reads it.
    pub fn local_folder(mut self, path: impl AsRef<Path>) -> Self {
        self.destination = Some(Destination::Folder(absolute(path.as_ref())));
        self
    }

    /// What rows say of where the program runs, instead of `BRAINTRUST_ENVIRONMENT_TYPE` (such as `server`, `ci` or
    /// `local`) and `BRAINTRUST_ENVIRONMENT_NAME` (such as `production`), or else of the platform that is recognised.
    /// The exporter is started with the first logger, and says what that one was told.
    pub fn environment(self, kind: impl Into<String>, name: impl Into<String>) -> Self {
        let (kind, name) = (kind.into(), name.into());
        let said = |text: String| (!text.trim().is_empty()).then_some(text);
        self.set(move |settings| settings.environment = Environment::of(said(kind), said(name)))
    }

    /// The most rows in one request, instead of `BRAINTRUST_DEFAULT_BATCH_SIZE`; 4,000 by default, at least 1.
    pub fn batch_size(self, rows: usize) -> Self {
        self.set(move |settings| settings.batch_rows = rows.max(1))
    }

    /// The most bytes in one request, instead of `BRAINTRUST_MAX_REQUEST_SIZE`, if the server allows as many.
    pub fn max_request_bytes(self, bytes: usize) -> Self {
        self.set(move |settings| settings.max_request_bytes = Some(bytes.max(1)))
    }

    /// How often a failed request is repeated before its rows wait on disk, instead of `BRAINTRUST_NUM_RETRIES`; twice
    /// by default.
    pub fn num_retries(self, retries: u32) -> Self {
        self.set(move |settings| settings.num_retries = retries)
    }

    /// How long one request may take as a whole, instead of `BRAINTRUST_HTTP_TIMEOUT`; 60 seconds by default.
    pub fn http_timeout(self, limit: Duration) -> Self {
        self.set(move |settings| settings.http_timeout = limit)
    }

    /// The most requests under way at once, instead of `BRAINTRUST_MAX_CONCURRENT_LOG_REQUESTS`; 8 by default, at
    /// least 1.
    pub fn concurrent_requests(self, requests: usize) -> Self {
        self.set(move |settings| settings.concurrent_requests = requests.max(1))
    }

    /// Sends nothing in the background, only by a flush, which returns what went wrong, and at exit; instead of
    /// `BRAINTRUST_SYNC_FLUSH`. For programs that must not use the network when they like, and for debugging.
    pub fn sync_flush(self, only_then: bool) -> Self {
        self.set(move |settings| settings.sync_flush = only_then)
    }

    /// Writes a copy of every request whose rows the backend refuses for good to this folder, instead of
    /// `BRAINTRUST_FAILED_PUBLISH_PAYLOADS_DIR`. Files are named `payload_<seconds>_<random>.json`, and only their owner
    /// may read them.
    pub fn failed_payloads_dir(self, folder: impl AsRef<Path>) -> Self {
        let folder = absolute(folder.as_ref());
        self.set(|settings| settings.failed_payloads_dir = Some(folder))
    }

    /// Writes a copy of every request to this folder, instead of `BRAINTRUST_ALL_PUBLISH_PAYLOADS_DIR`. For debugging:
    /// the folder grows without a bound.
    pub fn all_payloads_dir(self, folder: impl AsRef<Path>) -> Self {
        let folder = absolute(folder.as_ref());
        self.set(|settings| settings.all_payloads_dir = Some(folder))
    }

    /// The folder in which rows and attachments wait that could not be delivered, instead of `BRAINTRUST_SPOOL_DIR`.
    pub fn spool_dir(self, folder: impl AsRef<Path>) -> Self {
        let folder = absolute(folder.as_ref());
        self.set(|settings| settings.spool_dir = SpoolDir::At(folder))
    }

    /// Keeps rows and attachments that could not be delivered in memory only, as `BRAINTRUST_SPOOL_DIR=off` does.
    pub fn without_spool(self) -> Self {
        self.set(|settings| settings.spool_dir = SpoolDir::Off)
    }

    /// How many bytes may wait on disk, instead of `BRAINTRUST_SPOOL_BYTES`; 256 MiB by default.
    pub fn spool_bytes(self, bytes: usize) -> Self {
        self.set(move |settings| settings.spool_bytes = bytes)
    }

    /// Writes rows and attachments to disk before they are sent, instead of `BRAINTRUST_DURABLE`, so that not even the end of the
    /// process at any moment loses more than the last moments.
    pub fn durable(self, durable: bool) -> Self {
        self.set(move |settings| settings.durable = durable)
    }

    /// Whether base64 data in messages of models is uploaded as attachments, instead of
    /// `BRAINTRUST_AUTO_CONVERT_AI_ATTACHMENTS`; it is by default.
    pub fn convert_attachments(self, convert: bool) -> Self {
        self.set(move |settings| settings.convert_attachments = convert)
    }

    /// How many bytes of data one attachment may have, instead of `BRAINTRUST_MAX_ATTACHMENT_BYTES`; 64 MiB by default.
    /// What is larger is not uploaded, and the row shows that.
    pub fn max_attachment_bytes(self, bytes: usize) -> Self {
        self.set(move |settings| settings.max_attachment_bytes = bytes)
    }
}

/// # Settings of the whole process
///
/// All loggers share these, whichever they are given to: there is one memory, one style of ids and one exit. The last
/// logger made decides, and one that says nothing leaves what another has chosen.
impl LoggerBuilder {
    fn set_process(mut self, change: impl FnOnce(&mut ProcessSettings) + Clone + Send + Sync + 'static) -> Self {
        self.process_changes.push(Arc::new(move |process| change.clone()(process)));
        self
    }

    /// How many spans may wait in memory, instead of `BRAINTRUST_QUEUE_SIZE`; 250,000 by default. What is beyond is
    /// dropped, or waits: [`when_full`](Self::when_full).
    pub fn queue_spans(self, spans: usize) -> Self {
        self.set_process(move |process| process.queue_spans = spans)
    }

    /// How many bytes may wait in memory, instead of `BRAINTRUST_QUEUE_BYTES`; 32 MiB by default.
    pub fn queue_bytes(self, bytes: usize) -> Self {
        self.set_process(move |process| process.queue_bytes = bytes)
    }

    /// What happens to spans that find no room, instead of `BRAINTRUST_QUEUE_DROP_WHEN_FULL`;
    /// [`WhenFull::DropNewest`] by default.
    pub fn when_full(self, what: WhenFull) -> Self {
        self.set_process(move |process| process.when_full = what)
    }

    /// How often it is told that spans are dropped, at most, instead of `BRAINTRUST_QUEUE_DROP_LOGGING_PERIOD`; once a
    /// minute by default.
    pub fn queue_drop_logging_period(self, period: Duration) -> Self {
        self.set_process(move |process| process.queue_drop_logging_period = period)
    }

    /// How many items of a stream are shown, instead of `BRAINTRUST_MAX_GENERATOR_ITEMS`; 1,000 by default. The stream
    /// itself is never cut.
    pub fn max_generator_items(self, items: usize) -> Self {
        self.set_process(move |process| process.max_generator_items = items)
    }

    /// How much of one value is captured, in bytes of JSON; 4 MiB by default. What is beyond is cut, and a note in its
    /// place says how much it was.
    pub fn max_value_bytes(self, bytes: usize) -> Self {
        self.set_process(move |process| process.max_value_bytes = Some(bytes))
    }

    /// Has traces and spans named by UUIDs, instead of `BRAINTRUST_LEGACY_IDS`.
    pub fn legacy_ids(self, legacy: bool) -> Self {
        self.set_process(move |process| process.legacy_ids = legacy)
    }

    /// Whether a normal exit of the process flushes, which `BRAINTRUST_DISABLE_ATEXIT_FLUSH` switches off; it does by
    /// default.
    pub fn flush_at_exit(self, flush: bool) -> Self {
        self.set_process(move |process| process.flush_at_exit = flush)
    }

    /// How much the library says on stderr about itself, instead of `BRAINTRUST_DEBUG_LOG_LEVEL`.
    pub fn verbosity(self, verbosity: Verbosity) -> Self {
        self.set_process(move |process| process.verbosity = verbosity)
    }
}

impl LoggerBuilder {
    #[cfg(feature = "testing")]
    pub(crate) fn memory(mut self, rows: MemoryRows) -> Self {
        self.destination = Some(Destination::Memory(rows));
        self
    }

    /// Makes the logger, without making it the default, and without any request.
    ///
    /// # Errors
    ///
    /// If the system refuses the thread that sends spans, or an API key that was given is empty. Never for want of a
    /// key.
    pub fn build(mut self) -> Result<Logger, Error> {
        let settings = Settings::from_env().changed(std::mem::take(&mut self.changes));
        apply(&ProcessSettings::in_force(&settings.process, std::mem::take(&mut self.process_changes)));
        for warning in &settings.warnings {
            diagnostics::warn_once(warning, || warning.clone());
        }
        let project = self.project_ref(&settings);
        let project_name = project.label().to_owned();
        let environment = settings.environment.as_ref().and_then(|at| serde_json::to_string(at).ok());
        let settings = Arc::new(settings);
        let mask = std::mem::take(&mut self.mask);
        let destination = self.destination(&project, &settings)?;
        let content = Content {
            mask: mask.prepare(destination.api_key().or(settings.api_key.as_ref())),
            converts: settings.convert_attachments && destination.takes_attachments(),
            max_attachment_bytes: settings.max_attachment_bytes as u64,
        };
        let destination_label = format!("project `{project_name}`, {destination}");
        let facts = destination.facts(&project, &settings);
        let resolution = Arc::clone(&facts.resolution);
        let local_folder = destination.folder().map(Path::to_owned);
        let link_target = destination.link_target(&settings).map(Arc::new);
        #[cfg(feature = "testing")]
        let is_temporary = matches!(destination, Destination::Memory(_));
        panic_site::watch();
        #[cfg(all(unix, not(braintrust_loom)))]
        export::hold_in_forks(|| Box::new((projects::hold(), permalink::hold())));
        let exporter = Exporter::get_or_start(environment)?;
        let label = format!("project `{project_name}`");
        let ledger = Arc::new(Ledger::new(label.clone(), |bytes, spans| bound::release(Amount { bytes, spans })));
        let id = active::register();
        facts.note(id);
        exporter.open(id, label, Arc::clone(&ledger), content, destination.sink_maker(project, settings, resolution));
        diagnostics::debug(|| format!("made a logger for {}", destination_label));
        Ok(Logger(Arc::new(Shared {
            id,
            project: project_name,
            local_folder,
            link_target,
            ledger,
            exporter,
            #[cfg(feature = "testing")]
            is_temporary,
        })))
    }

    /// What the builder says goes before what variables say, an id before a name.
    fn project_ref(&mut self, settings: &Settings) -> ProjectRef {
        match (self.project_id.take(), self.project.take()) {
            (Some(id), name) => ProjectRef::Id { id, name },
            (None, Some(name)) => ProjectRef::Name(name),
            (None, None) => match (settings.project_id.clone(), settings.project.clone()) {
                (Some(id), name) => ProjectRef::Id { id, name },
                (None, name) => ProjectRef::Name(name.unwrap_or_else(|| DEFAULT_PROJECT.to_owned())),
            },
        }
    }

    fn destination(self, project: &ProjectRef, settings: &Settings) -> Result<Destination, Error> {
        if let Some(destination) = self.destination {
            return Ok(destination);
        }
        let Some(api_key) = key(self.api_key, settings)? else {
            return Ok(Destination::Folder(keyless_folder()));
        };
        Ok(Destination::Braintrust(Target {
            api_key,
            app_url: settings.app_url.clone(),
            api_url: settings.api_url.clone(),
            org_name: settings.org_name.clone(),
            project: project.clone(),
        }))
    }
}

/// Leaves out the settings themselves: they are made up only when the logger is.
impl fmt::Debug for LoggerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { project, project_id, destination, .. } = self;
        f.debug_struct("LoggerBuilder")
            .field("project", project)
            .field("project_id", project_id)
            .field("destination", destination)
            .finish_non_exhaustive()
    }
}

fn key(given: Option<Option<ApiKey>>, settings: &Settings) -> Result<Option<ApiKey>, Error> {
    let Some(given) = given else { return Ok(settings.api_key.clone()) };
    given.map(Some).ok_or_else(|| {
        Error::config(
            "the key given to `Logger::builder().api_key(..)` is blank; give a key, or leave the call out to use \
             BRAINTRUST_API_KEY or else the local folder",
        )
    })
}

/// The folder for those without a key, of whom each is told once.
fn keyless_folder() -> PathBuf {
    let folder = absolute(Path::new(LOCAL_FOLDER));
    diagnostics::say_once("keyless", || {
        format!(
            "BRAINTRUST_API_KEY is not set, so traces go to {} (set it to see them in Braintrust)",
            folder.display()
        )
    });
    folder
}

fn apply(settings: &ProcessSettings) {
    diagnostics::set_verbosity(settings.verbosity);
    diagnostics::set_drop_period(settings.queue_drop_logging_period);
    let most = Amount { bytes: settings.queue_bytes, spans: settings.queue_spans };
    bound::set_limits(Limits { most, when_full: settings.when_full });
    active::set_id_style(if settings.legacy_ids { IdStyle::Uuid } else { IdStyle::Hex });
    export::set_flush_at_exit(settings.flush_at_exit);
    capture::set_max_items(settings.max_generator_items);
    if let Some(bytes) = settings.max_value_bytes {
        capture::set_max_value_bytes(bytes);
    }
}

/// A later change of the working directory must not move the folder.
fn absolute(folder: &Path) -> PathBuf {
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
}
