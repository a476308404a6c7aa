//! Takes one parcel to the backend: in one request, or in as many as turn out to be needed, until it is decided what
//! becomes of each of its rows.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::aim::Aim;
use super::dump;
use super::parcel::{Parcel, Part};
use super::persist::{Patience, persist};
use super::resolver::RequestLimits;
use super::storage::Storage;
use crate::api::{Api, Failure, Remedy};
use crate::config::Settings;
use crate::ledger::Ledger;

/// A request larger than this that ran out of time is sent in parts: at its size it might never arrive. A smaller one
/// ran out of time for other reasons.
const LARGE: usize = 256 * 1024;

/// How many requests are spent on finding out which rows of a parcel the backend refuses. One bad row in a thousand
/// takes twenty.
const SEARCHES: usize = 64;

/// How many single rows in a row the server may fail at, before it is taken to fail at all.
const SUSPECTS: usize = 3;

/// All that the requests of a while have in common.
pub(super) struct Courier {
    pub(super) api: Api,
    pub(super) api_url: String,
    pub(super) limits: RequestLimits,
    pub(super) patience: Patience,
    /// Whether the server has failed for so long that its failures may be about single rows.
    pub(super) is_in_doubt: bool,
    pub(super) ledger: Arc<Ledger>,
    pub(super) settings: Arc<Settings>,
    /// Until when the server wants to be left alone.
    pub(super) quiet_until: Cell<Option<Instant>>,
    /// What a request aims at.
    pub(super) aim: Cell<Aim>,
    pub(super) storage: Rc<Storage>,
}

/// What has been decided about some rows.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) part: Part,
    pub(super) fate: Fate,
}

#[derive(Debug)]
pub(super) enum Fate {
    Delivered,
    /// The backend refuses these very rows.
    Refused(Failure),
    /// Nothing takes a row of this size.
    TooLarge(String),
    /// The backend refuses all that this logger has, or cannot be reached: the rows may well be taken later.
    NotNow(Failure),
    /// Storage does not take these rows for now, which others do not need.
    NotStored(Failure),
}

/// What follows from a failure.
enum Next {
    Smaller(Vec<Part>),
    Settle(Fate),
}

