//! What a link to a span is made of, asked of Braintrust as far as it is not known.

use std::time::Duration;

use super::address::check_app_url;
use super::client::Api;
use super::failure::Failure;
use super::login::Session;
use super::retry::Pacing;
use crate::config::{Settings, Target};
use crate::container::{Container, ProjectRef};

/// How often a call is made for a link at most: who asks for a link waits for it.
const ATTEMPTS: u32 = 3;
/// A server that asks for a longer wait than this is not waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The parts of a link to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LinkParts {
    pub(crate) app_public_url: String,
    pub(crate) org_name: String,
    /// What Braintrust's links call the kind of object.
    pub(crate) object_type: &'static str,
    pub(crate) object_id: String,
}

/// The parts of links into `container`. Logs in, and registers a project of which only the name is known, but only if
/// the link needs it.
pub(crate) async fn resolve_link(
    api: &Api,
    target: &Target,
    settings: &Settings,
    container: &Container,
) -> Result<LinkParts, Failure> {
    check_app_url(&target.app_url)?;
    let (org_name, object_id) = match (known_id(container), &target.org_name) {
        (Ok(id), Some(org_name)) => (org_name.clone(), id.to_owned()),
        (Ok(id), None) => (login(api, target).await?.org_name, id.to_owned()),
        (Err(name), _) => {
            let session = login(api, target).await?;
            let id = few_attempts(async || api.register_project(&target.app_url, name, &session.org_id).await).await?;
            (session.org_name, id)
        }
    };
    let app_public_url = settings.public_url(&target.app_url).to_owned();
    Ok(LinkParts { app_public_url, org_name, object_type: object_type(container), object_id })
}

async fn login(api: &Api, target: &Target) -> Result<Session, Failure> {
    let Target { app_url, org_name, api_url, .. } = target;
    few_attempts(async || api.login(app_url, org_name.as_deref(), api_url.as_deref()).await).await
}

/// The id of the object, or else the name of the project.
fn known_id(container: &Container) -> Result<&str, &str> {
    match container {
        Container::Project(ProjectRef::Id { id, .. }) | Container::Experiment(id) | Container::Playground(id) => Ok(id),
        Container::Project(ProjectRef::Name(name)) => Err(name),
    }
}

fn object_type(container: &Container) -> &'static str {
    match container {
        Container::Project(_) => "project_logs",
        Container::Experiment(_) => "experiment",
        Container::Playground(_) => "playground_logs",
    }
}

/// The result of the first attempt that another one cannot better, or else of the last.
async fn few_attempts<T>(attempt: impl AsyncFn() -> Result<T, Failure>) -> Result<T, Failure> {
    let mut backoff = Pacing::default().backoff();
    for _ in 1..ATTEMPTS {
        match attempt().await {
            Err(failure) if failure.remedy.may_succeed_later() => {
                let wait = backoff.wait(failure.remedy.asked_wait());
                if wait > LONGEST_WAIT {
                    return Err(failure);
                }
                tokio::time::sleep(wait).await;
            }
            decided => return decided,
        }
    }
    attempt().await
}
