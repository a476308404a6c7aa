//! Adding up the deltas of a chat stream, of which providers know more kinds than are documented.

use serde_json::{Value, json};

use crate::llm::json;
use crate::llm::notes::Notes;

/// How many calls, parts or details one message may have. Each is looked for among the others.
const MAX_NUMBERED: usize = 1024;

/// Parts of a message that come in pieces, of which each has the type of the whole.
const PIECEMEAL: [&str; 4] = ["text", "thinking", "reasoning", "summary_text"];
/// Up to which length the arguments of a call are looked at for whether they are whole, which may be at every fragment.
const MAX_LOOKED_AT: usize = 4 * 1024;

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
        (known, delta) if holds_parts(known) && holds_parts(&delta) => {
            if json::is_empty(known) {
                *known = delta;
            } else if !json::is_empty(&delta) {
                let mut parts = into_parts(known.take());
                into_parts(delta).into_iter().for_each(|part| add_element(&mut parts, part, notes));
                *known = parts.into();
            }
        }
        (known, delta) => *known = delta,
    }
}

fn holds_parts(value: &Value) -> bool {
    value.is_string() || value.is_array() || value.is_object()
}

/// A text, a part or parts, as a list of parts: the same message may have one in one chunk, and another in the next.
fn into_parts(content: Value) -> Vec<Value> {
    match content {
        Value::Array(parts) => parts,
        Value::String(text) => vec![json!({"type": "text", "text": text})],
        part => vec![part],
    }
}

/// Adds an element to a list: to the one with the same `index`, if it has one; to the last, if that is what it goes on
/// with.
fn add_element(known: &mut Vec<Value>, element: Value, notes: &mut Notes) {
    let kind = json::text(&element, "type");
    let Some(index) = index_of(&element) else {
        let is_piece = kind.is_some_and(|kind| PIECEMEAL.contains(&kind));
        match known.last_mut().filter(|last| is_piece && is_open(last, kind)) {
            Some(last) => accumulate(last, element, notes),
            None => known.push(element),
        }
        return;
    };
    // No element with an index comes after so many others, so none is looked for there.
    let numbered = &known[..known.len().min(MAX_NUMBERED)];
    let is_same = |other: &Value| {
        let other_kind = json::text(other, "type");
        index_of(other) == Some(index) && (kind.is_none() || other_kind.is_none() || kind == other_kind)
    };
    match numbered.iter().position(is_same) {
        Some(same) => accumulate(&mut known[same], element, notes),
        None if known.len() < MAX_NUMBERED => known.push(element),
        None => notes.add(format!("a list of the stream has more than {MAX_NUMBERED} elements")),
    }
}

/// Whether the part of a list can go on with a piece of this kind.
fn is_open(part: &Value, kind: Option<&str>) -> bool {
    let is_closed = part.get("closed").and_then(Value::as_bool) == Some(true);
    json::text(part, "type") == kind && index_of(part).is_none() && !is_closed
}

fn index_of(element: &Value) -> Option<u64> {
    element.get("index")?.as_u64()
}

/// Adds fragments of tool calls, each to the call that it goes on with.
fn add_calls(known: &mut Value, calls: Vec<Value>, notes: &mut Notes) {
    if !known.is_array() {
        *known = Value::Array(Vec::new());
    }
    let Value::Array(known) = known else { return };
    for mut call in calls {
        match place_of(known, &call) {
            Some(place) => {
                // The first id is the one that the client answers by.
                if let (Some(_), Value::Object(call)) = (fact(&known[place], "id"), &mut call) {
                    call.remove("id");
                }
                accumulate(&mut known[place], call, notes);
            }
            None if known.len() < MAX_NUMBERED => known.push(call),
            None => notes.add(format!("the stream has more than {MAX_NUMBERED} tool calls")),
        }
    }
}

/// The call that a fragment goes on with: by its id, or else by its index. Some providers give every call the same index,
/// or none, and some give every fragment an id of its own.
fn place_of(known: &[Value], fragment: &Value) -> Option<usize> {
    let (id, index) = (fact(fragment, "id"), index_of(fragment));
    let has_id = |call: &Value| id.is_some() && fact(call, "id") == id && (index.is_none() || index == index_of(call));
    if let Some(place) = known.iter().rposition(has_id) {
        return Some(place);
    }
    let is_anonymous = id.is_none() && index.is_none();
    let place = known.iter().rposition(|call| is_anonymous || index_of(call) == index)?;
    let goes_on = match fact(&known[place], "id") {
        Some(_) if id.is_some() => index.is_some() && name_of(fragment).is_none(),
        _ => !names_another(&known[place], fragment),
    };
    goes_on.then_some(place)
}

