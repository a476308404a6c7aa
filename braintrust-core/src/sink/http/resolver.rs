//! Finds out where rows go: logs in, registers projects, asks for the size of requests, and keeps the answers.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::persist::persist;
use crate::api::{Api, Failure, Pacing, Session, max_request};
use crate::config::{Resolution, Settings, Target};
use crate::container::{Container, ProjectRef};
use crate::sink::Progress;

/// The most registrations under way at once. Rows may name any number of projects, for what they name comes from other
/// programs.
const REGISTRATIONS: usize = 8;

/// What is known of one target's backend.
pub(super) struct Resolver {
    pub(super) api: Api,
    pub(super) settings: Arc<Settings>,
    pub(super) pacing: Pacing,
    target: Target,
    resolution: Arc<Resolution>,
    registering: Semaphore,
    known: RefCell<Known>,
}

/// What the backend has told so far. Only answers are kept, never refusals: the next batch asks again.
#[derive(Default)]
struct Known {
    session: Option<Session>,
    /// The ids of projects, by name.
    projects: HashMap<String, String>,
    max_request: Option<usize>,
}

impl Resolver {
    pub(super) fn new(
        api: Api,
        target: Target,
        settings: Arc<Settings>,
        resolution: Arc<Resolution>,
        pacing: Pacing,
    ) -> Self {
        let registering = Semaphore::new(REGISTRATIONS);
        Self { api, settings, pacing, target, resolution, registering, known: RefCell::default() }
    }

    /// The organization, and the data plane.
    pub(super) async fn session(&self, progress: &Progress) -> Result<Session, Failure> {
        let known = self.known.borrow().session.clone();
        if let Some(session) = known {
            return Ok(session);
        }
        let Target { app_url, org_name, api_url, .. } = &self.target;
        let login = async || self.api.login(app_url, org_name.as_deref(), api_url.as_deref()).await;
        let session = persist(self.pacing, progress, login).await?;
        self.resolution.org_name.get_or_init(|| session.org_name.clone());
        self.known.borrow_mut().session = Some(session.clone());
        Ok(session)
    }

    /// What closes the rows of `container`, if nothing has to be asked for it.
    pub(super) fn known_closing(&self, container: &Container) -> Option<Vec<u8>> {
        match container {
            Container::Project(ProjectRef::Name(name)) => {
                self.known.borrow().projects.get(name).map(|id| in_project(id))
            }
            by_id => Some(by_id.closing()),
        }
    }

    /// What closes the rows of `container`.
    pub(super) async fn closing(
        &self,
        container: &Container,
        session: &Session,
        progress: &Progress,
    ) -> Result<Vec<u8>, Failure> {
        let Container::Project(project @ ProjectRef::Name(name)) = container else { return Ok(container.closing()) };
        let register = async || {
            let _turn = self.registering.acquire().await;
            self.api.register_project(&self.target.app_url, name, &session.org_id).await
        };
        let id = persist(self.pacing, progress, register).await?;
        if *project == self.target.project {
            self.resolution.project_id.get_or_init(|| id.clone());
        }
        let closing = in_project(&id);
        self.known.borrow_mut().projects.insert(name.clone(), id);
        Ok(closing)
    }

    /// The most bytes of a request. Not to know the server's limit is no reason to hold rows back, and if the server
    /// may still tell it, the next batch asks again.
    pub(super) async fn max_request(&self, session: &Session) -> usize {
        let known = self.known.borrow().max_request;
        if let Some(limit) = known {
            return limit;
        }
        let answer = self.api.payload_limit(&session.api_url, self.settings.http_timeout).await;
        let may_still_tell = answer.as_ref().is_err_and(|failure| failure.remedy.may_succeed_later());
        let limit = max_request(answer.unwrap_or_default(), self.settings.max_request_bytes);
        self.known.borrow_mut().max_request = (!may_still_tell).then_some(limit);
        limit
    }

    /// Forgets the ids of the projects whose rows `closings` close.
    pub(super) fn forget_projects(&self, closings: &BTreeSet<Vec<u8>>) {
        self.known.borrow_mut().projects.retain(|_, id| !closings.contains(&in_project(id)));
    }

    /// Forgets the login, and what the data plane that it named has told.
    pub(super) fn forget_session(&self) {
        let mut known = self.known.borrow_mut();
        known.session = None;
        known.max_request = None;
    }
}

fn in_project(id: &str) -> Vec<u8> {
    Container::Project(ProjectRef::Id { id: id.to_owned(), name: None }).closing()
}
