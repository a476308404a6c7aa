//! The ids of imported spans: kept as they are, or made anew so that what belonged together still does.

use std::hash::{BuildHasher, RandomState};

use serde_json::{Map, Value};

use crate::active;
use crate::ids::{self, IdStyle, SpanId, TraceId};

/// What becomes of ids.
pub(super) enum Ids {
    Kept,
    Anew(Renaming),
}

/// New ids for old ones: a keyed hash of each.
///
/// The same old id always gets the same new one, wherever in the input it occurs, and nothing has to be remembered. The
/// keys are random, so that another import gives others; two ids collide as rarely as two random ones.
pub(super) struct Renaming {
    keys: RandomState,
    style: IdStyle,
}

/// Where in a trace a span of the nested format stands.
#[derive(Clone, Copy)]
pub(super) struct Above<'a> {
    pub(super) span_id: &'a str,
    pub(super) root_span_id: &'a str,
}

impl Ids {
    pub(super) fn new(keep: bool) -> Self {
        match keep {
            true => Self::Kept,
            false => Self::Anew(Renaming { keys: RandomState::new(), style: active::id_style() }),
        }
    }

    /// Gives a whole span its ids. One that it lacks is taken from those that it has, so that importing it again
    /// gives the same; if it has none at all, it gets fresh ones.
    pub(super) fn identify(&self, row: &mut Map<String, Value>, above: Option<Above<'_>>) {
        let [id, span_id, root] = ["id", "span_id", "root_span_id"].map(|field| take_text(row, field));
        let given_span = span_id.or_else(|| id.clone());
        let given_root = root.or_else(|| given_span.clone());
        let span_number = SpanId::random();
        let span_id = given_span.as_deref().map_or_else(|| fresh_span(span_number), |old| self.span(old));
        let row_id = id.as_deref().or(given_span.as_deref()).map_or_else(fresh_row, |old| self.row(old));
        let root = match (above, given_root) {
            (Some(above), _) => above.root_span_id.to_owned(),
            (None, Some(old)) => self.trace(&old),
            (None, None) => fresh_trace(span_number),
        };
        self.link(row, above.map(|above| above.span_id));
        row.insert("id".to_owned(), row_id.into());
        row.insert("span_id".to_owned(), span_id.into());
        row.insert("root_span_id".to_owned(), root.into());
    }

    /// Gives a row that changes or comments on another one its ids: only those that it names.
    pub(super) fn identify_update(&self, row: &mut Map<String, Value>) {
        self.rename(row, "id", Self::row);
        self.rename(row, "span_id", Self::span);
        self.rename(row, "root_span_id", Self::trace);
        self.link(row, None);
        if let Some(origin) = row.get_mut("origin").and_then(Value::as_object_mut) {
            self.rename(origin, "id", Self::row);
        }
    }

    /// Names the parents: the one that the span is nested in, then those that it names itself.
    fn link(&self, row: &mut Map<String, Value>, above: Option<&str>) {
        let named = row.remove("span_parents");
        let named = named.as_ref().and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let mut parents: Vec<String> = above.map(str::to_owned).into_iter().collect();
        for parent in named.map(|old| self.span(old)) {
            if !parents.contains(&parent) {
                parents.push(parent);
            }
        }
        if !parents.is_empty() {
            row.insert("span_parents".to_owned(), parents.into());
        }
    }

    fn rename(&self, object: &mut Map<String, Value>, field: &str, rename: impl Fn(&Self, &str) -> String) {
        if let Some(old) = take_text(object, field) {
            object.insert(field.to_owned(), rename(self, &old).into());
        }
    }

    fn span(&self, old: &str) -> String {
        match self {
            Self::Kept => old.to_owned(),
            Self::Anew(renaming) => renaming.span(old),
        }
    }

    fn trace(&self, old: &str) -> String {
        match self {
            Self::Kept => old.to_owned(),
            Self::Anew(renaming) => renaming.trace(old),
        }
    }

