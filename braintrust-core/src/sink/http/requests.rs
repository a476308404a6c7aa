//! The requests of one delivery: cuts rows into them, and sends each until the server has decided about its rows.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use tokio::sync::{OnceCell, Semaphore};

use super::batch::{Limits, cut};
use super::persist::persist;
use super::resolver::Resolver;
use super::{joined, rejected};
use crate::api::{Failure, Remedy, Row, Session, payload};
use crate::sink::{Delivery, Progress};

/// A request larger than this that ran out of time is sent in parts: at its size it might never arrive. A smaller one
/// ran out of time for other reasons.
const LARGE: usize = 256 * 1024;

/// All that the requests of one delivery have in common.
pub(super) struct Requests<'a> {
    resolver: &'a Resolver,
    session: Session,
    progress: &'a Progress,
    /// One for each request that may be under way at once.
    slots: Semaphore,
    max_request: OnceCell<usize>,
    /// The closings of rows that were refused in a way that puts in doubt what the server told earlier.
    disowned: RefCell<BTreeSet<Vec<u8>>>,
}

impl<'a> Requests<'a> {
    pub(super) fn new(resolver: &'a Resolver, session: Session, progress: &'a Progress) -> Self {
        let slots = Semaphore::new(resolver.settings.concurrent_requests.min(Semaphore::MAX_PERMITS));
        Self { resolver, session, progress, slots, max_request: OnceCell::new(), disowned: RefCell::default() }
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    pub(super) fn progress(&self) -> &'a Progress {
        self.progress
    }

    /// The closings of rows whose key or container the server does not know, or no longer.
    pub(super) fn into_disowned(self) -> BTreeSet<Vec<u8>> {
        self.disowned.into_inner()
    }

    /// Sends rows, in as many requests as the limits ask for.
    pub(super) async fn send_all(&self, rows: &[Row<'_>]) -> Delivery {
        if rows.is_empty() {
            return Delivery::default();
        }
        let bytes = *self.max_request.get_or_init(|| self.resolver.max_request(&self.session)).await;
        let limits = Limits { rows: self.resolver.settings.batch_rows, bytes };
        let cuts = cut(rows.iter().map(Row::len), limits);
        let deliveries = join_all(cuts.into_iter().map(|range| self.send_in_turn(&rows[range]))).await;
        deliveries.into_iter().fold(Delivery::default(), joined)
    }

    /// Waits for a slot, which is kept while the request is repeated: what fails for now is not to be pushed harder.
    async fn send_in_turn(&self, rows: &[Row<'_>]) -> Delivery {
        let _slot = self.slots.acquire().await;
        self.send(rows).await
    }

    /// Sends rows in one request, or in as many as turn out to be needed.
    async fn send(&self, rows: &[Row<'_>]) -> Delivery {
        let mut delivery = Delivery::default();
        let mut has_told = false;
        let mut parts = vec![rows.to_vec()];
        while let Some(part) = parts.pop() {
            let Err(failure) = self.send_part(&part).await else {
                delivery.delivered += part.len() as u64;
                continue;
            };
            match split(&part, &failure) {
                Some(smaller) => {
                    self.progress.note(Some(format!("{}; sending the rows in smaller requests", failure.text)));
                    has_told = true;
                    parts.extend(smaller.into_iter().rev());
                }
                None => delivery = joined(delivery, self.give_up(&part, failure)),
            }
        }
        if has_told {
            self.progress.note(None);
        }
        delivery
    }

    async fn send_part(&self, part: &[Row<'_>]) -> Result<(), Failure> {
        let body = payload(part);
        persist(self.resolver.pacing, self.progress, async || {
            let sent = self.resolver.api.send_rows(&self.session.api_url, body.clone()).await;
            sent.map_err(|failure| too_large_if_late(failure, part.len(), body.len()))
        })
        .await
    }

    fn give_up(&self, part: &[Row<'_>], failure: Failure) -> Delivery {
        if failure.disowns() {
            // What is refused holds rows of one container only, or it would have been split.
            self.disowned.borrow_mut().extend(part.first().map(|row| row.closing.to_vec()));
        }
        match failure {
            Failure { text, remedy: Remedy::FewerRows, .. } => {
                let size: usize = part.iter().map(Row::len).sum();
                let text = format!(
                    "{text}; a row of {size} bytes is more than the server takes: log less in one span, for instance \
                     by leaving out large arguments"
                );
                rejected(&text, part.len())
            }
            Failure { text, .. } => rejected(&text, part.len()),
        }
    }
}

/// Takes a time-out of a large request for a sign that it is too large.
fn too_large_if_late(failure: Failure, rows: usize, size: usize) -> Failure {
    if failure.remedy == Remedy::AgainOrFewerRows && rows > 1 && size > LARGE {
        return Failure { remedy: Remedy::FewerRows, ..failure };
    }
    failure
}

/// The requests to send in place of a failed one, if they may do better.
fn split<'a>(part: &[Row<'a>], failure: &Failure) -> Option<Vec<Vec<Row<'a>>>> {
    match failure.remedy {
        Remedy::FewerRows if part.len() > 1 => {
            let (first, second) = part.split_at(part.len() / 2);
            Some(vec![first.to_vec(), second.to_vec()])
        }
        // A refusal may concern one container only, and must not take the rows of others with it.
        Remedy::None => {
            let mut by_container: BTreeMap<&[u8], Vec<Row<'a>>> = BTreeMap::new();
            for row in part {
                by_container.entry(row.closing).or_default().push(*row);
            }
            (by_container.len() > 1).then(|| by_container.into_values().collect())
        }
        _ => None,
    }
}
