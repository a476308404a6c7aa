//! Merging rows and fields of one span, by the rules that the backend applies to rows with `_is_merge`.

use serde_json::{Map, Value};

/// What the first row of a span says once and for all.
const KEPT_FROM_FIRST: [&str; 5] = ["created", "span_id", "root_span_id", "span_parents", "_parent_id"];

/// Merges a later row of a span into what is known of it.
pub(crate) fn merge_row(into: &mut Map<String, Value>, row: Map<String, Value>) {
    let is_first = into.is_empty();
    for (key, value) in row {
        if key == "_is_merge" || !is_first && KEPT_FROM_FIRST.contains(&key.as_str()) {
            continue;
        }
        match into.get_mut(&key) {
            Some(known) if key == "tags" => unite(known, value),
            Some(known) => merge_value(known, value),
            None => {
                into.insert(key, value);
            }
        }
    }
}

/// Merges a later value into an earlier one: objects entry by entry, everything else by replacement.
pub(crate) fn merge_value(into: &mut Value, value: Value) {
    match (into, value) {
        (Value::Object(known), Value::Object(new)) => {
            for (key, value) in new {
                match known.get_mut(&key) {
                    Some(known) => merge_value(known, value),
                    None => {
                        known.insert(key, value);
                    }
                }
            }
        }
        (known, value) => *known = value,
    }
}

/// Adds to a list of tags those that are not in it, in the order in which they came.
pub(crate) fn unite(into: &mut Value, value: Value) {
    match (into, value) {
        (Value::Array(known), Value::Array(new)) => {
            for tag in new {
                if !known.contains(&tag) {
                    known.push(tag);
                }
            }
        }
        (known, value) => *known = value,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn merged(rows: impl IntoIterator<Item = Value>) -> Value {
        let mut into = Map::new();
        for row in rows {
            let Value::Object(row) = row else { panic!("a row is an object") };
            merge_row(&mut into, row);
        }
        Value::Object(into)
    }

    #[test]
    fn objects_merge_and_all_else_is_replaced() {
        let rows = [
            json!({"input": {"a": {"x": 1}, "l": [1, 2]}, "output": {"p": 1}, "metadata": {"n": 1}}),
            json!({"input": {"a": {"y": 2}, "l": [3]}, "output": "text", "metadata": {"n": null}}),
        ];
        let expected = json!({"input": {"a": {"x": 1, "y": 2}, "l": [3]}, "output": "text", "metadata": {"n": null}});
        assert_eq!(merged(rows), expected);
    }

    #[test]
    fn tags_are_united_and_identity_is_kept() {
        let rows = [
            json!({"span_id": "a", "created": 1, "tags": ["x", "y"]}),
            json!({"span_id": "b", "created": 2, "tags": ["z", "x"], "_is_merge": true}),
        ];
        assert_eq!(merged(rows), json!({"span_id": "a", "created": 1, "tags": ["x", "y", "z"]}));
    }

    fn object(entries: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
        let entries = prop::collection::btree_map("[a-c]", entries, 0..3);
        entries.prop_map(|entries| Value::Object(entries.into_iter().collect()))
    }

    /// Rows whose fields keep their kinds, as those of one program do: `metadata` and what is in it are objects.
    fn row() -> impl Strategy<Value = Value> {
        let tags = prop::collection::btree_set("[a-d]", 0..4);
        (object(object(any::<i8>().prop_map(Value::from))), any::<Option<u8>>(), tags)
            .prop_map(|(metadata, output, tags)| json!({"metadata": metadata, "output": output, "tags": tags}))
    }

    proptest! {
        #[test]
        fn merging_obeys_its_laws(a in row(), b in row(), c in row()) {
            let both = |first: &Value, second: &Value| merged([first.clone(), second.clone()]);
            prop_assert_eq!(both(&a, &a), a.clone(), "a row adds nothing to itself");
            prop_assert_eq!(both(&a, &json!({})), a.clone(), "nothing adds nothing");
            let (left, right) = (both(&both(&a, &b), &c), both(&a, &both(&b, &c)));
            prop_assert_eq!(left, right, "rows may be merged here before they are merged there");
        }
    }
}