    fn row(&self, old: &str) -> String {
        match self {
            Self::Kept => old.to_owned(),
            Self::Anew(renaming) => renaming.row(old),
        }
    }
}

impl Renaming {
    fn span(&self, old: &str) -> String {
        match self.style {
            IdStyle::Hex => written(|out| SpanId(self.word("span", old)).write(IdStyle::Hex, out)),
            // With UUIDs the id of a trace is that of its root span: what was the same stays the same.
            IdStyle::Uuid => self.trace(old),
        }
    }

    fn trace(&self, old: &str) -> String {
        let words = [self.word("trace", old), self.word("trace, second half", old)];
        written(|out| TraceId(words).write(self.style, out))
    }

    fn row(&self, old: &str) -> String {
        let words = [self.word("row", old), self.word("row, second half", old)];
        written(|out| TraceId(words).write(IdStyle::Uuid, out))
    }

    fn word(&self, use_of_id: &str, old: &str) -> u64 {
        self.keys.hash_one((use_of_id, old)).max(1)
    }
}

fn fresh_span(number: SpanId) -> String {
    written(|out| number.write(active::id_style(), out))
}

fn fresh_trace(root: SpanId) -> String {
    let style = active::id_style();
    written(|out| TraceId::of_root(root, style).write(style, out))
}

fn fresh_row() -> String {
    written(ids::write_random_uuid)
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap_or_default()
}

fn take_text(object: &mut Map<String, Value>, field: &str) -> Option<String> {
    match object.remove(field) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn identified(ids: &Ids, row: Value) -> Map<String, Value> {
        let Value::Object(mut row) = row else { panic!("a row is an object") };
        ids.identify(&mut row, None);
        row
    }

    #[test]
    fn kept_ids_stay_and_missing_ones_come_from_those_there_are() {
        let whole = json!({"id": "r", "span_id": "s", "root_span_id": "t", "span_parents": ["p"]});
        assert_eq!(Value::Object(identified(&Ids::Kept, whole.clone())), whole);
        let only_row = identified(&Ids::Kept, json!({"id": "r"}));
        assert_eq!(Value::Object(only_row), json!({"id": "r", "span_id": "r", "root_span_id": "r"}));
        let only_span = identified(&Ids::Kept, json!({"span_id": "s", "span_parents": null}));
        assert_eq!(Value::Object(only_span), json!({"id": "s", "span_id": "s", "root_span_id": "s"}));
    }

    #[test]
    fn new_ids_have_the_shape_of_our_own_and_agree_with_one_another() {
        let ids = Ids::new(false);
        let parent = identified(&ids, json!({"id": "r1", "span_id": "s1", "root_span_id": "t"}));
        let child = identified(&ids, json!({"id": "r2", "span_id": "s2", "root_span_id": "t", "span_parents": ["s1"]}));
        assert_eq!(child["span_parents"], json!([parent["span_id"]]));
        assert_eq!(child["root_span_id"], parent["root_span_id"]);
        assert_ne!(child["span_id"], parent["span_id"]);
        let lengths = ["id", "span_id", "root_span_id"].map(|field| child[field].as_str().unwrap().len());
        assert_eq!(lengths, [36, 16, 32]);

        let mut update = json!({"id": "r2", "_is_merge": true, "origin": {"id": "r1"}}).as_object().unwrap().clone();
        ids.identify_update(&mut update);
        assert_eq!(
            Value::Object(update),
            json!({"id": child["id"], "_is_merge": true, "origin": {"id": parent["id"]}})
        );
        assert_ne!(identified(&Ids::new(false), json!({"id": "r1"}))["id"], parent["id"], "each import has its own");
    }

    #[test]
    fn legacy_ids_are_uuids_and_a_root_still_shares_its_traces() {
        let ids = Ids::Anew(Renaming { keys: RandomState::new(), style: IdStyle::Uuid });
        let root = identified(&ids, json!({"id": "r", "span_id": "s", "root_span_id": "s"}));
        assert_eq!(root["span_id"], root["root_span_id"]);
        assert_eq!(root["span_id"].as_str().unwrap().len(), 36);
    }
}
