//! Finds out where rows go: logs in, registers projects, asks for the size of requests, and keeps the answers.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::parcel::Closing;
use super::persist::{Patience, persist};
use crate::api::{Api, Failure, Session, max_request};
use crate::config::{Resolution, Settings, Target};
use crate::container::{Container, ProjectRef};
use crate::ledger::Ledger;

/// The most registrations under way at once. Rows may name any number of projects, for what they name comes from other
/// programs.
const REGISTRATIONS: usize = 8;

/// A server that did not tell its limits is not asked for them again before this much time has passed.
const LIMITS_ASKED_AGAIN: Duration = Duration::from_secs(30);

/// What is known of one target's backend.
pub(crate) struct Resolver {
    pub(crate) api: Api,
    pub(crate) settings: Arc<Settings>,
    target: Target,
    /// The object of rows that name none.
    own: Container,
    resolution: Arc<Resolution>,
    ledger: Arc<Ledger>,
    registering: Semaphore,
    known: RefCell<Known>,
    /// When the limits were last asked for in vain.
    limits_asked: Cell<Option<Instant>>,
}

/// What the backend has told so far. Only answers are kept, never refusals: who comes next asks again.
#[derive(Default)]
struct Known {
    session: Option<Session>,
    /// The ids of projects, by name.
    projects: HashMap<String, String>,
    limits: Option<RequestLimits>,
    /// The projects that are being asked for.
    asking: HashSet<String>,
    /// Those of them that cannot be had for now: their rows wait on disk, if there is one.
    put_off: HashSet<String>,
}

/// What the data plane takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequestLimits {
    /// The most bytes of a request.
    pub(crate) bytes: usize,
    /// Whether what is larger may be uploaded beside.
    pub(crate) overflow: bool,
}

impl Resolver {
    pub(crate) fn new(
        api: Api,
        target: Target,
        settings: Arc<Settings>,
        resolution: Arc<Resolution>,
        ledger: Arc<Ledger>,
    ) -> Self {
        let own = Container::Project(target.project.clone());
        let registering = Semaphore::new(REGISTRATIONS);
        let (known, limits_asked) = Default::default();
        Self { api, settings, target, own, resolution, ledger, registering, known, limits_asked }
    }

    /// The object of rows that name none.
    pub(crate) fn own(&self) -> &Container {
        &self.own
    }

    /// The organization, and the data plane.
    pub(crate) async fn session(&self, patience: Patience) -> Result<Session, Failure> {
        let known = self.known.borrow().session.clone();
        if let Some(session) = known {
            return Ok(session);
        }
        let Target { app_url, org_name, api_url, .. } = &self.target;
        let login = async |_| self.api.login(app_url, org_name.as_deref(), api_url.as_deref()).await;
        let session = persist(patience, &self.ledger, login).await?;
        self.resolution.set_org_name(&session.org_name);
        self.known.borrow_mut().session = Some(session.clone());
        Ok(session)
    }

    /// What closes the rows of `container` (of the own one, if there is none), as far as nothing has to be asked for it.
    pub(super) fn known_closing(&self, container: Option<&Container>) -> Option<Closing> {
        match container.unwrap_or(&self.own) {
            Container::Project(ProjectRef::Name(name)) => {
                self.known.borrow().projects.get(name).map(|id| in_project(id))
            }
            by_id => Some(by_id.closing().into()),
        }
    }

    /// Asks for the id of the project that `container` names, so that the closing of its rows is known.
    pub(super) async fn register(
        &self,
        container: Option<&Container>,
        session: &Session,
        patience: Patience,
    ) -> Result<(), Failure> {
        let Container::Project(project @ ProjectRef::Name(name)) = container.unwrap_or(&self.own) else {
            return Ok(());
        };
        let register = async |_| {
            let _turn = self.registering.acquire().await;
            self.api.register_project(&self.target.app_url, name, &session.org_id).await
        };
        let id = persist(patience, &self.ledger, register).await?;
        if *project == self.target.project {
            self.resolution.set_project_id(&id);
        }
        self.known.borrow_mut().projects.insert(name.clone(), id);
        Ok(())
    }

    /// Notes that a project is being asked for; `false` if it was already.
    pub(super) fn begin_asking(&self, container: &Container) -> bool {
        self.known.borrow_mut().asking.insert(name_of(container))
    }

    /// Notes that a project is known, or refused; whether its rows were put off before.
    pub(super) fn end_asking(&self, container: &Container) -> bool {
        let (mut known, name) = (self.known.borrow_mut(), name_of(container));
        known.asking.remove(&name);
        known.put_off.remove(&name)
    }

    /// Notes that a project that is being asked for cannot be had for now.
    pub(super) fn put_off(&self, container: &Container) {
        self.known.borrow_mut().put_off.insert(name_of(container));
    }

    /// Whether rows of `container` have to wait for longer.
    pub(super) fn is_put_off(&self, container: &Container) -> bool {
        matches!(container, Container::Project(ProjectRef::Name(name)) if self.known.borrow().put_off.contains(name))
    }

    /// What the data plane takes. Not to know it is no reason to hold rows back, and if the server may still tell it,
    /// it is asked again later.
    pub(super) async fn limits(&self, session: &Session) -> RequestLimits {
        let known = self.known.borrow().limits;
        let user = self.settings.max_request_bytes;
        if let Some(limits) = known {
            return limits;
        }
        if self.limits_asked.get().is_some_and(|asked| asked.elapsed() < LIMITS_ASKED_AGAIN) {
            return RequestLimits { bytes: max_request(None, user), overflow: false };
        }
        let answer = self.api.payload_limit(&session.api_url, self.settings.http_timeout).await;
        let may_still_tell = answer.as_ref().is_err_and(|failure| failure.remedy.may_succeed_later());
        let told = answer.unwrap_or_default();
        let limits = RequestLimits { bytes: max_request(told, user), overflow: told.is_some() };
        self.limits_asked.set(may_still_tell.then(Instant::now));
        self.known.borrow_mut().limits = (!may_still_tell).then_some(limits);
        limits
    }

    /// Forgets the ids of the projects whose rows `closings` close.
    pub(super) fn forget_projects(&self, closings: &BTreeSet<Closing>) {
        self.known.borrow_mut().projects.retain(|_, id| !closings.contains(&in_project(id)));
    }

    /// Forgets the login, and what the data plane that it named has told.
    pub(super) fn forget_session(&self) {
        let mut known = self.known.borrow_mut();
        known.session = None;
        known.limits = None;
    }

    /// Forgets all that the backend has told.
    pub(super) fn forget_everything(&self) {
        self.forget_session();
        self.known.borrow_mut().projects.clear();
    }
}

fn name_of(container: &Container) -> String {
    match container {
        Container::Project(project) => project.label().to_owned(),
        Container::Experiment(id) | Container::Playground(id) => id.clone(),
    }
}

fn in_project(id: &str) -> Closing {
    Rc::from(Container::Project(ProjectRef::Id { id: id.to_owned(), name: None }).closing())
}
