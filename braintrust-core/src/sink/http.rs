//! Rows to Braintrust: a queue of rows, from which requests are cut and sent, several at once; what cannot be delivered
//! waits, on disk if there is a spool.

mod core;
mod courier;
mod driver;
mod dump;
mod parcel;
mod persist;
mod queue;
mod resolver;
mod store;
#[cfg(test)]
mod tests;

use std::rc::Rc;
use std::sync::Arc;

use futures::future::{FutureExt as _, LocalBoxFuture};

use self::core::Core;
pub(super) use self::persist::{Patience, persist};
pub(super) use self::resolver::Resolver;
use super::{RowBatch, Sink};
use crate::api::{Api, Pacing};
use crate::config::{Resolution, Settings, Target};
use crate::ledger::Ledger;

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
        http: reqwest::Client,
        resolution: Arc<Resolution>,
        ledger: Arc<Ledger>,
    ) -> Self {
        Self::paced(target, settings, http, resolution, ledger, Pacing::default())
    }

    fn paced(
        target: Target,
        settings: Arc<Settings>,
        http: reqwest::Client,
        resolution: Arc<Resolution>,
        ledger: Arc<Ledger>,
        pacing: Pacing,
    ) -> Self {
        let api = Api::new(http, target.api_key.clone());
        let resolver = Rc::new(Resolver::new(api, target, settings, resolution, Arc::clone(&ledger)));
        let core = Rc::new(Core::new(resolver, ledger, pacing));
        tokio::task::spawn_local(driver::drive(Rc::clone(&core)));
        Self { core }
    }

    /// What is known of the backend, for what is sent there beside the rows.
    pub(super) fn resolver(&self) -> Rc<Resolver> {
        Rc::clone(&self.core.resolver)
    }
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

    fn drop_oldest(&mut self, bytes: usize, rows: usize) {
        self.core.drop_oldest(bytes, rows);
    }
}

impl Drop for HttpSink {
    fn drop(&mut self) {
        self.core.close();
    }
}
