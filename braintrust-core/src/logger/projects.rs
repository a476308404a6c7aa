//! Loggers by key: registered once, found from anywhere.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{PoisonError, RwLock};

use super::{Logger, LoggerBuilder};
use crate::diagnostics;
use crate::error::Error;

/// How many edits a key may be away from a known one to count as a misspelling of it, as in the macro's messages.
const MAX_EDITS: usize = 2;

static PROJECTS: RwLock<BTreeMap<String, Logger>> = RwLock::new(BTreeMap::new());

/// Keeps other threads from the registered loggers until it is dropped, for a fork.
#[cfg(all(unix, not(braintrust_loom)))]
pub(super) fn hold() -> Box<dyn std::any::Any> {
    Box::new(PROJECTS.write().unwrap_or_else(PoisonError::into_inner))
}

/// Makes a logger and registers it under a key, so that code that knows only the key finds it: by [`logger`], or by
/// `#[traced(project = "…")]`.
///
/// ```
/// # fn main() -> Result<(), braintrust::Error> {
/// # let scratch = tempfile::tempdir().unwrap();
/// # let folder = scratch.path().join("traces");
/// use braintrust::Logger;
///
/// braintrust::register("support", Logger::builder().project("Support Bot").local_folder(&folder))?;
/// let support = braintrust::logger("support")?;
/// assert_eq!(support.project(), "Support Bot");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// If the key is taken, or the logger cannot be built.
pub fn register(key: impl Into<String>, builder: LoggerBuilder) -> Result<Logger, Error> {
    let key = key.into();
    if let Ok(taken) = logger(&key) {
        return Err(is_taken(&key, &taken));
    }
    // Without the lock: of what is said meanwhile a subscriber may hear that looks for a logger itself.
    let made = builder.build()?;
    match PROJECTS.write().unwrap_or_else(PoisonError::into_inner).entry(key) {
        Entry::Occupied(taken) => Err(is_taken(taken.key(), taken.get())),
        Entry::Vacant(place) => Ok(place.insert(made).clone()),
    }
}

fn is_taken(key: &str, taken: &Logger) -> Error {
    let project = taken.project();
    Error::config(format!(
        "the key `{key}` is registered already, for the project `{project}`; choose another, or use `logger(\"{key}\")`"
    ))
}

/// The logger that is registered under `key`.
///
/// # Errors
///
/// If there is none ([`Error::is_config`]); the text has the keys that there are, and the one that may be meant.
pub fn logger(key: &str) -> Result<Logger, Error> {
    let projects = PROJECTS.read().unwrap_or_else(PoisonError::into_inner);
    projects.get(key).cloned().ok_or_else(|| Error::config(unknown(key, &projects.keys().collect::<Vec<_>>())))
}

fn unknown(key: &str, known: &[&String]) -> String {
    let nearest = known.iter().map(|known| (strsim::osa_distance(key, known), known)).min();
    let meant = match nearest {
        Some((edits, known)) if edits <= MAX_EDITS => format!("; did you mean `{known}`?"),
        _ => ".".to_owned(),
    };
    let known = match known {
        [] => "No project is registered yet.".to_owned(),
        [only] => format!("The only key is `{only}`."),
        keys => format!("The keys are `{}`.", keys.iter().map(|key| key.as_str()).collect::<Vec<_>>().join("`, `")),
    };
    format!("no project is registered under `{key}`{meant} {known} Register it with `register(\"{key}\", ..)`")
}

/// The logger of `#[traced(project = "…")]`: an unknown key is warned of once, and then means "as usual".
pub(crate) fn logger_or_usual(key: &str) -> Option<Logger> {
    logger(key).map_err(|error| diagnostics::warn_once(&format!("project {key}"), || error.to_string())).ok()
}
