//! Rows to Braintrust: a queue of rows, from which requests are cut and sent, several at once; what cannot be delivered
//! waits, on disk if there is a spool.

mod aim;
mod core;
mod courier;
mod driver;
mod dump;
mod parcel;
mod persist;
mod queue;
mod resolver;
mod storage;
mod store;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use futures::future::{FutureExt as _, LocalBoxFuture};

use self::core::Core;
pub(super) use self::persist::{LONG_WAIT, Patience};
pub(super) use self::resolver::Resolver;
use super::{RowBatch, Sink};
use crate::api::{Api, HttpClient, Pacing};
use crate::config::{Resolution, Settings, SpoolDir, Target};
use crate::ledger::Ledger;
use crate::spool::{self, Spool, SpoolPlace, Tenant};

/// The rows of one logger, under one key: those of its own project, and those of spans whose parents came from
/// elsewhere.
pub(crate) struct HttpSink {
    core: Rc<Core>,
}

impl HttpSink {
    /// A sink for `target`; nothing is sent, not even a login, before the first rows come. What the backend tells of
    /// the target is published in `resolution`, and what becomes of rows in `ledger`.
    pub(crate) fn new(
        target: Target,
        settings: Arc<Settings>,
        http: HttpClient,
        resolution: Arc<Resolution>,
        ledger: Arc<Ledger>,
    ) -> Self {
        Self::paced(target, settings, http, resolution, ledger, Pacing::default())
    }

    fn paced(
        target: Target,
        settings: Arc<Settings>,
        http: HttpClient,
        resolution: Arc<Resolution>,
        ledger: Arc<Ledger>,
        pacing: Pacing,
    ) -> Self {
        let api = Api::new(http, target.api_key.clone());
        let spool = spool(&target, &settings);
        let resolver = Rc::new(Resolver::new(api, target, settings, resolution, Arc::clone(&ledger)));
        let core = Rc::new(Core::new(resolver, ledger, pacing, spool));
        tokio::task::spawn_local(driver::drive(Rc::clone(&core)));
        Self { core }
    }

    /// Resolves once everything accepted so far is settled, which is not hurried.
    pub(super) fn settled_in_its_time(&self) -> LocalBoxFuture<'static, ()> {
        self.core.watch(false).map(drop).boxed_local()
    }

    /// What is known of the backend, for what is sent there beside the rows.
    pub(super) fn resolver(&self) -> Rc<Resolver> {
        Rc::clone(&self.core.resolver)
    }

    /// The place on disk, for what is kept there beside the rows.
    pub(super) fn disk(&self) -> Disk {
        Disk(Rc::clone(&self.core))
    }
}

/// The place on disk of one logger, if it has one.
pub(super) struct Disk(Rc<Core>);

impl Disk {
    pub(super) fn with<T>(&self, use_it: impl FnOnce(&mut Spool) -> T) -> Option<T> {
        self.0.with_spool(use_it)
    }
}

/// The spool of a target's rows, unless it is switched off, or there is no place for it.
fn spool(target: &Target, settings: &Settings) -> Option<Spool> {
    let dir = match &settings.spool_dir {
        SpoolDir::Off => return None,
        SpoolDir::At(dir) => dir.clone(),
        SpoolDir::Default => spool::default_dir(|variable| std::env::var_os(variable).map(PathBuf::from))?,
    };
    let place = SpoolPlace { dir, max_bytes: settings.spool_bytes as u64 };
    let tenant = Tenant {
        app_url: &target.app_url,
        api_url: target.api_url.as_deref(),
        org_name: target.org_name.as_deref(),
        key: target.api_key.expose(),
    };
    Some(Spool::open(&place, &tenant))
}

impl Sink for HttpSink {
    fn accept(&mut self, rows: RowBatch) {
        self.core.accept(rows);
    }

    fn settled(&mut self) -> LocalBoxFuture<'static, ()> {
        let settled = self.core.barrier();
        // The sender is dropped only with the whole exporter.
        settled.map(drop).boxed_local()
    }

    fn secure(&mut self) {
        self.core.secure();
    }

    fn relieve(&mut self) {
        self.core.relieve();
    }

    fn drop_oldest(&mut self, bytes: usize, rows: usize) {
        self.core.drop_oldest(bytes, rows);
    }
}

impl Drop for HttpSink {
    fn drop(&mut self) {
        self.core.close();
    }
}
