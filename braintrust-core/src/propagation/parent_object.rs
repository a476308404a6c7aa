//! Where a trace is kept, as `baggage` and settings write it: `project_name:My Project`.

use std::fmt;

use super::slug::{JsonObject, ObjectRef, ObjectType};

/// The project or experiment that holds a trace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ParentObject {
    ProjectId(String),
    ProjectName(String),
    ExperimentId(String),
}

impl ParentObject {
    /// Reads `project_id:…`, `project_name:…` or `experiment_id:…`. What follows the colon is taken as it is, further
    /// colons included; `None` if nothing follows, or if the prefix is another.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':').filter(|(_, rest)| !rest.is_empty())?;
        match kind {
            "project_id" => Some(Self::ProjectId(rest.to_owned())),
            "project_name" => Some(Self::ProjectName(rest.to_owned())),
            "experiment_id" => Some(Self::ExperimentId(rest.to_owned())),
            _ => None,
        }
    }

    /// The same place as slugs name it.
    pub(crate) fn to_object(&self) -> (ObjectType, ObjectRef) {
        match self {
            Self::ProjectId(id) => (ObjectType::ProjectLogs, ObjectRef::Id(id.clone())),
            Self::ProjectName(name) => {
                (ObjectType::ProjectLogs, ObjectRef::Args(JsonObject::single("project_name", name)))
            }
            Self::ExperimentId(id) => (ObjectType::Experiment, ObjectRef::Id(id.clone())),
        }
    }

    /// The place that a slug names. `None` for what headers cannot name: a playground, or arguments that are unknown.
    pub(crate) fn of_object(object_type: ObjectType, object: &ObjectRef) -> Option<Self> {
        match (object_type, object) {
            (ObjectType::Experiment, ObjectRef::Id(id)) => Some(Self::ExperimentId(id.clone())),
            (ObjectType::ProjectLogs, ObjectRef::Id(id)) => Some(Self::ProjectId(id.clone())),
            (ObjectType::ProjectLogs, ObjectRef::Args(args)) => {
                let id = args.text("project_id").map(Self::ProjectId);
                id.or_else(|| args.text("project_name").map(Self::ProjectName))
            }
            (ObjectType::Experiment, ObjectRef::Args(_)) | (ObjectType::PlaygroundLogs, _) => None,
        }
    }
}

/// The text that [`parse`](ParentObject::parse) reads.
impl fmt::Display for ParentObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ProjectId(id) => write!(f, "project_id:{id}"),
            Self::ProjectName(name) => write!(f, "project_name:{name}"),
            Self::ExperimentId(id) => write!(f, "experiment_id:{id}"),
        }
    }
}
