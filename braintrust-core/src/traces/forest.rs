//! Spans in the order in which they started, linked to their parents and children.

use std::cmp::Ordering;
use std::collections::HashMap;

use serde_json::Value;

use super::gather::Row;

/// A set of trees; spans are named by their place in the order of starts.
#[derive(Clone, Debug, Default)]
pub(super) struct Forest {
    nodes: Vec<Node>,
    roots: Vec<usize>,
}

#[derive(Clone, Debug)]
struct Node {
    row: Row,
    parent: Option<usize>,
    children: Vec<usize>,
}

impl Forest {
    /// Links spans, one row each, by their `span_parents`.
    ///
    /// The first of a span's parents that is there counts. A span with none is a root, and a ring of spans that are each
    /// other's parents is opened at the one that started first, so every span is in exactly one tree.
    pub(super) fn grow(mut rows: Vec<Row>) -> Self {
        rows.sort_by(by_start);
        let mut parents = first_known_parents(&rows);
        open_rings(&mut parents);

        let node = |(row, parent)| Node { row, parent, children: Vec::new() };
        let mut forest = Self { nodes: rows.into_iter().zip(parents).map(node).collect(), roots: Vec::new() };
        for index in 0..forest.len() {
            match forest.nodes[index].parent {
                Some(parent) => forest.nodes[parent].children.push(index),
                None => forest.roots.push(index),
            }
        }
        forest
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn roots(&self) -> &[usize] {
        &self.roots
    }

    pub(super) fn row(&self, index: usize) -> &Row {
        &self.nodes[index].row
    }

    pub(super) fn parent(&self, index: usize) -> Option<usize> {
        self.nodes[index].parent
    }

    pub(super) fn children(&self, index: usize) -> &[usize] {
        &self.nodes[index].children
    }
}

/// By start time, then by the counter that numbers a process's spans; what has no start comes last.
fn by_start(left: &Row, right: &Row) -> Ordering {
    let key = |row: &Row| {
        let number = |object: &str, field: &str| row.get(object)?.get(field)?.as_f64();
        let start = number("metrics", "start").unwrap_or(f64::INFINITY);
        let counter = number("span_attributes", "exec_counter").unwrap_or(f64::INFINITY);
        (start, counter)
    };
    let ((left_start, left_counter), (right_start, right_counter)) = (key(left), key(right));
    left_start.total_cmp(&right_start).then(left_counter.total_cmp(&right_counter))
}

fn first_known_parents(rows: &[Row]) -> Vec<Option<usize>> {
    let mut known = HashMap::<(&str, &str), usize>::new();
    for (index, row) in rows.iter().enumerate() {
        if let Some(span_id) = text(row, "span_id") {
            known.entry((trace_of(row), span_id)).or_insert(index);
        }
    }
    let parent_of = |(index, row): (usize, &Row)| {
        let parents = row.get("span_parents")?.as_array()?;
        let mut places = parents.iter().filter_map(|id| known.get(&(trace_of(row), id.as_str()?)));
        places.find(|&&place| place != index).copied()
    };
    rows.iter().enumerate().map(parent_of).collect()
}

fn trace_of(row: &Row) -> &str {
    text(row, "root_span_id").unwrap_or_default()
}

fn text<'row>(row: &'row Row, field: &str) -> Option<&'row str> {
    row.get(field).and_then(Value::as_str)
}

/// Cuts every ring of parents at its lowest place.
fn open_rings(parents: &mut [Option<usize>]) {
    // The walk that first came by a place: coming back to a place of the same walk means going round in a ring.
    let mut seen_by = vec![None; parents.len()];
    for walk in 0..parents.len() {
        let mut place = walk;
        while seen_by[place].is_none() {
            seen_by[place] = Some(walk);
            match parents[place] {
                Some(parent) => place = parent,
                None => break,
            }
        }
        if seen_by[place] == Some(walk) && parents[place].is_some() {
            parents[lowest_of_ring(parents, place)] = None;
        }
    }
}

fn lowest_of_ring(parents: &[Option<usize>], start: usize) -> usize {
    let round = std::iter::successors(parents[start], |&place| parents[place].filter(|_| place != start));
    round.min().unwrap_or(start)
}
