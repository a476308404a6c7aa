//! The task that sends one logger's rows: connects, keeps requests under way while there are rows, and waits while the
//! backend is away.

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::{Either, FutureExt as _, LocalBoxFuture, select};
use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::{sleep_until, timeout};

use super::core::Core;
use super::courier::{Courier, Fate, Verdict};
use super::persist::{LONG_WAIT, Patience};
use super::queue::Limits;
use crate::api::{Backoff, Failure, Session};
use crate::container::Container;

/// While fewer requests than this are under way, rows leave at once; while more are, they gather for a whole request.
const EAGER_REQUESTS: usize = 2;

/// How many times in a row a server has to fail before it is looked for rows that it fails at.
const FAILURES_IN_DOUBT: u32 = 3;

/// Why nothing can be delivered now.
#[derive(Debug)]
pub(super) struct Trouble {
    /// In words for the user.
    pub(super) text: String,
    /// Whether the backend refuses, rather than being out of reach.
    pub(super) is_refusal: bool,
    /// Whether the server has failed at it, rather than being out of reach.
    is_of_server: bool,
    /// How long the server wants to be left alone.
    asked_wait: Option<Duration>,
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        let (asked_wait, is_refusal) = (failure.remedy.asked_wait(), !failure.remedy.may_succeed_later());
        Self { is_of_server: failure.is_of_server(), text: failure.text, is_refusal, asked_wait }
    }
}

type UnderWay = FuturesUnordered<LocalBoxFuture<'static, (u64, Vec<Verdict>)>>;

/// Sends rows until no more can come and all have been settled.
pub(super) async fn drive(core: Rc<Core>) {
    let mut away: Option<Backoff> = None;
    let mut failures = 0;
    loop {
        while !core.has_rows() {
            // What was read may turn out to be nothing but damage.
            core.end_flushes();
            if core.is_closed.get() {
                return;
            }
            // A flush that found nothing is over.
            core.is_urged.set(false);
            core.wake.notified().await;
        }
        if core.resolver.settings.sync_flush {
            urged(&core).await;
        }
        core.is_urged.set(false);
        let is_in_doubt = failures >= FAILURES_IN_DOUBT;
        match (Driver { core: Rc::clone(&core), is_probing: away.is_some(), is_in_doubt }).run().await {
            Ok(()) => (away, failures) = (None, 0),
            Err(trouble) => {
                failures = if trouble.is_of_server { failures + 1 } else { 0 };
                let wait = away.get_or_insert_with(|| core.pacing.backoff()).wait(trouble.asked_wait);
                core.ledger.note(Some(format!("{}; trying again in {:.1} s", trouble.text, wait.as_secs_f64())));
                core.go_away(&trouble);
                rest(&core, wait, trouble.asked_wait).await;
            }
        }
    }
}

/// Waits, but no longer than until somebody asks for a flush; unless the server has asked for the wait.
async fn rest(core: &Core, wait: Duration, asked: Option<Duration>) {
    if let Some(asked) = asked {
        core.is_left_alone.set(asked > LONG_WAIT);
        tokio::time::sleep(asked).await;
        core.is_left_alone.set(false);
    }
    let _ = timeout(wait.saturating_sub(asked.unwrap_or_default()), urged(core)).await;
}

/// Resolves when somebody asks for a flush, or no more rows can come.
async fn urged(core: &Core) {
    while !core.is_urged.get() && !core.is_closed.get() {
        core.wake.notified().await;
    }
}

/// Asks for a project until that is decided; once it has failed too often, its rows make room for others meanwhile.
async fn persevere(
    core: &Core,
    container: &Container,
    session: &Session,
    mut patience: Patience,
) -> Result<(), Failure> {
    let (mut backoff, mut was_put_off) = (core.pacing.backoff(), false);
    loop {
        match core.resolver.register(Some(container), session, patience).await {
            Err(failure) if failure.remedy.may_succeed_later() => {
                core.put_off(container, &failure);
                let wait = backoff.wait(failure.remedy.asked_wait());
                core.ledger.note(Some(format!("{}; trying again in {:.1} s", failure.text, wait.as_secs_f64())));
                tokio::time::sleep(wait).await;
                if core.is_closed.get() && !core.has_rows() {
                    return Ok(());
                }
                (patience.attempts, was_put_off) = (1, true);
            }
            decided => {
                if decided.is_ok() && was_put_off {
                    core.ledger.note(None);
                }
                return decided;
            }
        }
    }
}

/// One stretch of sending, from a connection to the next trouble.
struct Driver {
    core: Rc<Core>,
    /// Whether the backend was away: then a single request goes first, and only once.
    is_probing: bool,
    /// Whether it is looked for rows that the server fails at.
    is_in_doubt: bool,
}

