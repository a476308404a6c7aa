//! What was logged to each field of a span, merged where it was more than once.

use std::collections::BTreeMap;

use serde_json::Value;

use super::text::write_value;
use crate::export::merge;
use crate::fields::Field;
use crate::record::Record;

/// The values logged to each field.
#[derive(Default)]
pub(super) struct LoggedFields<'a> {
    /// The JSON that was logged last, by field: empty where nothing was.
    last: [&'a [u8]; Field::ALL.len()],
    /// What became of values that were logged one after the other.
    merged: BTreeMap<usize, Value>,
}

/// What a field comes to.
#[derive(Clone, Copy)]
pub(super) enum Logged<'a> {
    /// Logged once: the text is passed on as it is.
    Once(&'a [u8]),
    Merged(&'a Value),
}

impl<'a> LoggedFields<'a> {
    pub(super) fn log(&mut self, record: &Record<'a>) {
        let Some((field, json)) = record.field() else { return };
        let earlier = std::mem::replace(&mut self.last[field as usize], json);
        if !earlier.is_empty() {
            self.merge(field, earlier, json);
        }
    }

    #[cold]
    fn merge(&mut self, field: Field, earlier: &[u8], json: &[u8]) {
        let place = field as usize;
        let earlier = self.merged.remove(&place).or_else(|| serde_json::from_slice(earlier).ok());
        // What was captured is well-formed JSON; were it not, the later text would win as it is.
        let (Some(mut value), Ok(later)) = (earlier, serde_json::from_slice(json)) else { return };
        match field {
            Field::Tags => merge::unite(&mut value, later),
            _ => merge::merge_value(&mut value, later),
        }
        self.merged.insert(place, value);
    }

    #[inline]
    pub(super) fn get(&self, field: Field) -> Option<Logged<'_>> {
        let json = self.last[field as usize];
        if json.is_empty() {
            return None;
        }
        if self.merged.is_empty() {
            return Some(Logged::Once(json));
        }
        Some(self.merged.get(&(field as usize)).map_or(Logged::Once(json), Logged::Merged))
    }
}

impl Logged<'_> {
    pub(super) fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Once(json) => out.extend_from_slice(json),
            Self::Merged(value) => write_value(value, out),
        }
    }

    pub(super) fn into_value(self) -> Option<Value> {
        match self {
            Self::Once(json) => serde_json::from_slice(json).ok(),
            Self::Merged(value) => Some(value.clone()),
        }
    }
}
