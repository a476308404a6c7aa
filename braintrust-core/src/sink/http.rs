//! Rows to Braintrust: groups a window's rows by whether it is known where they go, and sends each group when it is.

mod batch;
mod persist;
mod requests;
mod resolver;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use futures::future::{join, join_all};

use self::requests::Requests;
use self::resolver::Resolver;
use super::{Delivering, Delivery, Progress, RowBatch, Sink};
use crate::api::{Api, Pacing, Row};
use crate::config::{Resolution, Settings, Target};
use crate::container::Container;
use crate::report::{LossReason, Losses};

/// The rows of one logger, under one key: those of its own project, and those of spans whose parents came from
/// elsewhere.
pub(crate) struct HttpSink {
    resolver: Resolver,
    /// The object of rows that name none.
    own: Container,
}

/// The rows of a window, by whether it is known where they go.
struct Grouped<'a> {
    ready: Vec<Row<'a>>,
    /// Rows whose containers have to be asked for.
    waiting: HashMap<&'a Container, Vec<&'a [u8]>>,
}

impl HttpSink {
    /// A sink for `target`; nothing is sent, not even a login, before the first rows come. What the backend tells of
    /// the target is published in `resolution`.
    pub(crate) fn new(
        target: Target,
        settings: Arc<Settings>,
        http: reqwest::Client,
        resolution: Arc<Resolution>,
    ) -> Self {
        Self::paced(target, settings, http, resolution, Pacing::default())
    }

    fn paced(
        target: Target,
        settings: Arc<Settings>,
        http: reqwest::Client,
        resolution: Arc<Resolution>,
        pacing: Pacing,
    ) -> Self {
        resolution.app_public_url.get_or_init(|| settings.public_url(&target.app_url).to_owned());
        let api = Api::new(http, target.api_key.clone());
        let own = Container::Project(target.project.clone());
        Self { resolver: Resolver::new(api, target, settings, resolution, pacing), own }
    }

    async fn deliver_batch(&self, batch: &RowBatch, progress: &Progress) -> Delivery {
        if batch.is_empty() {
            return Delivery::default();
        }
        let session = match self.resolver.session(progress).await {
            Ok(session) => session,
            Err(failure) => return rejected(&failure.text, batch.len()),
        };
        let requests = Requests::new(&self.resolver, session, progress);
        let closings = self.known_closings(batch);
        let Grouped { ready, waiting } = self.group(batch, &closings);
        let waiting =
            join_all(waiting.into_iter().map(|(container, texts)| self.resolve_and_send(&requests, container, texts)));
        let (ready, waiting) = join(requests.send_all(&ready), waiting).await;
        let delivery = waiting.into_iter().fold(ready, joined);
        self.reconsider(&requests.into_disowned(), &delivery);
        delivery
    }

    /// Has the next batch ask anew for what refusals have put in doubt: the ids of projects and, unless rows of others
    /// have arrived, the key and the data plane.
    fn reconsider(&self, disowned: &BTreeSet<Vec<u8>>, delivery: &Delivery) {
        self.resolver.forget_projects(disowned);
        if !disowned.is_empty() && delivery.delivered == 0 {
            self.resolver.forget_session();
        }
    }

    /// The containers in a batch, with the closings of those that nothing has to be asked for.
    fn known_closings<'a>(&'a self, batch: &'a RowBatch) -> HashMap<&'a Container, Option<Vec<u8>>> {
        let mut closings = HashMap::new();
        for row in batch.iter() {
            let container = row.container.unwrap_or(&self.own);
            closings.entry(container).or_insert_with(|| self.resolver.known_closing(container));
        }
        closings
    }

    fn group<'a>(&'a self, batch: &'a RowBatch, closings: &'a HashMap<&Container, Option<Vec<u8>>>) -> Grouped<'a> {
        let mut grouped = Grouped { ready: Vec::with_capacity(batch.len()), waiting: HashMap::new() };
        for row in batch.iter() {
            let container = row.container.unwrap_or(&self.own);
            match closings.get(container) {
                Some(Some(closing)) => grouped.ready.push(Row { text: row.text, closing }),
                _ => grouped.waiting.entry(container).or_default().push(row.text),
            }
        }
        grouped
    }

    /// Sends rows of a container that has to be asked for; the only ones that are lost if it cannot be had.
    async fn resolve_and_send(&self, requests: &Requests<'_>, container: &Container, texts: Vec<&[u8]>) -> Delivery {
        match self.resolver.closing(container, requests.session(), requests.progress()).await {
            Ok(closing) => {
                let rows: Vec<_> = texts.into_iter().map(|text| Row { text, closing: &closing }).collect();
                requests.send_all(&rows).await
            }
            Err(failure) => rejected(&failure.text, texts.len()),
        }
    }
}

impl Sink for HttpSink {
    fn deliver<'a>(&'a mut self, rows: RowBatch, progress: &'a Progress) -> Delivering<'a> {
        Box::pin(async move { self.deliver_batch(&rows, progress).await })
    }
}

fn rejected(why: &str, rows: usize) -> Delivery {
    let plural = if rows == 1 { "" } else { "s" };
    Delivery {
        delivered: 0,
        lost: Losses::of(LossReason::Rejected, rows as u64),
        error: Some(format!("{why} ({rows} row{plural} lost)")),
    }
}

fn joined(mut all: Delivery, one: Delivery) -> Delivery {
    all.delivered += one.delivered;
    all.lost.add(one.lost);
    all.error = one.error.or(all.error);
    all
}
