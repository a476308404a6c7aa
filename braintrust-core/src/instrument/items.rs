//! What a span keeps of a stream: its items, or what a function makes of them.

use std::fmt;
use std::mem::needs_drop;

use crate::capture::{max_items, write_str};
use crate::fields::{Field, Fields};
use crate::record::bound::Held;

use super::ending::record_guarded;

/// How many bytes the items of a stream may take together where they are shown.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// In what steps the memory of items is counted, which takes a lock.
const COUNTED_STEP: usize = 16 * 1024;

/// How many items are kept for a function that makes one output of them, and how many bytes they may take.
const MAX_AGGREGATED: usize = 100_000;
const MAX_AGGREGATED_BYTES: usize = 16 * 1024 * 1024;

/// Keeps something of every item, and at the end puts it into the span's fields.
pub trait Collect<T> {
    /// Looks at one item on its way through.
    fn add(&mut self, item: &T);

    /// Puts what was kept into `fields`.
    fn finish(&mut self, fields: &mut Fields);
}

/// Shows the items one by one, in a list.
pub struct Each<R> {
    record: R,
    is_empty: bool,
    list: List,
    others: Others,
}

impl<R> Each<R> {
    /// `record` keeps of an item what it would keep of a returned value.
    pub fn new(record: R) -> Self {
        Self { record, is_empty: true, list: List::default(), others: Others::default() }
    }
}

impl<T, R: Fn(&T, &mut Fields)> Collect<T> for Each<R> {
    fn add(&mut self, item: &T) {
        self.is_empty = false;
        let mut fields = Fields::new();
        // An item that will not be shown may still be an error.
        record_guarded(&mut fields, &mut |fields| (self.record)(item, fields));
        for (field, json) in fields.iter() {
            match field {
                Field::Output => self.list.push(|out| out.extend_from_slice(json)),
                Field::Error => self.list.push(|out| {
                    out.extend_from_slice(b"{\"error\":");
                    out.extend_from_slice(json);
                    out.push(b'}');
                }),
                _ => {}
            }
        }
        self.others.keep(&fields);
    }

    fn finish(&mut self, fields: &mut Fields) {
        // Items that leave nothing are those of a function that hides its output; a limit of none hides them all.
        if (self.is_empty || self.list.count > 0) && max_items() > 0 {
            self.list.finish(fields);
        }
        self.others.finish(fields);
    }
}

impl<R> fmt::Debug for Each<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Each").field("items", &self.list.count).finish_non_exhaustive()
    }
}

/// Gives all values to a function that makes one output of them.
pub struct Aggregate<V, I, F> {
    values: Vec<V>,
    memory: Memory,
    left_out: usize,
    /// Takes an item apart: a value is kept, an error goes into the fields.
    item: I,
    whole: F,
    others: Others,
}

impl<V, I, F> Aggregate<V, I, F>
where
    F: Fn(&[V], &mut Fields),
{
    /// `item` yields the value of an item, or keeps its error; `whole` keeps the output.
    ///
    /// What else `item` keeps as an output is not shown: by its length it is reckoned how much memory the value takes.
    pub fn new(item: I, whole: F) -> Self {
        let memory = Memory::of_at_most(MAX_AGGREGATED_BYTES);
        Self { values: Vec::new(), memory, left_out: 0, item, whole, others: Others::default() }
    }
}

impl<T, V, I, F> Collect<T> for Aggregate<V, I, F>
where
    I: Fn(&T, &mut Fields) -> Option<V>,
    F: Fn(&[V], &mut Fields),
{
    fn add(&mut self, item: &T) {
        let mut fields = Fields::new();
        let mut value = None;
        record_guarded(&mut fields, &mut |fields| value = (self.item)(item, fields));
        self.others.keep(&fields);
        let Some(value) = value else { return };
        if self.memory.is_full || self.values.len() >= MAX_AGGREGATED {
            self.left_out += 1;
            return;
        }
        let shown = fields.iter().find(|(field, _)| *field == Field::Output).map_or(0, |(_, json)| json.len());
        self.memory.take(size_of::<V>() + shown);
        self.values.push(value);
    }

    fn finish(&mut self, fields: &mut Fields) {
        let values = std::mem::take(&mut self.values);
        record_guarded(fields, &mut |fields| (self.whole)(&values, fields));
        self.others.finish(fields);
        if self.left_out > 0 {
            set_truncated(fields, values.len() + self.left_out);
        }
    }
}

impl<V, I, F> fmt::Debug for Aggregate<V, I, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aggregate").field("items", &self.values.len()).finish_non_exhaustive()
    }
}

/// Whether a value may own memory beside its own bytes.
#[must_use]
pub const fn may_own_memory<T>(_: &T) -> bool {
    needs_drop::<T>()
}

/// The memory that items take: it counts towards the bound on memory, for a stream may stay open for long.
struct Memory {
    most: usize,
    taken: usize,
    counted: Held,
    /// Whether there is no room for more, here or within that bound.
    is_full: bool,
}

impl Memory {
    fn of_at_most(most: usize) -> Self {
        Self { most, taken: 0, counted: Held::default(), is_full: false }
    }

    fn take(&mut self, bytes: usize) {
        self.taken += bytes;
        let uncounted = self.taken - self.counted.bytes();
        self.is_full = self.taken > self.most || uncounted >= COUNTED_STEP && !self.counted.grow(uncounted);
    }
}

/// A JSON list under construction.
struct List {
    json: Vec<u8>,
    memory: Memory,
    count: usize,
    left_out: usize,
}

impl Default for List {
    fn default() -> Self {
        Self { json: Vec::new(), memory: Memory::of_at_most(MAX_BYTES), count: 0, left_out: 0 }
    }
}

impl List {
    fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.count += 1;
        if self.memory.is_full || self.count > max_items() {
            self.left_out += 1;
            return;
        }
        let before = self.json.len();
        self.json.push(if self.json.is_empty() { b'[' } else { b',' });
        write(&mut self.json);
        self.memory.take(self.json.len() - before);
    }

    fn finish(&mut self, fields: &mut Fields) {
        if self.json.is_empty() {
            self.json.push(b'[');
        }
        if self.left_out > 0 {
            self.json.push(b',');
            write_str(&mut self.json, &format!("<{} more left out>", self.left_out));
            set_truncated(fields, self.count);
        }
        self.json.push(b']');
        fields.put(Field::Output, |out| out.extend_from_slice(&self.json));
    }
}

fn set_truncated(fields: &mut Fields, items: usize) {
    fields.put(Field::Metadata, |out| {
        out.extend_from_slice(format!(r#"{{"stream":{{"items":{items},"truncated":true}}}}"#).as_bytes());
    });
}

/// What items leave beside their values: of errors, the last one counts.
#[derive(Default)]
struct Others {
    error: Option<Vec<u8>>,
    metadata: Option<Vec<u8>>,
}

impl Others {
    fn keep(&mut self, fields: &Fields) {
        for (field, json) in fields.iter() {
            match field {
                Field::Error => self.error = Some(json.to_vec()),
                Field::Metadata => self.metadata = Some(json.to_vec()),
                _ => {}
            }
        }
    }

    fn finish(&mut self, fields: &mut Fields) {
        if let Some(json) = self.error.take() {
            fields.put(Field::Error, |out| out.extend_from_slice(&json));
        }
        if let Some(json) = self.metadata.take() {
            fields.put(Field::Metadata, |out| out.extend_from_slice(&json));
        }
    }
}
