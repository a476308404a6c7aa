//! Attachments to Braintrust: a sink for rows whose data is uploaded once the rows are settled. While Braintrust is away
//! the data waits on disk, if there is a spool.

mod job;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Instant;

use futures::future::{FutureExt as _, LocalBoxFuture, join_all};
use tokio::sync::{Notify, Semaphore};

use self::job::Job;
use super::http::{Disk, HttpSink, Resolver};
use super::{RowBatch, Sink};
use crate::api::Pacing;
use crate::attachment::{Attached, Key};
use crate::ledger::{Ledger, Tally};
use crate::spool::Spool;

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
        let uploads = Rc::new(Uploads {
            resolver: rows.resolver(),
            disk: rows.disk(),
            ledger,
            pacing: Pacing::default(),
            slots: Semaphore::new(UPLOADS),
            known: RefCell::default(),
            waiting_bytes: Cell::new(0),
            line: RefCell::default(),
            flushes: Cell::new(0),
            failed: Cell::new(None),
            left_alone_until: Cell::new(None),
            urge: Notify::new(),
            done: Notify::new(),
        });
        let mut sink = Self { rows, uploads };
        sink.take_over();
        sink
    }

    /// Uploads what earlier processes have left on disk.
    fn take_over(&mut self) {
        let left = self.uploads.disk.with(Spool::take_over_blobs).unwrap_or_default();
        let earlier = Tally { earlier: 1, ..Tally::default() };
        let left = left.into_iter().filter_map(Attached::spooled).map(|attached| (Arc::new(attached), earlier));
        let jobs = self.uploads.begin(left);
        self.upload(jobs);
    }

    /// Uploads once the rows so far are settled.
    fn upload(&mut self, jobs: Vec<Rc<Job>>) {
        if jobs.is_empty() {
            return;
        }
        let after = self.rows.settled_in_its_time();
        tokio::task::spawn_local(async move {
            after.await;
            join_all(jobs.into_iter().map(Job::run)).await;
        });
    }
}

impl Sink for UploadingSink {
    fn accept(&mut self, mut rows: RowBatch) {
        let mut attachments = std::mem::take(&mut rows.attachments);
        attachments.retain(|attached| self.uploads.is_new(attached.key));
        let jobs = self.uploads.begin(attachments.into_iter().map(|attached| (attached, Tally::in_memory(1))));
        // What is to be durable is on disk before the rows that name it can be sent.
        if self.uploads.resolver.settings.durable || self.uploads.is_away() {
            for job in &jobs {
                job.keep();
            }
        }
        self.rows.accept(rows);
        self.upload(jobs);
    }

    fn settled(&mut self) -> LocalBoxFuture<'static, ()> {
        let rows = self.rows.settled();
        let uploads = Rc::clone(&self.uploads).settled();
        rows.then(|()| uploads).boxed_local()
    }

    fn secure(&mut self) {
        self.uploads.keep_all();
        self.rows.secure();
    }

    fn relieve(&mut self) {
        self.rows.relieve();
    }

    fn drop_oldest(&mut self, bytes: usize, rows: usize) {
        self.rows.drop_oldest(bytes, rows);
    }
}

/// The uploads of one logger.
struct Uploads {
    resolver: Rc<Resolver>,
    disk: Disk,
    ledger: Arc<Ledger>,
    pacing: Pacing,
    slots: Semaphore,
    known: RefCell<Known>,
    waiting_bytes: Cell<usize>,
    line: RefCell<Line>,
    /// How many flushes were asked for.
    flushes: Cell<u64>,
    /// While nothing can be uploaded: the number of flushes that the latest failed attempt came after.
    failed: Cell<Option<u64>>,
    /// Until when the server wants to be left alone, if that is too long to wait for.
    left_alone_until: Cell<Option<Instant>>,
    /// Told of flushes, which wait for no pause.
    urge: Notify,
    /// Told of uploads that are done, or wait on disk.
    done: Notify,
}

/// Keys that were taken over before, as many as are remembered.
#[derive(Default)]
struct Known {
    keys: HashSet<Key>,
    order: VecDeque<Key>,
}

/// The uploads that are not done, by their numbers.
#[derive(Default)]
struct Line {
    next: u64,
    open: BTreeMap<u64, Weak<Job>>,
}

impl Line {
    fn push(&mut self, job: &Rc<Job>) {
        self.open.insert(self.next, Rc::downgrade(job));
        self.next += 1;
    }
}

impl Uploads {
    fn begin(self: &Rc<Self>, attachments: impl Iterator<Item = (Arc<Attached>, Tally)>) -> Vec<Rc<Job>> {
        attachments.map(|(attached, place)| Job::begin(self, attached, place)).collect()
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

    fn is_away(&self) -> bool {
        self.failed.get().is_some()
    }

    /// Nothing can be uploaded for now, as an attempt has shown that began after so many flushes.
    fn go_away(&self, flushes: u64) {
        self.failed.set(self.failed.get().max(Some(flushes)));
        self.keep_all();
        self.done.notify_waiters();
    }

    /// Puts on disk what is not there yet.
    fn keep_all(&self) {
        let open: Vec<_> = self.line.borrow().open.values().filter_map(Weak::upgrade).collect();
        for job in open {
            job.keep();
        }
    }

    /// Resolves once everything taken over so far is uploaded or given up, or waits on disk, and a new attempt has failed.
    fn settled(self: Rc<Self>) -> LocalBoxFuture<'static, ()> {
        let first_later = self.line.borrow().next;
        let flush = self.flushes.get() + 1;
        self.flushes.set(flush);
        self.urge.notify_waiters();
        async move {
            loop {
                let done = self.done.notified();
                if self.is_settled(first_later, flush) {
                    return;
                }
                done.await;
            }
        }
        .boxed_local()
    }

    fn is_settled(&self, first_later: u64, flush: u64) -> bool {
        let has_failed = self.failed.get() >= Some(flush) || self.left_alone_until.get() > Some(Instant::now());
        let may_wait = |job: &Weak<Job>| job.upgrade().is_none_or(|job| has_failed && job.is_on_disk());
        self.line.borrow().open.range(..first_later).all(|(_, job)| may_wait(job))
    }
}
