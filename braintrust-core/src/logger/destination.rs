//! Where a logger's rows go, and how its sink is made.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::permalink::LinkTarget;
use crate::api;
use crate::config::{Resolution, Settings, Target};
use crate::container::ProjectRef;
use crate::export::MakeSink;
use crate::ledger::Ledger;
use crate::registry::LoggerFacts;
use crate::secret::ApiKey;
use crate::sink::{HttpSink, Immediate, LocalSink, RefusingSink, Sink, UploadingSink};
#[cfg(feature = "testing")]
use crate::sink::{MemoryRows, MemorySink};

/// Where the rows of a logger go.
#[derive(Clone, Debug)]
pub(super) enum Destination {
    Braintrust(Target),
    Folder(PathBuf),
    #[cfg(feature = "testing")]
    Memory(MemoryRows),
}

/// For diagnostics: where, and the key only as far as it tells itself from others.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Braintrust(target) => write!(f, "with the key {} at {}", target.api_key.hint(), target.app_url),
            Self::Folder(folder) => write!(f, "in the folder {}", folder.display()),
            #[cfg(feature = "testing")]
            Self::Memory(_) => f.write_str("in memory"),
        }
    }
}

impl Destination {
    /// The local folder that rows go to, if they do.
    pub(super) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            _ => None,
        }
    }

    /// Whether there is a place for data beside the rows.
    pub(super) fn takes_attachments(&self) -> bool {
        match self {
            Self::Braintrust(_) | Self::Folder(_) => true,
            #[cfg(feature = "testing")]
            Self::Memory(_) => false,
        }
    }

    /// The key that rows are sent with.
    pub(super) fn api_key(&self) -> Option<&ApiKey> {
        match self {
            Self::Braintrust(target) => Some(&target.api_key),
            _ => None,
        }
    }

    /// Where links are asked for.
    pub(super) fn link_target(&self, settings: &Arc<Settings>) -> Option<LinkTarget> {
        match self {
            Self::Braintrust(target) => Some(LinkTarget { target: target.clone(), settings: Arc::clone(settings) }),
            _ => None,
        }
    }

    /// What links and slugs need to know.
    pub(super) fn facts(&self, project: &ProjectRef, settings: &Settings) -> LoggerFacts {
        let (app_url, org_name) = match self {
            Self::Braintrust(target) => (settings.public_url(&target.app_url).to_owned(), target.org_name.clone()),
            _ => (settings.public_url(&settings.app_url).to_owned(), settings.org_name.clone()),
        };
        let is_local = !matches!(self, Self::Braintrust(_));
        LoggerFacts { project: project.clone(), app_url, org_name, is_local, resolution: Arc::default() }
    }

    /// What the exporter calls, on its own thread, to make the sink.
    pub(super) fn sink_maker(
        self,
        project: ProjectRef,
        settings: Arc<Settings>,
        resolution: Arc<Resolution>,
    ) -> MakeSink {
        match self {
            Self::Braintrust(target) => Arc::new(move |ledger| {
                http_sink(target.clone(), Arc::clone(&settings), Arc::clone(&resolution), ledger)
            }),
            Self::Folder(folder) => Arc::new(move |ledger| {
                Box::new(Immediate::new(LocalSink::new(folder.clone(), project.clone()), ledger))
            }),
            #[cfg(feature = "testing")]
            Self::Memory(rows) => {
                Arc::new(move |ledger| Box::new(Immediate::new(MemorySink::new(rows.clone(), project.label()), ledger)))
            }
        }
    }
}

fn http_sink(
    target: Target,
    settings: Arc<Settings>,
    resolution: Arc<Resolution>,
    ledger: Arc<Ledger>,
) -> Box<dyn Sink> {
    match api::http_client(&settings) {
        Ok(client) => {
            let rows = HttpSink::new(target, settings, client, resolution, Arc::clone(&ledger));
            Box::new(UploadingSink::new(rows, ledger))
        }
        // Known only here, so it is told with the first rows.
        Err(error) => Box::new(Immediate::new(RefusingSink::new(error.to_string()), ledger)),
    }
}
