//! What a slug says, and the rules that make it whole.

use super::{Flaw, JsonObject};

/// What a slug says: which object holds the rows, and which span of it is meant, if any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SpanComponents {
    object_type: ObjectType,
    object: ObjectRef,
    row: Option<RowIds>,
    propagated_event: Option<JsonObject>,
}

/// The kinds of objects that hold rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectType {
    Experiment = 1,
    ProjectLogs = 2,
    PlaygroundLogs = 3,
}

/// Which object holds the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ObjectRef {
    Id(String),
    /// What to ask the backend for the id with, such as `{"project_name": "My Project"}`.
    Args(JsonObject),
}

/// The ids of one span, verbatim. They need be neither hex nor UUIDs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowIds {
    pub(crate) row_id: String,
    pub(crate) span_id: String,
    pub(crate) root_span_id: String,
}

impl SpanComponents {
    /// A slug for a whole object. With [`with_row`](Self::with_row) it means one span of it.
    ///
    /// # Errors
    /// If the id or the arguments are empty.
    pub(crate) fn new(object_type: ObjectType, object: ObjectRef) -> Result<Self, Flaw> {
        match &object {
            ObjectRef::Id(id) if id.is_empty() => Err(Flaw::NoObject),
            ObjectRef::Args(args) if args.is_empty() => Err(Flaw::EmptyArgs),
            _ => Ok(Self { object_type, object, row: None, propagated_event: None }),
        }
    }

    /// Means one span of the object.
    ///
    /// # Errors
    /// If one of the ids is empty.
    pub(crate) fn with_row(self, row: RowIds) -> Result<Self, Flaw> {
        if let Some(missing) = row.named().into_iter().find_map(|(name, id)| id.is_empty().then_some(name)) {
            return Err(Flaw::RowIds { missing });
        }
        Ok(Self { row: Some(row), ..self })
    }

    /// Fields that every descendant of the span inherits. None is the same as empty ones.
    pub(crate) fn with_propagated_event(self, event: JsonObject) -> Self {
        Self { propagated_event: Some(event).filter(|event| !event.is_empty()), ..self }
    }

    pub(crate) fn object_type(&self) -> ObjectType {
        self.object_type
    }

    pub(crate) fn object(&self) -> &ObjectRef {
        &self.object
    }

    pub(crate) fn row(&self) -> Option<&RowIds> {
        self.row.as_ref()
    }

    pub(crate) fn propagated_event(&self) -> Option<&JsonObject> {
        self.propagated_event.as_ref()
    }
}

impl RowIds {
    fn named(&self) -> [(&'static str, &str); 3] {
        [("row_id", &self.row_id), ("span_id", &self.span_id), ("root_span_id", &self.root_span_id)]
    }
}

impl ObjectType {
    pub(super) fn from_code(code: u8) -> Result<Self, Flaw> {
        match code {
            1 => Ok(Self::Experiment),
            2 => Ok(Self::ProjectLogs),
            3 => Ok(Self::PlaygroundLogs),
            _ => Err(Flaw::ObjectType { found: code }),
        }
    }

    pub(super) fn code(self) -> u8 {
        self as u8
    }
}

/// What a decoder has found, before the rules are applied. An empty id is as good as none.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) object_type: u8,
    pub(super) object_id: Option<String>,
    pub(super) args: Option<JsonObject>,
    pub(super) row_id: Option<String>,
    pub(super) span_id: Option<String>,
    pub(super) root_span_id: Option<String>,
    pub(super) propagated_event: Option<JsonObject>,
}

impl Parts {
    /// Applies the rules: one object, and all three ids of a span or none of them.
    pub(super) fn check(self) -> Result<SpanComponents, Flaw> {
        let object_type = ObjectType::from_code(self.object_type)?;
        let object = match (self.object_id.filter(|id| !id.is_empty()), self.args) {
            (Some(id), None) => ObjectRef::Id(id),
            (None, Some(args)) => ObjectRef::Args(args),
            (Some(_), Some(_)) => return Err(Flaw::TwoObjects),
            (None, None) => return Err(Flaw::NoObject),
        };
        let mut components = SpanComponents::new(object_type, object)?;
        let [row_id, span_id, root_span_id] =
            [self.row_id, self.span_id, self.root_span_id].map(Option::unwrap_or_default);
        let row = RowIds { row_id, span_id, root_span_id };
        if row.named().iter().any(|(_, id)| !id.is_empty()) {
            components = components.with_row(row)?;
        }
        Ok(match self.propagated_event {
            Some(event) => components.with_propagated_event(event),
            None => components,
        })
    }
}
