//! What a trace that began elsewhere hands down to every span of it.

mod known;

use std::sync::Arc;

use serde_json::{Map, Value};

pub(crate) use self::known::LineageNumber;
#[cfg(all(unix, not(braintrust_loom)))]
pub(super) use self::known::hold;
use crate::container::Container;
use crate::sections::{Section, Sections};

/// What the spans under a parent from another process have in common.
#[derive(Debug, Default)]
pub(crate) struct Heritage {
    /// The id of the trace as its own process wrote it, where that is not 32 hex digits.
    pub(crate) root_span_id: Option<String>,
    /// The object that holds the rows, where it is not the logger's project.
    pub(crate) container: Option<Container>,
    /// Fields that every descendant logs.
    pub(crate) propagated_event: Option<Map<String, Value>>,
    /// The `tracestate` header that came along, to be passed on as it is.
    pub(crate) trace_state: Option<String>,
    /// The flags of the `traceparent` header that came along, where they are not those of our own traces.
    pub(crate) trace_flags: Option<u8>,
}

/// A heritage on its way down. Spans of a trace that began here have none.
#[derive(Debug)]
pub(crate) struct Lineage {
    pub(crate) heritage: Heritage,
    /// What every record of the trace's spans carries, if it does not carry the lineage's number.
    sections: Sections,
}

/// How a lineage goes from span to span.
pub(super) enum Descent {
    /// There is nothing to hand down.
    None,
    /// By its number, since other traces have the same.
    Numbered(LineageNumber),
    /// As it is.
    Whole(Arc<Lineage>),
}

impl Heritage {
    /// The lineage that begins with this.
    pub(super) fn begin(self) -> Descent {
        let is_shared = self.root_span_id.is_none() && self.propagated_event.is_none() && self.trace_state.is_none();
        if is_shared && self.container.is_none() && self.trace_flags.is_none() {
            return Descent::None;
        }
        let lineage = Lineage::of(self);
        if !is_shared {
            return Descent::Whole(Arc::new(lineage));
        }
        known::number(lineage).map_or_else(|lineage| Descent::Whole(Arc::new(*lineage)), Descent::Numbered)
    }
}

#[cfg(test)]
impl Descent {
    fn number(&self) -> Option<LineageNumber> {
        match self {
            Self::Numbered(number) => Some(*number),
            Self::None | Self::Whole(_) => None,
        }
    }
}

impl Lineage {
    fn of(heritage: Heritage) -> Self {
        let mut sections = Sections::default();
        if let Some(root) = &heritage.root_span_id {
            sections.push(Section::RootId, root.as_bytes());
        }
        if let Some(container) = &heritage.container {
            sections.push(Section::Container, &container.encode());
        }
        Self { heritage, sections }
    }

    pub(crate) fn sections(&self) -> &Sections {
        &self.sections
    }
}
