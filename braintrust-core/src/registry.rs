//! What is known of each logger by its number: plain facts, for spans that want to name where their rows go.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::active::LoggerId;
use crate::config::Resolution;
use crate::container::{Container, ProjectRef};

/// Facts about a logger.
#[derive(Debug)]
pub(crate) struct LoggerFacts {
    pub(crate) project: ProjectRef,
    /// The address at which people open the application.
    pub(crate) app_url: String,
    /// The organisation, if the user named one.
    pub(crate) org_name: Option<String>,
    /// Whether the rows stay on this machine, where no page shows them.
    pub(crate) is_local: bool,
    /// What the backend has told since.
    pub(crate) resolution: Arc<Resolution>,
}

static FACTS: RwLock<BTreeMap<LoggerId, Arc<LoggerFacts>>> = RwLock::new(BTreeMap::new());

/// Keeps other threads from the facts until it is dropped, for a fork.
#[cfg(all(unix, not(braintrust_loom)))]
pub(crate) fn hold() -> Box<dyn std::any::Any> {
    Box::new(FACTS.write().unwrap_or_else(PoisonError::into_inner))
}

impl LoggerFacts {
    /// The facts of a logger; `None` for one that has been closed.
    pub(crate) fn of(logger: LoggerId) -> Option<Arc<Self>> {
        FACTS.read().unwrap_or_else(PoisonError::into_inner).get(&logger).cloned()
    }

    /// Notes the facts of a new logger.
    pub(crate) fn note(self, logger: LoggerId) {
        FACTS.write().unwrap_or_else(PoisonError::into_inner).insert(logger, Arc::new(self));
    }

    /// Forgets a logger that has been closed.
    #[cfg(feature = "testing")]
    pub(crate) fn forget(logger: LoggerId) {
        FACTS.write().unwrap_or_else(PoisonError::into_inner).remove(&logger);
    }

    /// The project's id, given or found out.
    pub(crate) fn project_id(&self) -> Option<String> {
        match &self.project {
            ProjectRef::Id { id, .. } => Some(id.clone()),
            ProjectRef::Name(_) => self.resolution.project_id(),
        }
    }

    /// The project's name, if it was given.
    pub(crate) fn project_name(&self) -> Option<&str> {
        match &self.project {
            ProjectRef::Name(name) | ProjectRef::Id { name: Some(name), .. } => Some(name),
            ProjectRef::Id { name: None, .. } => None,
        }
    }

    /// The organisation, given or found out.
    pub(crate) fn org_name(&self) -> Option<String> {
        self.org_name.clone().or_else(|| self.resolution.org_name())
    }

    /// Whether `container` is the logger's own project.
    pub(crate) fn holds(&self, container: &Container) -> bool {
        match container {
            Container::Project(ProjectRef::Id { id, name }) => {
                self.project_id().as_ref() == Some(id)
                    || name.as_deref().is_some_and(|name| self.project_name() == Some(name))
            }
            Container::Project(ProjectRef::Name(name)) => self.project_name() == Some(name),
            Container::Experiment(_) | Container::Playground(_) => false,
        }
    }
}
