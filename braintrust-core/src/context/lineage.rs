//! What a trace that began elsewhere hands down to every span of it.

use std::sync::Arc;

use serde_json::{Map, Value};

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
    /// The flags of the `traceparent` header that came along.
    pub(crate) trace_flags: Option<u8>,
}

/// A heritage on its way down. Spans of a trace that began here have none.
#[derive(Debug)]
pub(crate) struct Lineage {
    pub(crate) heritage: Heritage,
    /// What every record of the trace's spans carries.
    sections: Sections,
}

impl Heritage {
    /// The lineage that begins with this; `None` if there is nothing to hand down.
    pub(crate) fn begin(self) -> Option<Arc<Lineage>> {
        let mut sections = Sections::default();
        if let Some(root) = &self.root_span_id {
            sections.push(Section::RootId, root.as_bytes());
        }
        if let Some(container) = &self.container {
            sections.push(Section::Container, &container.encode());
        }
        let hands_down = !sections.is_empty()
            || self.propagated_event.is_some()
            || self.trace_state.is_some()
            || self.trace_flags.is_some();
        hands_down.then(|| Arc::new(Lineage { heritage: self, sections }))
    }
}

impl Lineage {
    pub(crate) fn sections(&self) -> &Sections {
        &self.sections
    }
}
