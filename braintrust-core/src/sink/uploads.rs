//! Attachments to Braintrust: a sink for rows whose data is uploaded once the rows are settled.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use futures::future::{FutureExt as _, LocalBoxFuture, join_all};
use tokio::sync::{Notify, Semaphore};

use super::http::{HttpSink, Patience, Resolver, persist};
use super::{RowBatch, Sink};
use crate::api::{AttachmentFacts, Failure, Pacing, Session};
use crate::attachment::{Attached, Key};
use crate::ledger::Ledger;

/// How often data is sent to its place before its upload is given up: for about a minute and a half, if each fails at
/// once. Calls to Braintrust itself are not counted, for while it is away, what waits for it has nowhere else to go.
const ATTEMPTS: usize = 9;
/// How many uploads of one logger are under way at once.
const UPLOADS: usize = 4;
/// How many keys are remembered, so that what is logged again is not uploaded again.
const REMEMBERED: usize = 10_000;
/// How much data may wait in memory to be uploaded.
const MAX_WAITING_BYTES: usize = 256 * 1024 * 1024;

/// Sends rows, and uploads what they refer to.
pub(crate) struct UploadingSink {
    rows: HttpSink,
    uploads: Rc<Uploads>,
}

impl UploadingSink {
    pub(crate) fn new(rows: HttpSink, ledger: Arc<Ledger>) -> Self {
        Self::paced(rows, ledger, Pacing::default())
    }

    fn paced(rows: HttpSink, ledger: Arc<Ledger>, pacing: Pacing) -> Self {
        let uploads = Uploads {
            resolver: rows.resolver(),
            ledger,
            pacing,
            slots: Semaphore::new(UPLOADS),
            known: RefCell::default(),
            waiting_bytes: Cell::new(0),
            line: RefCell::default(),
            done: Notify::new(),
        };
        Self { rows, uploads: Rc::new(uploads) }
    }
}

impl Sink for UploadingSink {
    fn accept(&mut self, mut rows: RowBatch) {
        let attachments = std::mem::take(&mut rows.attachments);
        self.rows.accept(rows);
        if !attachments.is_empty() {
            let after = self.rows.settled();
            Rc::clone(&self.uploads).accept(attachments, after);
        }
    }

    fn settled(&mut self) -> LocalBoxFuture<'static, ()> {
        let rows = self.rows.settled();
        let uploads = Rc::clone(&self.uploads).settled();
        rows.then(|()| uploads).boxed_local()
    }

    fn secure(&mut self) {
        self.rows.secure();
    }

    fn drop_oldest(&mut self, bytes: usize, rows: usize) {
        self.rows.drop_oldest(bytes, rows);
    }
}

/// The uploads of one logger.
struct Uploads {
    resolver: Rc<Resolver>,
    ledger: Arc<Ledger>,
    pacing: Pacing,
    slots: Semaphore,
    known: RefCell<Known>,
    waiting_bytes: Cell<usize>,
    line: RefCell<Line>,
    done: Notify,
}

/// Keys that were taken over before, as many as are remembered.
#[derive(Default)]
struct Known {
    keys: HashSet<Key>,
    order: VecDeque<Key>,
}

/// The numbers of the uploads that are not done.
#[derive(Default)]
struct Line {
    next: u64,
    open: BTreeSet<u64>,
}

impl Uploads {
    /// Takes over what is not known yet, and uploads it when `after` is done.
    fn accept(self: Rc<Self>, attachments: Vec<Arc<Attached>>, after: LocalBoxFuture<'static, ()>) {
        let new: Vec<_> = attachments.into_iter().filter(|attached| self.is_new(attached.key)).collect();
        let jobs: Vec<_> = new.into_iter().map(|attached| Job::begin(Rc::clone(&self), attached)).collect();
        if jobs.is_empty() {
            return;
        }
        tokio::task::spawn_local(async move {
            after.await;
            join_all(jobs.into_iter().map(Job::run)).await;
        });
    }

    fn is_new(&self, key: Key) -> bool {
        let Known { keys, order } = &mut *self.known.borrow_mut();
        if !keys.insert(key) {
            return false;
        }
        order.push_back(key);
        if order.len() > REMEMBERED
            && let Some(oldest) = order.pop_front()
        {
            keys.remove(&oldest);
        }
        true
    }

