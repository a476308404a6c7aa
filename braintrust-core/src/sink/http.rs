//! Rows to Braintrust: finds out where they go, cuts them into requests, and sends these until the server has decided.

mod batch;
mod persist;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream;

use self::batch::{Limits, cut};
use self::persist::persist;
use super::{Delivering, Delivery, Progress, RowBatch, Sink};
use crate::api::{Api, Failure, Pacing, Remedy, Session, max_request, payload};
use crate::config::{ProjectRef, Settings, Target};
use crate::report::{LossReason, Losses};

/// The project logs of one project, under one key.
pub(crate) struct HttpSink {
    api: Api,
    target: Target,
    settings: Arc<Settings>,
    pacing: Pacing,
    known: Known,
}

/// What the backend has told so far. Only answers are kept, never refusals: the next batch asks again.
#[derive(Default)]
struct Known {
    session: Option<Session>,
    project_id: Option<String>,
    max_request: Option<usize>,
}

/// All that requests for rows have in common.
struct Route {
    api_url: String,
    /// The object id fields and the brace that close each row.
    closing: Vec<u8>,
    limits: Limits,
}

impl HttpSink {
    /// A sink for `target`; nothing is sent, not even a login, before the first rows come.
    pub(crate) fn new(target: Target, settings: Arc<Settings>, http: reqwest::Client) -> Self {
        let api = Api::new(http, target.api_key.clone());
        Self { api, target, settings, pacing: Pacing::default(), known: Known::default() }
    }

    async fn deliver_batch(&mut self, batch: RowBatch, progress: &Progress) -> Delivery {
        if batch.is_empty() {
            return Delivery::default();
        }
        let rows: Vec<&[u8]> = batch.iter().collect();
        match self.resolve(progress).await {
            Ok(route) => self.send_all(&route, &rows, progress).await,
            Err(failure) => rejected(&failure.text, rows.len()),
        }
    }

    /// Finds out where rows go, as far as it is not known yet.
    async fn resolve(&mut self, progress: &Progress) -> Result<Route, Failure> {
        let session = match &self.known.session {
            Some(session) => session.clone(),
            None => self.known.session.insert(self.login(progress).await?).clone(),
        };
        let project_id = match &self.known.project_id {
            Some(id) => id.clone(),
            None => self.known.project_id.insert(self.find_project(&session, progress).await?).clone(),
        };
        let bytes = self.find_limit(&session).await;
        Ok(Route {
            api_url: session.api_url,
            closing: project_logs_closing(&project_id),
            limits: Limits { rows: self.settings.batch_rows, bytes },
        })
    }

    async fn login(&self, progress: &Progress) -> Result<Session, Failure> {
        let Target { app_url, org_name, api_url, .. } = &self.target;
        persist(self.pacing, progress, || self.api.login(app_url, org_name.as_deref(), api_url.as_deref())).await
    }

    async fn find_project(&self, session: &Session, progress: &Progress) -> Result<String, Failure> {
        match &self.target.project {
            ProjectRef::Id { id, .. } => Ok(id.clone()),
            ProjectRef::Name(name) => {
                let Target { app_url, .. } = &self.target;
                persist(self.pacing, progress, || self.api.register_project(app_url, name, &session.org_id)).await
            }
        }
    }

    /// The most bytes of a request. Not to know the server's limit is no reason to hold rows back, and if the server
    /// may still tell it, the next batch asks again.
    async fn find_limit(&mut self, session: &Session) -> usize {
        if let Some(known) = self.known.max_request {
            return known;
        }
        let answer = self.api.payload_limit(&session.api_url, self.settings.http_timeout).await;
        let may_still_tell = matches!(&answer, Err(Failure { remedy: Remedy::Again(_), .. }));
        let limit = max_request(answer.unwrap_or_default(), self.settings.max_request_bytes);
        self.known.max_request = (!may_still_tell).then_some(limit);
        limit
    }

    async fn send_all(&self, route: &Route, rows: &[&[u8]], progress: &Progress) -> Delivery {
        let cuts = cut(rows.iter().map(|row| row.len() + route.closing.len()), route.limits);
        let requests = cuts.into_iter().map(|range| self.send(route, &rows[range], progress));
        stream::iter(requests)
            .buffer_unordered(self.settings.concurrent_requests)
            .fold(Delivery::default(), async |all, one| joined(all, one))
            .await
    }

    /// Sends rows in one request, or in as many as the server's limit turns out to ask for.
    async fn send(&self, route: &Route, rows: &[&[u8]], progress: &Progress) -> Delivery {
        let mut delivery = Delivery::default();
        let mut parts = vec![rows];
        while let Some(part) = parts.pop() {
            let body = payload(part, &route.closing);
            match persist(self.pacing, progress, || self.api.send_rows(&route.api_url, body.clone())).await {
                Ok(()) => delivery.delivered += part.len() as u64,
                Err(Failure { remedy: Remedy::FewerRows, .. }) if part.len() > 1 => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
                Err(Failure { text, remedy: Remedy::FewerRows }) => {
                    let size = body.len();
                    let text = format!(
                        "{text}; a row of {size} bytes is more than the server takes: log less in one span, for \
                         instance by leaving out large arguments"
                    );
                    delivery = joined(delivery, rejected(&text, 1));
                }
                Err(failure) => delivery = joined(delivery, rejected(&failure.text, part.len())),
            }
        }
        delivery
    }
}

impl Sink for HttpSink {
    fn deliver<'a>(&'a mut self, rows: RowBatch, progress: &'a Progress) -> Delivering<'a> {
        Box::pin(self.deliver_batch(rows, progress))
    }
}

/// The last fields of a row in a project's logs, and its brace.
fn project_logs_closing(project_id: &str) -> Vec<u8> {
    format!(r#","project_id":{},"log_id":"g"}}"#, serde_json::Value::from(project_id)).into_bytes()
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