/// Whether a fragment that no id tells of is the beginning of another call than this one.
fn names_another(known: &Value, fragment: &Value) -> bool {
    let (Some(known_name), Some(name)) = (name_of(known), name_of(fragment)) else { return false };
    // Some repeat the name in every fragment.
    name != known_name || (arguments_of(fragment).starts_with('{') && has_all_arguments(known))
}

fn has_all_arguments(call: &Value) -> bool {
    let arguments = arguments_of(call);
    arguments.ends_with('}')
        && arguments.len() <= MAX_LOOKED_AT
        && serde_json::from_str::<serde::de::IgnoredAny>(arguments).is_ok()
}

fn fact<'a>(of: &'a Value, key: &str) -> Option<&'a str> {
    json::text(of, key).filter(|text| !text.is_empty())
}

fn name_of(call: &Value) -> Option<&str> {
    fact(call.get("function")?, "name")
}

fn arguments_of(call: &Value) -> &str {
    call.get("function").and_then(|function| json::text(function, "arguments")).unwrap_or_default()
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
            // Of index 0 and without ids, as only names tell.
            vec![
                json!({"tool_calls": [{"index": 0, "id": "", "function": {"name": "fa", "arguments": "1"}}]}),
                json!({"tool_calls": [{"index": 0, "id": "", "function": {"name": "fa", "arguments": "3"}}]}),
                json!({"tool_calls": [{"index": 0, "id": "", "function": {"name": "fb", "arguments": "24"}}]}),
            ],
            // In one chunk, without anything but names.
            vec![json!({"tool_calls": [{"function": {"name": "fa", "arguments": "13"}},
                {"function": {"name": "fb", "arguments": "24"}}]})],
            // Another id in each fragment.
            vec![
                call(Some(0), Some("a"), "1"),
                json!({"tool_calls": [{"index": 0, "id": "c", "function": {"name": null, "arguments": "3"}}]}),
                call(Some(1), Some("b"), "2"),
                json!({"tool_calls": [{"index": 1, "id": "d", "function": {"arguments": "4"}}]}),
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
    fn calls_of_one_function_are_told_apart_by_whole_arguments() {
        let call = |arguments: &str| json!({"tool_calls": [{"index": 0, "id": "", "function": {"name": "f", "arguments": arguments}}]});
        let message = added(["{\"a\":", "{\"b\":1}}", "{\"a\":", "2}", "{}"].map(call));
        let calls = message["tool_calls"].as_array().unwrap();
        let arguments: Vec<_> = calls.iter().map(|call| &call["function"]["arguments"]).collect();
        assert_eq!(arguments, ["{\"a\":{\"b\":1}}", "{\"a\":2}", "{}"]);
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

    #[test]
    fn nothing_is_lost_where_text_turns_into_parts_or_back() {
        let text = |text: &str| json!({"type": "text", "text": text});
        let thought = |pieces: Value| json!({"type": "thinking", "thinking": pieces});
        let content = |contents: Vec<Value>| {
            added(contents.into_iter().map(|content| json!({"content": content})))["content"].take()
        };
        let cases = [
            (vec![json!(""), json!([]), json!("a"), json!([]), json!("b")], json!("ab")),
            (vec![json!("a"), json!([text("b")]), json!(""), json!("c")], json!([text("abc")])),
            (
                vec![json!([text("a")]), json!("b"), json!([thought("c".into())])],
                json!([text("ab"), thought("c".into())]),
            ),
            (
                vec![json!(""), json!([thought(json!([text("a")]))]), json!([thought(json!([text("b")]))]), json!("c")],
                json!([thought(json!([text("ab")])), text("c")]),
            ),
            (
                vec![json!([{"type": "thinking", "thinking": "a", "closed": true}]), json!([thought("b".into())])],
                json!([{"type": "thinking", "thinking": "a", "closed": true}, thought("b".into())]),
            ),
            (
                vec![
                    text("a"),
                    json!("b"),
                    json!([{"type": "reference", "reference_ids": [1]}]),
                    json!([{"type": "reference"}]),
                ],
                json!([text("ab"), {"type": "reference", "reference_ids": [1]}, {"type": "reference"}]),
            ),
        ];
        for (contents, expected) in cases {
            assert_eq!(content(contents.clone()), expected, "{contents:?}");
        }
        let details = added([
            json!({"details": [{"index": 0, "type": "summary", "text": "a"}]}),
            json!({"details": [{"index": 0, "type": "encrypted", "data": "x"}, {"index": 0, "text": "b"}]}),
        ]);
        let expected =
            json!([{"index": 0, "type": "summary", "text": "ab"}, {"index": 0, "type": "encrypted", "data": "x"}]);
        assert_eq!(details["details"], expected);
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
