//! The kinds of span that Braintrust knows.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// What kind of work a span stands for; Braintrust shows and aggregates each kind in its own way.
///
/// The list is that of Braintrust's own SDKs (`span_attributes.type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum SpanType {
    /// One call of a language model.
    Llm,
    /// A scorer of an evaluation.
    Score,
    /// A plain function.
    Function,
    /// The root of one evaluated case.
    Eval,
    /// A unit of application logic: a request, an agent's run, a step of a pipeline.
    Task,
    /// A tool that a model asked for.
    Tool,
    /// An automation of Braintrust.
    Automation,
    /// A facet of Braintrust's topic analysis.
    Facet,
    /// A preprocessor.
    Preprocessor,
    /// A classifier of an evaluation.
    Classifier,
    /// A human review.
    Review,
}

impl SpanType {
    /// Every kind, in the order of Braintrust's own list.
    pub const ALL: &'static [Self] = &[
        Self::Llm,
        Self::Score,
        Self::Function,
        Self::Eval,
        Self::Task,
        Self::Tool,
        Self::Automation,
        Self::Facet,
        Self::Preprocessor,
        Self::Classifier,
        Self::Review,
    ];

    /// The name of the kind on the wire.
    ///
    /// ```
    /// assert_eq!(braintrust::SpanType::Llm.as_str(), "llm");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Llm => "llm",
            Self::Score => "score",
            Self::Function => "function",
            Self::Eval => "eval",
            Self::Task => "task",
            Self::Tool => "tool",
            Self::Automation => "automation",
            Self::Facet => "facet",
            Self::Preprocessor => "preprocessor",
            Self::Classifier => "classifier",
            Self::Review => "review",
        }
    }

    /// The kind whose place in [`ALL`](Self::ALL) is `index`, as a record stores it.
    pub(crate) fn from_index(index: u8) -> Option<Self> {
        Self::ALL.get(usize::from(index)).copied()
    }
}

impl fmt::Display for SpanType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Reads the name of a kind on the wire.
///
/// ```
/// use braintrust::SpanType;
///
/// assert_eq!("llm".parse::<SpanType>()?, SpanType::Llm);
/// # Ok::<(), braintrust::Error>(())
/// ```
impl FromStr for SpanType {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|kind| kind.as_str()).collect();
            Error::argument(format!("`{name}` is no kind of span; expected one of {}", names.join(", ")))
        })
    }
}
