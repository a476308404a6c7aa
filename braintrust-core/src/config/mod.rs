//! Settings and targets: what the environment and the builder say, resolved once.

mod environment;
mod settings;
mod target;

pub(crate) use settings::Settings;
pub(crate) use target::{ProjectRef, Target};
