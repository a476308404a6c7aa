//! Settings and targets: what the environment and the builder say, resolved once, and what the backend adds to it.

mod env_file;
mod environment;
mod process;
mod reader;
mod resolution;
mod settings;
mod target;
#[cfg(test)]
mod tests;
mod url;
mod when_full;

use std::sync::Arc;

pub(crate) use environment::Environment;
pub(crate) use process::ProcessSettings;
#[cfg(all(unix, not(braintrust_loom)))]
pub(crate) use process::hold;
pub(crate) use resolution::Resolution;
pub(crate) use settings::{Settings, SpoolDir};
pub(crate) use target::Target;
pub(crate) use url::{URL_EXPECTED, is_usable_url, without_credentials};
pub use when_full::WhenFull;

/// What a builder was told about settings `S`; a builder may be cloned.
pub(crate) type Change<S> = Arc<dyn Fn(&mut S) + Send + Sync>;