impl Driver {
    /// Sends until there are no more rows, or nothing can be delivered any more.
    async fn run(mut self) -> Result<(), Trouble> {
        let session = self.core.resolver.session(self.patience()).await?;
        self.core.refill(Limits { rows: 1, bytes: 1 });
        if self.core.needs_own_project() {
            self.register_own(&session).await?;
        }
        let courier = Rc::new(self.courier(&session).await);
        let mut under_way = UnderWay::new();
        let mut trouble = None;
        loop {
            let limits = self.limits(&courier);
            if trouble.is_none() {
                if under_way.is_empty() {
                    self.core.read_again();
                }
                self.core.refill(limits);
            }
            if trouble.is_none() && self.core.needs_own_project() {
                if under_way.is_empty() {
                    self.register_own(&session).await?;
                    continue;
                }
            } else if trouble.is_none() && !self.core.has_read_in_vain() {
                self.start_requests(&courier, limits, &session, &mut under_way);
            }
            if under_way.is_empty() {
                match trouble {
                    Some(trouble) => return Err(trouble),
                    None if !self.core.has_rows() => return Ok(()),
                    None => {}
                }
            }
            if let Some((number, verdicts)) = self.next_answer(&mut under_way, &courier).await {
                self.core.aim.set(courier.aim.get());
                self.come_back_to_storage();
                let is_heard = verdicts.iter().any(|verdict| !matches!(verdict.fate, Fate::NotStored(_)));
                match self.core.settle(number, verdicts) {
                    None if is_heard => self.has_answered(trouble.is_some()),
                    // What waits for storage tells nothing of the backend.
                    None => {}
                    some => {
                        trouble = some;
                        self.core.step_back();
                    }
                }
            }
        }
    }

    /// Sees to it that rows are tried again that storage does not take for now.
    fn come_back_to_storage(&self) {
        if let Some(wait) = self.core.storage.take_wait() {
            let core = Rc::clone(&self.core);
            tokio::task::spawn_local(async move {
                tokio::time::sleep(wait).await;
                core.try_aside_again();
            });
        }
    }

    fn has_answered(&mut self, is_in_trouble: bool) {
        if is_in_trouble {
            return;
        }
        if self.is_probing {
            self.is_probing = false;
            self.core.ledger.note(None);
        }
        self.core.come_back();
    }

    /// The next answer; nothing if there is something else to see to.
    async fn next_answer(&self, under_way: &mut UnderWay, courier: &Courier) -> Option<(u64, Vec<Verdict>)> {
        let answer = async {
            match under_way.next().await {
                Some(answer) => answer,
                None => pending().await,
            }
        };
        let quiet = async {
            match courier.quiet_until.get() {
                Some(until) if until > Instant::now() => sleep_until(until.into()).await,
                _ => pending().await,
            }
        };
        let other = select(Box::pin(self.core.wake.notified()), Box::pin(quiet));
        match select(Box::pin(answer), other).await {
            Either::Left((answer, _)) => Some(answer),
            Either::Right(_) => None,
        }
    }

    fn start_requests(&self, courier: &Rc<Courier>, limits: Limits, session: &Session, under_way: &mut UnderWay) {
        let slots = if self.is_probing { 1 } else { self.core.resolver.settings.concurrent_requests };
        let mut unknown = Vec::new();
        while under_way.len() < slots && courier.quiet_until.get().is_none_or(|until| until <= Instant::now()) {
            let eagerly = under_way.len() < EAGER_REQUESTS;
            self.core.refill(limits);
            let Some((number, parcel)) = self.core.next_parcel(limits, eagerly, &mut unknown) else { break };
            let courier = Rc::clone(courier);
            under_way.push(async move { (number, courier.carry(&parcel).await) }.boxed_local());
        }
        for container in unknown {
            self.ask_for(container, session);
        }
    }

    /// Asks for a project that rows name, for as long as that takes, while other rows go on.
    fn ask_for(&self, container: Rc<Container>, session: &Session) {
        if !self.core.resolver.begin_asking(&container) {
            return;
        }
        let (core, session, patience) = (Rc::clone(&self.core), session.clone(), self.patience());
        tokio::task::spawn_local(async move {
            if let Err(failure) = persevere(&core, &container, &session, patience).await {
                core.refuse_container(Some(&container), &failure);
            }
            core.release(&container);
        });
    }

    /// Asks for the logger's own project; its rows are given up if it cannot be had. Where they can wait on disk, they do
    /// while the key has no right to the project: somebody may give it one.
    async fn register_own(&self, session: &Session) -> Result<(), Trouble> {
        match self.core.resolver.register(None, session, self.patience()).await {
            Err(failure) if failure.remedy.may_succeed_later() => Err(failure.into()),
            Err(failure) if failure.disowns() && self.core.has_spool() => Err(failure.into()),
            Err(failure) => {
                self.core.refuse_container(None, &failure);
                Ok(())
            }
            Ok(()) => {
                self.core.release_own();
                Ok(())
            }
        }
    }

    async fn courier(&self, session: &Session) -> Courier {
        Courier {
            api: self.core.resolver.api.clone(),
            api_url: session.api_url.clone(),
            limits: self.core.resolver.limits(session).await,
            patience: self.patience(),
            is_in_doubt: self.is_in_doubt,
            ledger: Arc::clone(&self.core.ledger),
            settings: Arc::clone(&self.core.resolver.settings),
            quiet_until: Cell::default(),
            storage: Rc::clone(&self.core.storage),
            aim: Cell::new(self.core.aim.get()),
        }
    }

    fn limits(&self, courier: &Courier) -> Limits {
        Limits {
            rows: self.core.resolver.settings.batch_rows,
            bytes: courier.limits.bytes.min(courier.aim.get().bytes()),
        }
    }

    fn patience(&self) -> Patience {
        let attempts = if self.is_probing { 1 } else { 1 + self.core.resolver.settings.num_retries as usize };
        Patience { pacing: self.core.pacing, attempts }
    }
}
