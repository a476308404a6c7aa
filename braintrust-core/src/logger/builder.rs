//! What a logger is to be, before it exists.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::destination::Destination;
use super::{Logger, Shared};
use crate::active;
use crate::capture;
use crate::config::{Settings, Target};
use crate::container::ProjectRef;
use crate::diagnostics;
use crate::error::Error;
use crate::export::{self, Exporter, Ledger};
use crate::ids::IdStyle;
use crate::panic_site;
use crate::secret::ApiKey;
#[cfg(feature = "testing")]
use crate::sink::MemoryRows;

/// Where rows go that have no key to go to Braintrust with.
const LOCAL_FOLDER: &str = ".braintrust";
/// Braintrust's own name for the project of those who name none.
const DEFAULT_PROJECT: &str = "Global";

/// Describes a [`Logger`]; [`build`](Self::build) makes it. What is not given comes from the environment.
#[derive(Debug, Default)]
#[must_use = "a logger is made with `.build()`"]
pub struct LoggerBuilder {
    project: Option<String>,
    project_id: Option<String>,
    api_key: Option<String>,
    org_name: Option<String>,
    app_url: Option<String>,
    api_url: Option<String>,
    max_value_bytes: Option<usize>,
    /// Where rows go, if not where the key decides.
    destination: Option<Destination>,
}

impl LoggerBuilder {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// The project by name; it is made if it does not exist.
    pub fn project(mut self, name: impl Into<String>) -> Self {
        self.project = Some(name.into());
        self
    }

    /// The project by id, for which nothing has to be asked of Braintrust.
    pub fn project_id(mut self, id: impl Into<String>) -> Self {
        self.project_id = Some(id.into());
        self
    }

    /// The API key, instead of `BRAINTRUST_API_KEY`.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// The organisation, instead of `BRAINTRUST_ORG_NAME`, or else the first that the key belongs to.
    pub fn org_name(mut self, name: impl Into<String>) -> Self {
        self.org_name = Some(name.into());
        self
    }

    /// The address of the Braintrust application, instead of `BRAINTRUST_APP_URL`.
    pub fn app_url(mut self, url: impl Into<String>) -> Self {
        self.app_url = Some(url.into());
        self
    }

    /// The address of the data plane, instead of `BRAINTRUST_API_URL`, or else the one that the login names.
    pub fn api_url(mut self, url: impl Into<String>) -> Self {
        self.api_url = Some(url.into());
        self
    }

    /// Has rows written to this folder, whether there is a key or not. [`local::read`](crate::local::read) reads it.
    pub fn local_folder(mut self, path: impl AsRef<Path>) -> Self {
        self.destination = Some(Destination::Folder(absolute(path.as_ref())));
        self
    }

    /// How much of one value is captured, in bytes of JSON; 4 MiB by default. What is beyond is cut, and a note in its
    /// place says how much it was. One setting for the whole process: the last logger made decides.
    pub fn max_value_bytes(mut self, bytes: usize) -> Self {
        self.max_value_bytes = Some(bytes);
        self
    }

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
        let settings = Settings::from_env();
        for warning in &settings.warnings {
            diagnostics::warn_once(warning, || warning.clone());
        }
        apply(&settings);
        if let Some(bytes) = self.max_value_bytes {
            capture::set_max_value_bytes(bytes);
        }
        let project = self.project_ref();
        let label = project.label().to_owned();
        let environment = settings.environment.as_ref().and_then(|at| serde_json::to_string(at).ok());
        let settings = Arc::new(settings);
        let destination = self.destination(&project, &settings)?;
        let facts = destination.facts(&project, &settings);
        let resolution = Arc::clone(&facts.resolution);
        let local_folder = destination.folder().map(Path::to_owned);
        let link_target = destination.link_target(&settings).map(Arc::new);
        #[cfg(feature = "testing")]
        let is_temporary = matches!(destination, Destination::Memory(_));
        panic_site::watch();
        let exporter = Exporter::get_or_start(environment)?;
        let ledger = Arc::new(Ledger::default());
        let id = active::register();
        facts.note(id);
        exporter.open(
            id,
            format!("project `{label}`"),
            Arc::clone(&ledger),
            destination.sink_maker(project, settings, resolution),
        );
        Ok(Logger(Arc::new(Shared {
            id,
            project: label,
            local_folder,
            link_target,
            ledger,
            exporter,
            #[cfg(feature = "testing")]
            is_temporary,
        })))
    }

    fn project_ref(&mut self) -> ProjectRef {
        match (self.project_id.take(), self.project.take()) {
            (Some(id), name) => ProjectRef::Id { id, name },
            (None, name) => ProjectRef::Name(name.unwrap_or_else(|| DEFAULT_PROJECT.to_owned())),
        }
    }

    fn destination(self, project: &ProjectRef, settings: &Settings) -> Result<Destination, Error> {
        if let Some(destination) = self.destination {
            return Ok(destination);
        }
        let Some(api_key) = key(self.api_key.as_deref(), settings)? else {
            return Ok(Destination::Folder(keyless_folder()));
        };
        Ok(Destination::Braintrust(Target {
            api_key,
            app_url: self.app_url.unwrap_or_else(|| settings.app_url.clone()),
            api_url: self.api_url.or_else(|| settings.api_url.clone()),
            org_name: self.org_name.or_else(|| settings.org_name.clone()),
            project: project.clone(),
        }))
    }
}

fn key(given: Option<&str>, settings: &Settings) -> Result<Option<ApiKey>, Error> {
    let Some(given) = given else { return Ok(settings.api_key.clone()) };
    ApiKey::new(given).map(Some).ok_or_else(|| {
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

/// Settings that concern the whole process.
fn apply(settings: &Settings) {
    if settings.legacy_ids {
        active::set_id_style(IdStyle::Uuid);
    }
    if !settings.flush_at_exit {
        export::switch_off_flush_at_exit();
    }
}

/// A later change of the working directory must not move the folder.
fn absolute(folder: &Path) -> PathBuf {
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
}
