//! One upload: repeated while Braintrust is away, with its data on disk meanwhile.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

use super::{MAX_WAITING_BYTES, Uploads};
use crate::api::{AttachmentFacts, Failure, Session};
use crate::attachment::Attached;
use crate::diagnostics;
use crate::ledger::Tally;
use crate::sink::http::{LONG_WAIT, Patience};

/// How often data is sent to its place before its upload is given up: for about a minute and a half, if each fails at
/// once. Calls to Braintrust itself are not counted, for while it is away, what waits for it has nowhere else to go.
const ATTEMPTS: usize = 9;

/// One upload, from when it was taken over until it is done, or dropped.
pub(super) struct Job {
    uploads: Rc<Uploads>,
    attached: RefCell<Arc<Attached>>,
    number: u64,
    /// What it takes of the memory for waiting data.
    bytes: Cell<usize>,
    /// Where it is counted.
    place: Cell<Tally>,
}

impl Job {
    pub(super) fn begin(uploads: &Rc<Uploads>, attached: Arc<Attached>, place: Tally) -> Rc<Self> {
        let bytes = attached.held_bytes();
        let waiting = uploads.waiting_bytes.get() + bytes;
        uploads.waiting_bytes.set(waiting);
        let job = Rc::new(Self {
            uploads: Rc::clone(uploads),
            attached: RefCell::new(attached),
            number: uploads.line.borrow().next,
            bytes: Cell::new(bytes),
            place: Cell::new(place),
        });
        uploads.line.borrow_mut().push(&job);
        if place.queued > 0 {
            uploads.ledger.attachment_queued();
        }
        if waiting > MAX_WAITING_BYTES && !job.keep() {
            let why = format!("{waiting} bytes wait to be uploaded, and no more than {MAX_WAITING_BYTES} may");
            let refused = job.attached().refused(why);
            job.replace(refused);
        }
        job
    }

    fn attached(&self) -> Arc<Attached> {
        Arc::clone(&self.attached.borrow())
    }

    /// Goes on with the same attachment, whose data is elsewhere.
    fn replace(&self, attached: Attached) {
        self.free(self.bytes.get().saturating_sub(attached.held_bytes()));
        self.attached.replace(Arc::new(attached));
    }

    fn free(&self, bytes: usize) {
        self.bytes.set(self.bytes.get() - bytes);
        self.uploads.waiting_bytes.set(self.uploads.waiting_bytes.get() - bytes);
    }

    pub(super) fn is_on_disk(&self) -> bool {
        self.attached.borrow().place_in_spool().is_some()
    }

    /// Has the data outlive the process; whether it does.
    pub(super) fn keep(&self) -> bool {
        if self.is_on_disk() {
            return true;
        }
        let attached = self.attached();
        let kept = self.uploads.disk.with(|spool| {
            // What cannot be read is told of when it is to be uploaded.
            let data = attached.read().ok()?;
            let kept = spool.keep_blob(attached.facts(), &data);
            let told = |problem| {
                diagnostics::error(&format!("attachments: {:?}", std::mem::discriminant(&problem)), || {
                    format!("{problem}; attachments wait in memory, and are lost if the process ends")
                });
            };
            kept.map_err(told).ok()
        });
        let Some(spooled) = kept.flatten().and_then(Attached::spooled) else { return false };
        self.replace(spooled);
        self.place.set(Tally { spooled: 1, ..Tally::default() });
        self.uploads.ledger.attachment_spooled();
        true
    }

    pub(super) async fn run(self: Rc<Self>) {
        // Never closed.
        let _slot = self.uploads.slots.acquire().await;
        let session = match self.session().await {
            Ok(session) => session,
            // A later process may be let in.
            Err(failure) if self.keep() => return self.leave(&failure),
            Err(failure) => return self.lose(&failure),
        };
        let uploaded = self.upload(&session).await;
        if let Err(failure) = &uploaded
            && failure.remedy.may_succeed_later()
            && self.place.get().earlier == 0
            && self.keep()
        {
            return self.leave(failure);
        }
        let error = uploaded.as_ref().err().map(|failure| failure.text.as_str());
        let said = self.say(&session, error).await;
        match uploaded.and(said) {
            Ok(()) => self.uploads.ledger.attachment_delivered(self.place.get()),
            Err(failure) => self.lose(&failure),
        }
        self.remove();
    }

    async fn session(&self) -> Result<Session, Failure> {
        let once = Patience { pacing: self.uploads.pacing, attempts: 1 };
        self.persist(usize::MAX, async || self.uploads.resolver.session(once).await).await
    }

