//! How much is said.

/// How much the library says on stderr about itself.
///
/// Where the program has a `tracing` subscriber, all of this goes there instead, as events of the target `braintrust`, and
/// the subscriber's filters decide. Nothing of one kind is said more than once a minute, and hints but once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Verbosity {
    /// Nothing at all.
    Off,
    /// Losses: what was recorded and is gone.
    Error,
    /// And what may lead to them, such as a setting that cannot be understood.
    Warn,
    /// And hints, such as where traces go.
    #[default]
    Info,
    /// And what the library does.
    Debug,
}

impl Verbosity {
    const ALL: [Self; 5] = [Self::Off, Self::Error, Self::Warn, Self::Info, Self::Debug];

    pub(super) fn from_index(index: u8) -> Self {
        Self::ALL.get(usize::from(index)).copied().unwrap_or_default()
    }

    /// The values of `BRAINTRUST_DEBUG_LOG_LEVEL`, for messages.
    pub(crate) const EXPECTED: &'static str = "off, error, warn, info or debug";

    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "off" => Some(Self::Off),
            "error" => Some(Self::Error),
            "warn" => Some(Self::Warn),
            "info" => Some(Self::Info),
            "debug" => Some(Self::Debug),
            _ => None,
        }
    }
}