impl Courier {
    pub(super) async fn carry(&self, parcel: &Parcel) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        let mut parts = vec![Part::whole(parcel)];
        let mut searches = SEARCHES;
        // Rows that the server fails at, alone, and whether it has taken any.
        let (mut suspects, mut takes_rows) = (Vec::new(), false);
        while let Some(part) = parts.pop() {
            let begun = Instant::now();
            let Err(failure) = self.send(parcel, &part).await else {
                self.aim.set(self.aim.get().after_answer(begun.elapsed()));
                verdicts.push(Verdict { part, fate: Fate::Delivered });
                takes_rows = true;
                continue;
            };
            if self.is_in_doubt && failure.is_of_server() && searches >= 2 && (takes_rows || suspects.len() < SUSPECTS)
            {
                searches -= 2;
                if part.len() > 1 {
                    parts.extend(part.halves().into_iter().rev());
                } else {
                    suspects.push((part, failure));
                }
                continue;
            }
            if failure.remedy == Remedy::FewerRows && part.len() > 1 {
                let size = part.rows(parcel).map(|row| row.len()).sum::<usize>();
                self.aim.set(self.aim.get().below(size));
            }
            match next(parcel, &part, failure, &mut searches, &self.ledger) {
                Next::Smaller(smaller) => parts.extend(smaller.into_iter().rev()),
                Next::Settle(fate) => {
                    if matches!(fate, Fate::Refused(_) | Fate::TooLarge(_)) {
                        dump::refused(&self.settings, &part.body(parcel));
                    }
                    if let Fate::NotNow(failure) = &fate {
                        let rest = parts.drain(..);
                        verdicts.extend(rest.map(|part| Verdict { part, fate: Fate::NotNow(failure.clone()) }));
                    }
                    verdicts.push(Verdict { part, fate });
                }
            }
        }
        for (part, failure) in suspects {
            let fate = if takes_rows { self.try_again(parcel, &part).await } else { Fate::NotNow(failure) };
            verdicts.push(Verdict { part, fate });
        }
        verdicts
    }

    /// Decides about a row that the server has failed at, now that it has taken others: it may just have come back.
    async fn try_again(&self, parcel: &Parcel, part: &Part) -> Fate {
        match self.send(parcel, part).await {
            Ok(()) => Fate::Delivered,
            Err(failure) if failure.is_of_server() => Fate::Refused(failure),
            Err(failure) => match next(parcel, part, failure.clone(), &mut 0, &self.ledger) {
                Next::Settle(fate) => fate,
                Next::Smaller(_) => Fate::NotNow(failure),
            },
        }
    }

    async fn send(&self, parcel: &Parcel, part: &Part) -> Result<(), Failure> {
        let body = part.body(parcel);
        dump::sending(&self.settings, &body);
        if self.limits.overflow && body.len() > self.limits.bytes {
            return self.send_beside(parcel, part, body).await;
        }
        let size = body.len();
        let sent = persist(self.patience, &self.ledger, async |attempt| {
            self.ledger.sending(size, attempt > 1);
            let sent = self.api.send_rows(&self.api_url, body.clone()).await;
            self.heed(sent).map_err(|failure| too_large_if_late(failure, part.len(), size))
        })
        .await;
        match sent {
            Err(failure) if failure.remedy == Remedy::FewerRows && part.len() == 1 && self.limits.overflow => {
                self.send_beside(parcel, part, body).await
            }
            sent => sent,
        }
    }

    /// Uploads a body that is too large for a request, and tells the backend where it is.
    async fn send_beside(&self, parcel: &Parcel, part: &Part, body: Bytes) -> Result<(), Failure> {
        if let Some(failure) = self.storage.trouble() {
            return Err(failure);
        }
        let uploaded = Cell::new(None::<String>);
        let sent = persist(self.storage.patience(self.patience), &self.ledger, async |attempt| {
            self.ledger.sending(body.len(), attempt > 1);
            let sent = self.api.send_overflow(&self.api_url, part.rows(parcel), &body, &uploaded).await;
            self.heed(sent)
        })
        .await;
        match &sent {
            Ok(()) => self.storage.has_answered(),
            Err(failure) if failure.is_of_storage => self.storage.has_failed(failure),
            Err(_) => {}
        }
        sent
    }

    /// Notes until when the server wants to be left alone, by all requests.
    fn heed(&self, sent: Result<(), Failure>) -> Result<(), Failure> {
        let of_backend = sent.as_ref().err().filter(|failure| !failure.is_of_storage);
        if let Some(wait) = of_backend.and_then(|failure| failure.remedy.asked_wait()) {
            let until = Instant::now() + wait;
            self.quiet_until.set(self.quiet_until.get().max(Some(until)));
        }
        sent
    }
}

/// Takes a time-out of a large request for a sign that it is too large.
fn too_large_if_late(failure: Failure, rows: usize, size: usize) -> Failure {
    if failure.remedy == Remedy::AgainOrFewerRows && rows > 1 && size > LARGE {
        return Failure { remedy: Remedy::FewerRows, ..failure };
    }
    failure
}

fn next(parcel: &Parcel, part: &Part, failure: Failure, searches: &mut usize, ledger: &Ledger) -> Next {
    match failure.remedy {
        Remedy::FewerRows if part.len() > 1 => {
            ledger.note(Some(format!("{}; sending the rows in smaller requests", failure.text)));
            Next::Smaller(part.halves().into())
        }
        Remedy::FewerRows => {
            let size: usize = part.rows(parcel).map(|row| row.len()).sum();
            Next::Settle(Fate::TooLarge(format!(
                "{}; a row of {size} bytes is more than the server takes: log less in one span, for instance by \
                 leaving out large arguments",
                failure.text
            )))
        }
        Remedy::Again(_) | Remedy::AgainOrFewerRows if failure.is_of_storage => Next::Settle(Fate::NotStored(failure)),
        Remedy::Again(_) | Remedy::AgainOrFewerRows => Next::Settle(Fate::NotNow(failure)),
        Remedy::None if failure.concerns_all() => Next::Settle(Fate::NotNow(failure)),
        // A refusal may concern one container only, and must not take the rows of others with it.
        Remedy::None if part.closing(parcel).is_none() => Next::Smaller(part.by_container(parcel)),
        Remedy::None if failure.concerns_rows() && part.len() > 1 && *searches >= 2 => {
            *searches -= 2;
            Next::Smaller(part.halves().into())
        }
        Remedy::None => Next::Settle(Fate::Refused(failure)),
    }
}
