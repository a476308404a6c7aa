//! Where a logger's rows go, and how its sink is made.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::api;
use crate::config::{ProjectRef, Settings, Target};
use crate::export::MakeSink;
use crate::sink::{HttpSink, LocalSink, RefusingSink, Sink};
#[cfg(feature = "testing")]
use crate::sink::{MemoryRows, MemorySink};

/// Where the rows of a logger go.
#[derive(Debug)]
pub(super) enum Destination {
    Braintrust(Target),
    Folder(PathBuf),
    #[cfg(feature = "testing")]
    Memory(MemoryRows),
}

impl Destination {
    /// The local folder that rows go to, if they do.
    pub(super) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            _ => None,
        }
    }

    /// What the exporter calls, on its own thread, to make the sink.
    pub(super) fn sink_maker(self, project: ProjectRef, settings: Arc<Settings>) -> MakeSink {
        match self {
            Self::Braintrust(target) => Box::new(move || http_sink(target, settings)),
            Self::Folder(folder) => Box::new(move || Box::new(LocalSink::new(folder, project))),
            #[cfg(feature = "testing")]
            Self::Memory(rows) => Box::new(move || Box::new(MemorySink::new(rows, project.label()))),
        }
    }
}

fn http_sink(target: Target, settings: Arc<Settings>) -> Box<dyn Sink> {
    match api::http_client(&settings) {
        Ok(client) => Box::new(HttpSink::new(target, settings, client)),
        // For instance no certificate store on the machine: known only here, so it is told with the first rows.
        Err(error) => Box::new(RefusingSink::new(error.to_string())),
    }
}