    async fn upload(&self, session: &Session) -> Result<(), Failure> {
        let attached = self.attached();
        // Reading a file takes time, which this thread has not.
        let data = match tokio::task::spawn_blocking(move || attached.read()).await {
            Ok(data) => data.map_err(Failure::permanent)?,
            Err(_) => return Err(Failure::permanent("it could not be read".to_owned())),
        };
        let resolver = &self.uploads.resolver;
        let attached = self.attached();
        let facts = facts(&attached, session);
        self.persist(ATTEMPTS, async || {
            // A signed address does not live long, so each attempt asks for one of its own.
            let announce = async || resolver.api.announce_attachment(&session.api_url, facts).await;
            let address = self.persist(usize::MAX, announce).await?;
            resolver.api.put_attachment(&address, data.clone(), resolver.settings.http_timeout).await
        })
        .await
    }

    /// Tells the backend how the upload went.
    async fn say(&self, session: &Session, error: Option<&str>) -> Result<(), Failure> {
        let resolver = &self.uploads.resolver;
        // That something failed is said once: it is no worse if that is lost too.
        let attempts = if error.is_some() { 1 } else { usize::MAX };
        let attached = self.attached();
        let facts = facts(&attached, session);
        let say = async || resolver.api.post_attachment_status(&session.api_url, facts, error).await;
        self.persist(attempts, say).await
    }

    /// Repeats a call until it succeeds, proves hopeless, or has been made so often. Once it has failed as often as a
    /// request for rows may, all data goes to disk, and flushes don't wait for it any more.
    async fn persist<T>(&self, attempts: usize, attempt: impl AsyncFn() -> Result<T, Failure>) -> Result<T, Failure> {
        let Uploads { resolver, ledger, pacing, .. } = &*self.uploads;
        let mut backoff = pacing.backoff();
        let mut number = 1;
        loop {
            let flushes = self.uploads.flushes.get();
            match attempt().await {
                Err(failure) if failure.remedy.may_succeed_later() => {
                    let asked = failure.remedy.asked_wait();
                    let is_long = asked.is_some_and(|asked| asked > LONG_WAIT);
                    if is_long {
                        self.uploads.left_alone_until.set(asked.map(|asked| Instant::now() + asked));
                    }
                    if is_long || self.uploads.is_away() || number > resolver.settings.num_retries as usize {
                        self.uploads.go_away(flushes);
                    }
                    if number >= attempts {
                        return Err(failure);
                    }
                    let wait = backoff.wait(asked);
                    ledger.note(Some(format!("{}; retrying in {:.1} s", failure.text, wait.as_secs_f64())));
                    // An attempt that a flush asks for is one more: it takes none from the data's time.
                    let was_urged = self.rest(flushes, wait, asked.unwrap_or_default()).await;
                    number += usize::from(!was_urged);
                }
                Ok(value) => {
                    self.uploads.failed.set(None);
                    // Others may have failures of their own to tell, so only this one's is withdrawn.
                    if number > 1 {
                        ledger.note(None);
                    }
                    return Ok(value);
                }
                refused => return refused,
            }
        }
    }

    /// Waits, but no longer than the server asks for, once there are more than so many flushes; whether there are.
    async fn rest(&self, flushes: u64, wait: Duration, asked: Duration) -> bool {
        sleep(asked).await;
        let urged = async {
            loop {
                let urge = self.uploads.urge.notified();
                if self.uploads.flushes.get() > flushes {
                    return;
                }
                urge.await;
            }
        };
        timeout(wait.saturating_sub(asked), urged).await.is_ok()
    }

    /// The data stays on disk, for a later process.
    fn leave(&self, failure: &Failure) {
        let filename = &self.attached().filename;
        diagnostics::warn_once("attachments left on disk", || {
            format!("the attachment `{filename}` could not be uploaded, and is kept on disk: {}", failure.text)
        });
    }

    fn lose(&self, failure: &Failure) {
        let filename = &self.attached().filename;
        let why = format!("the attachment `{filename}` could not be uploaded: {}", failure.text);
        self.uploads.ledger.attachment_lost(self.place.get(), &why);
    }

    /// Gives back the space on disk.
    fn remove(&self) {
        let attached = self.attached();
        if let Some(path) = attached.place_in_spool() {
            self.uploads.disk.with(|spool| spool.remove_blob(path));
        }
    }
}

fn facts<'a>(attached: &'a Attached, session: &'a Session) -> AttachmentFacts<'a> {
    let Attached { key, filename, content_type, .. } = attached;
    AttachmentFacts { key: key.as_str(), filename, content_type, org_id: &session.org_id }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.free(self.bytes.get());
        self.uploads.line.borrow_mut().open.remove(&self.number);
        self.uploads.done.notify_waiters();
    }
}