    /// Resolves once everything taken over so far is uploaded or given up.
    fn settled(self: Rc<Self>) -> LocalBoxFuture<'static, ()> {
        let first_later = self.line.borrow().next;
        async move {
            loop {
                let done = self.done.notified();
                if self.line.borrow().open.first().is_none_or(|oldest| *oldest >= first_later) {
                    return;
                }
                done.await;
            }
        }
        .boxed_local()
    }
}

/// One upload, from when it was taken over until it is done, or dropped.
struct Job {
    uploads: Rc<Uploads>,
    attached: Arc<Attached>,
    number: u64,
    /// What it takes of the memory for waiting data.
    bytes: usize,
}

impl Job {
    fn begin(uploads: Rc<Uploads>, attached: Arc<Attached>) -> Self {
        let number = {
            let mut line = uploads.line.borrow_mut();
            let number = line.next;
            line.next += 1;
            line.open.insert(number);
            number
        };
        uploads.ledger.attachment_queued();
        let bytes = attached.held_bytes();
        let waiting = uploads.waiting_bytes.get() + bytes;
        uploads.waiting_bytes.set(waiting);
        let (attached, bytes) = if waiting > MAX_WAITING_BYTES {
            uploads.waiting_bytes.set(waiting - bytes);
            let why = format!("{waiting} bytes wait to be uploaded, and no more than {MAX_WAITING_BYTES} may");
            (Arc::new(attached.refused(why)), 0)
        } else {
            (attached, bytes)
        };
        Self { uploads, attached, number, bytes }
    }

    async fn run(self) {
        // Never closed.
        let _slot = self.uploads.slots.acquire().await;
        let why = match self.try_to().await {
            Ok(()) => return self.uploads.ledger.attachment_delivered(),
            Err(failure) => failure.text,
        };
        let why = format!("the attachment `{}` could not be uploaded: {why}", self.attached.filename);
        self.uploads.ledger.attachment_lost(&why);
    }

    async fn try_to(&self) -> Result<(), Failure> {
        let session = self.uploads.resolver.session(self.patience(usize::MAX)).await?;
        let uploaded = self.upload(&session).await;
        let error = uploaded.as_ref().err().map(|failure| failure.text.as_str());
        let said = self.say(&session, error).await;
        uploaded.and(said)
    }

    async fn upload(&self, session: &Session) -> Result<(), Failure> {
        let attached = Arc::clone(&self.attached);
        // Reading a file takes time, which this thread has not.
        let data = match tokio::task::spawn_blocking(move || attached.read()).await {
            Ok(data) => data.map_err(Failure::permanent)?,
            Err(_) => return Err(Failure::permanent("it could not be read".to_owned())),
        };
        let Uploads { resolver, ledger, .. } = &*self.uploads;
        persist(self.patience(ATTEMPTS), ledger, async |_| {
            // A signed address does not live long, so each attempt asks for one of its own.
            let address = persist(self.patience(usize::MAX), ledger, async |_| {
                resolver.api.announce_attachment(&session.api_url, self.facts(session)).await
            });
            resolver.api.put_attachment(&address.await?, data.clone(), resolver.settings.http_timeout).await
        })
        .await
    }

    /// Tells the backend how the upload went.
    async fn say(&self, session: &Session, error: Option<&str>) -> Result<(), Failure> {
        let Uploads { resolver, ledger, .. } = &*self.uploads;
        // That something failed is said once: it is no worse if that is lost too.
        let attempts = if error.is_some() { 1 } else { usize::MAX };
        persist(self.patience(attempts), ledger, async |_| {
            resolver.api.post_attachment_status(&session.api_url, self.facts(session), error).await
        })
        .await
    }

    fn patience(&self, attempts: usize) -> Patience {
        Patience { pacing: self.uploads.pacing, attempts }
    }

    fn facts<'a>(&'a self, session: &'a Session) -> AttachmentFacts<'a> {
        let Attached { key, filename, content_type, .. } = &*self.attached;
        AttachmentFacts { key: key.as_str(), filename, content_type, org_id: &session.org_id }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let Uploads { waiting_bytes, line, done, .. } = &*self.uploads;
        waiting_bytes.set(waiting_bytes.get() - self.bytes);
        line.borrow_mut().open.remove(&self.number);
        done.notify_waiters();
    }
}
