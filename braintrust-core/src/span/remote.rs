//! Parents in other processes: what a slug or headers say about where a span goes.

use super::parent::Place;
use crate::active::{self, LoggerId};
use crate::container::{Container, ProjectRef};
use crate::context::{self, Heritage, SpanRef, Spot};
use crate::ids::{self, IdStyle, SpanId, TraceId};
use crate::propagation::{JsonObject, ObjectRef, ObjectType, ParentObject, SAMPLED, SpanComponents, TraceContext};
use crate::registry::LoggerFacts;

/// A span, or an object without one, that another process named.
#[derive(Clone, Debug)]
pub(super) struct Remote {
    /// The ids of the parent and its trace, as they were written.
    span: Option<(String, String)>,
    container: Option<Container>,
    propagated_event: Option<JsonObject>,
    trace_state: Option<String>,
    trace_flags: Option<u8>,
}

impl Remote {
    pub(super) fn of_slug(slug: &SpanComponents) -> Self {
        Self {
            span: slug.row().map(|row| (row.span_id.clone(), row.root_span_id.clone())),
            container: container_of(slug.object_type(), slug.object()),
            propagated_event: slug.propagated_event().cloned(),
            trace_state: None,
            trace_flags: None,
        }
    }

    pub(super) fn of_headers(headers: &TraceContext) -> Self {
        let [high, low] = headers.trace.0;
        let object = headers.parent.as_ref().map(ParentObject::to_object);
        Self {
            span: Some((format!("{:016x}", headers.span.0), format!("{high:016x}{low:016x}"))),
            container: object.and_then(|(kind, object)| container_of(kind, &object)),
            propagated_event: None,
            trace_state: headers.tracestate.clone(),
            trace_flags: Some(headers.flags).filter(|flags| *flags != SAMPLED),
        }
    }

    /// The place under this parent for a span of `logger` (of the current or default one, if it is none).
    pub(super) fn place(&self, logger: LoggerId) -> Option<Place> {
        let logger = context::place(logger)?.span.logger;
        let own = |container: &Container| LoggerFacts::of(logger).is_some_and(|facts| facts.holds(container));
        let mut heritage = Heritage {
            container: self.container.clone().filter(|container| !own(container)),
            propagated_event: self.propagated_event.as_ref().map(JsonObject::to_map),
            trace_state: self.trace_state.clone(),
            trace_flags: self.trace_flags,
            ..Heritage::default()
        };
        let Some((span_id, root_span_id)) = &self.span else {
            let root = SpanRef::of_logger(logger);
            return Some(Place::at(Spot::with_heritage(root, heritage)));
        };
        let trace = number(root_span_id, ids::parse_trace_id).unwrap_or_else(|| {
            heritage.root_span_id = Some(root_span_id.clone());
            TraceId::random()
        });
        let parent = number(span_id, ids::parse_span_id);
        let span = SpanRef::new(logger, trace, parent.unwrap_or(SpanId::NONE));
        Some(Place {
            foreign_parent: parent.is_none().then(|| span_id.clone()),
            ..Place::at(Spot::with_heritage(span, heritage))
        })
    }
}

/// An id as a number, if it will be written again as it stands here.
fn number<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    let kept = active::id_style() == IdStyle::Hex && !text.bytes().any(|byte| byte.is_ascii_uppercase());
    if kept { parse(text) } else { None }
}

/// The object that a slug names, if it is one that rows can go to.
pub(crate) fn container_of(kind: ObjectType, object: &ObjectRef) -> Option<Container> {
    match (kind, object) {
        (ObjectType::Experiment, ObjectRef::Id(id)) => Some(Container::Experiment(id.clone())),
        (ObjectType::PlaygroundLogs, ObjectRef::Id(id)) => Some(Container::Playground(id.clone())),
        (ObjectType::ProjectLogs, ObjectRef::Id(id)) => {
            Some(Container::Project(ProjectRef::Id { id: id.clone(), name: None }))
        }
        (ObjectType::ProjectLogs, ObjectRef::Args(args)) => {
            let (id, name) = (args.text("project_id"), args.text("project_name"));
            match (id, name) {
                (Some(id), name) => Some(Container::Project(ProjectRef::Id { id, name })),
                (None, name) => Some(Container::Project(ProjectRef::Name(name?))),
            }
        }
        (ObjectType::Experiment | ObjectType::PlaygroundLogs, ObjectRef::Args(_)) => None,
    }
}

/// The object that holds the rows of a span, as slugs name it: that of its lineage, or its logger's project.
pub(super) fn object_of(logger: LoggerId, heritage: Option<&Heritage>) -> Option<(ObjectType, ObjectRef)> {
    let project_name = |name: &str| ObjectRef::Args(JsonObject::single("project_name", name));
    match heritage.and_then(|heritage| heritage.container.as_ref()) {
        Some(Container::Experiment(id)) => Some((ObjectType::Experiment, ObjectRef::Id(id.clone()))),
        Some(Container::Playground(id)) => Some((ObjectType::PlaygroundLogs, ObjectRef::Id(id.clone()))),
        Some(Container::Project(ProjectRef::Id { id, .. })) => {
            Some((ObjectType::ProjectLogs, ObjectRef::Id(id.clone())))
        }
        Some(Container::Project(ProjectRef::Name(name))) => Some((ObjectType::ProjectLogs, project_name(name))),
        None => {
            let facts = LoggerFacts::of(logger)?;
            let object = match facts.project_id() {
                Some(id) => ObjectRef::Id(id),
                None => project_name(facts.project_name()?),
            };
            Some((ObjectType::ProjectLogs, object))
        }
    }
}
