//! Adding up the deltas of a chat stream, of which providers know more kinds than are documented.

use serde_json::Value;

use crate::llm::json;
use crate::llm::notes::Notes;

/// How many calls, parts or details one message may have. Each is looked for among the others.
const MAX_NUMBERED: usize = 1024;

/// Adds a delta to what is known: texts are continued, lists go on, objects are merged entry by entry. A null adds
/// nothing.
pub(super) fn accumulate(known: &mut Value, delta: Value, notes: &mut Notes) {
    match (known, delta) {
        (_, Value::Null) => {}
        (Value::Object(known), Value::Object(delta)) => {
            for (key, value) in delta {
                let known = known.entry(key.as_str()).or_insert(Value::Null);
                match (key.as_str(), value) {
                    ("tool_calls", Value::Array(calls)) => add_calls(known, calls, notes),
                    // Facts that may be repeated; an empty one is a repetition too.
                    ("role" | "type" | "id" | "name" | "format" | "status" | "finish_reason", value) => {
                        if known.is_null() || !json::is_empty(&value) {
                            *known = value;
                        }
                    }
                    (_, value) => accumulate(known, value, notes),
                }
            }
        }
        (Value::String(known), Value::String(more)) => known.push_str(&more),
        (Value::Array(known), Value::Array(more)) => {
            more.into_iter().for_each(|element| add_element(known, element, notes))
        }
        (known, delta) => *known = delta,
    }
}

/// Adds an element to a list: to the one with the same `index`, if it has one.
fn add_element(known: &mut Vec<Value>, element: Value, notes: &mut Notes) {
    let Some(index) = element.get("index").and_then(Value::as_u64) else {
        known.push(element);
        return;
    };
    // No element with an index comes after so many others, so none is looked for there.
    let numbered = &known[..known.len().min(MAX_NUMBERED)];
    match numbered.iter().position(|other| other.get("index").and_then(Value::as_u64) == Some(index)) {
        Some(same) => accumulate(&mut known[same], element, notes),
        None if known.len() < MAX_NUMBERED => known.push(element),
        None => notes.add(format!("a list of the stream has more than {MAX_NUMBERED} elements")),
    }
}

/// Adds fragments of tool calls: to the call with the same index. Some providers give every call the same index, or
/// none; a new id is a new call all the same.
fn add_calls(known: &mut Value, calls: Vec<Value>, notes: &mut Notes) {
    if !known.is_array() {
        *known = Value::Array(Vec::new());
    }
    let Value::Array(known) = known else { return };
    for call in calls {
        let id = json::text(&call, "id").filter(|id| !id.is_empty());
        let index = call.get("index").and_then(Value::as_u64);
        let same = known.iter().rposition(|other| {
            let other_id = json::text(other, "id").filter(|id| !id.is_empty());
            let same_id = id.is_none() || other_id.is_none() || id == other_id;
            let other_index = other.get("index").and_then(Value::as_u64);
            same_id && (index == other_index || index.is_none() && (id.is_none() || id == other_id))
        });
        match same {
            Some(place) => accumulate(&mut known[place], call, notes),
            None if known.len() < MAX_NUMBERED => known.push(call),
            None => notes.add(format!("the stream has more than {MAX_NUMBERED} tool calls")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn added(deltas: impl IntoIterator<Item = Value>) -> Value {
        let mut known = json!({});
        deltas.into_iter().for_each(|delta| accumulate(&mut known, delta, &mut Notes::default()));
        known
    }

    #[test]
    fn calls_are_told_apart_by_index_or_by_id() {
        let call = |index: Option<u64>, id: Option<&str>, arguments: &str| {
            let mut call = json!({"function": {"name": id.map(|id| format!("f{id}")), "arguments": arguments}});
            if let Some(index) = index {
                call["index"] = index.into();
            }
            if let Some(id) = id {
                call["id"] = id.into();
            }
            json!({"tool_calls": [call]})
        };
        let streams = [
            // As documented, interleaved.
            vec![
                call(Some(0), Some("a"), "1"),
                call(Some(1), Some("b"), "2"),
                call(Some(0), None, "3"),
                call(Some(1), None, "4"),
            ],
            // All of index 0.
            vec![call(Some(0), Some("a"), "13"), call(Some(0), Some("b"), "2"), call(Some(0), None, "4")],
            // Without index; ids repeated.
            vec![
                call(None, Some("a"), "1"),
                call(None, Some("a"), "3"),
                call(None, Some("b"), "2"),
                call(None, None, "4"),
            ],
        ];
        for stream in streams {
            let message = added(stream);
            let calls: Vec<_> =
                message["tool_calls"].as_array().unwrap().iter().map(|call| &call["function"]).collect();
            assert_eq!(calls, [&json!({"name": "fa", "arguments": "13"}), &json!({"name": "fb", "arguments": "24"})]);
        }
    }

    #[test]
    fn texts_go_on_and_facts_stay() {
        let message = added([
            json!({"role": "assistant", "content": null, "reasoning_content": "Be"}),
            json!({"role": "", "content": "Hel", "reasoning_content": "cause"}),
            json!({"role": "assistant", "content": "lo", "annotations": [{"url": "x"}], "reasoning_content": null}),
            json!({"annotations": [{"url": "y"}], "details": [{"index": 0, "text": "a"}]}),
            json!({"details": [{"index": 1, "text": "c"}, {"index": 0, "text": "b"}]}),
        ]);
        let expected = json!({
            "role": "assistant", "content": "Hello", "reasoning_content": "Because",
            "annotations": [{"url": "x"}, {"url": "y"}],
            "details": [{"index": 0, "text": "ab"}, {"index": 1, "text": "c"}],
        });
        assert_eq!(message, expected);
    }

    /// Looked for among all others, they would take minutes.
    #[test]
    fn long_lists_take_time_by_their_length() {
        let elements = |element: Value| Value::Array(vec![element; 150_000]);
        let mut known = json!({"list": elements(json!({}))});
        let begun = std::time::Instant::now();
        accumulate(&mut known, json!({"list": elements(json!({"index": 1}))}), &mut Notes::default());
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "{:?}", begun.elapsed());
    }
}
