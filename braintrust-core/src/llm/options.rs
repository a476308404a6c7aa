//! What a wrapper adds to the spans of its calls.

use std::borrow::Cow;
use std::panic::Location;

use crate::logger::{Logger, logger_or_usual};

/// How the spans of calls are opened, beside what the calls say themselves.
///
/// ```
/// use braintrust::llm::CallOptions;
///
/// let options = CallOptions::new("my-http-client").with_name("summarise").with_project("support");
/// ```
#[derive(Clone, Debug)]
pub struct CallOptions {
    pub(super) instrumentation: Cow<'static, str>,
    pub(super) name: Option<Cow<'static, str>>,
    pub(super) location: Option<&'static Location<'static>>,
    destination: Destination,
}

#[derive(Clone, Debug)]
enum Destination {
    /// Wherever the call is made.
    Current,
    Project(Cow<'static, str>),
    Logger(Logger),
}

impl CallOptions {
    /// Options of the wrapper that is called `instrumentation` (`async-openai`, say: a library, not a provider).
    pub fn new(instrumentation: impl Into<Cow<'static, str>>) -> Self {
        let destination = Destination::Current;
        Self { instrumentation: instrumentation.into(), name: None, location: None, destination }
    }

    /// Names the spans, instead of the name that goes with the API.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Has spans go to the project that is registered under `key`: under its nearest span around the call, or as roots.
    /// It is looked up at each call; an unknown key is warned of once, and then means "as usual".
    #[must_use]
    pub fn with_project(mut self, key: impl Into<Cow<'static, str>>) -> Self {
        self.destination = Destination::Project(key.into());
        self
    }

    /// Has spans go to `logger`: under its nearest span around the call, or as roots.
    #[must_use]
    pub fn with_logger(mut self, logger: &Logger) -> Self {
        self.destination = Destination::Logger(logger.clone());
        self
    }

    /// Says where the call stands in the program.
    #[must_use]
    pub fn with_location(mut self, location: &'static Location<'static>) -> Self {
        self.location = Some(location);
        self
    }

    /// The logger whose span it is, if one was chosen.
    pub(super) fn logger(&self) -> Option<Logger> {
        match &self.destination {
            Destination::Current => None,
            Destination::Project(key) => logger_or_usual(key),
            Destination::Logger(logger) => Some(logger.clone()),
        }
    }
}
