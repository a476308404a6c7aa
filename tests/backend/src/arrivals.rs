//! The books: which calls have arrived, how often, and what broke a rule. Counts only, so that ten million rows fit.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::key_of;

/// A row id, as 128 bits of hash.
pub(crate) type Id = [u8; 16];

/// More than these would say nothing new.
const MOST_VIOLATIONS: usize = 20;

/// Set in a call's byte once its end has arrived; the other bits count the rows that bring its input.
const ENDED: u8 = 0x80;
const COUNT: u8 = 0x7f;

#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    /// For each tenant, a byte for each call by its number.
    calls: BTreeMap<String, Vec<u8>>,
    /// Which call each row id stands for: the place of its tenant, and its number.
    known: HashMap<Id, (u16, u32)>,
    tenants: Vec<String>,
    pub(crate) row_requests: u64,
    pub(crate) violations: Vec<String>,
}

/// What has arrived of one tenant's calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls whose row has arrived.
    pub arrived: u64,
    /// Calls whose end has arrived.
    pub ended: u64,
    /// Rows that came again.
    pub repeated: u64,
}

/// A request for rows.
#[derive(Deserialize)]
pub(crate) struct Envelope<'a> {
    #[serde(borrow)]
    pub(crate) rows: &'a RawValue,
    pub(crate) api_version: u32,
}

/// As much of a row as is judged.
#[derive(Deserialize)]
pub(crate) struct Row<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(default, rename = "_is_merge")]
    is_merge: bool,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    metrics: Option<Metrics>,
}

#[derive(Deserialize)]
struct Metrics {
    end: Option<f64>,
}

/// The arguments of a traced call that is counted, `fn call(tenant: &str, number: u32)`.
#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    tenant: Cow<'a, str>,
    number: u32,
}

impl Row<'_> {
    pub(crate) fn id(&self) -> Id {
        let half = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            (salt, &self.id).hash(&mut hasher);
            hasher.finish().to_le_bytes()
        };
        let mut id = [0; 16];
        id[..8].copy_from_slice(&half(0));
        id[8..].copy_from_slice(&half(1));
        id
    }
}

impl Arrivals {
    /// Takes the rows of a request that came with `key`.
    pub(crate) fn take(&mut self, rows: &[Row<'_>], key: &str) {
        for row in rows {
            self.take_row(row, key);
        }
    }

    fn take_row(&mut self, row: &Row<'_>, key: &str) {
        let id = row.id();
        let call = row.input.and_then(|input| serde_json::from_str::<Call<'_>>(input.get()).ok());
        let known = self.known.get(&id).copied();
        let Some((tenant, number)) = call.map(|call| (self.place_of(&call.tenant), call.number)).or(known) else {
            if row.is_merge {
                self.violation(format!("a merge came before the row that it merges into: {}", row.id));
            }
            return;
        };
        if known.is_some_and(|known| known != (tenant, number)) {
            self.violation(format!("two calls have one row id: {}", row.id));
        }
        let name = &self.tenants[usize::from(tenant)];
        if key != key_of(name) {
            let text = format!("a row of {name} came with another key than its own: {}", row.id);
            self.violation(text);
            return;
        }
        let ended = row.metrics.as_ref().is_some_and(|metrics| metrics.end.is_some());
        self.known.insert(id, (tenant, number));
        self.count(tenant, number, row.input.is_some(), ended);
    }

    fn place_of(&mut self, tenant: &str) -> u16 {
        let place = self.tenants.iter().position(|known| known == tenant).unwrap_or_else(|| {
            self.tenants.push(tenant.to_owned());
            self.tenants.len() - 1
        });
        u16::try_from(place).expect("few tenants")
    }

    fn count(&mut self, tenant: u16, number: u32, has_input: bool, ended: bool) {
        let calls = self.calls.entry(self.tenants[usize::from(tenant)].clone()).or_default();
        let number = number as usize;
        if calls.len() <= number {
            calls.resize(number + 1, 0);
        }
        let call = &mut calls[number];
        if has_input && *call & COUNT < COUNT {
            *call += 1;
        }
        if ended {
            *call |= ENDED;
        }
    }

    pub(crate) fn violation(&mut self, text: String) {
        if self.violations.len() < MOST_VIOLATIONS {
            self.violations.push(text);
        }
    }

    pub(crate) fn tally(&self, tenant: &str) -> Tally {
        let mut tally = Tally::default();
        for call in self.calls.get(tenant).into_iter().flatten() {
            tally.arrived += u64::from(call & COUNT > 0);
            tally.ended += u64::from(call & ENDED > 0);
            tally.repeated += u64::from((call & COUNT).saturating_sub(1));
        }
        tally
    }

    pub(crate) fn missing(&self, tenant: &str, made: Range<u32>) -> Vec<u32> {
        let calls = self.calls.get(tenant).map(Vec::as_slice).unwrap_or_default();
        let is_missing = |number: &u32| {
            let call = calls.get(*number as usize).copied().unwrap_or_default();
            call & COUNT == 0 || call & ENDED == 0
        };
        made.filter(is_missing).take(10).collect()
    }
}
