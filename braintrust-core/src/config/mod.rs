//! Settings and targets: what the environment and the builder say, resolved once, and what the backend adds to it.

mod environment;
mod resolution;
mod settings;
mod target;
mod url;

pub(crate) use resolution::Resolution;
pub(crate) use settings::Settings;
pub(crate) use target::Target;
pub(crate) use url::{URL_EXPECTED, is_usable_url};
