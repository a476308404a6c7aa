//! Addresses of spans in Braintrust's application.

use super::Span;
use crate::container::{Container, ProjectRef};
use crate::registry::LoggerFacts;

const NOOP: &str = "https://www.braintrust.dev/noop-span";
const NO_LINK: &str = "https://www.braintrust.dev/error-generating-link?msg=";

/// The address of a span, without asking anyone.
pub(super) fn link(span: &Span) -> String {
    let Some(reference) = span.reference() else { return NOOP.to_owned() };
    let Some(facts) = LoggerFacts::of(reference.logger) else { return no_link("logger-closed") };
    if facts.is_local {
        return no_link("rows-are-kept-locally");
    }
    let Some(org) = facts.org_name() else { return no_link("login-or-provide-org-name") };
    let app = facts.app_url.trim_end_matches('/');
    let row = span.id();
    let object = |kind: &str, id: &str| format!("{app}/app/{org}/object?object_type={kind}&object_id={id}&id={row}");
    match span.context().heritage().and_then(|heritage| heritage.container.as_ref()) {
        Some(Container::Experiment(id)) => object("experiment", id),
        Some(Container::Playground(_)) => no_link("playground"),
        Some(Container::Project(ProjectRef::Id { id, .. })) => object("project_logs", id),
        Some(Container::Project(ProjectRef::Name(name))) => logs(app, &org, name, &row),
        None => match (facts.project_id(), facts.project_name()) {
            (Some(id), _) => object("project_logs", &id),
            (None, Some(name)) => logs(app, &org, name, &row),
            (None, None) => no_link("no-project-id-or-name"),
        },
    }
}

/// A page that says why there is no link.
fn no_link(why: &str) -> String {
    format!("{NO_LINK}{why}")
}

fn logs(app: &str, org: &str, project: &str, row: &str) -> String {
    format!("{app}/app/{org}/p/{project}/logs?oid={row}")
}
